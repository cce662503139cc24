"""Where the weights of frozen models come from, which files they are, and their hash.

A source is "demo" (the embedded small weights), a local folder, a checkpoint file of the model's
authors, or a hub id. Names and places never decide anything where a hash is known: the same
weights in another folder are the same weights.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from rvosbench.errors import WeightsError, first_line
from rvosbench.records import Json

if TYPE_CHECKING:
    from torch import Tensor

CONFIG_FILE, WEIGHTS_FILE = "config.json", "model.safetensors"
EMBEDDED = Path(__file__).parent / "embedded"
"""The embedded small weights of the frozen models, a folder each (`sam2`, `grounder`, `text`)."""


@dataclass(frozen=True)
class Family:
    """Models whose weights lie in the same files.

    Attributes:
        title: in messages.
        advice: what a source may be, for who has none.
        embedded: name of the folder in `EMBEDDED` that "demo" means.
        hashed: files of a folder that the hash covers, in this order; none is the weights alone.
            Hashes stand in track caches and results, so these lists never change.
        fetched: files of a hub repository that are downloaded.
        original: whether a checkpoint file of the authors can be read.
        model_type: of a folder's configuration, see `read_config`.
    """

    title: str
    advice: str
    embedded: str
    hashed: tuple[str, ...] = ()
    fetched: tuple[str, ...] = ("*.json", "*.txt", WEIGHTS_FILE)
    original: bool = True
    model_type: str = ""


TRACKER = Family(
    "SAM2 weights",
    "Give one of: a hub id such as facebook/sam2-hiera-large (downloaded once); a folder with "
    f"{CONFIG_FILE} and {WEIGHTS_FILE} of a Sam2VideoModel (image-only exports have no memory and "
    "cannot track); or an original checkpoint, e.g. "
    "https://dl.fbaipublicfiles.com/segment_anything_2/072824/sam2_hiera_large.pt, saved anywhere "
    "and given by its path. `--preset demo` runs without any download.",
    embedded="sam2",
    fetched=(CONFIG_FILE, WEIGHTS_FILE),
    model_type="sam2_video",
)
GROUNDER = Family(
    "GroundingDINO weights",
    "Give one of: a hub id such as IDEA-Research/grounding-dino-tiny (downloaded once); a folder "
    f"with {CONFIG_FILE}, {WEIGHTS_FILE} and the tokenizer's files, as `save_pretrained` of "
    "transformers writes it; or an original checkpoint such as groundingdino_swint_ogc.pth, with "
    "BERT's vocab.txt beside it. `--set grounder=` runs without box prompts.",
    embedded="grounder",
    hashed=(WEIGHTS_FILE, "tokenizer.json", "vocab.txt", "preprocessor_config.json"),
    model_type="grounding-dino",
)
TEXT_ENCODER = Family(
    "text encoder",
    "Give one of: a hub id such as sentence-transformers/all-roberta-large-v1 (downloaded once); "
    f"or a folder with {CONFIG_FILE}, {WEIGHTS_FILE} and the tokenizer's files, as "
    "`save_pretrained` of transformers writes it. `--preset demo` runs without any download.",
    embedded="text",
    hashed=(WEIGHTS_FILE, "tokenizer.json", "vocab.json", "merges.txt", "vocab.txt"),
    original=False,
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


def embedded(source: str | Path, family: Family) -> str | Path:
    """The folder of the embedded weights for the source "demo"; other sources as they are."""
    return EMBEDDED / family.embedded if source == "demo" else source


def locate(source: str | Path, family: Family) -> Path:
    """Where weights lie, after fetching them if they are on the hub only.

    Args:
        source: "demo" (embedded), a local folder or checkpoint file of the authors, or a hub id,
            downloaded once; what lies there locally wins.
        family: which models it is one of.

    Returns:
        The checkpoint file, or a folder that has a configuration and weights.

    Raises:
        WeightsError: nothing there, not available, or a file is missing: says what to do.
    """
    path = Path(embedded(source, family)).expanduser()
    if path.is_file() and family.original:
        return path
    if not path.is_dir():
        if path.exists() or not (isinstance(source, str) and looks_like_hub_id(source)):
            raise WeightsError(f"no {family.title} at {path}. {family.advice}")
        path = fetch(source, family.fetched, family.title, family.advice)
    for needed in (CONFIG_FILE, WEIGHTS_FILE):
        if not (path / needed).is_file():
            raise WeightsError(f"{path}: no {needed} in this folder. {family.advice}")
    return path


def looks_like_hub_id(source: str) -> bool:
    """Whether it could be `owner/name`, or an old bare name such as `roberta-base`.

    >>> looks_like_hub_id("facebook/sam2-hiera-large"), looks_like_hub_id("roberta-base")
    (True, True)
    >>> [looks_like_hub_id(path) for path in ("./name", "~/name", "/name", "a/b/c", "net.pt", "")]
    [False, False, False, False, False, False]
    """
    parts = source.split("/")
    plain = not source.startswith((".", "~")) and "\\" not in source
    return plain and len(parts) <= 2 and all(parts) and not source.endswith((".pt", ".pth"))


def fetch(hub_id: str, files: Sequence[str], title: str, advice: str) -> Path:
    """A hub repository's files, downloaded once; raises WeightsError: why not, what to do."""
    import huggingface_hub

    try:
        return Path(huggingface_hub.snapshot_download(hub_id, allow_patterns=list(files)))
    except Exception as error:  # the hub client raises many kinds; all mean "not available"
        raise WeightsError(
            f"{title} {hub_id!r}: neither a local path nor available from the hub "
            f"({first_line(error)}). {advice}"
        ) from error


def read_config(folder: Path, family: Family) -> dict[str, Json]:
    """The configuration of a folder; raises WeightsError if it is of another kind of network."""
    path = folder / CONFIG_FILE
    content: dict[str, Json] = json.loads(path.read_text(encoding="utf-8"))
    kind = content.get("model_type")
    if kind != family.model_type:
        raise WeightsError(
            f"{path}: model_type is {kind!r}, wanted {family.model_type!r}. {family.advice}"
        )
    return content


def read_original(path: Path, family: Family) -> dict[str, Tensor]:
    """The tensors of a checkpoint file of the authors under their plain names.

    It holds a dictionary of tensors, or one that has it as "model"; names may begin with "module.".

    Raises:
        WeightsError: it is not a file of tensors.
    """
    import torch

    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # unpickling errors are of many kinds
        kind = family.title.removesuffix(" weights")
        raise WeightsError(
            f"{path}: cannot be read as an original {kind} checkpoint ({type(error).__name__}). "
            f"{family.advice}"
        ) from error
    inner = content.get("model", content) if isinstance(content, dict) else {}
    named = inner.items() if isinstance(inner, Mapping) else ()
    plain = {str(k).removeprefix("module."): v for k, v in named}
    return {k: v for k, v in plain.items() if isinstance(v, torch.Tensor)}


def renamed(name: str, table: Path) -> str:
    """A tensor's name after all rules of a table, see `original_names.txt` of the networks."""
    for pattern, replacement in _rules(table):
        name = re.sub(pattern, replacement, name)
    return name


@cache
def _rules(table: Path) -> list[list[str]]:
    lines = table.read_text(encoding="utf-8").splitlines()
    return [line.split() for line in lines if not line.startswith("#")]


def identify(source: str, family: Family) -> ModelIdentity:
    """The identity of a model, without opening or downloading it; `source` is as for `locate`."""
    place = find(source, family)
    return ModelIdentity(name_of(source), weights_hash(place, family) if place else None)


def find(source: str, family: Family) -> Path | None:
    """The folder or file of weights, if they are on this machine; nothing is downloaded."""
    path = Path(embedded(source, family)).expanduser()
    if path.exists():
        return path if path.is_file() or (path / WEIGHTS_FILE).is_file() else None
    from huggingface_hub import try_to_load_from_cache

    try:
        found = try_to_load_from_cache(source, WEIGHTS_FILE)
    except ValueError:  # not a hub id at all
        found = None
    return Path(found).parent if isinstance(found, str) else None


def name_of(source: str) -> str:
    """What a model is called: "demo", a hub id, or the last part of a local path."""
    path = Path(source).expanduser()
    return path.name if source != "demo" and path.exists() else source


def weights_hash(place: Path, family: Family) -> str:
    """sha256 (hex) of weights and of all else that changes numbers.

    A file is hashed plainly. So are the weights of a folder whose family has no other files; with
    their names otherwise.
    """
    if place.is_file() or not family.hashed:
        with (place if place.is_file() else place / WEIGHTS_FILE).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    total = hashlib.sha256()
    for name in family.hashed:
        if (place / name).is_file():
            total.update(name.encode())
            with (place / name).open("rb") as file:
                while chunk := file.read(1 << 22):
                    total.update(chunk)
    return total.hexdigest()
