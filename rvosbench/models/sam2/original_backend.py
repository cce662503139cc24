"""SAM2 run by the code of its authors: the optional package `sam2`.

Encoder, prompt encoder, decoders and memory are the package's; image features are shared and
objects go in batches, as everywhere here. The order of calls is that of its two predictors.

Source: facebookresearch/sam2, as packaged in sam2 1.1.0 (`SAM2VideoPredictor`,
`SAM2ImagePredictor`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from rvosbench.models.runtime import BackendError, import_original
from rvosbench.models.sam2.checkpoint import SIZES, find_converted
from rvosbench.models.sam2.decoding import (
    FrameFeatures,
    FrameOutput,
    PromptOutput,
    prompt_masks_at,
    resized,
)

if TYPE_CHECKING:
    from transformers import Sam2VideoConfig, Sam2VideoModel

FILES = {"tiny": "t", "small": "s", "base_plus": "b+", "large": "l"}


def encode_frames(model: Any, pixels: Tensor) -> FrameFeatures:  # noqa: ANN401 - untyped package
    """As `decoding.encode_frames`."""
    high, middle, low = model.forward_image(pixels)["backbone_fpn"]
    return FrameFeatures((high, middle, low))


def decode_prompts(
    model: Any,  # noqa: ANN401 - untyped package
    features: FrameFeatures,
    *,
    multimask: bool = True,
    **prompts: Tensor,
) -> PromptOutput:
    """As `decoding.decode_prompts`, of one frame (B = 1)."""
    points, labels = _points(prompts)
    maps = features.maps
    sparse, dense = model.sam_prompt_encoder(points=(points, labels), boxes=None, masks=None)
    logits, iou, _, presence = model.sam_mask_decoder(
        image_embeddings=maps[2] + model.no_mem_embed.reshape(1, -1, 1, 1),
        image_pe=model.sam_prompt_encoder.get_dense_pe(),
        sparse_prompt_embeddings=sparse,
        dense_prompt_embeddings=dense,
        multimask_output=multimask,
        repeat_image=True,
        high_res_features=list(maps[:2]),
    )
    return PromptOutput(logits[None], iou[None], presence[None, :, 0])


def _points(prompts: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
    """Points (P, K, 2) and their labels (P, K); a box is its two corners, labelled 2 and 3."""
    if "points" in prompts:
        return prompts["points"][0], prompts["labels"][0]
    corners = prompts["boxes"][0].reshape(-1, 2, 2)
    labels = torch.tensor([[2, 3]], dtype=torch.int32, device=corners.device)
    return corners, labels.expand(len(corners), -1)


@dataclass
class RememberedObjects:
    """Objects that are computed together, and what the package remembers of them.

    Attributes:
        model: the network.
        n_frames: length of the video.
        prompt_frame: the frame of the mask prompts.
        count: of objects, once their masks are given.
        outputs: of the package, by kind and frame.
    """

    model: Any
    n_frames: int
    prompt_frame: int
    count: int = 0
    outputs: dict[str, dict[int, dict[str, Any]]] = field(
        default_factory=lambda: {"cond_frame_outputs": {}, "non_cond_frame_outputs": {}}
    )

    def prompt(self, features: FrameFeatures, masks: Tensor) -> FrameOutput:
        """The prompted frame; its memory is made of the mask it shows, at the decoder's size."""
        self.count, side = len(masks), self.model.image_size
        out = self._step(features, self.prompt_frame, masks=prompt_masks_at(masks, side))
        shown = resized(out["pred_masks"].float(), (side, side))
        flat, _, sizes = self._flat(features)
        memory, codes = self.model._encode_new_memory(
            current_vision_feats=flat,
            feat_sizes=sizes,
            pred_masks_high_res=shown,
            object_score_logits=out["object_score_logits"],
            is_mask_from_pts=True,
        )
        out |= {"maskmem_features": memory, "maskmem_pos_enc": codes}
        return self._kept(out, self.prompt_frame, "cond_frame_outputs")

    def track(self, features: FrameFeatures, frame: int, step: int) -> FrameOutput:
        """The next frame in direction `step` (1 or -1)."""
        out = self._step(features, frame, reverse=step < 0)
        found = self._kept(out, frame, "non_cond_frame_outputs")
        self._forget(frame)
        return found

    def _step(
        self,
        features: FrameFeatures,
        frame: int,
        *,
        masks: Tensor | None = None,
        reverse: bool = False,
    ) -> dict[str, Any]:
        flat, codes, sizes = self._flat(features)
        out: dict[str, Any] = self.model.track_step(
            frame_idx=frame,
            is_init_cond_frame=masks is not None,
            current_vision_feats=flat,
            current_vision_pos_embeds=codes,
            feat_sizes=sizes,
            point_inputs=None,
            mask_inputs=masks,
            output_dict=self.outputs,
            num_frames=self.n_frames,
            track_in_reverse=reverse,
            run_mem_encoder=masks is None,
        )
        return out

    def _flat(
        self, features: FrameFeatures
    ) -> tuple[list[Tensor], list[Tensor], list[tuple[int, ...]]]:
        """Features (h*w, N, C) and position codes of every level, and their (h, w)."""
        encode = self.model.image_encoder.neck.position_encoding
        levels = [level.expand(self.count, -1, -1, -1) for level in features.maps]
        codes = [encode(level).to(level.dtype) for level in levels]
        sizes = [tuple(level.shape[-2:]) for level in levels]
        return [_rows(level) for level in levels], [_rows(code) for code in codes], sizes

    def _kept(self, out: Mapping[str, Any], frame: int, kind: str) -> FrameOutput:
        # Memories are bfloat16 in the package's predictors: results depend on it.
        self.outputs[kind][frame] = {
            "maskmem_features": out["maskmem_features"].to(torch.bfloat16),
            "maskmem_pos_enc": out["maskmem_pos_enc"],
            "obj_ptr": out["obj_ptr"],
        }
        logits = out["pred_masks"][:, 0]
        return FrameOutput(frame, logits, out["obj_ptr"], out["object_score_logits"][:, 0], logits)

    def _forget(self, frame: int) -> None:
        """Keep what the next frame needs, and what the backward pass will need at the prompt."""
        window = max(self.model.num_maskmem, self.model.max_obj_ptrs_in_encoder)
        kept = self.outputs["non_cond_frame_outputs"]
        for old in list(kept):
            if min(abs(old - frame), abs(old - self.prompt_frame)) >= window:
                del kept[old]


def original_network(ours: Sam2VideoModel) -> Any:  # noqa: ANN401 - untyped package
    """The authors' network with the weights of any checkpoint of its sizes.

    Raises:
        BackendError: the package is not installed, or has no such network.
        WeightsError: a tensor is missing.
    """
    config = ours.config
    name = config_file(config)
    overrides = [
        f"++model.image_size={config.image_size}",
        "++model.binarize_mask_from_pts_for_mem_enc=true",  # as its video predictor
    ]
    build = import_original("sam2", "sam2.build_sam").build_sam2
    network = build(name, None, "cpu", hydra_overrides_extra=overrides)
    weights = ours.state_dict()
    network.load_state_dict({n: find_converted(weights, n) for n in network.state_dict()})
    return network


def config_file(config: Sam2VideoConfig) -> str:
    """The package's file for a network, as configs/sam2/sam2_hiera_l.yaml, or BackendError."""
    trunk = config.vision_config.backbone_config
    version = {(False, False): "2", (True, True): "2.1"}.get(
        (
            bool(config.enable_temporal_pos_encoding_for_object_pointers),
            bool(config.enable_occlusion_spatial_embedding),
        )
    )
    for size in SIZES:
        same = list(trunk.blocks_per_stage) == list(size.blocks)
        if version and same and trunk.hidden_size == size.width:
            return f"configs/sam{version}/sam{version}_hiera_{FILES[size.name]}.yaml"
    raise BackendError(
        f"the original SAM2 has no such network (image encoder {trunk.hidden_size} wide, stages "
        f"{list(trunk.blocks_per_stage)}); it has {', '.join(FILES)} of SAM 2.0 and 2.1. The "
        "embedded demo network runs with backend=transformers only."
    )


def _rows(level: Tensor) -> Tensor:
    """(N, C, h, w) as (h*w, N, C)."""
    return level.flatten(2).permute(2, 0, 1)
