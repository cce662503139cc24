"""The language-aligned track selection module: which tracks does an expression mean?

    motion encoder (each track alone) -> alignment layers (between objects, over time, to the text)
    -> one alignment token and one score a track

To be read from the top: this file, then `motion`, `alignment`, `attention`; `losses` is what it is
trained with.

Source: SOLA paper, section 3.5; where it and the authors' released code differ, the default
follows the code, and `SelectorConfig(variant="paper")` equations (4) and (5).
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from sola.config import SelectorConfig
from sola.network.alignment import AlignmentLayer, Masks
from sola.network.attention import masked_mean
from sola.network.motion import MotionEncoder, temporal_encoding


class SelectorOutput(NamedTuple):
    """What the selector says of each track.

    Attributes:
        logits: (B, N); sigmoid gives the probability of selection. 0 for padding.
        alignment: (B, N, E), the alignment tokens of the loss. 0 for padding.
    """

    logits: Tensor
    alignment: Tensor


class TrackSelector(nn.Module):
    """Scores N candidate tracks of a video against expressions."""

    time_frequencies: Tensor

    def __init__(self, config: SelectorConfig) -> None:
        """Makes the layers; initial values come from torch's global generator."""
        super().__init__()
        self.config = config
        width = config.lang_token_dim
        self.motion_encoder = MotionEncoder(config)
        self.layers = nn.ModuleList(AlignmentLayer(config) for _ in range(config.n_layers))
        self.negative_anchors = nn.Parameter(torch.randn(config.n_negative, width))
        self.register_buffer("time_frequencies", torch.randn(1, width // 2))

    def forward(
        self,
        object_tokens: Tensor,
        text_tokens: Tensor,
        track_mask: Tensor | None = None,
        frame_mask: Tensor | None = None,
        word_mask: Tensor | None = None,
        video: Tensor | None = None,
    ) -> SelectorOutput:
        """Scores tracks. Padding that the masks name changes nothing but rounding.

        A track's score depends on the other tracks of its row: that is the method.

        Args:
            object_tokens: (V, N, T, object_token_dim) of V videos. What does not depend on the
                expression is computed once a video. N may be 0, T not.
            text_tokens: (B, W, lang_token_dim), all tokens of the text encoder.
            track_mask: (V, N), or (B, N) if expressions have their own candidates; bool, True is
                valid.
            frame_mask: (V, T) bool, the valid frames first.
            word_mask: (B, W) bool, valid text tokens.
            video: (B,) int64, each expression's row of `object_tokens`. It may be left out if V is
                1, or B: a video each.

        Returns:
            Logits (B, N) and alignment tokens (B, N, lang_token_dim).

        Raises:
            ValueError: for shapes that do not fit the configuration.
        """
        _check_shapes(self.config, object_tokens, text_tokens, video)
        if object_tokens.shape[1] == 0:
            return _no_tracks(text_tokens)
        if video is None and len(object_tokens) != len(text_tokens):
            video = torch.zeros(len(text_tokens), dtype=torch.long, device=text_tokens.device)
        tokens, step_mask = self.motion_encoder(object_tokens, frame_mask)
        text, text_mask = self._with_anchors(text_tokens, word_mask)
        unit = self.config.max_temporal_length
        time = temporal_encoding(tokens.shape[2], self.time_frequencies, unit)
        masks = Masks(track_mask, step_mask, text_mask)
        if video is not None and track_mask is not None and len(track_mask) != len(tokens):
            masks = masks._replace(tracks=None).of_expressions(video)._replace(tracks=track_mask)
            tokens, video = tokens[video], None
        for layer in self.layers:
            tokens = layer(tokens, time, text, masks, video)
            if video is not None:
                masks, video = masks.of_expressions(video), None
        return self._aggregate(tokens, text, masks)

    def scale_down_first_attention(self) -> None:
        """Shrinks the projections of the first inter-object attention, in place.

        Tokens leave the motion encoder with a standard deviation of about sqrt(channels), because
        its last, standardised convolution has no norm behind it. With torch's initial values that
        saturates the first soft-max, and little is learnt for a long time.
        """
        width = self.config.lang_token_dim
        projections = dict(self.layers[0].named_parameters(prefix="first"))
        for part, divisor in (("query", width), ("key", width), ("value", 9)):
            weight = projections.get(f"first.objects.attention.{part}.weight")
            if weight is not None:
                weight.data.div_(divisor**0.5)

    def _with_anchors(
        self, text_tokens: Tensor, mask: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        """Appends the negative anchors to the text tokens (released code)."""
        anchors = self.negative_anchors.expand(len(text_tokens), -1, -1)
        if mask is not None:
            mask = torch.cat([mask, mask.new_ones(anchors.shape[:2])], dim=1)
        return torch.cat([text_tokens, anchors], dim=1), mask

    def _aggregate(self, tokens: Tensor, text: Tensor, masks: Masks) -> SelectorOutput:
        """Equations (4) and (5): from (B, N, T', E) to one token and one logit a track."""
        # The average of dot products over text tokens is the dot product with their average.
        mean_text = self._mean_text(text, masks.text)  # (B, E)
        similarity = torch.einsum("bnte,be->bnt", tokens, mean_text)
        steps = None if masks.steps is None else masks.steps[:, None, :]
        weight = _masked_softmax(similarity, steps)[..., None]
        if self.config.variant == "paper":
            alignment = masked_mean(weight * tokens, steps, 2)
            logits = masked_mean(similarity, steps, 2)
        else:
            alignment = (weight * tokens).sum(dim=2)
            logits = torch.einsum("bne,be->bn", alignment, mean_text)
        if masks.tracks is None:
            return SelectorOutput(logits, alignment)
        return SelectorOutput(
            logits.masked_fill(~masks.tracks, 0.0),
            alignment.masked_fill(~masks.tracks[..., None], 0.0),
        )

    def _mean_text(self, text: Tensor, mask: Tensor | None) -> Tensor:
        if self.config.variant == "paper":  # N_w counts the expression's own tokens only
            n_tokens = text.shape[1] - self.config.n_negative
            text = text[:, :n_tokens]
            mask = None if mask is None else mask[:, :n_tokens]
        return masked_mean(text, mask, 1)


def _masked_softmax(values: Tensor, mask: Tensor | None) -> Tensor:
    """Soft-max over the last axis, exactly 0 where invalid; at least one entry must be valid."""
    if mask is not None:
        values = values.masked_fill(~mask, float("-inf"))
    return values.softmax(dim=-1)


def _no_tracks(text_tokens: Tensor) -> SelectorOutput:
    batch, _, width = text_tokens.shape
    return SelectorOutput(text_tokens.new_zeros(batch, 0), text_tokens.new_zeros(batch, 0, width))


def _check_shapes(
    config: SelectorConfig, objects: Tensor, text: Tensor, video: Tensor | None
) -> None:
    rows = (1, text.shape[0]) if video is None else (objects.shape[0],)
    fits = (
        objects.ndim == 4
        and text.ndim == 3
        and objects.shape[0] in rows
        and (video is None or video.shape == text.shape[:1])
        and objects.shape[2] > 0
        and objects.shape[3] == config.object_token_dim
        and text.shape[2] == config.lang_token_dim
    )
    if not fits:
        raise ValueError(
            f"object tokens {tuple(objects.shape)} and text tokens {tuple(text.shape)} do not fit: "
            f"wanted (V, N, T > 0, {config.object_token_dim}) and (B, W, {config.lang_token_dim}), "
            "with V = 1 or B, or each expression's video as (B,) indices."
        )
