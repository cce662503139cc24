"""GroundingDINO run by the code of its authors: the optional package `groundingdino`.

Network, attention and text masks are the package's own. Two of its parts no longer work with
transformers 5 and are replaced while a network is built: its wrapper around BERT, and the
functions that fetch BERT from the hub by name.

Source: IDEA-Research/GroundingDINO, as packaged in rf-groundingdino 0.3.0 and groundingdino-py
0.4.0.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from rvosbench.models.grounding_dino.checkpoint import GrounderFiles
from rvosbench.models.grounding_dino.original_checkpoint import (
    HEADS,
    POINTS,
    UNUSED,
    find_converted,
)
from rvosbench.models.runtime import BackendError, import_original

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

CODE = "groundingdino.models.GroundingDINO.groundingdino"
SIZES = {  # width of the image backbone -> its stages, and the package's configuration
    96: ([2, 2, 6, 2], "groundingdino.config.GroundingDINO_SwinT_OGC"),
    128: ([2, 2, 18, 2], "groundingdino.config.GroundingDINO_SwinB_cfg"),
}


class BertOfTransformers5(nn.Module):
    """BERT as the authors' network calls it, for transformers 5.

    The package's own wrapper uses three methods of BertModel that transformers 5 has no more.

    Args:
        bert_model: a BertModel with eager attention.
    """

    def __init__(self, bert_model: Any) -> None:  # noqa: ANN401 - a BertModel
        super().__init__()
        self.config = bert_model.config
        self.embeddings, self.encoder = bert_model.embeddings, bert_model.encoder

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        token_type_ids: Tensor,
        position_ids: Tensor,
    ) -> dict[str, Tensor]:
        """Text features (B, L, E) under "last_hidden_state"; a (B, L, L) mask says what is seen."""
        hidden = self.embeddings(input_ids, token_type_ids, position_ids)
        unseen = (1.0 - attention_mask[:, None].to(hidden.dtype)) * torch.finfo(hidden.dtype).min
        return {"last_hidden_state": self.encoder(hidden, attention_mask=unseen)[0]}


def build(files: GrounderFiles) -> Any:  # noqa: ANN401 - untyped package
    """The authors' network with the weights of any checkpoint of its sizes, on the CPU.

    Raises:
        BackendError: the package is not installed, or has no such network.
        WeightsError: a tensor is missing.
    """
    with _quiet():
        code = import_original("groundingdino", CODE)
        network = _build(code, files)
    weights = {  # constants as the package made them
        name: value if UNUSED.search(name) else find_converted(files.weights, name)
        for name, value in network.state_dict().items()
    }
    network.load_state_dict(weights)
    return network


def find(
    model: Any,  # noqa: ANN401 - untyped package
    pixels: Tensor,
    captions: Sequence[str],
    tokens: Sequence[Sequence[int]],
) -> Iterator[tuple[int, Tensor, Tensor]]:
    """As `transformers_backend.find`; the authors' network looks at captions one by one."""
    del tokens  # it has a tokenizer of its own
    with _looking_at(model.backbone, pixels):
        for row, text in enumerate(captions):
            with _quiet():
                out = model(pixels, captions=[text])
            yield row, out["pred_logits"][0].float().sigmoid(), out["pred_boxes"][0].float()


def _build(code: ModuleType, files: GrounderFiles) -> Any:  # noqa: ANN401 - untyped package
    """The network with random weights, on the CPU."""
    from transformers import BertModel

    bert = BertModel._from_config(files.config.text_config, attn_implementation="eager")
    with _parts(code, bert, files.tokenizer):
        return code.build_groundingdino(_arguments(files))


def _arguments(files: GrounderFiles) -> SimpleNamespace:
    """The package's configuration for the image backbone, with the sizes of this checkpoint."""
    config, swin = files.config, files.config.backbone_config
    stages, name = SIZES.get(swin.embed_dim, ([], ""))
    heads = {config.encoder_attention_heads, config.decoder_attention_heads}
    points = {config.encoder_n_points, config.decoder_n_points}
    if list(swin.depths) != stages or heads != {HEADS} or points != {POINTS}:
        raise BackendError(
            f"{files.place}: the original GroundingDINO has no such network (image backbone "
            f"{swin.embed_dim} wide with stages {list(swin.depths)}, {sorted(heads)} heads, "
            f"{sorted(points)} points); it has Swin-T and Swin-B with {HEADS} heads and {POINTS} "
            "points. Leave backend at transformers."
        )
    sizes = {
        "hidden_dim": config.d_model,
        "dim_feedforward": config.encoder_ffn_dim,
        "num_queries": config.num_queries,
        "enc_layers": config.encoder_layers,
        "dec_layers": config.decoder_layers,
        "num_feature_levels": config.num_feature_levels,
        "max_text_len": config.max_text_len,
        "use_checkpoint": False,  # of training; changes no number
        "use_transformer_ckpt": False,
    }
    configured = vars(import_original("groundingdino", name))
    return SimpleNamespace(**{k: v for k, v in configured.items() if k[0] != "_"} | sizes)


@contextmanager
def _parts(code: ModuleType, bert: nn.Module, tokenizer: PreTrainedTokenizerBase) -> Iterator[None]:
    """Give the package's builder our BERT and vocabulary instead of a download."""
    source = code.get_tokenlizer  # the package's spelling
    mine = (
        (code, "BertModelWarper", BertOfTransformers5),
        (source, "get_tokenlizer", lambda _: tokenizer),
        (source, "get_pretrained_language_model", lambda _: bert),
    )
    theirs = [getattr(place, name) for place, name, _ in mine]
    try:
        for place, name, part in mine:
            setattr(place, name, part)
        yield
    finally:
        for (place, name, _), part in zip(mine, theirs, strict=True):
            setattr(place, name, part)


@contextmanager
def _looking_at(backbone: Any, pixels: Tensor) -> Iterator[None]:  # noqa: ANN401 - untyped package
    """Run the image backbone on a frame (1, 3, h, w) now, and not again until the block ends."""
    misc = import_original("groundingdino", "groundingdino.util.misc")
    with _quiet():
        features, codes = backbone(misc.nested_tensor_from_tensor_list(pixels))
    # New lists every time: the network adds to them.
    backbone.forward = lambda _: (list(features), list(codes))
    try:
        yield
    finally:
        del backbone.forward


@contextmanager
def _quiet() -> Iterator[None]:
    """Without warnings about old names that the package uses of torch and timm."""
    with warnings.catch_warnings():
        for kind in (FutureWarning, DeprecationWarning):
            warnings.filterwarnings("ignore", category=kind)
        warnings.filterwarnings("ignore", "torch.meshgrid", UserWarning)
        yield
