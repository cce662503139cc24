"""Linear probes: what can a linear model read out of a frozen network's tokens?

A plain linear readout on layer-normalised tokens. Both fits are convex and without randomness, so
that a probe of the same tokens is the same number everywhere.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention
from torch import Tensor


def normalised(tokens: Tensor) -> Tensor:
    """Tokens (N, D) with mean 0 and variance 1 over their own D numbers, float32."""
    return F.layer_norm(tokens.float(), tokens.shape[-1:])


def predict_classes(
    train: Tensor, labels: Tensor, test: Tensor, classes: int, *, decay: float = 1e-3
) -> Tensor:
    """Multinomial logistic regression, fitted by L-BFGS.

    Args:
        train: (N, D) tokens to train on, see `normalised`; N >= 1.
        labels: (N,) int64 in [0, classes).
        test: (M, D) tokens to classify; M may be 0.
        classes: number of classes.
        decay: weight of the squared weights beside the mean cross-entropy.

    Returns:
        (M,) the likeliest classes.
    """
    x = _affine(train)
    weights = torch.zeros(x.shape[1], classes, requires_grad=True)
    optimizer = torch.optim.LBFGS([weights], max_iter=200, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = F.cross_entropy(x @ weights, labels) + decay * weights.pow(2).sum()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimizer.step(closure)  # type: ignore[no-untyped-call]
    return (_affine(test) @ weights.detach()).argmax(-1)


def predict_values(train: Tensor, values: Tensor, test: Tensor, *, strength: float = 1.0) -> Tensor:
    """Ridge regression of K numbers.

    Args:
        train: (N, D) tokens to train on, see `normalised`.
        values: (N, K).
        test: (M, D).
        strength: weight of the squared weights beside the summed squared error.

    Returns:
        (M, K).
    """
    x = _affine(train)
    inverse: Tensor = torch.linalg.inv(x.T @ x + strength * torch.eye(x.shape[1]))
    return _affine(test) @ (inverse @ x.T @ values)


def explained(guesses: Tensor, values: Tensor) -> Tensor:
    """R2, the explained share of the variance of (M, K) values, (K,).

    At most 1; below 0 is worse than the mean; 0 for values that do not vary.
    """
    error, spread = (values - guesses).pow(2).mean(0), values.var(0, unbiased=False)
    return torch.where(spread > 0, 1 - error / spread.where(spread > 0, error.new_ones(())), 0.0)


def _affine(tokens: Tensor) -> Tensor:
    return torch.cat([tokens, tokens.new_ones(len(tokens), 1)], dim=1)
