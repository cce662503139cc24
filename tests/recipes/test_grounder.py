"""The grounder's recipe: captions, cells, losses, steps, checkpoints, and the shipped weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from recipes.appearance import CELLS, VISIBLE
from recipes.checkpoint import load_checkpoint, save_checkpoint
from recipes.clock import Budget
from recipes.grounder.batches import GroundingBatch, Still, captions_of, collate, draw_stills
from recipes.grounder.captions import MAX_TOKENS, SPECIAL_TOKENS, absent_noun, noun_caption
from recipes.grounder.evaluation import CaptionBoxes, held_out, measures, precision_recall
from recipes.grounder.losses import (
    GroundingWeights,
    box_loss,
    cell_box_loss,
    cell_targets,
    cell_word_loss,
    giou,
    iou,
    match,
    query_loss,
)
from recipes.grounder.training import (
    GrounderRecipe,
    GrounderTraining,
    Words,
    collect_words,
    export,
    first_pool,
    loss_of,
    main,
    new_training,
)
from recipes.loop import take_step
from recipes.schedule import Schedule
from recipes.tokenizer import word_tokenizer
from rvosbench.demo.grammar import Noun
from rvosbench.models.grounding_dino.detector import load_grounding_dino
from rvosbench.models.weights import EMBEDDED

SIZE = 64
RECIPE = GrounderRecipe(
    image_size=SIZE,
    cheap_batch=(2, 2),
    full_batch=(2, 2),
    first_frames=4,
    budget=Budget(1.0),
    cheap_mix=0.0,
)


@pytest.fixture(scope="module")
def words() -> Words:
    return collect_words()


@pytest.fixture(scope="module")
def stills() -> list[Still]:
    return [s for i in range(6) for s in draw_stills((8, i), 128, 1) if (s.areas >= VISIBLE).any()]


@pytest.fixture(scope="module")
def batch(words: Words, stills: list[Still]) -> GroundingBatch:
    rng = np.random.default_rng(0)
    captions = [captions_of(s, 4, words.wordings, rng) for s in stills]
    return collate(stills, captions, words.ids)


def test_captions_name_shapes_of_the_frame_or_none(words: Words, stills: list[Still]) -> None:
    rng = np.random.default_rng(1)
    for still in stills:
        for caption in captions_of(still, 20, words.wordings, rng):
            named = set(caption.words[caption.begin : caption.end])
            noun = caption.noun
            assert {noun.colour, noun.texture} - {None} <= named
            assert all(word in words.ids for word in caption.words)
        absent = absent_noun(still.shapes, rng)
        assert absent is None or not any(absent.covers(s) for s in still.shapes)


def test_the_tokenizer_splits_as_the_captions_do(words: Words, stills: list[Still]) -> None:
    tokenizer = word_tokenizer(words.ids, MAX_TOKENS, SPECIAL_TOKENS)
    rng = np.random.default_rng(2)
    for caption in captions_of(stills[0], 40, words.wordings, rng):
        wanted = [words.ids[w] for w in ("[CLS]", *caption.words, ".", "[SEP]")]
        assert tokenizer(caption.text.capitalize() + ".")["input_ids"] == wanted
    assert tokenizer("a zebra.")["input_ids"][2] == words.ids["[UNK]"]


def test_cells_belong_to_the_shape_at_their_centre(stills: list[Still], words: Words) -> None:
    still = stills[0]
    made = collate([still], [[noun_caption(Noun(), True, np.random.default_rng(0))]], words.ids)
    fine = made.owner[0, : (128 // CELLS[0]) ** 2].reshape(16, 16)
    assert fine[3, 7] == still.owner[3 * 8 + 4, 7 * 8 + 4]
    seen = np.flatnonzero(still.areas >= VISIBLE)
    assert set(made.owner[0][made.core[0]].tolist()) >= set(seen[still.areas[seen] > 200].tolist())
    scores, counts = cell_targets(made)
    assert (scores[0][made.owner[0] < 0] == 0).all()
    assert counts[0][made.owner[0] < 0].all()


def test_boxes_are_those_of_the_visible_pixels() -> None:
    owner = np.full((10, 20), -1, np.int8)
    owner[2:6, 4:8] = 0
    shapes = draw_stills((8, 0), 32, 1)[0].shapes[:2]
    still = Still(np.zeros((10, 20, 3), np.uint8), owner[:, :10], shapes)
    assert still.boxes[0].tolist() == pytest.approx([0.6, 0.4, 0.4, 0.4])
    assert still.boxes[1].tolist() == [0, 0, 0, 0]
    turned = still.turned(np.random.default_rng(0))
    assert turned.areas.tolist() == still.areas.tolist() == [16, 0]


def test_overlaps_of_known_boxes() -> None:
    a = torch.tensor([0.25, 0.25, 0.5, 0.5])
    b = torch.tensor([0.5, 0.25, 0.5, 0.5])
    far = torch.tensor([0.75, 0.75, 0.5, 0.5])
    assert float(iou(a, b)[0]) == pytest.approx(1 / 3)
    assert float(giou(a, b)) == pytest.approx(1 / 3)  # the hull is the union
    assert float(giou(a, far)) == pytest.approx(-0.5)
    assert float(box_loss(a[None], a[None], GroundingWeights())) == pytest.approx(0, abs=1e-5)


def perfect(batch: GroundingBatch) -> tuple[torch.Tensor, torch.Tensor]:
    """Word logits and box logits of cells that know everything."""
    scores, _ = cell_targets(batch)
    target = scores[:, :, None] * batch.named[:, None]
    boxes = batch.boxes.gather(1, batch.owner.clamp(min=0)[..., None].expand(-1, -1, 4))
    return torch.logit(target, eps=1e-4), torch.logit(boxes, eps=1e-6)


def test_losses_of_cells_vanish_for_the_truth_only(batch: GroundingBatch) -> None:
    weights = GroundingWeights()
    logits, boxes = perfect(batch)
    assert float(cell_word_loss(logits, batch)) < 1e-3 < float(cell_word_loss(-logits, batch))
    assert float(cell_box_loss(boxes, batch, weights)) < 1e-3
    assert float(cell_box_loss(boxes + 0.3, batch, weights)) > 0.1


def test_queries_are_matched_with_what_they_found(batch: GroundingBatch) -> None:
    frames, captions = len(batch.pixels), len(batch.ids) // len(batch.pixels)
    truth = batch.boxes.repeat_interleave(captions, 0)
    found = truth.flip(1)  # query q found shape MOST - 1 - q
    logits = torch.where(batch.meant.flip(1)[..., None] & batch.named[:, None], 8.0, -8.0)
    rows, queries, shapes = match(logits, found, batch, truth, GroundingWeights())
    assert len(rows) == int(batch.meant.sum()) > frames
    assert (queries == truth.shape[1] - 1 - shapes).all()
    assert float(query_loss(logits, found, batch, GroundingWeights())) < 1e-3
    assert float(query_loss(-logits, found, batch, GroundingWeights())) > 1


def test_the_loss_of_an_absent_noun_is_finite_and_wants_silence(
    words: Words, stills: list[Still]
) -> None:
    rng = np.random.default_rng(0)
    noun = absent_noun(stills[0].shapes, rng)
    assert noun is not None
    made = collate(stills[:1], [[noun_caption(noun, False, rng)]], words.ids)
    silent = torch.full((1, 20, made.ids.shape[1]), -8.0)
    boxes = torch.full((1, 20, 4), 0.5)
    assert float(query_loss(silent, boxes, made, GroundingWeights())) < 1e-3
    assert float(query_loss(-silent, boxes, made, GroundingWeights())) > 1


def test_measures_count_boxes_as_right_once() -> None:
    scores = np.array([0.9, 0.8, 0.3], np.float32)
    overlaps = np.array([[0.9, 0.0], [0.8, 0.0], [0.0, 0.7]], np.float32)
    one = CaptionBoxes("colour", scores, overlaps)
    assert precision_recall([one], 0.5) == (0.5, 0.5)
    assert precision_recall([one], 0.2) == (0.6667, 1.0)
    nothing = CaptionBoxes("absent", scores, np.zeros((3, 0), np.float32))
    assert precision_recall([one, nothing], 0.5) == (0.25, 0.5)


@pytest.fixture(scope="module")
def state() -> GrounderTraining:
    return new_training(RECIPE)


def test_steps_train_every_weight_that_answers(state: GrounderTraining, words: Words) -> None:
    before = {name: p.detach().clone() for name, p in state.model.named_parameters()}
    pool = first_pool(RECIPE, state.rng)

    def step(progress: float) -> dict[str, float]:
        loss = loss_of(state, RECIPE, words, pool, progress)
        return take_step(state, loss, Schedule(RECIPE.rate), progress)

    cheap = step(0.0)
    assert {"cell_words", "cell_boxes", "looks"} <= cheap.keys()
    assert "queries_0" not in cheap
    for _ in range(3):  # some branches begin at zero: what is behind them moves a step later
        full = step(0.9)
        assert {"queries_0", "queries_1"} <= full.keys()
    unmoved = [n for n, p in state.model.named_parameters() if torch.equal(p, before[n])]
    allowed = ("position_embeddings", "token_type_embeddings", "layernorm", "pooler")
    assert not [n for n in unmoved if not any(part in n for part in allowed)]


def test_a_checkpoint_restores_everything(
    state: GrounderTraining, tmp_path: Path, words: Words
) -> None:
    save_checkpoint(state, tmp_path)
    other = new_training(replace(RECIPE, seed=5))
    assert load_checkpoint(other, tmp_path)
    for name in ("model", "average", "heads"):
        ours, theirs = getattr(state, name).state_dict(), getattr(other, name).state_dict()
        assert all(torch.equal(ours[k], theirs[k]) for k in ours)
    assert (other.step, other.seconds) == (state.step, state.seconds)
    assert other.rng.integers(10**9) == state.rng.integers(10**9)


def test_an_export_answers_as_the_network_did(
    state: GrounderTraining, words: Words, tmp_path: Path
) -> None:
    export(state.result, words, tmp_path)
    grounder = load_grounding_dino(tmp_path)
    still = draw_stills((8, 3), SIZE, 1)[0]
    caption = noun_caption(Noun("red", "circle"), False, np.random.default_rng(0))
    found = grounder.detect(still.pixels, [caption.text], box_threshold=0, text_threshold=0)[0]
    made = collate([still], [[caption]], words.ids)
    with torch.no_grad():
        out = state.result(pixel_values=made.pixels, input_ids=made.ids)
    wanted = out.logits[0].sigmoid().amax(-1).sort().values.numpy()
    assert np.sort(found.scores) == pytest.approx(wanted, abs=0.01)  # halves round


def test_the_command_line_trains_and_exports(tmp_path: Path) -> None:
    main(["--out", str(tmp_path), "--steps", "1", "--evaluation-frames", "2"])
    assert (tmp_path / "export" / "tokenizer.json").is_file()
    assert '"kind": "eval"' in (tmp_path / "log.jsonl").read_text()


def test_the_shipped_weights_find_what_captions_name() -> None:
    """A tenth below what the weights' README says, on frames not trained on."""
    grounder = load_grounding_dino(EMBEDDED / "grounder")
    right = []
    for still in held_out(40, 128):
        shape = still.shapes[int(still.areas.argmax())]
        noun = Noun(shape.colour, shape.shape)
        text = f"the {noun.text()}"
        found = grounder.detect(still.pixels, [text], box_threshold=0, text_threshold=0)[0].best()
        low, high = found.boxes[0, :2] / 128, found.boxes[0, 2:] / 128
        box = torch.tensor([*((low + high) / 2), *(high - low)]).float()
        truth = [b for s, b in zip(still.shapes, still.boxes, strict=True) if noun.covers(s)]
        right.append(float(iou(box, torch.from_numpy(np.stack(truth)))[0].max()) >= 0.5)
    assert np.mean(right) >= 0.7


def test_all_measures_are_there(words: Words) -> None:
    answer = CaptionBoxes("colour", np.array([0.9], np.float32), np.array([[0.8]], np.float32))
    found = [replace(answer, kind=kind) for kind in ("colour", "sentence")]
    values = measures(
        [*found, CaptionBoxes("absent", np.array([0.2], np.float32), np.zeros((1, 0), np.float32))]
    )
    assert values["acc_colour"] == values["precision"] == values["recall"] == 1
    assert "acc_shape" not in values
    assert values["absent_silent"] == 1
