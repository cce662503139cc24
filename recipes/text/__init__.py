"""The demo's small text encoder: `python -m recipes.text`."""
