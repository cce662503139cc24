"""The small GroundingDINO of the demo preset: sizes, first weights, its cheap and its full pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from recipes.appearance import CELLS
from recipes.grounder.batches import GroundingBatch
from recipes.grounder.captions import MAX_TOKENS, VOCABULARY_SIZE
from recipes.grounder.losses import (
    GroundingWeights,
    LookHeads,
    cell_box_loss,
    cell_word_loss,
    look_loss,
    query_loss,
)
from rvosbench.models.grounding_dino.transformers_backend import SharedBackbone

if TYPE_CHECKING:
    from transformers import GroundingDinoConfig, GroundingDinoForObjectDetection
    from transformers.models.grounding_dino.modeling_grounding_dino import (
        GroundingDinoObjectDetectionOutput,
    )

RESIDUAL = 0.2  # scale of the encoder's residual branches at first


def small_config(size: int = 128, dim: int = 128, width: int = 32) -> GroundingDinoConfig:
    """Sizes: maps at strides 8 and 16, one encoder and two decoder layers, 20 queries."""
    from transformers import GroundingDinoConfig

    return GroundingDinoConfig(
        backbone_config={
            "model_type": "convnext",
            "hidden_sizes": [width, 2 * width, 4 * width],
            "depths": [2, 3, 2],
            "num_stages": 3,
            "patch_size": 4,
            "out_indices": [2, 3],
            "image_size": size,
        },
        text_config={
            "model_type": "bert",
            "hidden_size": dim,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "intermediate_size": 2 * dim,
            "vocab_size": VOCABULARY_SIZE,
            "hidden_dropout_prob": 0.0,
            "attention_probs_dropout_prob": 0.0,
            "max_position_embeddings": MAX_TOKENS,
        },
        num_queries=20,
        encoder_layers=1,
        decoder_layers=2,
        encoder_ffn_dim=2 * dim,
        decoder_ffn_dim=2 * dim,
        encoder_attention_heads=4,
        decoder_attention_heads=4,
        encoder_n_points=2,
        d_model=dim,
        max_text_len=MAX_TOKENS,
        num_feature_levels=len(CELLS),
        dropout=0.0,
        fusion_droppath=0.0,
    )


def build_grounder(config: GroundingDinoConfig) -> GroundingDinoForObjectDetection:
    """A network with first weights; its backbone is a SharedBackbone."""
    from transformers import GroundingDinoForObjectDetection

    model = GroundingDinoForObjectDetection(config)
    initialise(model)
    model.model.backbone = SharedBackbone(model.model.backbone)
    return model


@torch.no_grad()
def initialise(model: GroundingDinoForObjectDetection) -> None:
    """Makes the encoder start close to its input, and words start unlikely at all cells."""
    inner = model.model
    for module in inner.backbone.modules():
        if isinstance(module, (nn.Linear, nn.Conv2d)):
            module.reset_parameters()
    for name, parameter in inner.backbone.named_parameters():
        if "layer_scale" in name:
            nn.init.constant_(parameter, 0.3)
    for layer in inner.encoder.layers:
        for branch in (layer.deformable_layer.self_attn.output_proj, layer.deformable_layer.fc2):
            branch.weight.mul_(RESIDUAL)
        nn.init.constant_(layer.fusion_layer.vision_param, RESIDUAL)
        nn.init.constant_(layer.fusion_layer.text_param, RESIDUAL)
    texts = inner.encoder.layers[-1].text_enhancer_layer.layer_norm_after
    for norm, sign in ((texts, 1), (inner.enc_output_norm, -1), (inner.decoder.layer_norm, -1)):
        nn.init.constant_(norm.weight, 0.35)
        norm.bias[0] = 2.0 * sign
    nn.init.normal_(inner.query_position_embeddings.weight, std=0.5)


def cheap_losses(
    model: GroundingDinoForObjectDetection,
    heads: LookHeads,
    batch: GroundingBatch,
    weights: GroundingWeights,
) -> dict[str, Tensor]:
    """Losses of cells without encoder and decoder: an image is seen once for all its captions."""
    inner = model.model
    maps, sources = _maps(model, batch.pixels)
    last = inner.encoder.layers[-1]
    cells = last.deformable_layer.final_layer_norm(sources)
    texts = last.text_enhancer_layer.layer_norm_after(_texts(model, batch))
    mask = torch.zeros(cells.shape[:2], dtype=torch.bool)
    shapes = [m.shape[-2:] for m in maps]
    embedded, proposals = inner.generate_encoder_output_proposals(cells, mask, shapes)
    captions = len(batch.ids) // len(batch.pixels)
    logits = embedded.repeat_interleave(captions, 0) @ texts.transpose(1, 2)
    boxes = inner.encoder_output_bbox_embed(embedded) + proposals
    return {
        "cell_words": weights.words * cell_word_loss(logits, batch),
        "cell_boxes": cell_box_loss(boxes, batch, weights),
        "looks": weights.looks * look_loss(heads(maps), batch),
    }


def full_losses(
    model: GroundingDinoForObjectDetection,
    heads: LookHeads,
    batch: GroundingBatch,
    weights: GroundingWeights,
) -> dict[str, Tensor]:
    """Losses of cells and of both decoder layers."""
    backbone = model.model.backbone
    assert isinstance(backbone, SharedBackbone)
    captions = len(batch.ids) // len(batch.pixels)
    with backbone.looking_at(batch.pixels):
        assert backbone.known is not None
        maps = [m for m, _ in backbone.known[0]]
        out = model(
            pixel_values=batch.pixels.repeat_interleave(captions, 0),
            input_ids=batch.ids,
            attention_mask=batch.attention,
        )
    losses = {
        "cell_words": weights.words * cell_word_loss(out.enc_outputs_class, batch),
        "cell_boxes": cell_box_loss(out.enc_outputs_coord_logits, batch, weights),
        "looks": weights.looks * look_loss(heads(maps), batch),
    }
    for i, (logits, boxes) in enumerate(decoder_outputs(model, out, batch.attention)):
        losses[f"queries_{i}"] = weights.queries * query_loss(logits, boxes, batch, weights)
    return losses


def decoder_outputs(
    model: GroundingDinoForObjectDetection,
    out: GroundingDinoObjectDetectionOutput,
    attention: Tensor,
) -> list[tuple[Tensor, Tensor]]:
    """Word logits (B, Q, words) and boxes (B, Q, 4) of every decoder layer."""
    states, refined = out.intermediate_hidden_states, out.intermediate_reference_points
    texts, before = out.encoder_last_hidden_state_text, out.init_reference_points
    assert states is not None
    assert refined is not None
    found = []
    for i, hidden in enumerate(states.unbind(1)):
        logits = model.class_embed[i](hidden, texts, attention.bool())
        boxes = (model.bbox_embed[i](hidden) + torch.special.logit(before, eps=1e-5)).sigmoid()
        found.append((logits, boxes))
        before = refined[:, i]
    return found


def _maps(model: GroundingDinoForObjectDetection, pixels: Tensor) -> tuple[list[Tensor], Tensor]:
    """The backbone's maps, and what the encoder gets of them, (F, L, D)."""
    mask = torch.ones(len(pixels), *pixels.shape[-2:], dtype=torch.long)
    levels, _ = model.model.backbone(pixels, mask)
    maps = [m for m, _ in levels]
    projected = [p(m) for p, m in zip(model.model.input_proj_vision, maps, strict=True)]
    return maps, torch.cat([p.flatten(2).transpose(1, 2) for p in projected], 1)


def _texts(model: GroundingDinoForObjectDetection, batch: GroundingBatch) -> Tensor:
    """Words as the encoder gets them, (B, T, D)."""
    from transformers.models.grounding_dino.modeling_grounding_dino import (
        generate_masks_with_special_tokens_and_transfer_map as blocks,
    )

    masks, positions = blocks(batch.ids, model.model.special_tokens)
    found = model.model.text_backbone(
        batch.ids, masks[:, None], torch.zeros_like(batch.ids), positions, return_dict=True
    )
    projected: Tensor = model.model.text_projection(found.last_hidden_state)
    return projected
