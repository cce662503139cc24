"""Linear probes: they find what is linearly there, and nothing else."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from sola.analysis.linear_probe import explained, normalised, predict_classes, predict_values


def tokens(count: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Tokens (N, 32) that carry one of 4 classes and two numbers."""
    mixing = torch.Generator().manual_seed(99)
    looks, ways = torch.randn(4, 32, generator=mixing), torch.randn(2, 32, generator=mixing)
    rng = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, 4, (count,), generator=rng)
    values = torch.rand(count, 2, generator=rng)
    noise = 0.1 * torch.randn(count, 32, generator=rng)
    return looks[labels] + values @ ways * 0.5 + noise, labels, values


def test_classes_and_numbers_that_are_there_are_found() -> None:
    known, labels, values = tokens(200, 0)
    asked, truth, wanted = tokens(80, 1)
    guesses = predict_classes(normalised(known), labels, normalised(asked), 4)
    assert (guesses == truth).float().mean() > 0.97
    r2 = explained(predict_values(known, values, asked), wanted)
    assert r2.min() > 0.7


def test_classes_that_are_not_there_stay_at_chance() -> None:
    rng = torch.Generator().manual_seed(0)
    known, asked = torch.randn(400, 8, generator=rng), torch.randn(400, 8, generator=rng)
    labels = torch.randint(0, 4, (800,), generator=rng)
    guesses = predict_classes(known, labels[:400], asked, 4)
    assert 0.1 < (guesses == labels[400:]).float().mean() < 0.4


def test_tokens_of_any_scale_are_fitted() -> None:
    known, labels, _ = tokens(100, 0)
    for scale in (1e-3, 1.0, 100.0):
        guesses = predict_classes(known * scale, labels, known * scale, 4, decay=0)
        assert (guesses == labels).all(), scale


def test_nothing_asked_and_one_class_known() -> None:
    known = torch.eye(4)
    labels = torch.full((4,), 2)
    assert predict_classes(known, labels, known[:0], 5).shape == (0,)
    assert predict_classes(known, labels, known, 5).tolist() == [2] * 4


def test_r2_of_the_truth_the_mean_and_of_values_that_do_not_vary() -> None:
    values = torch.tensor([[0.0, 3.0], [2.0, 3.0]])
    mean = values.mean(0).expand(2, 2)
    assert explained(values, values).tolist() == [1, 0]
    assert explained(mean, values).tolist() == pytest.approx([0, 0])
    assert explained(values.flip(0), values)[0] == pytest.approx(-3)


def test_normalised_tokens_have_mean_0_and_variance_1() -> None:
    out = normalised(torch.arange(12.0).reshape(3, 4).half() * 7)
    assert out.dtype == torch.float32
    assert torch.allclose(out.mean(1), torch.zeros(3), atol=1e-5)
    assert torch.allclose(out.var(1, unbiased=False), torch.ones(3), atol=1e-4)
