"""SOLA: referring video object segmentation by selecting tracks with aligned object tokens.

The reference method, connected to the benchmark through entry points like anybody's.
"""
