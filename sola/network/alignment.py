"""Object-language alignment layers: attention between objects, over time, and to the words."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from sola.config import SelectorConfig
from sola.network.attention import Attention, TokenGroupNorm


class Masks(NamedTuple):
    """What is valid in a padded batch; None means everything. Boolean, True is valid.

    Attributes:
        tracks: (B, N).
        steps: (B, T'), reduced frames.
        words: (B, W), the negative anchors included.
    """

    tracks: Tensor | None = None
    steps: Tensor | None = None
    words: Tensor | None = None

    def of_sentences(self, video: Tensor) -> Masks:
        """Masks of V videos as masks of B sentences, whose videos are `video` (B,)."""
        tracks, steps = (None if m is None else m[video] for m in (self.tracks, self.steps))
        return Masks(tracks, steps, self.words)


class AlignmentLayer(nn.Module):
    """Three post-norm residual attentions, without feed-forward (released code).

    V rows of tokens may meet B rows of words: what does not depend on the words is then computed
    once for all sentences of a video.
    """

    def __init__(self, config: SelectorConfig) -> None:
        """Makes the attentions that `config` switches on; the others have no parameters."""
        super().__init__()
        self.objects = _Residual(config) if config.inter_object_attention else None
        self.motion = _Residual(config) if config.motion_attention else None
        self.language = _Residual(config)

    def forward(
        self,
        tokens: Tensor,
        time: Tensor,
        words: Tensor,
        masks: Masks,
        video: Tensor | None = None,
    ) -> Tensor:
        """Aligns tokens with words.

        Args:
            tokens: (B, N, T', C), or (V, N, T', C) with `video`.
            time: (T', C), added to queries and keys of the motion attention only.
            words: (B, W, C), the negative anchors included.
            masks: what is valid; as many rows as `tokens` has.
            video: (B,) row of `tokens` of each sentence; None if they have one each.

        Returns:
            (B, N, T', C).
        """
        if self.objects is not None:
            tokens = self._between_objects(self.objects, tokens, masks.tracks)
        if self.motion is not None:
            tokens = self._over_time(self.motion, tokens, time, masks.steps)
        if video is not None:
            tokens, masks = tokens[video], masks.of_sentences(video)
        valid = _joint(masks, tokens)
        flat: Tensor = self.language(tokens.flatten(1, 2), words, masks.words, valid)
        return flat.reshape(tokens.shape)

    @staticmethod
    def _between_objects(block: _Residual, tokens: Tensor, tracks: Tensor | None) -> Tensor:
        n_steps = tokens.shape[2]
        rows = tokens.transpose(1, 2).flatten(0, 1)  # (B T', N, C)
        mask = _repeat(tracks, n_steps)
        mixed: Tensor = block(rows, rows, mask, mask)
        return mixed.reshape(-1, n_steps, *mixed.shape[1:]).transpose(1, 2)

    @staticmethod
    def _over_time(block: _Residual, tokens: Tensor, time: Tensor, steps: Tensor | None) -> Tensor:
        n_tracks = tokens.shape[1]
        rows = tokens.flatten(0, 1)  # (B N, T', C)
        mask = _repeat(steps, n_tracks)
        mixed: Tensor = block(rows, rows, mask, mask, position=time)
        return mixed.reshape(tokens.shape)


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


def _repeat(mask: Tensor | None, times: int) -> Tensor | None:
    """(B, L) -> (B times, L), each row `times` times in a run."""
    return None if mask is None else mask.repeat_interleave(times, dim=0)
