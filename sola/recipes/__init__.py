"""Says where the recipes went: they run from a clone and are no longer part of the wheel."""

raise ImportError(
    "sola.recipes is recipes.selector now, in a clone of the repository and not in the wheel: "
    "`python -m recipes.selector.average` or `.motion`",
    name=__name__,  # so that `python -m` prints this line and no traceback
)
