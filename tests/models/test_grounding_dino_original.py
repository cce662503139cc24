"""The transformers network and the authors' own give the same boxes and logits."""

from __future__ import annotations

import logging
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
from transformers import BertTokenizer

from rvosbench.models.grounding_dino.checkpoint import FrameSize, GrounderFiles
from rvosbench.models.grounding_dino.detector import GroundingDino, caption, load_grounding_dino
from rvosbench.models.grounding_dino.original_backend import CODE, _arguments, _build
from rvosbench.models.runtime import BackendError, import_original

from .groundings import enliven, small_config, small_swin, write_vocabulary

logger = logging.getLogger(__name__)

BOXES, LOGITS = 1e-5, 1e-3  # largest absolute differences, boxes as parts of the frame
TEXTS = ["the red circle", "circle moving left", "red circle. the circle", "left"]
SMALL = FrameSize(64, 96)

pytestmark = pytest.mark.filterwarnings("ignore")
original = pytest.mark.skipif(
    find_spec("groundingdino") is None,
    reason="the authors' package groundingdino is not installed: see docs/backends.md",
)


class Networks(NamedTuple):
    """The same weights in both backends."""

    ours: GroundingDino
    theirs: GroundingDino


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> Networks:
    """A network built and saved by the package, with Swin-T and few layers, read by both."""
    folder = tmp_path_factory.mktemp("weights")
    write_vocabulary(folder)
    words = BertTokenizer.from_pretrained(folder)
    files = GrounderFiles(folder, small_config(), {}, words, SMALL)
    network = _build(import_original("groundingdino", CODE), files)
    enliven(network.named_parameters())
    torch.save({"model": network.state_dict()}, folder / "net.pth")
    both = (
        load_grounding_dino(folder / "net.pth", backend=b) for b in ("transformers", "original")
    )
    return Networks(*(replace(g, frame_size=SMALL) for g in both))


@pytest.mark.original
@pytest.mark.slow
@original
def test_boxes_and_logits_are_those_of_the_authors_network(networks: Networks) -> None:
    frame = np.random.default_rng(0).integers(0, 256, (50, 70, 3), dtype=np.uint8)
    pixels, worst = networks.ours._pixels(frame), [0.0, 0.0]
    for text in TEXTS:
        ids = torch.tensor(networks.ours._tokenize([caption(text)]))
        with torch.inference_mode():
            ours = networks.ours.model(pixel_values=pixels, input_ids=ids)
            theirs = networks.theirs.model(pixels, captions=[caption(text)])
        known = torch.isfinite(theirs["pred_logits"])
        assert torch.equal(known, torch.isfinite(ours.logits))
        assert int(known[0, 0].sum()) == ids.shape[1]
        logits = (ours.logits - theirs["pred_logits"])[known].abs().max()
        boxes = (ours.pred_boxes - theirs["pred_boxes"]).abs().max()
        worst = [max(worst[0], float(boxes)), max(worst[1], float(logits))]
        assert float(theirs["pred_boxes"].std(1).min()) > 0.01
        assert float(theirs["pred_logits"][known].std()) > 0.3
    logger.info("boxes %.1e, logits %.1e", *worst)
    assert worst[0] <= BOXES
    assert worst[1] <= LOGITS


@pytest.mark.original
@pytest.mark.slow
@original
def test_both_backends_detect_the_same(networks: Networks) -> None:
    frame = np.random.default_rng(1).integers(0, 256, (70, 50, 3), dtype=np.uint8)
    passes: list[int] = []
    handle = networks.theirs.model.backbone[0].register_forward_hook(lambda *_: passes.append(1))
    ask = {"box_threshold": 0.0, "text_threshold": 0.5}
    ours, theirs = (network.detect(frame, TEXTS, **ask) for network in networks)
    handle.remove()
    assert len(passes) == 1  # the image backbone runs once for all sentences
    for found, wanted in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(found.boxes, wanted.boxes, atol=70 * BOXES, rtol=0)
        np.testing.assert_allclose(found.scores, wanted.scores, atol=1e-4, rtol=0)
        assert found.phrases == wanted.phrases
        assert np.isfinite(found.boxes).all()
    assert np.abs(ours[0].boxes - ours[1].boxes).max() > 0.1
    assert networks.theirs.detect(frame, [], **ask) == []


def test_networks_that_the_package_does_not_have_are_refused(tmp_path: Path) -> None:
    write_vocabulary(tmp_path)
    words = BertTokenizer.from_pretrained(tmp_path)
    for config in (small_config(backbone_config=small_swin()), small_config(encoder_n_points=2)):
        with pytest.raises(BackendError, match=r"no such network.*Swin-T and Swin-B"):
            _arguments(GrounderFiles(tmp_path, config, {}, words, SMALL))


@pytest.mark.skipif(find_spec("groundingdino") is not None, reason="the package is installed")
def test_a_missing_package_is_named_with_how_to_install_it() -> None:
    with pytest.raises(BackendError, match=r"'groundingdino'.*pip install.*docs/backends\.md"):
        import_original("groundingdino", CODE)
