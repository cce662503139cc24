"""Training a selector: steps, epochs, validation, state on disk."""
