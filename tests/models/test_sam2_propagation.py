"""Batched propagation against transformers' own session, and its independence of batching."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
import torch
from torch import Tensor

from recipes.tracker.network import tiny_config
from rvosbench.models.sam2.checkpoint import build_sam2
from rvosbench.models.sam2.decoding import (
    NO_OBJECT_LOGIT,
    FrameFeatures,
    FrameOutput,
    encode_frames,
    prompt_masks_at,
)
from rvosbench.models.sam2.memory import MemoryBank, sine_code
from rvosbench.models.sam2.propagation import propagate

if TYPE_CHECKING:
    from transformers import Sam2VideoModel

SIZE, FRAMES, OBJECTS, PROMPT = 64, 11, 3, 4


def lively_model(**changes: bool) -> Sam2VideoModel:
    """Random weights strong enough that memories, presence and pointers all matter."""
    config = tiny_config(SIZE)
    for name, value in changes.items():
        setattr(config, name, value)
    generator = torch.Generator().manual_seed(0)
    model = build_sam2(config)
    with torch.no_grad():
        for parameter in model.parameters():
            fan = parameter[0].numel() if parameter.dim() > 1 else 4
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * fan**-0.5)
        model.mask_decoder.pred_obj_score_head.proj_out.bias.fill_(0.5)
    return model


def video(seed: int = 1) -> Tensor:
    return torch.randn(FRAMES, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(seed))


def prompt_masks(count: int = OBJECTS) -> Tensor:
    """Stripes along the decoder's pixels: shown at its size, they are still the same masks."""
    masks = torch.zeros(count, SIZE, SIZE, dtype=torch.bool)
    for index in range(count):
        masks[index, 8 + 4 * index : 24 + 12 * index] = True
    return masks


def feature_source(model: Sam2VideoModel, frames: Tensor) -> Callable[[int], FrameFeatures]:
    return lambda index: encode_frames(model, frames[index : index + 1])


def run(
    model: Sam2VideoModel, masks: Tensor, batch_size: int | None = None
) -> dict[int, FrameOutput]:
    with torch.inference_mode():
        features = feature_source(model, video())
        outputs = propagate(model, features, FRAMES, PROMPT, masks, batch_size=batch_size)
        return {out.frame: out for out in outputs}


def session_outputs(model: Sam2VideoModel, masks: Tensor) -> dict[int, list[Tensor]]:
    """Logits, pointers and presence of transformers' session, object by object."""
    from transformers import Sam2VideoInferenceSession

    session = Sam2VideoInferenceSession(
        video=video(),
        video_height=SIZE,
        video_width=SIZE,
        dtype=torch.float32,
        max_vision_features_cache_size=FRAMES,
    )
    for index, mask in enumerate(masks):
        session.obj_id_to_idx(index + 1)
        session.add_mask_inputs(index, PROMPT, mask[None, None].float())
        session.obj_with_new_inputs.append(index + 1)
    model(session, frame_idx=PROMPT)
    for reverse in (False, True):
        list(model.propagate_in_video_iterator(session, start_frame_idx=PROMPT, reverse=reverse))
    found = {}
    for frame in range(FRAMES):
        kind = "cond_frame_outputs" if frame == PROMPT else "non_cond_frame_outputs"
        rows = [session.output_dict_per_obj[i][kind][frame] for i in range(len(masks))]
        names = ("pred_masks", "object_pointer", "object_score_logits")
        found[frame] = [torch.cat([r[n].reshape(1, -1) for r in rows]) for n in names]
    return found


@pytest.fixture
def single_mask_pointers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes transformers take a mask-prompted pointer from the single-mask token."""
    from transformers import Sam2VideoModel

    original = Sam2VideoModel._single_frame_forward

    def patched(self: Sam2VideoModel, **kwargs: object) -> object:
        return original(self, **({"multimask_output": False} | kwargs))

    monkeypatch.setattr(Sam2VideoModel, "_single_frame_forward", patched)


@pytest.mark.usefixtures("single_mask_pointers")
@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({}, id="small model"),
        pytest.param(
            {
                "multimask_output_for_tracking": True,
                "enable_temporal_pos_encoding_for_object_pointers": True,
            },
            id="SAM 2.1",
        ),
        pytest.param(
            {"multimask_output_for_tracking": True, "enable_occlusion_spatial_embedding": False},
            id="SAM 2.0",
        ),
    ],
)
def test_equals_the_session_of_transformers(changes: dict[str, bool]) -> None:
    model = lively_model(**changes)
    ours, theirs = run(model, prompt_masks()), session_outputs(model, prompt_masks())
    assert sorted(ours) == sorted(theirs) == list(range(FRAMES))
    for frame, (logits, pointers, presence) in theirs.items():
        torch.testing.assert_close(ours[frame].logits.flatten(1), logits, atol=2e-3, rtol=1e-3)
        torch.testing.assert_close(ours[frame].pointers, pointers, atol=1e-4, rtol=1e-3)
        torch.testing.assert_close(ours[frame].presence[:, None], presence, atol=1e-3, rtol=1e-3)


def test_the_comparison_covers_presence_absence_and_spread() -> None:
    outputs = run(lively_model(), prompt_masks())
    presence = torch.stack([outputs[t].presence for t in range(FRAMES)])
    assert (presence > 0).any()
    assert outputs[PROMPT + 1].raw_logits.std() > 0.05
    assert (outputs[PROMPT].pointers - outputs[PROMPT + 2].pointers).abs().max() > 0.05


def test_frames_come_in_order_from_the_prompt() -> None:
    model = lively_model()
    seen: list[int] = []

    def features(index: int) -> FrameFeatures:
        seen.append(index)
        return encode_frames(model, video()[index : index + 1])

    with torch.inference_mode():
        outputs = list(propagate(model, features, 5, 2, prompt_masks()))
    assert [out.frame for out in outputs] == seen == [2, 3, 4, 1, 0]


def test_objects_do_not_see_each_other() -> None:
    model, masks = lively_model(), prompt_masks()
    together = run(model, masks)
    for index in range(OBJECTS):
        alone = run(model, masks[index : index + 1])
        for frame, out in alone.items():
            torch.testing.assert_close(
                out.logits[0], together[frame].logits[index], atol=1e-3, rtol=1e-4
            )
            torch.testing.assert_close(
                out.pointers[0], together[frame].pointers[index], atol=1e-4, rtol=1e-4
            )


@pytest.mark.parametrize("batch_size", [1, 2])
def test_the_compute_batch_changes_nothing(batch_size: int) -> None:
    model, masks = lively_model(), prompt_masks()
    whole, parts = run(model, masks), run(model, masks, batch_size=batch_size)
    for frame, out in whole.items():
        torch.testing.assert_close(out.logits, parts[frame].logits, atol=1e-3, rtol=1e-4)
        torch.testing.assert_close(out.pointers, parts[frame].pointers, atol=1e-4, rtol=1e-4)


def test_an_absent_object_has_no_mask_and_the_empty_pointer() -> None:
    model = lively_model()
    with torch.no_grad():
        model.mask_decoder.pred_obj_score_head.proj_out.bias.fill_(-1e4)
    out = run(model, prompt_masks())[PROMPT + 1]
    assert (out.presence < 0).all()
    assert (out.logits == NO_OBJECT_LOGIT).all()
    assert (out.raw_logits > NO_OBJECT_LOGIT / 2).all()
    torch.testing.assert_close(out.pointers, model.no_object_pointer.expand_as(out.pointers))


def test_an_empty_prompt_mask_means_absent() -> None:
    masks = prompt_masks()
    masks[1] = False
    out = run(lively_model(), masks)[PROMPT]
    assert (out.presence > 0).tolist() == [True, False, True]
    assert (out.logits[1] < 0).all()


def test_gradients_reach_every_part_through_time() -> None:
    model = lively_model()
    outputs = list(propagate(model, feature_source(model, video()), 3, 0, prompt_masks()))
    loss = outputs[-1].raw_logits.pow(2).mean() + outputs[-1].pointers.pow(2).mean()
    loss.backward()  # type: ignore[no-untyped-call]
    for part in ("vision_encoder", "memory_attention", "memory_encoder", "mask_decoder"):
        gradients = [p.grad for p in getattr(model, part).parameters() if p.grad is not None]
        assert max(float(g.abs().max()) for g in gradients) > 0, part


def test_memory_is_a_window(monkeypatch: pytest.MonkeyPatch) -> None:
    model, sizes = lively_model(), []
    original = MemoryBank.forget

    def watched(self: MemoryBank, frame: int) -> None:
        original(self, frame)
        sizes.append((len(self.spatial), len(self.pointers)))

    monkeypatch.setattr(MemoryBank, "forget", watched)
    features = encode_frames(model, video()[:1])
    with torch.inference_mode():
        list(propagate(model, lambda _: features, 60, 0, prompt_masks()))
    assert max(s for s, _ in sizes) <= 2 * model.config.num_maskmem
    assert max(p for _, p in sizes) <= 2 * model.config.max_object_pointers_in_encoder


def test_prompt_masks_are_scaled_with_antialiasing_and_cut_at_one_half() -> None:
    mask = torch.zeros(1, 8, 8, dtype=torch.bool)
    mask[0, :4, :4] = True
    assert torch.equal(prompt_masks_at(mask, 8)[0, 0], mask[0].float())
    assert prompt_masks_at(mask, 4).sum() == 4
    assert prompt_masks_at(mask, 16).sum() == 64


def test_sine_code_is_that_of_transformers() -> None:
    from transformers.models.sam2_video.modeling_sam2_video import get_1d_sine_pe

    positions = torch.linspace(0, 1.3, 7)
    torch.testing.assert_close(sine_code(positions, 128), get_1d_sine_pe(positions, 128))


def test_the_prompted_frame_is_remembered_as_it_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """At the decoder's size: specks finer than its pixels are not in the memory."""
    model, seen = lively_model(), []
    original = MemoryBank.remember

    def watched(self: MemoryBank, features: FrameFeatures, mask: Tensor, *rest: object) -> None:
        seen.append(mask)
        original(self, features, mask, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(MemoryBank, "remember", watched)
    masks = prompt_masks(2)
    masks[1] = False
    masks[1, 30, 30] = masks[1, 8:24, 8:24] = True
    out = run(model, masks)[PROMPT]
    assert torch.equal(seen[0][0, 0] > 0.5, masks[0])
    assert (seen[0][1, 0] > 0.5).sum() == 16 * 16 - 4 * 3  # no speck, and rounder corners
    assert set(seen[0].flatten().tolist()) == {0.0, 1.0}
    assert out.logits.shape == (2, SIZE // 4, SIZE // 4)
