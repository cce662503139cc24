"""Cached text tokens: encoded once, used only by those who ask for the same encoder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rvosbench.errors import WeightsError
from rvosbench.tracks.words import CachedWords, build_words, open_words, read_words


def test_sentences_are_encoded_once_and_come_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rvosbench.models.text import TextEncoder, load_text_encoder
    from rvosbench.models.weights import EMBEDDED

    encoder = load_text_encoder(EMBEDDED / "text", "cpu")
    texts = ["the red circle", "the blue square moving left"]
    place = build_words(tmp_path, texts[:1], "demo", "cpu")
    assert build_words(tmp_path, texts, "demo", "cpu") == place
    assert list(read_words(place)) == sorted(texts)
    assert all(tokens.flags.writeable for tokens in read_words(place).values())
    words = open_words(str(tmp_path), EMBEDDED / "text", "cpu", "auto")
    assert isinstance(words, CachedWords)
    assert words.checkpoint_hash == encoder.checkpoint_hash
    new = "a green star"
    for ours, theirs in zip(
        words.encode([texts[1], new, texts[0]]),
        encoder.encode([texts[1], new, texts[0]]),
        strict=True,
    ):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)
    monkeypatch.setattr(TextEncoder, "encode", None)
    again = open_words(str(tmp_path), EMBEDDED / "text", "cpu", "auto")
    assert len(again.encode(texts)) == 2  # no encoder is asked


def test_tokens_of_another_encoder_or_dtype_are_not_used(tmp_path: Path) -> None:
    from rvosbench.models.text import TextEncoder
    from rvosbench.models.weights import EMBEDDED

    build_words(tmp_path, ["red"], "demo", "cpu")
    other = open_words(str(tmp_path), EMBEDDED / "text", "cpu", "bfloat16")
    assert isinstance(other, TextEncoder)
    with pytest.raises(WeightsError):
        open_words(str(tmp_path), tmp_path / "absent", "cpu", "auto")
    assert isinstance(open_words("", EMBEDDED / "text", "cpu", "auto"), TextEncoder)
