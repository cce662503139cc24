"""Tensors of the authors' released code (cvlab-kaist/SOLA): names, and the sizes they tell."""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor

from rvosbench.errors import WeightsError
from sola.config import SelectorConfig

# Released name -> ours. Numbers of the encoder are positions in a sequence of
# (convolution, norm, activation, dropout) blocks.
RENAMES: tuple[tuple[str, str], ...] = (
    (r"negative_token\.weight", "negative_anchors"),
    (r"positional_encoding_gaussian_matrix", "time_frequencies"),
    (r"short_motion_encoder\.20\.", "motion_encoder.project."),
    *((rf"short_motion_encoder\.{4 * i}\.", f"motion_encoder.convs.{i}.") for i in range(5)),
    *((rf"short_motion_encoder\.{4 * i + 1}\.", f"motion_encoder.norms.{i}.") for i in range(5)),
    (r"object_lang_align_layers\.(\d+)\.obj_attn\.", r"layers.\1.objects.attention."),
    (r"object_lang_align_layers\.(\d+)\.motion_attn\.", r"layers.\1.motion.attention."),
    (r"object_lang_align_layers\.(\d+)\.object2lang_attn\.", r"layers.\1.language.attention."),
    (r"object_lang_align_layers\.(\d+)\.norm\.0\.", r"layers.\1.objects.norm."),
    (r"object_lang_align_layers\.(\d+)\.norm\.1\.", r"layers.\1.motion.norm."),
    (r"object_lang_align_layers\.(\d+)\.norm\.2\.", r"layers.\1.language.norm."),
    (r"attention\.q_proj\.", "attention.query."),
    (r"attention\.k_proj\.", "attention.key."),
    (r"attention\.v_proj\.", "attention.value."),
    (r"attention\.out_proj\.", "attention.out."),
)


def rename(name: str) -> str:
    """Our name of a released tensor, with a `module.` of data parallelism taken off.

    >>> rename("module.short_motion_encoder.4.weight")
    'motion_encoder.convs.1.weight'
    """
    name = name.removeprefix("module.")
    for pattern, ours in RENAMES:
        name = re.sub(rf"(?:^|(?<=\.)){pattern}", ours, name, count=1)
    return name


def renamed(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A released state dict under our names.

    Raises:
        WeightsError: if it holds none of the released module's tensors.
    """
    ours = {rename(name): tensor for name, tensor in state.items()}
    needed = ("motion_encoder.convs.0.weight", "negative_anchors", "layers.0.language.norm.weight")
    missing = [name for name in needed if name not in ours]
    if missing:
        raise WeightsError(
            f"not a checkpoint of the released selector: nothing in it is {missing[0]!r}; it holds "
            f"{len(state)} tensors such as {sorted(state)[:3]}. Wanted the state dict of "
            "LanguageAlignedTrackSelectionModule."
        )
    return ours


def infer_config(state: Mapping[str, Tensor]) -> SelectorConfig:
    """The configuration that tensors under our names were made with.

    Heads, groups, dropout and the unit of time leave no trace in shapes: released values.
    """
    first, anchors = state["motion_encoder.convs.0.weight"], state["negative_anchors"]
    layers = {name.split(".")[1] for name in state if name.startswith("layers.")}
    return SelectorConfig(
        object_token_dim=first.shape[1],
        lang_token_dim=anchors.shape[1],
        n_layers=len(layers),
        n_negative=anchors.shape[0],
        inter_object_attention="layers.0.objects.norm.weight" in state,
        motion_attention="layers.0.motion.norm.weight" in state,
    )
