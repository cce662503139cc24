"""Views of runs: pages, pictures, plots."""
