"""Numbers: results of runs and published rows as entries of one type, and where they lie."""
