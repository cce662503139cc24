"""Finding and reading GroundingDINO weights: a hub id or a local folder."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from rvosbench.errors import ConfigurationError, WeightsError

from .grounding_dino import DTYPES, FrameSize, GroundingDino
from .grounding_dino_backbone import SharedBackbone

if TYPE_CHECKING:
    from transformers import GroundingDinoForObjectDetection, PreTrainedTokenizerBase

WEIGHTS_FILE = "model.safetensors"
HOW_TO_GET = (
    "Give one of: a hub id such as IDEA-Research/grounding-dino-tiny (downloaded once); or a "
    f"folder with config.json, {WEIGHTS_FILE} and the tokenizer's files, as `save_pretrained` of "
    "transformers writes it. `--set grounder=` runs without box prompts."
)
_HASHED = (WEIGHTS_FILE, "tokenizer.json", "vocab.txt", "preprocessor_config.json")


def load_grounding_dino(
    source: str | Path, device: str = "cpu", dtype: str = "float32"
) -> GroundingDino:
    """Loads a frozen GroundingDINO and its tokenizer.

    Args:
        source: hub id, downloaded once, or a local folder; a folder of that name wins.
        device: torch device.
        dtype: "float32", as the released SOLA code runs it, or "bfloat16" or "float16" (autocast),
            which moves boxes by some pixels.

    Raises:
        WeightsError: nothing there, not available, or not a GroundingDINO.
        ConfigurationError: an unknown dtype.
    """
    if dtype not in DTYPES:
        raise ConfigurationError(f"GroundingDINO dtype {dtype!r}: known are {', '.join(DTYPES)}.")
    folder = weights_folder(source)
    model, tokenizer = _load(folder)
    frozen = model.eval().requires_grad_(False).to(device)
    frozen.model.backbone = SharedBackbone(frozen.model.backbone)
    return GroundingDino(
        frozen, tokenizer, weights_hash(folder), device, dtype, _frame_size(folder)
    )


def weights_folder(source: str | Path) -> Path:
    """The folder that holds the weights; a hub id is fetched.

    Raises:
        WeightsError: nothing there, or a file is missing.
    """
    path = Path(source).expanduser()
    if path.is_file():
        # Original `.pth` files belong here, once their key map is written and tested.
        raise WeightsError(
            f"{path}: original GroundingDINO checkpoints cannot be read yet. {HOW_TO_GET}"
        )
    if not path.is_dir():
        if not _looks_like_hub_id(str(source)):
            raise WeightsError(f"no GroundingDINO weights at {path}. {HOW_TO_GET}")
        path = _fetch(str(source))
    for needed in ("config.json", WEIGHTS_FILE):
        if not (path / needed).is_file():
            raise WeightsError(f"{path}: no {needed} in this folder. {HOW_TO_GET}")
    return path


def weights_hash(folder: Path) -> str:
    """sha256 (hex) of weights, tokenizer and preprocessing: all change boxes."""
    digest = hashlib.sha256()
    for name in _HASHED:
        path = folder / name
        if path.is_file():
            digest.update(name.encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _load(folder: Path) -> tuple[GroundingDinoForObjectDetection, PreTrainedTokenizerBase]:
    from safetensors import SafetensorError
    from transformers import AutoTokenizer, GroundingDinoForObjectDetection

    from .text import _no_progress_bars

    kind = json.loads((folder / "config.json").read_text(encoding="utf-8")).get("model_type")
    if kind != "grounding-dino":
        raise WeightsError(
            f"{folder / 'config.json'}: model_type is {kind!r}, wanted 'grounding-dino'. "
            f"{HOW_TO_GET}"
        )
    try:
        with _no_progress_bars():
            model, report = GroundingDinoForObjectDetection.from_pretrained(
                folder, local_files_only=True, dtype=torch.float32, output_loading_info=True
            )
            tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise WeightsError(f"{folder}: cannot be opened ({_first_line(error)}).") from error
    missing = sorted(report["missing_keys"])
    if missing:
        raise WeightsError(
            f"{folder / WEIGHTS_FILE}: {len(missing)} tensors are missing, such as {missing[0]!r}. "
            f"{HOW_TO_GET}"
        )
    return model, tokenizer


def _frame_size(folder: Path) -> FrameSize:
    """From the checkpoint's preprocessing file, or the original sizes."""
    path = folder / "preprocessor_config.json"
    size = json.loads(path.read_text(encoding="utf-8")).get("size", {}) if path.is_file() else {}
    plain = FrameSize()
    return FrameSize(
        int(size.get("shortest_edge", plain.shortest)), int(size.get("longest_edge", plain.longest))
    )


def _looks_like_hub_id(source: str) -> bool:
    owner, slash, name = source.partition("/")
    plain = not source.startswith((".", "~")) and Path(source).suffix not in {".pt", ".pth"}
    return bool(plain and slash and owner and name and "/" not in name and "\\" not in source)


def _fetch(hub_id: str) -> Path:
    from huggingface_hub import snapshot_download

    patterns = ["*.json", "*.txt", WEIGHTS_FILE]
    try:
        return Path(snapshot_download(hub_id, allow_patterns=patterns))
    except Exception as error:  # the hub client raises many kinds; all mean "not available"
        raise WeightsError(
            f"GroundingDINO weights {hub_id!r} are neither a local folder nor available from the "
            f"hub ({_first_line(error)}). {HOW_TO_GET}"
        ) from error


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0] if lines else 'no details'}"
