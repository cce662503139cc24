"""The demo's small SAM2: `python -m recipes.tracker`, `python -m recipes.tracker.looks`."""
