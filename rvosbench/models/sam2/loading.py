"""Finding and reading SAM2 weights: a hub id, a local folder, or an original `.pt` file."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from rvosbench.errors import WeightsError
from rvosbench.models.sam2.model import build_sam2
from rvosbench.models.sam2.official import convert_weights, official_config

if TYPE_CHECKING:
    from transformers import Sam2VideoConfig, Sam2VideoModel

WEIGHTS_FILE = "model.safetensors"
HOW_TO_GET = (
    "Give one of: a hub id such as facebook/sam2-hiera-large (downloaded once); a folder with "
    f"config.json and {WEIGHTS_FILE} of a Sam2VideoModel; or an original checkpoint, e.g. "
    "https://dl.fbaipublicfiles.com/segment_anything_2/072824/sam2_hiera_large.pt, saved anywhere "
    "and given by its path. `--preset demo` runs without any download."
)


@dataclass(frozen=True)
class LoadedNetwork:
    """A network on the CPU in float32 and the sha256 (hex) of the file it came from."""

    model: Sam2VideoModel
    sha256: str


def load_network(source: str | Path) -> LoadedNetwork:
    """Reads a SAM2 network; see HOW_TO_GET for what `source` may be.

    Raises:
        WeightsError: if nothing is there, or it is not a SAM2 video model.
    """
    path = Path(source).expanduser()
    if path.is_dir():
        return _from_folder(path)
    if path.is_file():
        return _from_official(path)
    if _looks_like_hub_id(str(source)):
        return _from_folder(_fetch(str(source)))
    raise WeightsError(f"no SAM2 weights at {path}. {HOW_TO_GET}")


def file_sha256(path: Path) -> str:
    """Hexadecimal sha256 of a file's bytes."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 22):
            digest.update(chunk)
    return digest.hexdigest()


def _looks_like_hub_id(source: str) -> bool:
    owner, slash, name = source.partition("/")
    plain = not source.startswith((".", "~")) and Path(source).suffix not in {".pt", ".pth"}
    return bool(plain and slash and owner and name and "/" not in name and "\\" not in source)


def _fetch(hub_id: str) -> Path:
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(hub_id, allow_patterns=["config.json", WEIGHTS_FILE]))
    except Exception as error:  # the hub client raises many kinds; all mean "not available"
        reason = str(error).strip().splitlines()
        raise WeightsError(
            f"SAM2 weights {hub_id!r} are neither a local path nor available from the hub "
            f"({type(error).__name__}: {reason[0] if reason else 'no details'}). {HOW_TO_GET}"
        ) from error


def _from_folder(folder: Path) -> LoadedNetwork:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    weights_path = folder / WEIGHTS_FILE
    for needed in (folder / "config.json", weights_path):
        if not needed.is_file():
            raise WeightsError(f"{folder}: no {needed.name} in this folder. {HOW_TO_GET}")
    config = _read_config(folder / "config.json")
    try:
        weights = load_file(weights_path)
    except SafetensorError as error:
        raise WeightsError(f"{weights_path}: not a readable safetensors file ({error}).") from error
    model = _fill(build_sam2(config), weights, weights_path)
    return LoadedNetwork(model, file_sha256(weights_path))


def _read_config(path: Path) -> Sam2VideoConfig:
    from transformers import Sam2VideoConfig

    content = json.loads(path.read_text())
    if content.get("model_type") != "sam2_video":
        raise WeightsError(
            f"{path}: model_type is {content.get('model_type')!r}, wanted 'sam2_video'. "
            "Image-only SAM2 exports have no memory and cannot track."
        )
    return Sam2VideoConfig.from_dict(content)


def _from_official(path: Path) -> LoadedNetwork:
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # unpickling errors are of many kinds
        raise WeightsError(
            f"{path}: cannot be read as an original SAM2 checkpoint ({type(error).__name__}). "
            f"{HOW_TO_GET}"
        ) from error
    official = content.get("model", content) if isinstance(content, dict) else {}
    model = build_sam2(official_config(official))
    return LoadedNetwork(_fill(model, convert_weights(official), path), file_sha256(path))


def _fill(model: Sam2VideoModel, weights: dict[str, Tensor], path: Path) -> Sam2VideoModel:
    """Copies weights of any float type into the float32 network; every tensor must fit."""
    wanted = model.state_dict()
    missing, extra = sorted(wanted.keys() - weights.keys()), sorted(weights.keys() - wanted.keys())
    wrong = [k for k in wanted.keys() & weights.keys() if wanted[k].shape != weights[k].shape]
    if missing or extra or wrong:
        raise WeightsError(
            f"{path}: the weights do not fit the configuration: {len(missing)} tensors missing "
            f"{missing[:3]}, {len(extra)} unknown {extra[:3]}, {len(wrong)} of another shape "
            f"{sorted(wrong)[:3]}."
        )
    model.load_state_dict({name: value.float() for name, value in weights.items()})
    return model
