"""An index of a large `mask_dict.json`, so that one video costs reading only its own masks.

The mask file of MeViS train is a 400 MB object `{"<annotation>": [RLE or null, ...], ...}`. Parsing
it takes seconds and about a gigabyte in every process; here it is scanned once for the places where
annotations begin. The index, with the file's SHA-256, is kept in the user's cache folder, keyed by
path, size and time of change.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from rvosbench.config import Json
from rvosbench.errors import AnnotationError
from rvosbench.files.atomic import write_json

_VERSION = 1
# A list of masks starts with an object, null or nothing; `size` and run lengths with a digit. The
# characters of a compressed mask are those from "0" to "o": none of them can look like this.
_LIST = re.compile(rb":\s*\[\s*(?:\{|null|\]\s*[,}])")
_KEY = re.compile(rb'"([^"\\]{1,200})"\s*\Z')
_BEFORE = 256


@dataclass(frozen=True)
class JsonIndex:
    """Where each top-level list of a JSON file lies.

    Attributes:
        path: the file.
        sha256: of the whole file, hex.
        spans: key -> (first byte of the list, a byte after its end).
    """

    path: Path
    sha256: str
    spans: Mapping[str, tuple[int, int]] = field(repr=False)

    def read(self, key: str) -> list[Json]:
        """The list at `key`.

        Raises:
            KeyError: no such key.
            AnnotationError: the bytes there are not a JSON list.
        """
        start, end = self.spans[key]
        with self.path.open("rb") as file:
            file.seek(start)
            content = file.read(end - start)
        try:
            value, _ = json.JSONDecoder().raw_decode(content.decode("utf-8"))
        except ValueError as error:
            raise AnnotationError(
                f"{self.path}: the masks of annotation {key!r} (bytes {start}-{end}) are broken "
                f"({error}): download the file again"
            ) from error
        return list(value)


def open_index(path: Path, cache: Path | None = None) -> JsonIndex:
    """The index of `path`, from the cache or built now and cached.

    Args:
        path: a JSON file as in the module's description.
        cache: folder of indices, default `cache_folder()`. If it cannot be written, the index
            lives in memory only.

    Raises:
        AnnotationError: the file is not such an object, or ends too early.
    """
    stat = path.stat()
    key = f"{path.resolve()}:{stat.st_size}:{stat.st_mtime_ns}"
    name = hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()[:32]
    file = (cache_folder() if cache is None else cache) / f"masks-{name}.json"
    index = _cached(file, path, stat.st_size)
    if index is None:
        index = build_index(path)
        content = {"version": _VERSION, "sha256": index.sha256, "spans": dict(index.spans)}
        with suppress(OSError):
            write_json(file, content)
    return index


def build_index(path: Path) -> JsonIndex:
    """Scan a file: a second or two for 400 MB, mostly hashing. Raises as `open_index`."""
    if not path.stat().st_size:
        raise AnnotationError(f"{path} is empty: download it again")
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        _check_ends(path, content)
        return JsonIndex(path, hashlib.sha256(content).hexdigest(), _spans(path, content))


def cache_folder() -> Path:
    """`$XDG_CACHE_HOME/rvosbench`, or `~/.cache/rvosbench`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "rvosbench"


def _spans(path: Path, content: mmap.mmap) -> dict[str, tuple[int, int]]:
    starts: dict[str, int] = {}
    for match in _LIST.finditer(content):
        key = _KEY.search(content[max(0, match.start() - _BEFORE) : match.start()])
        if key and key[1] not in (b"counts", b"size"):
            starts[key[1].decode("utf-8")] = content.find(b"[", match.start())
    if not starts:
        raise AnnotationError(
            f'{path} holds no masks: wanted {{"<annotation id>": [{{"size": [h, w], "counts": '
            '"..."}, null, ...], ...}'
        )
    ends = [*sorted(starts.values())[1:], len(content)]
    end_of = dict(zip(sorted(starts.values()), ends, strict=True))
    return {key: (start, end_of[start]) for key, start in starts.items()}


def _check_ends(path: Path, content: mmap.mmap) -> None:
    head, tail = content[:64].lstrip(b"\xef\xbb\xbf \t\r\n"), content[-64:].rstrip()
    if head.startswith(b"version https://git-lfs"):
        raise AnnotationError(f"{path} is a git-lfs pointer, not the file: fetch it with git lfs")
    if not head.startswith(b"{"):
        raise AnnotationError(f"{path} begins with {head[:20]!r}, wanted a JSON object")
    if not tail.endswith(b"}"):
        raise AnnotationError(
            f"{path} does not end with '}}' ({len(content)} bytes): the download broke off, "
            "get it again"
        )


def _cached(file: Path, path: Path, size: int) -> JsonIndex | None:
    """A stored index; None if there is none, or a damaged one."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        stored = json.loads(file.read_text(encoding="utf-8"))
        spans = {str(k): (int(a), int(b)) for k, (a, b) in stored["spans"].items()}
        fits = stored["version"] == _VERSION and all(0 <= a < b <= size for a, b in spans.values())
        return JsonIndex(path, str(stored["sha256"]), spans) if fits else None
    return None
