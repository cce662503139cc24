"""A file of a track cache: the tracks of one video as Parquet, a row a track.

    id            text       unique in the video
    video         text
    source        text       grid, box or truth (training only)
    prompt_frame  int32
    prompt        [float64]  point or box in pixels; empty for truth
    score         float64    in [0, 1]
    candidates    [text]     expressions it may serve; null: all
    frames, dim   int32      T and D
    tokens        [float]    T * D, frame after frame; float32 or float16
    height, width int32      pixels
    masks         [text]     T compressed COCO counts; null: empty

What decided the rows is in the file's metadata under "rvosbench", see `Header`.

    datasets.load_dataset("parquet", data_files="CACHE/*.parquet")
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from rvosbench.errors import RvosbenchError
from rvosbench.masks import MaskSequence, Rle
from rvosbench.records import Json, Track
from rvosbench.tracks.header import FORMAT, Header

if TYPE_CHECKING:
    import pyarrow as pa

ROWS_AT_ONCE = 64
KEY = b"rvosbench"
"""Of a file's metadata."""

T = TypeVar("T")


class TrackCacheError(RvosbenchError):
    """Cached tracks that cannot be read, or that do not fit what is asked for."""


def write_tracks(path: Path, header: Header, tracks: Sequence[Track]) -> Header:
    """Write one file; returns the header with the content's hash.

    Args:
        path: is replaced; callers that can be killed write beside and rename it.
        header: its `content` is filled in.
        tracks: of the video `header.video`.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    # Tokens as they will be read again: float32 values, rounded if they are stored in less.
    kept = [
        replace(t, tokens=t.tokens.astype(header.token_dtype).astype(np.float32)) for t in tracks
    ]
    header = replace(header, content=content_hash(kept))
    table = _table(header, kept)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Of a list the Parquet writer compresses its element.
    names = [f"{f.name}.list.element" if pa.types.is_list(f.type) else f.name for f in table.schema]
    compression = {n: "NONE" if n.startswith("tokens") else "ZSTD" for n in names}
    with pq.ParquetWriter(
        path, table.schema, compression=compression, use_dictionary=False
    ) as file:
        if kept:  # a row group without rows is something that `datasets` cannot read
            file.write_table(table, row_group_size=ROWS_AT_ONCE)
    return header


def read_header(path: Path) -> Header:
    """What decided a file's tracks; raises TrackCacheError for other files and newer formats."""
    return read_metadata(path, lambda content: _header(path, content))


def _header(path: Path, content: Json) -> Header:
    if int(content["format"]) <= FORMAT:
        return Header.from_json(content)
    raise TrackCacheError(
        f"{path}: format {content['format']}, this version reads up to {FORMAT}: update rvosbench"
    )


def read_metadata(path: Path, decode: Callable[[Json], T]) -> T:
    """What any file of a cache says of itself; raises TrackCacheError if it says nothing."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return decode(json.loads((pq.read_schema(path).metadata or {})[KEY]))
    except (OSError, KeyError, ValueError, TypeError, pa.ArrowException) as error:
        raise TrackCacheError(
            f"{path}: not a file of a track cache ({type(error).__name__}): delete it and run "
            "`rvosbench tracks build` again"
        ) from error


def read_tracks(path: Path) -> tuple[Track, ...]:
    """All tracks, in the order they were made; tokens float32; raises TrackCacheError if broken."""
    return read_rows(path, _tracks)


def read_tokens(path: Path) -> NDArray[np.floating[Any]]:
    """The object tokens of all tracks of a file, (N, T, D), in the type they are stored in.

    Nothing else is decoded and no number becomes a Python object: about a millisecond a video. The
    array is Arrow's own memory and cannot be written. Raises as `read_tracks`.
    """
    return read_rows(path, _tokens, ("frames", "dim", "tokens"))


def read_sources(path: Path) -> list[tuple[str, int]]:
    """Source and number of object tokens of every track of a file; raises as `read_tracks`."""
    names = ("source", "frames")
    return read_rows(
        path, lambda rows: [(r["source"], r["frames"]) for r in rows.to_pylist()], names
    )


def read_rows(
    path: Path, decode: Callable[[pa.Table], T], columns: Sequence[str] | None = None
) -> T:
    """Some columns of any file of a cache (None: all), decoded; raises TrackCacheError."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        # ParquetFile, not read_table: a dataset reader would look at the folder's other files.
        with pq.ParquetFile(path, memory_map=True) as file:
            names = None if columns is None else list(columns)
            return decode(file.read(columns=names, use_threads=columns is None))
    except (OSError, KeyError, ValueError, pa.ArrowException) as error:
        raise TrackCacheError(
            f"{path}: cannot be read ({error}): delete it and run `rvosbench tracks build` again"
        ) from error


def _tokens(rows: pa.Table) -> NDArray[np.floating[Any]]:
    if not rows.num_rows:
        return np.zeros((0, 0, 0), np.float32)
    values = rows.column("tokens").combine_chunks().flatten().to_numpy(zero_copy_only=False)
    shape = rows.num_rows, rows.column("frames")[0].as_py(), rows.column("dim")[0].as_py()
    tokens: NDArray[np.floating[Any]] = values.reshape(shape)
    return tokens


def content_hash(tracks: Sequence[Track]) -> str:
    """sha256 of everything that a method can see of the tracks."""
    total = hashlib.sha256()
    for track in tracks:
        facts = [
            track.id,
            track.source,
            track.prompt_frame,
            list(track.prompt),
            track.score,
            None if track.candidates is None else sorted(track.candidates),
            list(track.tokens.shape),
            list(track.masks.size),
            _counts(track.masks),
        ]
        total.update(json.dumps(facts).encode("utf-8"))
        total.update(np.ascontiguousarray(track.tokens, np.float32).tobytes())
    return total.hexdigest()


def _counts(masks: MaskSequence) -> list[str | None]:
    """Compressed counts of every frame; None where a mask is empty."""
    empty = str(MaskSequence.empty(1, masks.size).rle(0)["counts"])
    counts = (str(masks.rle(i)["counts"]) for i in range(len(masks)))
    return [None if c == empty else c for c in counts]


def _table(header: Header, tracks: Sequence[Track]) -> pa.Table:
    import pyarrow as pa

    text, integer, real = pa.string(), pa.int32(), pa.float64()
    number = pa.float16() if header.token_dtype == "float16" else pa.float32()
    columns: dict[str, tuple[pa.DataType, Any]] = {
        "id": (text, [t.id for t in tracks]),
        "video": (text, [header.video] * len(tracks)),
        "source": (text, [t.source for t in tracks]),
        "prompt_frame": (integer, [t.prompt_frame for t in tracks]),
        "prompt": (pa.list_(real), [list(t.prompt) for t in tracks]),
        "score": (real, [t.score for t in tracks]),
        "candidates": (
            pa.list_(text),
            [None if t.candidates is None else sorted(t.candidates) for t in tracks],
        ),
        "frames": (integer, [t.tokens.shape[0] for t in tracks]),
        "dim": (integer, [t.tokens.shape[1] for t in tracks]),
        "tokens": (pa.list_(number), _lists(tracks, header.token_dtype)),
        "height": (integer, [t.masks.height for t in tracks]),
        "width": (integer, [t.masks.width for t in tracks]),
        "masks": (pa.list_(text), [_counts(t.masks) for t in tracks]),
    }
    told = json.dumps(asdict(header), ensure_ascii=False, sort_keys=True)
    schema = pa.schema([(k, kind) for k, (kind, _) in columns.items()], {KEY: told.encode("utf-8")})
    return pa.table({k: values for k, (_, values) in columns.items()}, schema=schema)


def _lists(tracks: Sequence[Track], dtype: str) -> pa.Array:
    """Tokens of every track as one list, without a Python object a number."""
    import pyarrow as pa

    flat = [t.tokens.ravel().astype(dtype) for t in tracks]
    ends = np.cumsum([0, *(len(f) for f in flat)])
    values = np.concatenate(flat) if flat else np.zeros(0, dtype)
    return pa.ListArray.from_arrays(pa.array(ends, pa.int32()), pa.array(values))


def _tracks(rows: pa.Table) -> tuple[Track, ...]:
    tokens = (cell.values.to_numpy(zero_copy_only=False) for cell in rows.column("tokens"))
    found = zip(rows.drop_columns(["tokens"]).to_pylist(), tokens, strict=True)
    return tuple(_track(row, flat.astype(np.float32)) for row, flat in found)


def _track(row: Json, tokens: NDArray[np.float32]) -> Track:
    size = (row["height"], row["width"])
    masks: list[Rle | None] = [
        None if c is None else {"size": list(size), "counts": c} for c in row["masks"]
    ]
    return Track(
        id=row["id"],
        masks=MaskSequence.from_rle(masks, size),
        score=row["score"],
        tokens=tokens.reshape(row["frames"], row["dim"]),
        source=row["source"],
        prompt_frame=row["prompt_frame"],
        prompt=tuple(row["prompt"]),
        candidates=None if row["candidates"] is None else frozenset(row["candidates"]),
    )
