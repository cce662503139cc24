"""Where the weights of frozen models come from, which files they are, and their hash.

A source is "demo" (the embedded small weights), a local folder, a local file of the model's
authors, or a hub id. Names and places never decide anything where a hash is known: the same
weights in another folder are the same weights.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

WEIGHTS_FILE = "model.safetensors"
EMBEDDED = Path(__file__).parent / "embedded"
"""The embedded small weights of the frozen models, a folder each (`sam2`, `grounder`, `text`)."""


@dataclass(frozen=True)
class Family:
    """Models whose weights lie in the same files.

    Attributes:
        embedded: name of the folder in `EMBEDDED` that "demo" means.
        hashed: files of a folder that the hash covers, in this order; none is the weights alone.
            Hashes stand in track caches and results, so these lists never change.
    """

    embedded: str
    hashed: tuple[str, ...] = ()


TRACKER = Family("sam2")
GROUNDER = Family(
    "grounder", (WEIGHTS_FILE, "tokenizer.json", "vocab.txt", "preprocessor_config.json")
)
TEXT_ENCODER = Family(
    "text", (WEIGHTS_FILE, "tokenizer.json", "vocab.json", "merges.txt", "vocab.txt")
)


@dataclass(frozen=True)
class ModelIdentity:
    """A frozen model.

    Attributes:
        name: as it was asked for: "demo", a hub id, or the last part of a local path.
        sha256: of its weights; None where they are not on this machine.
    """

    name: str
    sha256: str | None

    def is_other(self, other: ModelIdentity) -> bool:
        """Whether two are certainly not the same: by their hashes, or by name if one is unknown."""
        if self.sha256 and other.sha256:
            return self.sha256 != other.sha256
        return self.name != other.name


def embedded(source: str, family: Family) -> str | Path:
    """The folder of the embedded weights for the source "demo"; other sources as they are."""
    return EMBEDDED / family.embedded if source == "demo" else source


def identify(source: str, family: Family) -> ModelIdentity:
    """The identity of a model, without opening or downloading it.

    Args:
        source: "demo", a hub id, a local folder or a local file.
        family: which models it is one of.
    """
    path = Path(embedded(source, family)).expanduser()
    if path.exists():
        shown = source if source == "demo" else path.name
        return ModelIdentity(shown, _hash_if_there(path, family))
    from huggingface_hub import try_to_load_from_cache

    try:
        found = try_to_load_from_cache(source, WEIGHTS_FILE)
    except ValueError:  # not a hub id at all
        found = None
    known = weights_hash(Path(found).parent, family) if isinstance(found, str) else None
    return ModelIdentity(source, known)


def _hash_if_there(place: Path, family: Family) -> str | None:
    there = place.is_file() or (place / WEIGHTS_FILE).is_file()
    return weights_hash(place, family) if there else None


def weights_hash(place: Path, family: Family) -> str:
    """sha256 (hex) of weights and of all else that changes numbers.

    Args:
        place: a file, which is hashed plainly; or a folder, whose weights are hashed plainly if
            the family has no other files, and with their names otherwise.
        family: says which files count.
    """
    if place.is_file():
        return _sha256(_content(place))
    if not family.hashed:
        return _sha256(_content(place / WEIGHTS_FILE))
    files = [place / name for name in family.hashed if (place / name).is_file()]
    return _sha256(part for file in files for part in (file.name.encode(), *_content(file)))


def _content(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(1 << 22):
            yield chunk


def _sha256(parts: Iterator[bytes]) -> str:
    total = hashlib.sha256()
    for part in parts:
        total.update(part)
    return total.hexdigest()
