"""SAM2 weights: a folder of transformers, or an original `.pt` file of any name.

Original are SAM 2.0 and 2.1 in the sizes tiny, small, base_plus and large. Size and version are
read off the tensors.

Source: the model files of facebookresearch/sam2 (configs/sam2 and configs/sam2.1).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from rvosbench.errors import WeightsError
from rvosbench.models.weights import (
    TRACKER,
    WEIGHTS_FILE,
    locate,
    read_config,
    read_original,
    renamed,
)

if TYPE_CHECKING:
    from transformers import Sam2VideoConfig, Sam2VideoModel

Weights = Mapping[str, Tensor]


@dataclass(frozen=True)
class Hiera:
    """Image encoder of one original size; widths and heads double from stage to stage."""

    name: str
    width: int
    heads: int
    blocks: tuple[int, int, int, int]
    global_blocks: tuple[int, int, int]
    windows: tuple[int, int, int, int] = (8, 4, 14, 7)
    background: int = 7


SIZES = (
    Hiera("tiny", 96, 1, (1, 2, 7, 2), (5, 7, 9)),
    Hiera("small", 96, 1, (1, 2, 11, 2), (7, 10, 13)),
    Hiera("base_plus", 112, 2, (2, 3, 16, 3), (12, 16, 20), background=14),
    Hiera("large", 144, 2, (2, 6, 36, 4), (23, 33, 43), windows=(8, 4, 16, 8)),
)

NAMES = Path(__file__).parent / "original_names.txt"

_POINT = re.compile(r"^prompt_encoder\.point_embeddings\.(\d)\.weight$")
"""Point embeddings, which only the original keeps one by one."""


def load_network(source: str | Path) -> Sam2VideoModel:
    """Reads a SAM2 network of any float type: on the CPU, float32.

    Args:
        source: as for `rvosbench.models.weights.locate`.

    Raises:
        WeightsError: if nothing is there, or it is not a SAM2 video model.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file
    from transformers import Sam2VideoConfig

    path = locate(source, TRACKER)
    if path.is_file():
        original = read_original(path, TRACKER)
        return _fill(build_sam2(original_config(original)), convert_weights(original), path)
    config, path = Sam2VideoConfig.from_dict(read_config(path, TRACKER)), path / WEIGHTS_FILE
    try:
        weights = load_file(path)
    except SafetensorError as error:
        raise WeightsError(f"{path}: not a readable safetensors file ({error}).") from error
    return _fill(build_sam2(config), weights, path)


def build_sam2(config: Sam2VideoConfig) -> Sam2VideoModel:
    """A Sam2VideoModel with random weights, in evaluation mode, on the CPU, float32."""
    from transformers import Sam2VideoModel

    return Sam2VideoModel(config).eval()


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


def convert_weights(original: Weights) -> dict[str, Tensor]:
    """All tensors under their transformers names, as float32."""
    found = {renamed(name, NAMES): value.float() for name, value in original.items()}
    points = [found.pop(name) for name in sorted(found) if _POINT.match(name)]
    if points:
        found["prompt_encoder.point_embed.weight"] = torch.cat(points)
    shared = found.get("prompt_encoder.shared_embedding.positional_embedding")
    if shared is not None:
        found["shared_image_embedding.positional_embedding"] = shared.clone()
    return found


def find_converted(converted: Weights, original_name: str) -> Tensor:
    """A converted tensor by its original name: the way back; raises WeightsError if absent."""
    name = renamed(original_name, NAMES)
    if match := _POINT.match(name):
        row = int(match[1])
        return converted["prompt_encoder.point_embed.weight"][row : row + 1]
    if name not in converted:
        raise WeightsError(f"the weights have no {name!r} (original: {original_name!r}).")
    return converted[name]


def original_config(original: Weights, image_size: int = 1024) -> Sam2VideoConfig:
    """The configuration of a checkpoint; raises WeightsError if it has no original size."""
    from transformers import Sam2VideoConfig

    hiera = _recognise(original)
    top = image_size // 16
    return Sam2VideoConfig(
        image_size=image_size,
        vision_config=_vision_config(hiera, image_size),
        prompt_encoder_config={"image_size": image_size},
        memory_attention_rope_feat_sizes=[top, top],
        enable_temporal_pos_encoding_for_object_pointers="obj_ptr_tpos_proj.weight" in original,
        enable_occlusion_spatial_embedding="no_obj_embed_spatial" in original,
    )


def _recognise(original: Weights) -> Hiera:
    patch = original.get("image_encoder.trunk.patch_embed.proj.weight")
    blocks = {
        m[1] for k in original if (m := re.match(r"image_encoder\.trunk\.blocks\.(\d+)\.", k))
    }
    width = None if patch is None else patch.shape[0]
    for size in SIZES:
        if size.width == width and sum(size.blocks) == len(blocks):
            return size
    known = ", ".join(f"{s.name} ({s.width} channels, {sum(s.blocks)} blocks)" for s in SIZES)
    raise WeightsError(
        f"not an original SAM2 checkpoint: its image encoder has {width} channels and "
        f"{len(blocks)} blocks; known are {known}."
    )


def _vision_config(hiera: Hiera, image_size: int) -> dict[str, object]:
    widths = [hiera.width * 2**stage for stage in range(4)]
    return {
        "backbone_config": {
            "model_type": "sam2_hiera_det_model",
            "image_size": [image_size, image_size],
            "hidden_size": hiera.width,
            "num_attention_heads": hiera.heads,
            "embed_dim_per_stage": widths,
            "blocks_per_stage": list(hiera.blocks),
            "num_attention_heads_per_stage": [hiera.heads * 2**stage for stage in range(4)],
            "window_size_per_stage": list(hiera.windows),
            "global_attention_blocks": list(hiera.global_blocks),
            "window_positional_embedding_background_size": [hiera.background] * 2,
        },
        "backbone_channel_list": widths[::-1],
        "backbone_feature_sizes": [[image_size // s, image_size // s] for s in (4, 8, 16)],
        "fpn_hidden_size": 256,
    }
