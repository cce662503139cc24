"""Says where the recipes went: they run from a clone and are no longer part of the wheel."""

raise ImportError(
    "rvosbench.recipes is recipes now, in a clone of the repository and not in the wheel: `python "
    "-m recipes.tracker`, `.tracker.looks` (was tracker_looks), `.grounder` or `.text`; "
    "rvosbench.recipes.probes is sola.analysis.linear_probe",
    name=__name__,  # so that `python -m` prints this line and no traceback
)
