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
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from rvosbench.files.atomic import write_bytes
from rvosbench.models.runtime import choose_device, choose_dtype
from rvosbench.models.text import TextEncoder, load_text_encoder
from rvosbench.models.weights import TEXT_ENCODER, ModelIdentity, identify, name_of
from rvosbench.records import Json
from rvosbench.tracks.cache import TEXTS
from rvosbench.tracks.cache_file import KEY, read_metadata, read_rows

if TYPE_CHECKING:
    import pyarrow as pa

Tokens = NDArray[np.float32]


class TextTokenSource(Protocol):
    """Gives the text tokens of expressions."""

    @property
    def checkpoint_hash(self) -> str:
        """sha256 of the encoder, for signatures."""

    def encode(self, texts: Sequence[str]) -> list[Tokens]:
        """(W, E) of each text."""


@dataclass(frozen=True, eq=False)
class CachedTextTokens:
    """Cached tokens first; the encoder is opened for a text that is not there.

    Attributes:
        known: text -> (W, E).
        checkpoint_hash: of the encoder that made them.
        place: source of the encoder, the device where it would run and the dtype it would have.
    """

    known: Mapping[str, Tokens]
    checkpoint_hash: str
    place: tuple[str | Path, str, str]

    @cached_property
    def _encoder(self) -> TextEncoder:
        return load_text_encoder(*self.place)

    def encode(self, texts: Sequence[str]) -> list[Tokens]:
        """(W, E) of each text; raises WeightsError if one is new and the encoder not there."""
        new = list(dict.fromkeys(t for t in texts if t not in self.known))
        more = dict(zip(new, self._encoder.encode(new), strict=True)) if new else {}
        return [self.known[t] if t in self.known else more[t] for t in texts]


def open_text_tokens(cache: str, source: str | Path, device: str, dtype: str) -> TextTokenSource:
    """The tokens of a cache if it has them for this encoder and dtype, otherwise the encoder.

    `cache` is the folder of a track cache, or empty; the others are as of `load_text_encoder`.

    Raises:
        WeightsError: there are no cached tokens and no weights either.
    """
    if cached := _cached(cache, source, dtype):
        path, sha256 = cached
        return CachedTextTokens(read_text_tokens(path), sha256, (source, device, dtype))
    return load_text_encoder(source, device, dtype)


def identify_text_tokens(cache: str, source: str | Path, dtype: str) -> str | None:
    """The hash that `open_text_tokens` would have, opening no encoder; None if it is not here."""
    cached = _cached(cache, source, dtype)
    return cached[1] if cached else identify(str(source), TEXT_ENCODER).sha256


def _cached(cache: str, source: str | Path, dtype: str) -> tuple[Path, str] | None:
    """The file of a cache with tokens of this encoder and dtype, and the encoder's hash."""
    if not cache:
        return None
    wanted = identify(str(source), TEXT_ENCODER)
    for path in sorted((Path(cache) / TEXTS).glob("*.parquet")):
        encoder, kind = read_metadata(path, _made_by)
        if not encoder.is_other(wanted) and dtype in ("auto", kind) and encoder.sha256:
            return path, encoder.sha256
    return None


def build_text_tokens(
    cache: Path, texts: Sequence[str], source: str, device: str = "auto", dtype: str = "auto"
) -> Path:
    """Encode the expressions that a cache does not have yet; returns the file.

    `cache` is the folder of a track cache, `texts` may repeat; the others, and what is raised, are
    as of `load_text_encoder`.
    """
    encoder = load_text_encoder(source, device, dtype)
    kind = choose_dtype(dtype, choose_device(device))
    made_by = ModelIdentity(name_of(source), encoder.checkpoint_hash)
    path = cache / TEXTS / f"{encoder.checkpoint_hash[:12]}-{kind}.parquet"
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
    texts, number = sorted(tokens), pa.int32()
    columns = {
        "text": pa.array(texts, pa.string()),
        "width": pa.array([tokens[t].shape[0] for t in texts], number),
        "dim": pa.array([tokens[t].shape[1] for t in texts], number),
        "tokens": pa.array([tokens[t].ravel() for t in texts], pa.list_(pa.float32())),
    }
    buffer = io.BytesIO()
    table = pa.table(columns, metadata={KEY: content.encode("utf-8")})
    pq.write_table(table, buffer, use_dictionary=False)
    write_bytes(path, buffer.getvalue())


def read_text_tokens(path: Path) -> dict[str, Tokens]:
    """Text -> (W, E) float32; raises TrackCacheError if it is not such a file."""
    return read_rows(path, _tokens)


def _tokens(rows: pa.Table) -> dict[str, Tokens]:
    texts, widths, dims = (rows.column(name).to_pylist() for name in ("text", "width", "dim"))
    # Copied: memory that is mapped cannot be written, which torch warns of.
    tokens = (cell.values.to_numpy().copy() for cell in rows.column("tokens"))
    return {
        text: flat.reshape(width, dim)
        for text, width, dim, flat in zip(texts, widths, dims, tokens, strict=True)
    }


def _made_by(content: Json) -> tuple[ModelIdentity, str]:
    return ModelIdentity(**content["encoder"]), str(content["dtype"])
