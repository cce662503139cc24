"""Selectors on disk: a folder with config.json and model.safetensors, or a released checkpoint."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from rvosbench.errors import ConfigurationError, WeightsError
from rvosbench.files.atomic import write_json
from rvosbench.records import Json
from sola.config import SelectorConfig, selector_from_mapping
from sola.network.released import read_state_dict
from sola.network.selector import TrackSelector, load_released

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "model.safetensors"
TRAINING_FILE = "training.json"


def save_selector(
    folder: Path, model: TrackSelector, dtype: torch.dtype = torch.float32
) -> tuple[Path, Path]:
    """Writes `config.json` and `model.safetensors` into a folder, making it if need be.

    Args:
        folder: where to; files of these names are replaced.
        model: the selector.
        dtype: storage type. float16 halves the file and costs about 3 significant digits.

    Returns:
        The two paths.
    """
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / CONFIG_FILE
    text = json.dumps(dataclasses.asdict(model.config), indent=2, sort_keys=True)
    _replace(config, text.encode() + b"\n")
    return config, save_weights(folder, model.state_dict(), dtype)


def save_weights(
    folder: Path, state: Mapping[str, Tensor], dtype: torch.dtype = torch.float32
) -> Path:
    """Writes tensors as `model.safetensors`: a selector's, or some of them to begin with.

    Args:
        folder: where to; made if missing.
        state: by the selector's names.
        dtype: storage type.
    """
    from safetensors.torch import save

    folder.mkdir(parents=True, exist_ok=True)
    content = save({n: value.to("cpu", dtype).contiguous() for n, value in state.items()})
    _replace(folder / WEIGHTS_FILE, content)  # its own writer makes files for their owner only
    return folder / WEIGHTS_FILE


def load_selector(source: Path) -> TrackSelector:
    """Reads a selector, in float32, on the CPU, in evaluation mode.

    Args:
        source: folder of `save_selector`, or a `.pt`/`.pth` file of the released code.

    Raises:
        WeightsError: missing files, or tensors that do not fit the configuration.
    """
    if source.is_file():
        return load_released(source)
    with torch.random.fork_rng(devices=[]):  # initial values are drawn, and then replaced
        model = TrackSelector(_read_config(source))
    state = {name: value.float() for name, value in read_state_dict(source / WEIGHTS_FILE).items()}
    try:
        model.load_state_dict(state)
    except RuntimeError as error:
        raise WeightsError(
            f"{source}: {WEIGHTS_FILE} does not fit {CONFIG_FILE}: {error}"
        ) from error
    return model.eval()


def checkpoint_hash(source: Path) -> str:
    """SHA-256 (hex) of the weights file, for signatures."""
    path = source / WEIGHTS_FILE if source.is_dir() else source
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_training(
    folder: Path, identity: Mapping[str, Json], best: Mapping[str, float], finished: bool
) -> None:
    """Writes `training.json`: what the selector beside it was trained with.

    Args:
        folder: of the selector.
        identity: what decided its weights: configuration, data, number of processes.
        best: measures of the epoch that was kept.
        finished: whether training is done.
    """
    content = {"format": 1, "finished": finished, "identity": dict(identity), "best": dict(best)}
    write_json(folder / TRAINING_FILE, content, indent=2)


def read_training(source: Path) -> dict[str, Json] | None:
    """What `write_training` wrote; None for a selector without it, such as a released one.

    Raises:
        WeightsError: the file is broken.
    """
    path = source / TRAINING_FILE
    if not path.is_file():
        return None
    try:
        content: dict[str, Json] = json.loads(path.read_text(encoding="utf-8"))
        return {**content, "identity": dict(content["identity"])}
    except (ValueError, KeyError, TypeError) as error:
        raise WeightsError(f"{path}: not written by `rvosbench sola train`: {error!r}") from error


def _read_config(folder: Path) -> SelectorConfig:
    path = folder / CONFIG_FILE
    if not path.is_file():
        raise WeightsError(
            f"{folder}: no selector here ({CONFIG_FILE} is missing). Wanted a folder written by "
            "`rvosbench sola train`, or a .pt/.pth checkpoint of the released code. Its authors "
            "have not published one: train it, or use --preset demo, which needs no download."
        )
    try:
        return selector_from_mapping(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, AttributeError, ConfigurationError) as error:
        raise WeightsError(f"{path}: not a selector configuration: {error}") from error


def _replace(path: Path, content: bytes) -> None:
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(content)
    partial.replace(path)
