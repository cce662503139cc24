"""Finding and reading SAM2 weights: a hub id, a local folder, or an original `.pt` file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from rvosbench.errors import WeightsError
from rvosbench.models.sam2.model import build_sam2
from rvosbench.models.sam2.original_checkpoint import convert_weights, original_config
from rvosbench.models.weights import CONFIG_FILE, TRACKER, WEIGHTS_FILE, locate, weights_hash

if TYPE_CHECKING:
    from transformers import Sam2VideoConfig, Sam2VideoModel


@dataclass(frozen=True)
class LoadedNetwork:
    """A network on the CPU in float32 and the sha256 (hex) of the file it came from."""

    model: Sam2VideoModel
    sha256: str


def load_network(source: str | Path) -> LoadedNetwork:
    """Reads a SAM2 network.

    Raises:
        WeightsError: if nothing is there, or it is not a SAM2 video model.
    """
    path = locate(source, TRACKER)
    return _from_original(path) if path.is_file() else _from_folder(path)


def _from_folder(folder: Path) -> LoadedNetwork:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    weights_path = folder / WEIGHTS_FILE
    config = _read_config(folder / CONFIG_FILE)
    try:
        weights = load_file(weights_path)
    except SafetensorError as error:
        raise WeightsError(f"{weights_path}: not a readable safetensors file ({error}).") from error
    model = _fill(build_sam2(config), weights, weights_path)
    return LoadedNetwork(model, weights_hash(weights_path, TRACKER))


def _read_config(path: Path) -> Sam2VideoConfig:
    from transformers import Sam2VideoConfig

    content = json.loads(path.read_text())
    if content.get("model_type") != "sam2_video":
        raise WeightsError(
            f"{path}: model_type is {content.get('model_type')!r}, wanted 'sam2_video'. "
            "Image-only SAM2 exports have no memory and cannot track."
        )
    return Sam2VideoConfig.from_dict(content)


def _from_original(path: Path) -> LoadedNetwork:
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # unpickling errors are of many kinds
        raise WeightsError(
            f"{path}: cannot be read as an original SAM2 checkpoint ({type(error).__name__}). "
            f"{TRACKER.advice}"
        ) from error
    original = content.get("model", content) if isinstance(content, dict) else {}
    model = build_sam2(original_config(original))
    return LoadedNetwork(_fill(model, convert_weights(original), path), weights_hash(path, TRACKER))


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
