"""How the embedded networks were trained: runs from a clone, and is not in the wheel."""
