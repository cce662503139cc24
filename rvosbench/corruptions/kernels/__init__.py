"""Compiled loops. Each is a pure function of arrays, compiled on first use and cached on disk."""
