"""The fake device: it finds what it is for, and its backward pass is torch's."""

from __future__ import annotations

import pytest
import torch

from .foreign import backward, fake_cuda


def test_tensors_of_two_devices_do_not_mix() -> None:
    with fake_cuda() as device:
        here, there = torch.ones(3), torch.ones(3, device=device)
        assert there[torch.tensor([0, 2], device=device)].device.type == "cuda"
        with pytest.raises(RuntimeError, match="same device"):
            here + there


def test_backward_is_that_of_torch() -> None:
    torch.manual_seed(0)
    model = torch.nn.Sequential(
        torch.nn.Linear(4, 6), torch.nn.LayerNorm(6), torch.nn.GELU(), torch.nn.Linear(6, 6)
    )
    given = torch.randn(5, 4)

    def loss() -> torch.Tensor:
        found: torch.Tensor = model(given)
        left, right, _ = torch.split(found, 2, dim=1)  # several outputs, one of them unused
        bias = dict(model.named_parameters())["0.bias"]
        return (left * right + found[:, [0, 0]]).square().sum() + bias.sum()

    value = loss()
    wanted = torch.autograd.grad(value, list(model.parameters()))
    backward(loss())
    for parameter, gradient in zip(model.parameters(), wanted, strict=True):
        assert parameter.grad is not None
        torch.testing.assert_close(parameter.grad, gradient)
