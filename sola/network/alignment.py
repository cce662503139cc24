"""Object-language alignment layers: attention between objects, over time, and to the text."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from sola.config import SelectorConfig
from sola.network.attention import Attention, TokenGroupNorm, repeated


class Masks(NamedTuple):
    """What is valid in a padded batch; None means everything. Boolean, True is valid.

    Attributes:
        tracks: (B, N).
        steps: (B, T'), reduced frames.
        text: (B, W), text tokens, the negative anchors included.
    """

    tracks: Tensor | None = None
    steps: Tensor | None = None
    text: Tensor | None = None

    def of_expressions(self, video: Tensor) -> Masks:
        """Masks of V videos as masks of B expressions, whose videos are `video` (B,)."""
        tracks, steps = (None if m is None else m[video] for m in (self.tracks, self.steps))
        return Masks(tracks, steps, self.text)


class AlignmentLayer(nn.Module):
    """Three post-norm residual attentions, without feed-forward (released code).

    V rows of object tokens may meet B rows of text tokens: what does not depend on the text is then
    computed once for all expressions of a video.
    """

    def __init__(self, config: SelectorConfig) -> None:
        """Makes the attentions that `config` switches on; the others have no parameters."""
        super().__init__()
        self.objects = _Residual(config) if config.inter_object_attention else None
        self.motion = _Residual(config) if config.motion_attention else None
        self.language = _Residual(config)

    def forward(
        self, tokens: Tensor, time: Tensor, text: Tensor, masks: Masks, video: Tensor | None = None
    ) -> Tensor:
        """Aligns object tokens with text tokens.

        Args:
            tokens: (B, N, T', C), or (V, N, T', C) with `video`.
            time: (T', C), added to queries and keys of the motion attention only.
            text: (B, W, C), the negative anchors included.
            masks: what is valid; as many rows as `tokens` has.
            video: (B,) row of `tokens` of each expression; None if they have one each.

        Returns:
            (B, N, T', C).
        """
        if self.objects is not None:
            n_steps, mask = tokens.shape[2], repeated(masks.tracks, tokens.shape[2])
            rows = tokens.transpose(1, 2).flatten(0, 1)  # (B T', N, C)
            rows = self.objects(rows, rows, mask, mask)
            tokens = rows.unflatten(0, (-1, n_steps)).transpose(1, 2)
        if self.motion is not None:
            mask = repeated(masks.steps, tokens.shape[1])
            rows = tokens.flatten(0, 1)  # (B N, T', C)
            rows = self.motion(rows, rows, mask, mask, position=time)
            tokens = rows.reshape(tokens.shape)
        if video is not None:
            tokens, masks = tokens[video], masks.of_expressions(video)
        rows = tokens.flatten(1, 2)  # (B, N T', C)
        aligned: Tensor = self.language(rows, text, masks.text, _joint(masks, tokens))
        return aligned.reshape(tokens.shape)


class _Residual(nn.Module):
    """tokens -> norm(tokens + attention to a context)."""

    def __init__(self, config: SelectorConfig) -> None:
        super().__init__()
        width = config.lang_token_dim
        self.attention = Attention(width, config.n_heads, config.attention_dropout)
        self.norm = TokenGroupNorm(config.n_groups, width)

    def forward(
        self,
        tokens: Tensor,
        context: Tensor,
        context_mask: Tensor | None,
        token_mask: Tensor | None,
        position: Tensor | None = None,
    ) -> Tensor:
        query, key = tokens, context
        if position is not None:
            query, key = tokens + position, context + position
        attended = self.attention(query, key, context, context_mask)
        normal: Tensor = self.norm(tokens + attended, token_mask)
        return normal


def _joint(masks: Masks, tokens: Tensor) -> Tensor | None:
    """(B, N T') validity of flattened (B, N, T', C) tokens, or None if everything is valid."""
    if masks.tracks is None and masks.steps is None:
        return None
    valid = torch.ones(tokens.shape[:3], dtype=torch.bool, device=tokens.device)
    if masks.tracks is not None:
        valid = valid & masks.tracks[:, :, None]
    if masks.steps is not None:
        valid = valid & masks.steps[:, None, :]
    return valid.flatten(1)
