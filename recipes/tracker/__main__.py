"""`python -m recipes.tracker`."""

from recipes.tracker.training import main

main()
