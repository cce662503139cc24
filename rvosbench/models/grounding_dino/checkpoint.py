"""Finding and reading GroundingDINO weights: a hub id, a local folder or an original `.pth`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from rvosbench.errors import WeightsError, first_line
from rvosbench.models.backends import ORIGINAL, TRANSFORMERS, check_backend
from rvosbench.models.devices import check_dtype
from rvosbench.models.grounding_dino.backbone import SharedBackbone
from rvosbench.models.grounding_dino.detector import FrameSize, GroundingDino
from rvosbench.models.grounding_dino.original_checkpoint import (
    convert_weights,
    official_config,
    official_tensors,
)
from rvosbench.models.grounding_dino.vocabulary import open_vocabulary
from rvosbench.models.text import no_progress_bars
from rvosbench.models.weights import CONFIG_FILE, GROUNDER, WEIGHTS_FILE, locate, weights_hash

if TYPE_CHECKING:
    from transformers import (
        GroundingDinoConfig,
        GroundingDinoForObjectDetection,
        PreTrainedTokenizerBase,
    )


@dataclass(frozen=True)
class GrounderFiles:
    """What was read of a GroundingDINO, before any network is built.

    Attributes:
        place: the folder or file.
        config: of transformers.
        weights: float32 tensors under the names that they have on the hub.
        tokenizer: of the same checkpoint.
        sha256: see `weights_hash`; of an original file, its own.
        frame_size: how large frames are made.
    """

    place: Path
    config: GroundingDinoConfig
    weights: Mapping[str, Tensor]
    tokenizer: PreTrainedTokenizerBase
    sha256: str
    frame_size: FrameSize


def load_grounding_dino(
    source: str | Path,
    device: str = "cpu",
    dtype: str = "float32",
    *,
    backend: str = TRANSFORMERS,
) -> GroundingDino:
    """Loads a frozen GroundingDINO and its tokenizer.

    Args:
        source: hub id, downloaded once, a local folder or an original `.pth` file; what lies there
            locally wins.
        device: torch device.
        dtype: "float32", as the released SOLA code runs it, or "bfloat16" or "float16" (autocast),
            which moves boxes by some pixels.
        backend: "transformers", or "original" for the `groundingdino` package.

    Raises:
        WeightsError: nothing there, not available, or not a GroundingDINO.
        BackendError: the original package is not installed, or has no network of these sizes.
        ConfigurationError: an unknown dtype or backend.
    """
    check_backend(backend)
    check_dtype(dtype, "GroundingDINO")
    files = read_grounder(source)
    if backend == ORIGINAL:
        from rvosbench.models.grounding_dino.original_backend import original_grounder

        return original_grounder(files, device, dtype)
    frozen = _network(files).eval().requires_grad_(False).to(device)
    frozen.model.backbone = SharedBackbone(frozen.model.backbone)
    return GroundingDino(frozen, files.tokenizer, files.sha256, device, dtype, files.frame_size)


def read_grounder(source: str | Path) -> GrounderFiles:
    """Reads weights and tokenizer.

    Raises:
        WeightsError: nothing there, or not a GroundingDINO.
    """
    path = locate(source, GROUNDER)
    return _from_official(path) if path.is_file() else _from_folder(path)


def _from_folder(folder: Path) -> GrounderFiles:
    from safetensors import SafetensorError
    from safetensors.torch import load_file
    from transformers import AutoTokenizer, GroundingDinoConfig

    kind = json.loads((folder / CONFIG_FILE).read_text(encoding="utf-8")).get("model_type")
    if kind != "grounding-dino":
        raise WeightsError(
            f"{folder / 'config.json'}: model_type is {kind!r}, wanted 'grounding-dino'. "
            f"{GROUNDER.advice}"
        )
    try:
        config = GroundingDinoConfig.from_pretrained(folder, local_files_only=True)
        weights = {k: v.float() for k, v in load_file(folder / WEIGHTS_FILE).items()}
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        raise WeightsError(f"{folder}: cannot be opened ({first_line(error)}).") from error
    return GrounderFiles(
        folder, config, weights, tokenizer, weights_hash(folder, GROUNDER), _frame_size(folder)
    )


def _from_official(path: Path) -> GrounderFiles:
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # unpickling errors are of many kinds
        raise WeightsError(
            f"{path}: cannot be read as an original GroundingDINO checkpoint "
            f"({type(error).__name__}). {GROUNDER.advice}"
        ) from error
    official = official_tensors(content)
    config, weights = official_config(official), convert_weights(official)
    tokenizer = open_vocabulary(path, config.text_config.vocab_size)
    return GrounderFiles(
        path, config, weights, tokenizer, weights_hash(path, GROUNDER), FrameSize()
    )


def _network(files: GrounderFiles) -> GroundingDinoForObjectDetection:
    """The network of transformers; every one of its tensors is in the files."""
    from transformers import GroundingDinoForObjectDetection

    try:
        with no_progress_bars():
            model, report = GroundingDinoForObjectDetection.from_pretrained(
                None,
                config=files.config,
                state_dict=dict(files.weights),
                dtype=torch.float32,
                output_loading_info=True,
            )
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise WeightsError(f"{files.place}: cannot be opened ({first_line(error)}).") from error
    # Folders of other versions of transformers may hold constants that this one computes.
    for kind in ("missing", "unexpected") if files.place.is_file() else ("missing",):
        names = sorted(report[f"{kind}_keys"])
        if names:
            raise WeightsError(
                f"{files.place}: {len(names)} tensors are {kind}, such as {names[0]!r}. "
                f"{GROUNDER.advice}"
            )
    return model


def _frame_size(folder: Path) -> FrameSize:
    """From the checkpoint's preprocessing file, or the original sizes."""
    path = folder / "preprocessor_config.json"
    size = json.loads(path.read_text(encoding="utf-8")).get("size", {}) if path.is_file() else {}
    plain = FrameSize()
    return FrameSize(
        int(size.get("shortest_edge", plain.shortest)), int(size.get("longest_edge", plain.longest))
    )
