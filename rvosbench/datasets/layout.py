"""Finding the root of a dataset, and saying where it is when somebody passed the wrong level."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from rvosbench.errors import DatasetError, UsageError

_SHOWN = 8


def find_root(
    dataset: str, root: Path | None, markers: Sequence[str], nested: Sequence[str] = ()
) -> Path:
    """The folder that holds one of `markers`: `root`, or a child of it called as in `nested`.

    Args:
        dataset: name for messages.
        root: what the user passed.
        markers: paths below the root of which at least one must exist.
        nested: usual names of the root itself, accepted when the user passed its parent.

    Raises:
        UsageError: no root.
        DatasetError: none is there; names the right level if it is close by.
    """
    root = given(dataset, root)
    for folder in (root, *(root / name for name in nested)):
        if _holds(folder, markers):
            return folder
    wanted = " or ".join(markers)
    for near in _near(root):
        if _holds(near, markers):
            raise DatasetError(
                f"{dataset}: {root} is the wrong level: {near} holds {wanted}; pass that folder"
            )
    raise DatasetError(
        f"{dataset}: wanted {wanted} below {root}, found {found_in(root)}. "
        "docs/datasets.md shows the layout"
    )


def given(dataset: str, root: Path | None) -> Path:
    """`root`, or a UsageError for None."""
    if root is None:
        raise UsageError(f"dataset {dataset!r} needs its folder: --data DIR, or root=... in Python")
    return root


def require_file(dataset: str, path: Path, advice: str) -> Path:
    """`path` if it is a file; otherwise a DatasetError that ends with `advice`."""
    if path.is_file():
        return path
    raise DatasetError(
        f"{dataset}: {path} is missing (its folder has {found_in(path.parent)}): {advice}"
    )


def found_in(folder: Path) -> str:
    """The first names in `folder`, for messages."""
    if not folder.is_dir():
        return "no such folder"
    names = sorted(p.name + ("/" if p.is_dir() else "") for p in folder.iterdir())
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more if names else "nothing"


def _holds(folder: Path, markers: Sequence[str]) -> bool:
    return any((folder / marker).exists() for marker in markers)


def _near(root: Path) -> Iterator[Path]:
    yield from list(root.resolve().parents)[:3]
    yield from sorted(p for p in root.iterdir() if p.is_dir())
