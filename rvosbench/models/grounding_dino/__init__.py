"""GroundingDINO: boxes that an expression names."""
