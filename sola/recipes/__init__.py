"""How the embedded weights of the selector are made."""
