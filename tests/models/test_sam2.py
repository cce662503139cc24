"""The frozen SAM2: encoding, prompting, upscaling, and devices."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from recipes.tracker.network import tiny_config
from rvosbench.errors import ConfigurationError
from rvosbench.models.frames import MEAN, STD, normalise, resize_frame
from rvosbench.models.sam2.checkpoint import build_sam2
from rvosbench.models.sam2.tracker import Sam2

from ..foreign import fake_cuda

HEIGHT, WIDTH, SIZE = 48, 96, 64


@pytest.fixture(scope="module")
def sam2() -> Sam2:
    torch.manual_seed(0)
    model = build_sam2(tiny_config(SIZE))
    for module in model.modules():
        if isinstance(module, (torch.nn.Linear, torch.nn.Conv2d, torch.nn.ConvTranspose2d)):
            module.reset_parameters()
    return Sam2(model.requires_grad_(False), "0" * 64)


@pytest.fixture(scope="module")
def frame() -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)


def test_features_have_three_levels(sam2: Sam2, frame: NDArray[np.uint8]) -> None:
    shapes = [tuple(level.shape) for level in sam2.encode(frame).maps]
    assert shapes == [(1, 16, 16, 16), (1, 32, 8, 8), (1, 128, 4, 4)]
    assert (sam2.image_size, sam2.token_dim) == (SIZE, 128)


@pytest.mark.parametrize(("multimask", "masks"), [(True, 3), (False, 1)])
def test_points_equal_the_image_model_of_transformers(
    sam2: Sam2, frame: NDArray[np.uint8], multimask: bool, masks: int
) -> None:
    features = sam2.encode(frame)
    points = np.array([[[10.0, 20.0]], [[80.0, 5.0]]])
    found = sam2.segment(features, frame_size=(HEIGHT, WIDTH), points=points, multimask=multimask)
    assert found.logits.shape == (2, masks, SIZE // 4, SIZE // 4)
    model = sam2.model
    scaled = torch.tensor(points * [SIZE / WIDTH, SIZE / HEIGHT], dtype=torch.float32)[None]
    with torch.inference_mode():
        pixels = normalise(torch.from_numpy(resize_frame(frame, SIZE, "bicubic").copy()))[None]
        embeddings = model.get_image_embeddings(pixels)
        sparse, dense = model.get_prompt_embeddings(scaled, torch.ones(1, 2, 1, dtype=torch.int))
        logits, iou, _, _ = model.mask_decoder(
            image_embeddings=embeddings[-1],
            image_positional_embeddings=model.get_image_wide_positional_embeddings(),
            sparse_prompt_embeddings=sparse,
            dense_prompt_embeddings=dense,
            multimask_output=multimask,
            high_resolution_features=embeddings[:-1],
        )
    torch.testing.assert_close(found.logits, logits[0])
    torch.testing.assert_close(found.iou, iou[0])


def test_labels_matter_and_default_to_the_object(sam2: Sam2, frame: NDArray[np.uint8]) -> None:
    features, points = sam2.encode(frame), np.array([[[10.0, 20.0], [60.0, 30.0]]])
    ask = {"frame_size": (HEIGHT, WIDTH), "points": points}
    plain = sam2.segment(features, **ask)  # type: ignore[arg-type]
    same = sam2.segment(features, **ask, labels=np.array([[1, 1]]))  # type: ignore[arg-type]
    other = sam2.segment(features, **ask, labels=np.array([[1, 0]]))  # type: ignore[arg-type]
    assert torch.equal(plain.logits, same.logits)
    assert not torch.allclose(plain.logits, other.logits)


def test_the_compute_batch_of_prompts_changes_nothing(sam2: Sam2, frame: NDArray[np.uint8]) -> None:
    features = sam2.encode(frame)
    boxes = np.array([[5, 5, 40, 30], [50, 10, 90, 40], [0, 0, 95, 47]], dtype=np.float64)
    whole = sam2.segment(features, frame_size=(HEIGHT, WIDTH), boxes=boxes)
    parts = sam2.segment(features, frame_size=(HEIGHT, WIDTH), boxes=boxes, batch_size=2)
    torch.testing.assert_close(whole.logits, parts.logits, atol=1e-4, rtol=1e-4)
    assert not torch.allclose(whole.logits[0], whole.logits[1])


def test_no_prompts_give_no_masks(sam2: Sam2, frame: NDArray[np.uint8]) -> None:
    found = sam2.segment(sam2.encode(frame), frame_size=(HEIGHT, WIDTH), boxes=np.zeros((0, 4)))
    assert found.logits.shape == (0, 3, SIZE // 4, SIZE // 4)
    assert found.iou.shape == (0, 3)


@pytest.mark.parametrize("given", [{}, {"points": np.zeros((1, 1, 2)), "boxes": np.zeros((1, 4))}])
def test_exactly_one_kind_of_prompt(
    sam2: Sam2, frame: NDArray[np.uint8], given: dict[str, NDArray[np.float64]]
) -> None:
    with pytest.raises(ConfigurationError, match="points or boxes"):
        sam2.segment(sam2.encode(frame), frame_size=(HEIGHT, WIDTH), **given)  # type: ignore[arg-type]


def test_upscaling_is_bilinear_and_cut_at_zero(sam2: Sam2) -> None:
    logits = torch.full((2, 4, 4), -1.0)
    logits[0, :2] = 1.0
    masks = sam2.upscale(logits, (8, 12))
    assert masks.shape == (2, 8, 12)
    assert masks.dtype == torch.bool
    assert masks[0].all(1).tolist() == [True] * 4 + [False] * 4
    assert not masks[1].any()


def test_propagation_leaves_the_consumer_its_own_modes(
    sam2: Sam2, frame: NDArray[np.uint8]
) -> None:
    features = sam2.encode(frame)
    masks = np.zeros((2, HEIGHT, WIDTH), dtype=bool)
    masks[0, 10:30, 10:40] = masks[1, 20:40, 50:90] = True
    frames = []
    for out in sam2.propagate(lambda _: features, 3, 1, masks):
        assert not torch.is_inference_mode_enabled()
        frames.append(out.frame)
        assert out.logits.shape == (2, SIZE // 4, SIZE // 4)
        assert out.pointers.shape == (2, sam2.token_dim)
    assert frames == [1, 2, 0]


def test_half_precision_is_near_single(sam2: Sam2, frame: NDArray[np.uint8]) -> None:
    half = Sam2(sam2.model, sam2.checkpoint_hash, "cpu", "bfloat16")
    prompts = {"frame_size": (HEIGHT, WIDTH), "boxes": np.array([[5.0, 5, 40, 30]])}
    exact = sam2.segment(sam2.encode(frame), **prompts)  # type: ignore[arg-type]
    close = half.segment(half.encode(frame), **prompts)  # type: ignore[arg-type]
    assert close.logits.dtype == torch.bfloat16
    spread = float(exact.logits.std())
    assert float((close.logits.float() - exact.logits).abs().mean()) < 0.2 * spread


def test_half_precision_tracks(sam2: Sam2, frame: NDArray[np.uint8]) -> None:
    half = Sam2(sam2.model, sam2.checkpoint_hash, "cpu", "bfloat16")
    masks = np.ones((2, HEIGHT, WIDTH), dtype=bool)
    features = half.encode(frame)
    outputs = list(half.propagate(lambda _: features, 4, 1, masks))
    assert all(bool(torch.isfinite(out.pointers).all()) for out in outputs)


def test_frames_are_stretched_and_normalised() -> None:
    frame = np.full((10, 30, 3), 128, dtype=np.uint8)
    for resize in ("bicubic", "bilinear"):
        square = resize_frame(frame, 64, resize)
        assert square.shape == (64, 64, 3)
        assert (square == 128).all()
    pixels = normalise(torch.from_numpy(frame))
    assert pixels.shape == (3, 10, 30)
    expected = [(128 / 255 - m) / s for m, s in zip(MEAN, STD, strict=True)]
    torch.testing.assert_close(pixels[:, 0, 0], torch.tensor(expected))


def test_the_two_filters_differ_on_detail() -> None:
    frame = np.random.default_rng(1).integers(0, 256, (50, 70, 3), dtype=np.uint8)
    assert (resize_frame(frame, 32, "bicubic") != resize_frame(frame, 32, "bilinear")).any()
    assert resize_frame(frame[:32, :32], 32, "bicubic") is not None


@pytest.mark.parametrize("temporal", [False, True], ids=["SAM 2.0", "SAM 2.1"])
def test_every_tensor_is_made_on_the_device(temporal: bool) -> None:
    """Encoding, prompting, tracking in both directions and upscaling on a fake GPU."""
    config = tiny_config(SIZE)
    config.enable_temporal_pos_encoding_for_object_pointers = temporal
    with fake_cuda() as device:
        with torch.device(device):
            model = build_sam2(config)
        tensors = exercise(Sam2(model, "", device))
    assert {t.device.type for t in tensors} == {"cuda"}


def test_a_tensor_left_on_the_cpu_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    from rvosbench.models.sam2 import memory as sam2_memory

    def forgetful(positions: torch.Tensor, dim: int) -> torch.Tensor:
        return torch.zeros(len(positions), dim)

    monkeypatch.setattr(sam2_memory, "sine_code", forgetful)
    with pytest.raises(RuntimeError, match="same device"):
        test_every_tensor_is_made_on_the_device(temporal=True)


def exercise(sam2: Sam2) -> list[torch.Tensor]:
    """All tensors that encoding, prompting, tracking and upscaling return."""
    features = sam2.encode(np.zeros((HEIGHT, WIDTH, 3), dtype=np.uint8))
    size, points = (HEIGHT, WIDTH), np.zeros((3, 1, 2))
    found = sam2.segment(features, frame_size=size, points=points, batch_size=2)
    masks = np.ones((3, HEIGHT, WIDTH), dtype=bool)
    outputs = list(sam2.propagate(lambda _: features, 4, 1, masks, batch_size=2))
    tracked = [t for o in outputs for t in (o.logits, o.pointers, o.presence)]
    return [*features.maps, *found, *tracked, sam2.upscale(outputs[-1].logits, size)]
