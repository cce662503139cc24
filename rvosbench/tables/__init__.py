"""Tables of results: what leaderboards, experiments and reports share, strangers to each other."""
