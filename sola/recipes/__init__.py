"""Recipes of the demo preset's selector."""
