"""Every error a user can cause, in one tree.

A message says what went wrong, where, what was found, what was wanted and what to do. The command
line prints it without a traceback and exits with `exit_code`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager


class RvosbenchError(Exception):
    """Something a user can put right: bad files, missing weights, an impossible request."""

    exit_code = 1


class UsageError(RvosbenchError):
    """The command or call itself is wrong: an unknown name, key or combination."""

    exit_code = 2


class UnknownNameError(UsageError):
    """A name that is in no table and at no entry point."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        choices = sorted(known)
        super().__init__(
            f"unknown {kind} {name!r}{did_you_mean(name, choices)}. Known: {', '.join(choices)}."
        )


class ConfigurationError(UsageError):
    """A configuration key that does not exist, or a value of the wrong type."""


class FileError(RvosbenchError):
    """A file, folder or archive that cannot be read, or a name that cannot be one."""


class DatasetError(RvosbenchError):
    """A dataset folder that is not what its layout promises."""


class AnnotationError(DatasetError):
    """Annotation files that contradict each other or cannot be read."""


class NoGroundTruthError(DatasetError):
    """The split's ground truth is hidden by its authors: predictions can be written, not scored."""


class PredictionError(RvosbenchError):
    """Predictions that cannot be read, or that do not fit the dataset."""


class IncompletePredictionError(PredictionError):
    """A video, expression or frame that the protocol asks for is not there."""


class MaskError(RvosbenchError):
    """Masks of the wrong shape, type or number."""


class WeightsError(RvosbenchError):
    """Model weights that are missing or are not what their name says."""


class PluginError(RvosbenchError):
    """A plugin that cannot be imported, or a name that two distributions claim."""


class WorkerError(RvosbenchError):
    """A worker process that ended in the middle of its work, again and again."""


class ResultError(RvosbenchError):
    """A result file that cannot be read or is not a result."""


def did_you_mean(name: str, choices: Iterable[str]) -> str:
    """`" (did you mean 'x'?)"` for the nearest of `choices`, or an empty string.

    >>> did_you_mean("mevsi", ["mevis", "demo"])
    " (did you mean 'mevis'?)"
    """
    near = difflib.get_close_matches(name, list(choices), n=1, cutoff=0.5)
    return f" (did you mean {near[0]!r}?)" if near else ""


@contextmanager
def told_as(kind: type[RvosbenchError], where: str = "") -> Iterator[None]:
    """Tell a FileError or MaskError as an error of what was read, such as predictions.

    Files and masks are read by the same code whatever they are for; who reads knows what for.

    Args:
        kind: what is raised instead.
        where: put in front of the message.
    """
    try:
        yield
    except (FileError, MaskError) as error:
        raise kind(f"{where}: {error}" if where else str(error)) from error


def few(names: Sequence[str], limit: int = 3, between: str = ", ") -> str:
    """The first names of a list for a message, and how many more there are.

    >>> few(["a", "b", "c", "d", "e"])
    'a, b, c and 2 more'
    >>> few([])
    'nothing'
    """
    if not names:
        return "nothing"
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return between.join(names[:limit]) + more


def first_line(error: Exception) -> str:
    r"""What a foreign library says went wrong, short enough to stand in a message of ours.

    >>> first_line(OSError("no network\nsecond line")), first_line(KeyError())
    ('OSError: no network', 'KeyError: no details')
    """
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0] if lines else 'no details'}"
