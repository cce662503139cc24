"""Cached text tokens: encoded once, used only by those who ask for the same encoder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rvosbench.errors import WeightsError
from rvosbench.models.text import TextEncoder, load_text_encoder
from rvosbench.models.weights import EMBEDDED
from rvosbench.tracks.text_tokens import (
    CachedTextTokens,
    build_text_tokens,
    open_text_tokens,
    read_text_tokens,
)


def test_expressions_are_encoded_once_and_come_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder = load_text_encoder(EMBEDDED / "text", "cpu")
    texts = ["the red circle", "the blue square moving left"]
    place = build_text_tokens(tmp_path, texts[:1], "demo", "cpu")
    assert build_text_tokens(tmp_path, texts, "demo", "cpu") == place
    assert list(read_text_tokens(place)) == sorted(texts)
    assert all(tokens.flags.writeable for tokens in read_text_tokens(place).values())
    source = open_text_tokens(str(tmp_path), EMBEDDED / "text", "cpu", "auto")
    assert isinstance(source, CachedTextTokens)
    assert source.checkpoint_hash == encoder.checkpoint_hash
    new = "a green star"
    for ours, theirs in zip(
        source.encode([texts[1], new, texts[0]]),
        encoder.encode([texts[1], new, texts[0]]),
        strict=True,
    ):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)
    monkeypatch.setattr(TextEncoder, "encode", None)
    again = open_text_tokens(str(tmp_path), "demo", "cpu", "auto")
    assert len(again.encode(texts)) == 2  # no encoder is asked


def test_tokens_of_another_encoder_or_dtype_are_not_used(tmp_path: Path) -> None:
    build_text_tokens(tmp_path, ["red"], "demo", "cpu")
    other = open_text_tokens(str(tmp_path), EMBEDDED / "text", "cpu", "bfloat16")
    assert isinstance(other, TextEncoder)
    with pytest.raises(WeightsError):
        open_text_tokens(str(tmp_path), tmp_path / "absent", "cpu", "auto")
    assert isinstance(open_text_tokens("", EMBEDDED / "text", "cpu", "auto"), TextEncoder)
