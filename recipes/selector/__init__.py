"""Parts of the demo's selector: `python -m recipes.selector.motion` and `.average`."""
