"""Ids as names on disk: the one place where a text from outside becomes a path."""

from __future__ import annotations

from urllib.parse import quote


def file_name(key: str) -> str:
    """A key as one file name: "TAO/a b" -> "TAO%2Fa%20b"; never hidden, never ".."."""
    name = quote(key, safe="")
    return f"%2E{name[1:]}" if name.startswith(".") else name
