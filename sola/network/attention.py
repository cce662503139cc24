"""Object-language alignment layers: attention between objects, over time, and to the text.

From the top: what is valid in a padded batch, a layer, and the attention and normalisation that it
is made of. A padded batch must give what its members give alone, so padding is left out of the keys
of attention and out of the statistics of normalisation, which run over tokens (`TokenGroupNorm`).
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from sola.config import SelectorConfig


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


class Attention(nn.Module):
    """Multi-head attention with biases and an output projection, no normalisation, no residual.

    Source: released code, `tools/attention.py`.
    """

    def __init__(self, dim: int, n_heads: int, dropout: float) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.dropout = dropout
        self.query = nn.Linear(dim, dim)
        self.key = nn.Linear(dim, dim)
        self.value = nn.Linear(dim, dim)
        self.out = nn.Linear(dim, dim)

    def forward(
        self, query: Tensor, key: Tensor, value: Tensor, key_mask: Tensor | None = None
    ) -> Tensor:
        """Attends from every query to the valid keys.

        Args:
            query: (B, Q, dim).
            key: (B, K, dim).
            value: (B, K, dim).
            key_mask: (B, K) bool, True is valid; None means all. A row without any valid key
                attends to all of them: its outcome means nothing, but stays finite.

        Returns:
            (B, Q, dim).
        """
        if key_mask is not None:
            # Soft-max over no key is NaN, and one NaN in a padded row poisons every gradient.
            key_mask = (key_mask | ~key_mask.any(dim=-1, keepdim=True))[:, None, None, :]
        mixed = functional.scaled_dot_product_attention(
            self._heads(self.query(query)),
            self._heads(self.key(key)),
            self._heads(self.value(value)),
            attn_mask=key_mask,
            dropout_p=self.dropout if self.training else 0.0,
        )
        projected: Tensor = self.out(mixed.transpose(1, 2).flatten(2))
        return projected

    def _heads(self, tokens: Tensor) -> Tensor:
        heads = tokens.reshape(*tokens.shape[:2], self.n_heads, -1)
        return heads.transpose(1, 2)  # (B, heads, L, dim / heads)


class TokenGroupNorm(nn.GroupNorm):
    """Group normalisation of (B, L, C) tokens; statistics run over the L tokens and a group.

    So every token depends on all the others of its row, which is the released code's behaviour
    and the reason why padding has to be masked here.
    """

    def forward(self, tokens: Tensor, mask: Tensor | None = None) -> Tensor:
        """Normalises the valid tokens by their own statistics.

        Args:
            tokens: (B, L, C).
            mask: (B, L) bool, True is valid; None means all.

        Returns:
            (B, L, C); what stands at invalid places means nothing, but is finite if `tokens` is.
        """
        if mask is None:
            return super().forward(tokens.transpose(1, 2)).transpose(1, 2)
        weight = mask[:, None, :].to(tokens.dtype)  # (B, 1, L)
        share = weight / weight.sum(dim=2, keepdim=True).clamp(min=1)
        # Sums over tokens are matrix products, and one factor a channel scales: few passes.
        centred = tokens - self._over_groups(share @ tokens)
        variance = self._over_groups(share @ centred.square())
        return torch.addcmul(self.bias, centred, torch.rsqrt(variance + self.eps) * self.weight)

    def _over_groups(self, channels: Tensor) -> Tensor:
        """(B, 1, C): every channel replaced by the mean of its group."""
        grouped = channels.reshape(len(channels), 1, self.num_groups, -1)
        return grouped.mean(dim=3, keepdim=True).expand(grouped.shape).flatten(2)


def masked_mean(values: Tensor, mask: Tensor | None, dim: int) -> Tensor:
    """Mean over the valid entries of one axis.

    Args:
        values: any shape.
        mask: bool, broadcastable to the first axes of `values`; None means all valid.
        dim: the axis to average.

    Returns:
        `values` without axis `dim`; 0 where nothing is valid.
    """
    if mask is None:
        return values.mean(dim=dim)
    weight = mask.reshape(*mask.shape, *(1,) * (values.ndim - mask.ndim)).to(values.dtype)
    return (values * weight).sum(dim=dim) / weight.sum(dim=dim).clamp(min=1)


def repeated(mask: Tensor | None, times: int) -> Tensor | None:
    """(B, L) to (B times, L), each row `times` times in a run; None stays None."""
    return None if mask is None else mask.repeat_interleave(times, dim=0)
