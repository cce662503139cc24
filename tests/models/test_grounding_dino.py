"""The frozen GroundingDINO: sizes, sentences, boxes, sharing of the backbone, loading."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from transformers import GroundingDinoConfig, GroundingDinoForObjectDetection

from rvosbench.errors import ConfigurationError, WeightsError
from rvosbench.models.grounding_dino.checkpoint import FrameSize
from rvosbench.models.grounding_dino.detector import GroundingDino, caption, load_grounding_dino
from rvosbench.models.weights import GROUNDER, weights_hash

WORDS = {"red": 300, "circle": 301, "moving": 302, "left": 303, "the": 304}
SPECIAL = {"[PAD]": 0, "[UNK]": 100, "[CLS]": 101, "[SEP]": 102, ".": 1012, "?": 1029}
ALL = {"box_threshold": 0.0, "text_threshold": 0.0}


def save_tokenizer(folder: Path) -> None:
    """A few words, and the special ids that the network has built in."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    inner = Tokenizer(models.WordLevel({**SPECIAL, **WORDS}, unk_token="[UNK]"))
    inner.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    inner.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 101), ("[SEP]", 102)]
    )
    PreTrainedTokenizerFast(
        tokenizer_object=inner, pad_token="[PAD]", cls_token="[CLS]", sep_token="[SEP]"
    ).save_pretrained(folder)


def save_network(folder: Path) -> None:
    """Random weights, small, with boxes and words that differ between queries."""
    torch.manual_seed(0)
    swin = {
        "model_type": "swin",
        "embed_dim": 16,
        "depths": [1, 1, 1, 1],
        "num_heads": [1, 1, 2, 2],
        "window_size": 4,
        "out_indices": [2, 3, 4],
        "image_size": 64,
    }
    bert = {
        "model_type": "bert",
        "hidden_size": 32,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 32,
        "vocab_size": 1100,
    }
    config = GroundingDinoConfig(
        backbone_config=swin,
        text_config=bert,
        num_queries=12,
        encoder_layers=1,
        decoder_layers=2,
        encoder_ffn_dim=32,
        decoder_ffn_dim=32,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        d_model=32,
        max_text_len=32,
    )
    model = GroundingDinoForObjectDetection(config)
    for parameter in model.parameters():
        if parameter.dim() > 1:
            torch.nn.init.normal_(parameter, std=0.1)
    model.save_pretrained(folder)
    size = {"size": {"shortest_edge": 64, "longest_edge": 96}}
    (folder / "preprocessor_config.json").write_text(json.dumps(size))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("grounder")
    save_tokenizer(place)
    save_network(place)
    return place


@pytest.fixture(scope="module")
def grounder(folder: Path) -> GroundingDino:
    return load_grounding_dino(folder)


@pytest.fixture(scope="module")
def frame() -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (50, 70, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    ("size", "wanted"),
    [
        ((480, 640), (800, 1066)),
        ((640, 480), (1066, 800)),
        ((720, 1280), (750, 1333)),
        ((1080, 1920), (750, 1333)),
        ((100, 1000), (133, 1330)),
        ((800, 1000), (800, 1000)),
        ((300, 300), (800, 800)),
    ],
)
def test_frames_get_the_size_of_the_original(
    size: tuple[int, int], wanted: tuple[int, int]
) -> None:
    assert FrameSize().of(size) == wanted


def test_sentences_are_lower_case_and_end_with_one_full_stop() -> None:
    assert caption("  The Red circle ") == "the red circle."
    assert caption("Left.") == "left."


def test_boxes_equal_those_of_transformers(
    grounder: GroundingDino, folder: Path, frame: NDArray[np.uint8]
) -> None:
    (found,) = grounder.detect(frame, ["The red circle"], **ALL)
    model = GroundingDinoForObjectDetection.from_pretrained(folder).eval()
    pixels = grounder._pixels(frame)
    assert pixels.shape == (1, 3, 64, 89)
    ids = torch.tensor([[101, 304, 300, 301, 1012, 102]])
    with torch.inference_mode():
        out = model(pixel_values=pixels, pixel_mask=torch.ones(1, 64, 89).long(), input_ids=ids)
    centre_x, centre_y, width, height = out.pred_boxes[0].double().T
    corners = torch.stack([centre_x - width / 2, centre_y - height / 2], 1) * torch.tensor([70, 50])
    np.testing.assert_allclose(found.boxes[:, :2], corners, atol=1e-4)
    np.testing.assert_allclose(found.boxes[:, 2] - found.boxes[:, 0], width * 70, atol=1e-4)
    scores = out.logits[0].sigmoid().amax(1)
    np.testing.assert_allclose(found.scores, scores, atol=1e-5)
    assert float(scores.std()) > 1e-3


def test_thresholds_filter_boxes_and_label_words(
    grounder: GroundingDino, frame: NDArray[np.uint8]
) -> None:
    (everything,) = grounder.detect(frame, ["red circle"], **ALL)
    assert len(everything.boxes) == 12
    assert set(everything.phrases) == {"red circle"}
    middle = float(np.median(everything.scores))
    (some,) = grounder.detect(frame, ["red circle"], box_threshold=middle, text_threshold=1.0)
    assert some.scores.tolist() == [s for s in everything.scores if s > middle]
    assert 0 < len(some.boxes) < 12
    assert set(some.phrases) == {""}
    (none,) = grounder.detect(frame, ["red circle"], box_threshold=1.0, text_threshold=0.5)
    assert (none.boxes.shape, none.scores.shape, none.phrases) == ((0, 4), (0,), ())


def test_sentences_do_not_see_each_other_and_share_the_backbone(
    grounder: GroundingDino, frame: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = ["red circle", "the red circle moving left", "left circle", "circle"]
    passes = []
    handle = grounder.model.model.backbone.inner.register_forward_hook(lambda *_: passes.append(1))
    together = grounder.detect(frame, texts, **ALL)
    assert len(passes) == 1
    handle.remove()
    for text, found in zip(texts, together, strict=True):
        (alone,) = grounder.detect(frame, [text], **ALL)
        np.testing.assert_allclose(found.boxes, alone.boxes, atol=1e-3)
        np.testing.assert_allclose(found.scores, alone.scores, atol=1e-5)
    assert np.abs(together[0].scores - together[2].scores).max() > 1e-4
    assert grounder.detect(frame, [], **ALL) == []


def test_long_sentences_are_cut(grounder: GroundingDino, frame: NDArray[np.uint8]) -> None:
    (found,) = grounder.detect(frame, ["red circle " * 40], **ALL)
    assert len(found.boxes) == 12


def test_half_precision_is_near_single(grounder: GroundingDino, frame: NDArray[np.uint8]) -> None:
    (exact,) = grounder.detect(frame, ["red circle"], **ALL)
    (close,) = replace(grounder, dtype="bfloat16").detect(frame, ["red circle"], **ALL)
    assert np.isfinite(close.boxes).all()
    assert abs(close.scores.mean() - exact.scores.mean()) < 0.1


def test_the_hash_covers_weights_and_words(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    for path in folder.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    assert weights_hash(copy, GROUNDER) == weights_hash(folder, GROUNDER)
    (copy / "tokenizer.json").write_text("{}")
    assert weights_hash(copy, GROUNDER) != weights_hash(folder, GROUNDER)


def test_what_is_not_there_is_named_with_advice(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"no GroundingDINO weights.*grounding-dino-tiny"):
        load_grounding_dino(tmp_path / "absent")
    with pytest.raises(WeightsError, match=r"no config\.json"):
        load_grounding_dino(tmp_path)
    original = tmp_path / "groundingdino_swint_ogc.pth"
    original.write_bytes(b"")
    with pytest.raises(WeightsError, match="cannot be read as an original"):
        load_grounding_dino(original)
    with pytest.raises(ConfigurationError, match="float8"):
        load_grounding_dino(folder, dtype="float8")


def test_another_network_is_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    (tmp_path / "model.safetensors").write_bytes(b"")
    with pytest.raises(WeightsError, match="'bert', wanted 'grounding-dino'"):
        load_grounding_dino(tmp_path)


def test_missing_tensors_are_refused(folder: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    weights = load_file(tmp_path / "model.safetensors")
    gone = next(name for name in weights if "encoder.layers.0" in name)
    del weights[gone]
    save_file(weights, tmp_path / "model.safetensors", {"format": "pt"})
    with pytest.raises(WeightsError, match="tensors are missing"):
        load_grounding_dino(tmp_path)
