"""What object tokens know: the analyses of the paper's section 4.5."""
