"""`python -m recipes.text`."""

from recipes.text.training import main

main()
