"""Tables: those of the paper and one board a split, from the numbers."""
