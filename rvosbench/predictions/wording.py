"""Lists of names in messages, kept short."""

from __future__ import annotations

from collections.abc import Sequence


def few(names: Sequence[str], limit: int = 3) -> str:
    """The first names and how many more there are.

    >>> few(["a", "b", "c", "d", "e"])
    'a, b, c and 2 more'
    >>> few([])
    'nothing'
    """
    if not names:
        return "nothing"
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more
