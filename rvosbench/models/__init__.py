"""Foreign networks behind our types: SAM2, GroundingDINO, text encoders."""
