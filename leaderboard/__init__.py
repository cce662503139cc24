"""Results in, tables and pages out."""
