"""SAM2: mask tracks and object tokens of prompted objects."""
