"""The demo's small GroundingDINO: `python -m recipes.grounder`."""
