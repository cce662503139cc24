"""Text tokens of a cache: every expression encoded once, kept beside the tracks.

    CACHE/texts/<first digits of the encoder's hash>-<dtype>.parquet

        text    text
        width   int32      W
        dim     int32      E
        tokens  [float32]  W * E, token after token

A cache may hold the tokens of several encoders.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rvosbench.files.atomic import write_bytes
from rvosbench.models.devices import choose_device, choose_dtype
from rvosbench.models.text import TextEncoder, load_text_encoder
from rvosbench.models.weights import TEXT_ENCODER, ModelIdentity, identify, name_of
from rvosbench.tracks.cache_file import KEY, TrackCacheError

Tokens = NDArray[np.float32]
FOLDER = "texts"


class TextTokenSource(Protocol):
    """Gives the text tokens of expressions."""

    @property
    def checkpoint_hash(self) -> str:
        """sha256 of the encoder, for signatures."""

    def encode(self, texts: Sequence[str]) -> list[Tokens]:
        """(W, E) of each text."""


class CachedTextTokens:
    """Cached tokens first; the encoder is opened for a text that is not there.

    Args:
        known: text -> (W, E).
        checkpoint_hash: of the encoder that made them.
        source: of the encoder.
        device: where it would run.
        dtype: it would compute in.
    """

    def __init__(
        self,
        known: Mapping[str, Tokens],
        checkpoint_hash: str,
        source: str | Path,
        device: str,
        dtype: str,
    ) -> None:
        self._known, self._place = known, (source, device, dtype)
        self.checkpoint_hash = checkpoint_hash
        self._encoder: TextEncoder | None = None

    def encode(self, texts: Sequence[str]) -> list[Tokens]:
        """(W, E) of each text; raises WeightsError if one is new and the encoder not there."""
        new = list(dict.fromkeys(t for t in texts if t not in self._known))
        more = dict(zip(new, self._open().encode(new), strict=True)) if new else {}
        return [self._known[t] if t in self._known else more[t] for t in texts]

    def _open(self) -> TextEncoder:
        if self._encoder is None:
            self._encoder = load_text_encoder(*self._place)
        return self._encoder


def open_text_tokens(cache: str, source: str | Path, device: str, dtype: str) -> TextTokenSource:
    """The tokens of a cache if it has them for this encoder and dtype, otherwise the encoder.

    Args:
        cache: folder of a track cache; empty for none.
        source: "demo" (embedded), hub id or folder of the encoder.
        device: "auto" or a device.
        dtype: "auto" or a type.

    Raises:
        WeightsError: there are no cached tokens and no weights either.
    """
    cached = _cached(cache, source, dtype)
    if cached is not None:
        path, sha256 = cached
        return CachedTextTokens(read_text_tokens(path), sha256, source, device, dtype)
    return load_text_encoder(source, device, dtype)


def identify_text_tokens(cache: str, source: str | Path, dtype: str) -> str | None:
    """The hash that `open_text_tokens` would have, opening no encoder; None if it is not here."""
    cached = _cached(cache, source, dtype)
    return cached[1] if cached is not None else identify(str(source), TEXT_ENCODER).sha256


def _cached(cache: str, source: str | Path, dtype: str) -> tuple[Path, str] | None:
    """The file of a cache with tokens of this encoder and dtype, and the encoder's hash."""
    if not cache:
        return None
    wanted = identify(str(source), TEXT_ENCODER)
    for path in sorted((Path(cache) / FOLDER).glob("*.parquet")):
        encoder, kind = _made_by(path)
        if not encoder.is_other(wanted) and dtype in ("auto", kind) and encoder.sha256:
            return path, encoder.sha256
    return None


def build_text_tokens(
    cache: Path, texts: Sequence[str], source: str, device: str = "auto", dtype: str = "auto"
) -> Path:
    """Encode the expressions that a cache does not have yet; returns the file.

    Args:
        cache: folder of a track cache.
        texts: any number, repetitions allowed.
        source: "demo", a hub id or a folder.
        device: "auto" or a device.
        dtype: "auto" or a type.

    Raises:
        WeightsError: the encoder's weights are not there.
    """
    encoder = load_text_encoder(source, device, dtype)
    kind = choose_dtype(dtype, choose_device(device))
    made_by = ModelIdentity(name_of(source), encoder.checkpoint_hash)
    path = cache / FOLDER / f"{encoder.checkpoint_hash[:12]}-{kind}.parquet"
    known = dict(read_text_tokens(path)) if path.exists() else {}
    new = sorted(set(texts) - known.keys())
    known.update(zip(new, encoder.encode(new), strict=True))
    if new or not path.exists():
        write_text_tokens(path, known, made_by, kind)
    return path


def write_text_tokens(
    path: Path, tokens: Mapping[str, Tokens], encoder: ModelIdentity, dtype: str
) -> None:
    """Write one file, atomically; texts are sorted."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    content = json.dumps({"format": 1, "encoder": asdict(encoder), "dtype": dtype})
    schema = pa.schema(
        [
            ("text", pa.string()),
            ("width", pa.int32()),
            ("dim", pa.int32()),
            ("tokens", pa.list_(pa.float32())),
        ],
        metadata={KEY: content.encode("utf-8")},
    )
    texts = sorted(tokens)
    columns = {
        "text": texts,
        "width": [tokens[t].shape[0] for t in texts],
        "dim": [tokens[t].shape[1] for t in texts],
        "tokens": [tokens[t].ravel() for t in texts],
    }
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns, schema=schema), buffer, use_dictionary=False)
    write_bytes(path, buffer.getvalue())


def read_text_tokens(path: Path) -> dict[str, Tokens]:
    """Text -> (W, E) float32.

    Raises:
        TrackCacheError: not such a file.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path, memory_map=True) as file:
            rows = file.read()
        texts = rows.column("text").to_pylist()
        shapes = zip(rows.column("width").to_pylist(), rows.column("dim").to_pylist(), strict=True)
        # Copied: memory that is mapped cannot be written, which torch warns of.
        tokens = (cell.values.to_numpy().copy() for cell in rows.column("tokens"))
        return {t: v.reshape(s) for t, s, v in zip(texts, shapes, tokens, strict=True)}
    except (OSError, KeyError, ValueError, pa.ArrowException) as error:
        raise _unreadable(path, error) from error


def _made_by(path: Path) -> tuple[ModelIdentity, str]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        content = json.loads((pq.read_schema(path).metadata or {})[KEY])
        return ModelIdentity(**content["encoder"]), str(content["dtype"])
    except (OSError, KeyError, ValueError, TypeError, pa.ArrowException) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> TrackCacheError:
    return TrackCacheError(
        f"{path}: not a file of text tokens ({type(error).__name__}): delete it and build it again"
    )
