"""The short-term motion encoder and the temporal encoding of the selector."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from sola.config import SelectorConfig
from sola.network.attention import TokenGroupNorm, repeated

STRIDES = (2, 2, 2, 1, 1)  # of the five wide convolutions: eight frames become one


class StandardisedConv1d(nn.Conv1d):
    """A 1-D convolution whose kernels are standardised before use.

    Each output channel's kernel gets mean 0 and (unbiased) standard deviation 1.
    Source: released code, `module/ws.py`; Qiao et al., "Weight Standardization", 2019.
    """

    def forward(self, signal: Tensor) -> Tensor:
        """Convolves (B, C, L) into (B, C', L')."""
        weight = self.weight - self.weight.mean(dim=(1, 2), keepdim=True)
        size = weight[0].numel()
        # The norm of what is left is the deviation: one pass, where torch.std makes three.
        norm = torch.linalg.vector_norm(weight, dim=(1, 2), keepdim=True)
        kernel = weight / (norm / math.sqrt(size - 1) + 1e-5)
        convolved: Tensor = self._conv_forward(signal, kernel, self.bias)
        return convolved


class MotionEncoder(nn.Module):
    """Five convolutions over time and a projection: each track on its own, T frames to ceil(T/8).

    Source: paper, section 3.5 "Short-term motion encoder"; layers as in the released code.
    """

    def __init__(self, config: SelectorConfig) -> None:
        super().__init__()
        hidden, wide = config.hidden_dim, config.lang_token_dim
        widths = (config.object_token_dim, hidden, hidden, hidden, wide, wide)
        self.convs = nn.ModuleList(
            StandardisedConv1d(width_in, width_out, kernel_size=3, stride=stride, padding=1)
            for width_in, width_out, stride in zip(widths[:-1], widths[1:], STRIDES, strict=True)
        )
        self.norms = nn.ModuleList(TokenGroupNorm(config.n_groups, width) for width in widths[1:])
        self.project = StandardisedConv1d(wide, wide, kernel_size=1)
        self.dropout = config.dropout

    def forward(
        self, tokens: Tensor, frame_mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """Encodes the tracks and shortens the mask alike.

        Args:
            tokens: (B, N, T, object_token_dim).
            frame_mask: (B, T) bool, the valid frames first, then padding; None means all valid.

        Returns:
            Tokens (B, N, T', lang_token_dim) with T' = ceil(T / 8), and their mask (B, T') or None.
        """
        n_tracks = tokens.shape[1]
        state = tokens.flatten(0, 1)  # (B N, T, C)
        for conv, norm, stride in zip(self.convs, self.norms, STRIDES, strict=True):
            mask = repeated(frame_mask, n_tracks)
            if mask is not None:  # a video alone is followed by zeros; so must it be when padded
                state = state.masked_fill(~mask[:, :, None], 0.0)
            state = _convolve(conv, state)
            frame_mask = None if frame_mask is None else frame_mask[:, ::stride]
            state = norm(state, repeated(frame_mask, n_tracks))
            state = functional.dropout(functional.leaky_relu(state), self.dropout, self.training)
        encoded = _convolve(self.project, state)
        return encoded.reshape(-1, n_tracks, *encoded.shape[1:]), frame_mask


def temporal_encoding(n_steps: int, frequencies: Tensor, unit: int) -> Tensor:
    """Random Fourier features of time.

    Args:
        n_steps: reduced frames T'.
        frequencies: (1, C / 2), drawn once from a normal distribution and kept with the weights.
        unit: steps that make one unit of time.

    Returns:
        (T', C): sines, then cosines.
    """
    time = torch.arange(n_steps, device=frequencies.device, dtype=frequencies.dtype) / unit
    phase = 2 * math.pi * time[:, None] @ frequencies
    return torch.cat([phase.sin(), phase.cos()], dim=-1)


def _convolve(conv: nn.Module, tokens: Tensor) -> Tensor:
    convolved: Tensor = conv(tokens.transpose(1, 2))
    return convolved.transpose(1, 2)
