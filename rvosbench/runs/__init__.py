"""Runs: a method on a dataset, scored, kept and read again."""
