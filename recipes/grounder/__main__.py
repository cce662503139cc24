"""`python -m recipes.grounder`."""

from recipes.grounder.training import main

main()
