"""The text encoder adapter, on small random encoders in the layout of transformers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from recipes.text.training import build_tokenizer
from rvosbench.errors import ConfigurationError, WeightsError
from rvosbench.models.text import MAX_BATCH, load_text_encoder
from rvosbench.models.weights import EMBEDDED

SENTENCES = [
    "the red circle",
    "the blue square that moves left",
    "the red square",
    "a circle",
    "the red circle moves to the left and then up",
]


def write_encoder(folder: Path, kind: str = "roberta", dtype: torch.dtype = torch.float32) -> Path:
    from transformers import BertConfig, BertModel, RobertaConfig, RobertaModel

    tokenizer = build_tokenizer(SENTENCES)
    sizes: dict[str, Any] = {
        "vocab_size": len(tokenizer),
        "hidden_size": 16,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 32,
        "max_position_embeddings": 34,
    }
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model: Any = (
            RobertaModel(RobertaConfig(**sizes), add_pooling_layer=False)
            if kind == "roberta"
            else BertModel(BertConfig(**sizes))  # with a pooler, which is of no use to us
        )
    model.to(dtype).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_encoder(tmp_path_factory.mktemp("roberta"))


def test_every_token_has_its_state(folder: Path) -> None:
    encoder = load_text_encoder(folder, "cpu")
    states = encoder.encode(SENTENCES)
    assert [s.shape for s in states] == [(len(s.split()) + 2, 16) for s in SENTENCES]
    assert all(s.dtype == np.float32 for s in states)
    assert encoder.dim == 16
    assert encoder.encode([]) == []


def test_states_are_those_of_transformers_itself(folder: Path) -> None:
    from transformers import AutoModel, AutoTokenizer

    model = AutoModel.from_pretrained(folder, local_files_only=True, add_pooling_layer=False)
    inputs = AutoTokenizer.from_pretrained(folder, local_files_only=True)(
        SENTENCES, padding=True, return_tensors="pt"
    )
    with torch.inference_mode():
        padded = model.eval()(**inputs).last_hidden_state
    for ours, theirs, mask in zip(
        load_text_encoder(folder, "cpu").encode(SENTENCES),
        padded,
        inputs["attention_mask"].bool(),
        strict=True,
    ):
        np.testing.assert_allclose(ours, theirs[mask].numpy(), atol=2e-6)


def test_company_and_order_do_not_matter(folder: Path) -> None:
    encoder = load_text_encoder(folder, "cpu")
    many = [SENTENCES[i % 5] for i in range(2 * MAX_BATCH + 3)]
    for i, state in enumerate(encoder.encode(many)):
        alone = encoder.encode([many[i]])[0]
        np.testing.assert_allclose(state, alone, atol=2e-6)


def test_long_sentences_lose_their_end(folder: Path) -> None:
    encoder = load_text_encoder(folder, "cpu")
    assert encoder.max_tokens == 32  # RoBERTa begins to count positions at 2
    assert encoder.encode(["red " * 100])[0].shape == (32, 16)


def test_any_encoder_will_do(tmp_path: Path) -> None:
    encoder = load_text_encoder(write_encoder(tmp_path, "bert"), "cpu")
    assert encoder.max_tokens == 34
    assert encoder.encode(["a circle"])[0].shape == (4, 16)


def test_stored_halves_are_computed_in_float32(tmp_path: Path, folder: Path) -> None:
    half = load_text_encoder(write_encoder(tmp_path, dtype=torch.float16), "cpu")
    assert {p.dtype for p in half.model.parameters()} == {torch.float32}
    full = load_text_encoder(folder, "cpu").encode(SENTENCES)
    for a, b in zip(half.encode(SENTENCES), full, strict=True):
        assert 0 < np.abs(a - b).max() < 0.02


def test_dtype_is_respected(folder: Path) -> None:
    encoder = load_text_encoder(folder, "cpu", "bfloat16")
    assert {p.dtype for p in encoder.model.parameters()} == {torch.bfloat16}
    assert encoder.encode(["a circle"])[0].dtype == np.float32
    with pytest.raises(ConfigurationError, match="'int3'"):
        load_text_encoder(folder, "cpu", "int3")


def test_the_hash_is_of_weights_and_vocabulary(tmp_path: Path, folder: Path) -> None:
    one = load_text_encoder(folder, "cpu").checkpoint_hash
    copy = write_encoder(tmp_path)
    assert load_text_encoder(copy, "cpu").checkpoint_hash == one
    vocabulary = json.loads((copy / "tokenizer.json").read_text())
    words = vocabulary["model"]["vocab"]
    words["red"], words["blue"] = words["blue"], words["red"]
    (copy / "tokenizer.json").write_text(json.dumps(vocabulary))
    assert load_text_encoder(copy, "cpu").checkpoint_hash != one
    assert len(one) == 64


def test_nothing_is_left_to_learn(folder: Path) -> None:
    encoder = load_text_encoder(folder, "cpu")
    assert not encoder.model.training
    assert not any(p.requires_grad for p in encoder.model.parameters())


def test_missing_weights_say_what_to_do(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    for source in (tmp_path / "nowhere", "./nowhere", "nobody/no-encoder-of-this-name"):
        with pytest.raises(WeightsError, match="--preset demo"):
            load_text_encoder(source, "cpu")
    with pytest.raises(WeightsError, match=r"no config\.json in this folder"):
        load_text_encoder(tmp_path, "cpu")
    (tmp_path / "config.json").write_bytes((folder / "config.json").read_bytes())
    with pytest.raises(WeightsError, match=r"no model\.safetensors in this folder"):
        load_text_encoder(tmp_path, "cpu")
    (tmp_path / "model.safetensors").write_bytes(b"not weights")
    with pytest.raises(WeightsError, match="cannot be opened as a text encoder"):
        load_text_encoder(tmp_path, "cpu")


def test_the_embedded_encoder_knows_every_word_of_the_demo() -> None:
    from rvosbench.demo.clips import ClipConfig, make_clip

    embedded = EMBEDDED / "text"
    encoder = load_text_encoder(embedded, "cpu")
    texts = [
        e.text for i in range(30) for e in make_clip((8999, i), ClipConfig(size=48)).expressions
    ]
    unknown = encoder.tokenizer.unk_token_id
    assert len(texts) > 100
    assert not [t for t in texts if unknown in encoder.tokenizer(t)["input_ids"]]
    assert encoder.dim == 128
    size = sum(path.stat().st_size for path in embedded.iterdir())
    assert size < 1_000_000
