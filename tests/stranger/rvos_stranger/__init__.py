"""A stranger's package: everything it offers comes in through entry points."""
