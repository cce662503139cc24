"""The selector against the released module, against itself in batches, and its switches."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from sola.config import PAPER_LOSS, LossConfig, SelectorConfig, Variant
from sola.data.batches import Batch, Item, collate
from sola.model import TrackSelector, load_released
from sola.network.losses import SelectionLoss, positive_anchor, selection_loss, training_loss
from sola.network.weights import rename

from ...foreign import backward, fake_cuda
from ..cases import SMALL, Case, make_case, make_selector

GOLDEN = Path(__file__).parents[4] / "shared" / "data" / "golden" / "sola"
needs_golden = pytest.mark.skipif(
    not GOLDEN.is_dir(), reason="golden outputs of the released module are not beside the checkout"
)
SIZES = [(10, 24, 9), (5, 17, 12), (14, 40, 6), (1, 1, 1)]


def loss_of(model: TrackSelector, case: Case, config: LossConfig | None = None) -> SelectionLoss:
    output = model(case.objects, case.text)
    anchors = positive_anchor(case.text), model.negative_anchors
    return selection_loss(output, case.labels, anchors, config or LossConfig())


def item_of(cases: list[Case], candidates: Tensor | None = None) -> Item:
    """Sentences about the first case's tracks."""
    labels = torch.cat([c.labels for c in cases]).bool()
    every = torch.ones_like(labels) if candidates is None else candidates
    texts = tuple(c.text[0].numpy() for c in cases)
    return Item(cases[0].objects[0].numpy(), texts, labels.numpy(), every.numpy())


def batch_of(cases: list[Case]) -> Batch:
    return collate([item_of([case]) for case in cases])


def gradients(model: TrackSelector, loss: Tensor) -> dict[str, Tensor]:
    model.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    return {n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None}


def relative(ours: Tensor, wanted: Tensor) -> float:
    ours, wanted = ours.detach(), wanted.detach()
    return float((ours - wanted).abs().max() / wanted.abs().max().clamp(min=1e-6))


@needs_golden
@pytest.mark.parametrize("case", range(5))
def test_equals_the_released_module(case: int) -> None:
    cases = load_file(GOLDEN / "cases.safetensors")
    golden = {k.partition(".")[2]: v for k, v in cases.items() if k.startswith(f"{case}.")}
    model = load_released(GOLDEN / "weights.safetensors")
    inputs = Case(*(golden[k][None] for k in ("object_tokens", "text_tokens", "labels")))
    output = model(inputs.objects, inputs.text)
    assert (output.logits[0] - golden["score_logits"]).abs().max() <= 1e-5
    assert (output.alignment[0] - golden["alignment_tokens"]).abs().max() <= 1e-5
    loss = loss_of(model, inputs)
    for name, value in zip(("loss_total", "loss_bce", "loss_align"), loss, strict=True):
        assert abs(float(value.detach() - golden[name])) <= 1e-5
    ours = gradients(model, loss.total)
    checked = [name for name in golden if name.startswith("grad.")]
    assert len(checked) == 5
    for name in checked:  # gradients reach 10, so the tolerance is relative to the largest
        wanted = golden[name]
        scale = max(1.0, float(wanted.abs().max()))
        assert (ours[rename(name.removeprefix("grad."))] - wanted).abs().max() <= 1e-5 * scale


def test_the_default_has_the_released_number_of_parameters() -> None:
    with torch.device("meta"):
        model = TrackSelector(SelectorConfig())
    count = sum(p.numel() for p in model.parameters())
    assert count == 32_980_480  # the paper prints 32.9 M
    assert sum(p.numel() for p in model.motion_encoder.parameters()) == 7_745_024


@pytest.mark.parametrize("variant", ["released", "paper"])
def test_a_padded_batch_equals_its_members_alone(variant: Variant) -> None:
    config = dataclasses.replace(SMALL, variant=variant)
    loss_config = LossConfig() if variant == "released" else PAPER_LOSS
    model = make_selector(config)
    cases = [make_case(size, seed) for seed, size in enumerate(SIZES)]
    batch = batch_of(cases)
    output = model(*batch.inputs)
    for row, case in enumerate(cases):
        alone = model(case.objects, case.text)
        n = case.objects.shape[1]
        assert relative(output.logits[row, :n], alone.logits[0]) < 1e-5
        assert relative(output.alignment[row, :n], alone.alignment[0]) < 1e-5
        assert not output.logits[row, n:].any()
        assert not output.alignment[row, n:].any()
    together = training_loss(model, batch, loss_config)
    totals = torch.stack([loss_of(model, case, loss_config).total for case in cases])
    assert relative(together.total, totals.mean()) < 1e-5
    ours, wanted = gradients(model, together.total), gradients(model, totals.mean())
    assert ours.keys() == wanted.keys() == {name for name, _ in model.named_parameters()}
    for name in wanted:
        # Biases before a norm have gradients of nothing but rounding, hence the floor.
        scale = max(float(wanted[name].abs().max()), 1e-2)
        assert (ours[name] - wanted[name]).abs().max() < 2e-5 * scale, name


def test_what_stands_in_the_padding_does_not_matter() -> None:
    model = make_selector()
    batch = batch_of([make_case(size, seed) for seed, size in enumerate(SIZES)])
    assert batch.track_mask is not None
    assert batch.frame_mask is not None
    assert batch.word_mask is not None
    valid = batch.track_mask[:, :, None] & batch.frame_mask[:, None, :]
    dirty = batch._replace(
        objects=batch.objects.masked_fill(~valid[..., None], 7.0),
        text=batch.text.masked_fill(~batch.word_mask[..., None], -3.0),
    )
    torch.testing.assert_close(model(*dirty.inputs), model(*batch.inputs))


def test_an_expression_without_tracks_is_harmless_in_a_batch() -> None:
    model = make_selector()
    batch = batch_of([make_case(size, seed) for seed, size in enumerate(SIZES[:2])])
    assert batch.track_mask is not None
    batch.track_mask[1] = False
    loss = training_loss(model, batch, LossConfig())
    grads = gradients(model, loss.total)
    assert all(torch.isfinite(g).all() for g in grads.values())
    assert not model(*batch.inputs).logits[1].any()


@pytest.mark.parametrize("own", [False, True])
def test_sentences_share_the_tokens_of_their_video(own: bool) -> None:
    # Two videos with three and two sentences, with the same or with their own candidates.
    model = make_selector()
    videos = [
        [make_case((6, 20, 8), 0), make_case((6, 20, 3), 1), make_case((6, 20, 5), 2)],
        [make_case((4, 30, 6), 3), make_case((4, 30, 9), 4)],
    ]
    rng = torch.Generator().manual_seed(0)
    chosen = [
        (torch.rand(len(c), c[0].objects.shape[1], generator=rng) < (0.6 if own else 2)).bool()
        for c in videos
    ]
    batch = collate([item_of(c, flags) for c, flags in zip(videos, chosen, strict=True)])
    assert batch.objects.shape == (2, 6, 30, 16)
    assert batch.track_mask is not None
    assert len(batch.track_mask) == (5 if own else 2)
    output, alone = model(*batch.inputs), []
    sentences = [
        (Case(cases[0].objects[:, keep], case.text, case.labels[:, keep]), keep)
        for cases, flags in zip(videos, chosen, strict=True)
        for case, keep in zip(cases, flags, strict=True)
    ]
    for row, (case, keep) in enumerate(sentences):
        wanted = model(case.objects, case.text).logits[0]
        assert relative(output.logits[row, : len(keep)][keep], wanted) < 1e-5
        alone.append(loss_of(model, case).total)
    together, apart = training_loss(model, batch, LossConfig()).total, torch.stack(alone).mean()
    assert relative(together, apart) < 1e-5
    ours, wanted_gradients = gradients(model, together), gradients(model, apart)
    for name, wanted in wanted_gradients.items():
        scale = max(float(wanted.abs().max()), 1e-2)
        assert (ours[name] - wanted).abs().max() < 2e-5 * scale, name


def test_one_video_needs_no_index() -> None:
    model = make_selector()
    case = make_case((6, 20, 8), 0)
    text = torch.cat([case.text, make_case((1, 1, 8), 1).text])
    copied = model(case.objects.expand(2, -1, -1, -1), text)
    torch.testing.assert_close(model(case.objects, text), copied)
    index = torch.zeros(2, dtype=torch.long)
    torch.testing.assert_close(model(case.objects, text, video=index), copied)


def test_no_tracks_give_no_scores() -> None:
    output = make_selector()(torch.zeros(1, 0, 5, 16), torch.zeros(2, 3, 32))
    assert output.logits.shape == (2, 0)
    assert output.alignment.shape == (2, 0, 32)


@pytest.mark.parametrize(
    ("objects", "text"),
    [
        ((1, 2, 8, 15), (1, 3, 32)),
        ((1, 2, 8, 16), (1, 3, 31)),
        ((2, 2, 8, 16), (3, 3, 32)),
        ((1, 2, 0, 16), (1, 3, 32)),
        ((2, 8, 16), (1, 3, 32)),
    ],
)
def test_shapes_that_do_not_fit_are_refused(
    objects: tuple[int, ...], text: tuple[int, ...]
) -> None:
    with pytest.raises(ValueError, match=r"wanted \(V, N, T > 0, 16\)"):
        make_selector()(torch.zeros(objects), torch.zeros(text))


def test_between_objects_off_makes_tracks_independent() -> None:
    # With one group a channel norms would be per channel; the language norm still joins tracks,
    # so the switch is seen in its parameters and in the text-free layers alone.
    on, off = (
        make_selector(),
        make_selector(dataclasses.replace(SMALL, inter_object_attention=False)),
    )
    names = {name for name, _ in off.named_parameters()}
    dropped = {name for name, _ in on.named_parameters()} - names
    assert dropped == {n for n, _ in on.named_parameters() if ".objects." in n}
    off_state = {k: v for k, v in on.state_dict().items() if k in off.state_dict()}
    off.load_state_dict(off_state)
    case = make_case((4, 16, 5), 3)
    assert relative(off(case.objects, case.text).logits, on(case.objects, case.text).logits) > 1e-3


def test_motion_off_leaves_no_order_of_time() -> None:
    off = make_selector(dataclasses.replace(SMALL, motion_attention=False))
    assert not [name for name, _ in off.named_parameters() if ".motion." in name]
    before = make_case((3, 16, 5), 4)
    # The frequencies only reach the motion attention: without it they cannot matter.
    plain = off(before.objects, before.text).logits
    off.time_frequencies.mul_(3)
    assert torch.equal(off(before.objects, before.text).logits, plain)
    on = make_selector()
    plain = on(before.objects, before.text).logits
    on.time_frequencies.mul_(3)
    assert relative(on(before.objects, before.text).logits, plain) > 1e-4


def test_every_parameter_learns() -> None:
    model = make_selector()
    grads = gradients(model, loss_of(model, make_case((6, 24, 5), 0)).total)
    still = {n for n, p in model.named_parameters() if n not in grads or not grads[n].any()}
    assert not still


def test_paper_pools_as_equations_4_and_5_are_printed() -> None:
    model = make_selector(dataclasses.replace(SMALL, variant="paper"))
    case = make_case((3, 24, 5), 5)
    tokens, _ = model.motion_encoder(case.objects)
    aligned: list[Tensor] = []
    model.layers[-1].register_forward_hook(lambda _m, _i, out: aligned.append(out))
    output = model(case.objects, case.text)
    similarity = torch.einsum("btd,wd->btw", aligned[0][0], case.text[0])  # (N, T', W)
    weight = similarity.mean(dim=-1).softmax(dim=-1)
    expected = (weight[..., None] * aligned[0][0]).mean(dim=1)
    torch.testing.assert_close(output.alignment[0], expected)
    torch.testing.assert_close(output.logits[0], similarity.mean(dim=(1, 2)))
    assert tokens.shape == (1, 3, 3, 32)


@pytest.mark.parametrize(("frames", "steps"), [(1, 1), (8, 1), (9, 2), (17, 3), (60, 8), (100, 13)])
def test_eight_frames_become_one_step(frames: int, steps: int) -> None:
    encoded, mask = make_selector().motion_encoder(
        torch.zeros(1, 2, frames, 16), torch.ones(1, frames, dtype=torch.bool)
    )
    assert encoded.shape == (1, 2, steps, 32)
    assert mask.shape == (1, steps)
    assert mask.all()


def empty_batch() -> Batch:
    """Three sentences of two videos."""
    tracks, frames, words = (
        torch.ones(rows, n, dtype=torch.bool) for rows, n in ((2, 5), (2, 17), (3, 7))
    )
    objects, text, labels = torch.zeros(2, 5, 17, 16), torch.zeros(3, 7, 32), torch.zeros(3, 5)
    return Batch(objects, text, tracks, frames, words, torch.tensor([0, 1, 1]), labels)


def test_a_training_step_mixes_no_devices() -> None:
    with fake_cuda() as device:
        with torch.device(device):
            model = TrackSelector(SMALL).train()
        batch = empty_batch().to(device)
        optimizer = torch.optim.AdamW(model.parameters(), capturable=True)  # reads no data
        for config in (LossConfig(), PAPER_LOSS):
            optimizer.zero_grad()
            loss = training_loss(model, batch, config)
            backward(loss.total)
            assert loss.total.device.type == "cuda"
            gradients = [p.grad for p in model.parameters()]
            assert all(g is not None and g.device.type == "cuda" for g in gradients)
            norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            assert norm.device.type == "cuda"
            optimizer.step()


def test_selection_mixes_no_devices() -> None:
    with fake_cuda() as device, torch.inference_mode():
        with torch.device(device):
            model = TrackSelector(SMALL).eval()
        batch = empty_batch()
        whole, plain = batch.to(device), batch._replace(track_mask=None, frame_mask=None)
        for given in (whole, plain.to(device)):
            assert model(*given.inputs).logits.device.type == "cuda"


def test_a_forgotten_device_is_found() -> None:
    with fake_cuda() as device:
        with torch.device(device):
            model = TrackSelector(SMALL)
        batch = empty_batch()
        moved = batch.to(device)._replace(word_mask=batch.word_mask)
        with pytest.raises(RuntimeError, match="same device"):
            model(*moved.inputs)
