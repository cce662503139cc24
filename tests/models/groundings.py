"""Small GroundingDINO networks of the original layout, and a vocabulary for them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

if TYPE_CHECKING:
    from transformers import GroundingDinoConfig

ORIGINAL = Path(__file__).parent / "original"
WORDS = 1030


def write_vocabulary(folder: Path) -> None:
    """`vocab.txt` of a thousand words, with the special ids of bert-base-uncased."""
    words = [f"word{i}" for i in range(WORDS)]
    words[0], words[100:104] = "[PAD]", ["[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    words[104:109] = ["the", "red", "circle", "moving", "left"]
    words[1012], words[1029] = ".", "?"
    (folder / "vocab.txt").write_text("\n".join(words) + "\n", encoding="utf-8")


def small_config(**changes: Any) -> GroundingDinoConfig:  # noqa: ANN401 - its own fields
    """Few layers; heads and points as original, which tensors do not tell."""
    from transformers import GroundingDinoConfig

    bert = {
        "model_type": "bert",
        "vocab_size": WORDS,
        "hidden_size": 128,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 64,
        "max_position_embeddings": 512,
    }
    sizes = {
        "num_queries": 20,
        "encoder_layers": 2,
        "decoder_layers": 2,
        "encoder_ffn_dim": 64,
        "decoder_ffn_dim": 64,
    }
    return GroundingDinoConfig(**{"text_config": bert, **sizes, **changes})


def small_swin(depths: Iterable[int] = (1, 1, 2, 1)) -> dict[str, object]:
    """A narrow image backbone."""
    return {
        "model_type": "swin",
        "embed_dim": 16,
        "depths": list(depths),
        "num_heads": [1, 1, 2, 2],
        "window_size": 7,
        "out_indices": [2, 3, 4],
        "image_size": 224,
    }


def enliven(named: Iterable[tuple[str, Tensor]]) -> None:
    """Random values at which boxes, words and frames all matter."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, value in named:
            fan = value[0].numel() if value.dim() > 1 else 400
            noise = torch.randn(value.shape, generator=generator) * fan**-0.5
            last = "bbox_embed" in name and ".layers.2." in name
            value.copy_(
                0.3 * noise if last else noise + (value.dim() == 1 and "norm" in name.lower())
            )


def original_shapes(name: str) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the authors' network, from the files beside this one."""
    swint = _read("groundingdino_swint_ogc.txt")
    if name == "groundingdino_swint_ogc":
        return swint
    backbone = ("backbone.", "input_proj.")
    return {k: v for k, v in swint.items() if not k.startswith(backbone)} | _read(f"{name}.txt")


def _read(name: str) -> dict[str, tuple[int, ...]]:
    lines = (ORIGINAL / name).read_text(encoding="utf-8").splitlines()
    pairs = (line.split() for line in lines if not line.startswith("#"))
    return {key: tuple(int(n) for n in shape.split("x")) for key, shape in pairs}
