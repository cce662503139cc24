"""Training recipes of the small models that the demo preset ships."""
