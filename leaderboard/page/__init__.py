"""The public page: static files that need nothing from the network."""
