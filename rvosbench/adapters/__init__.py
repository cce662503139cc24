"""Foreign models behind our types. torch and transformers are imported here and nowhere lighter."""
