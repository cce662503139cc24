"""The transformers network, the original one and the authors' own predictors give the same."""

from __future__ import annotations

import logging
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from recipes.tracker.network import tiny_config
from rvosbench.errors import ConfigurationError
from rvosbench.models.runtime import BackendError, import_original
from rvosbench.models.sam2.checkpoint import convert_weights, original_config
from rvosbench.models.sam2.original_backend import config_file
from rvosbench.models.sam2.tracker import Sam2, load_sam2
from rvosbench.models.weights import EMBEDDED

logger = logging.getLogger(__name__)

SIDE, FRAMES, PROMPT = 128, 9, 3
HEIGHT, WIDTH = 100, 160
CONFIGS = {"2.0": "configs/sam2/sam2_hiera_t.yaml", "2.1": "configs/sam2.1/sam2.1_hiera_t.yaml"}
MASKS, POINTERS = 1e-4, 1e-4  # largest absolute differences of logits and of object tokens
ROUNDED = 1e-3  # of logits, where a last bit of a bfloat16 memory may differ, ten times too strong

original = pytest.mark.skipif(
    find_spec("sam2") is None,
    reason="the authors' package sam2 is not installed: see docs/backends.md",
)


class Networks(NamedTuple):
    """The same weights three times."""

    predictor: Any
    ours: Sam2
    theirs: Sam2


@pytest.fixture(scope="module", params=sorted(CONFIGS))
def networks(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Networks:
    """A SAM2-tiny on small frames, and both backends reading its checkpoint."""
    code = import_original("sam2", "sam2.build_sam")
    predictor = build(code, CONFIGS[request.param])
    folder = tmp_path_factory.mktemp("weights")
    save(predictor.state_dict(), folder)
    return Networks(predictor, load_sam2(folder), load_sam2(folder, backend="original"))


def build(code: ModuleType, name: str) -> Any:  # noqa: ANN401 - untyped package
    """Random weights strong enough that memories, presence and pointers all matter."""
    torch.manual_seed(1)  # of the position code, which is no parameter
    overrides = [f"++model.image_size={SIDE}"]
    predictor = code.build_sam2_video_predictor(name, None, "cpu", hydra_overrides_extra=overrides)
    predictor.fill_hole_area = 0  # needs the CUDA extension
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for key, value in predictor.named_parameters():
            fan = value[0].numel() if value.dim() > 1 else 400
            noise = torch.randn(value.shape, generator=generator) * fan**-0.5
            value.copy_(1 + noise if "norm" in key and key.endswith("weight") else noise)
        predictor.memory_encoder.out_proj.weight.mul_(10)  # memories decide the masks
        presence = predictor.sam_mask_decoder.pred_obj_score_head.layers[2]
        presence.weight.mul_(0.1)
        presence.bias.fill_(1.0)  # most objects are judged to be there
    return predictor


def save(original: dict[str, Tensor], folder: Path) -> None:
    """As a folder, because an original file says nothing of a smaller frame."""
    from safetensors.torch import save_file

    original_config(original, SIDE).save_pretrained(folder)
    save_file(convert_weights(original), folder / "model.safetensors")


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Frames as JPEG files, which is all that the authors' predictor reads."""
    folder = tmp_path_factory.mktemp("clip")
    rng = np.random.default_rng(0)
    for index in range(FRAMES):
        blocks = rng.integers(0, 256, (HEIGHT // 10, WIDTH // 10, 3), dtype=np.uint8)
        pixels = blocks.repeat(10, axis=0).repeat(10, axis=1)
        Image.fromarray(pixels).save(folder / f"{index:05d}.jpg", quality=95)
    return folder


def frames(clip: Path) -> list[NDArray[np.uint8]]:
    return [np.asarray(Image.open(path).convert("RGB")) for path in sorted(clip.iterdir())]


def prompt_masks() -> NDArray[np.bool_]:
    """An ellipse, a diamond, and speckles finer than the decoder's resolution."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    ellipse = ((y - 40) / 25) ** 2 + ((x - 50) / 30) ** 2 < 1
    diamond = abs(y - 60) + abs(x - 110) < 23
    return np.stack([ellipse, diamond, np.sin(x / 3.5) + np.cos(y / 2.5) > 0.9])


def predicted(
    predictor: Any,  # noqa: ANN401 - untyped package
    clip: Path,
    masks: NDArray[np.bool_],
) -> dict[int, tuple[Tensor, Tensor]]:
    """Logits and pointers of the authors' video predictor, both directions."""
    state = predictor.init_state(str(clip))
    with torch.inference_mode():
        for index, mask in enumerate(masks):
            predictor.add_new_mask(state, PROMPT, index, mask)
        for reverse in (False, True):
            list(predictor.propagate_in_video(state, start_frame_idx=PROMPT, reverse=reverse))
    found = {}
    for frame in range(FRAMES):
        kind = "cond_frame_outputs" if frame == PROMPT else "non_cond_frame_outputs"
        rows = [outputs[kind][frame] for outputs in state["output_dict_per_obj"].values()]
        found[frame] = (
            torch.cat([row["pred_masks"][:, 0] for row in rows]),
            torch.cat([row["obj_ptr"] for row in rows]),
        )
    return found


@pytest.mark.original
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@original
@pytest.mark.parametrize(("memory", "masks_differ"), [("float32", MASKS), ("bfloat16", ROUNDED)])
def test_both_backends_track_as_the_authors_predictor(
    networks: Networks,
    clip: Path,
    memory: str,
    masks_differ: float,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """All three round memories to bfloat16; without it, what differs is not rounding."""
    monkeypatch.setattr(torch, "bfloat16", getattr(torch, memory))
    masks = prompt_masks()
    wanted = predicted(networks.predictor, clip, masks)
    other = predicted(networks.predictor, clip, masks[[1, 0, 2]])
    matters = [float((wanted[f][0] - other[f][0])[0].abs().max()) for f in (0, FRAMES - 1)]
    assert min(matters) > 5 * MASKS  # what is remembered decides the masks
    for name, sam2 in (("original", networks.theirs), ("transformers", networks.ours)):
        features = [sam2.encode(frame) for frame in frames(clip)]
        outputs = list(sam2.propagate(features.__getitem__, FRAMES, PROMPT, masks, batch_size=2))
        assert sorted(out.frame for out in outputs) == list(range(FRAMES))
        logits = max(float((o.logits - wanted[o.frame][0]).abs().max()) for o in outputs)
        pointers = max(float((o.pointers - wanted[o.frame][1]).abs().max()) for o in outputs)
        logger.info("%s, %s: masks %.1e, pointers %.1e", name, memory, logits, pointers)
        assert logits <= masks_differ, name
        assert pointers <= POINTERS, name


@pytest.mark.original
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@original
@pytest.mark.parametrize("multimask", [True, False])
def test_both_backends_prompt_as_the_authors_predictor(networks: Networks, multimask: bool) -> None:
    module = import_original("sam2", "sam2.sam2_image_predictor")
    image = module.SAM2ImagePredictor(networks.predictor)
    image._bb_feat_sizes = [(SIDE // s, SIDE // s) for s in (4, 8, 16)]  # hard-coded for 1024
    frame = np.random.default_rng(1).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
    image.set_image(frame)
    points = np.array([[[100.0, 80.0]], [[20.0, 50.0]], [[64.0, 3.0]]])
    boxes = np.array([[50, 30, 110, 90], [10, 70, 100, 120.0]])
    worst = 0.0
    for prompts in ({"points": points}, {"boxes": boxes}):
        asked = {
            k.replace("points", "point_coords").replace("boxes", "box"): v
            for k, v in prompts.items()
        }
        if "points" in prompts:
            asked["point_labels"] = np.ones(points.shape[:2])
        _, iou, logits = image.predict(**asked, multimask_output=multimask)
        for sam2 in (networks.theirs, networks.ours):
            found = sam2.segment(
                sam2.encode(frame),
                frame_size=(SIDE, SIDE),
                points=prompts.get("points"),
                boxes=prompts.get("boxes"),
                multimask=multimask,
            )
            clamped = found.logits.clamp(-32, 32).numpy()  # as the predictor's low-resolution masks
            np.testing.assert_allclose(clamped, logits, atol=MASKS, rtol=0)
            worst = max(worst, float(np.abs(clamped - logits).max()))
            np.testing.assert_allclose(found.iou.numpy(), iou, atol=1e-5, rtol=0)
        assert float(logits.std()) > 0.1
    logger.info("prompts: logits %.1e", worst)


@pytest.mark.original
@pytest.mark.filterwarnings("ignore")
@original
def test_the_demo_network_is_refused_by_the_original_backend() -> None:
    with pytest.raises(BackendError, match=r"tiny, small, base_plus, large.*transformers"):
        load_sam2(EMBEDDED / "sam2", backend="original")


def test_a_network_of_no_original_size_has_no_name() -> None:
    with pytest.raises(BackendError, match="no such network"):
        config_file(tiny_config())


@pytest.mark.skipif(find_spec("sam2") is not None, reason="the package is installed")
def test_a_missing_package_is_named_with_how_to_install_it() -> None:
    with pytest.raises(BackendError, match=r"'sam2'.*pip install.*docs/backends\.md"):
        import_original("sam2", "sam2.build_sam")


def test_an_unknown_backend_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"did you mean 'original'.*transformers"):
        load_sam2(tmp_path, backend="originals")


@pytest.mark.original
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@original
def test_both_backends_compute_as_many_objects_together(networks: Networks) -> None:
    budget = 2**24
    assert networks.ours.objects_within(budget) == networks.theirs.objects_within(budget) > 1
