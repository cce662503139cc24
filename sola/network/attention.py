"""Attention and group normalisation that ignore padding exactly.

A padded batch must give what its members give alone, so padding is left out of the keys of
attention and out of the statistics of normalisation, which here run over tokens: see
`TokenGroupNorm`.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


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
