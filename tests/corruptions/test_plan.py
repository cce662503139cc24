"""A corruption of whole videos: keys, temporal policies, signatures, the command line's words."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rvosbench.corruptions import CORRUPTIONS, TABLE, Plan, parse
from rvosbench.corruptions.draws import generator
from rvosbench.corruptions.frame import Drawn, apply, draw
from rvosbench.corruptions.video import PERIOD, corrupted_frame, drifted
from rvosbench.errors import UsageError
from rvosbench.records import Frame

from .scenes import scene

FRAME = scene(48, 64)
SHARING = [name for name in CORRUPTIONS if TABLE[name].shared]


def frames(plan: Plan, indices: range, video: str = "v") -> list[Frame]:
    return [corrupted_frame(plan, video, f"{i:05d}", i, FRAME) for i in indices]


@pytest.mark.parametrize("temporal", ["per_frame", "per_video", "drift"])
@pytest.mark.parametrize("name", CORRUPTIONS)
def test_a_frame_does_not_depend_on_what_was_done_before(name: str, temporal: str) -> None:
    plan = Plan(name, 3, temporal=temporal)  # type: ignore[arg-type]
    forth = frames(plan, range(4))
    frames(plan, range(2), "another")
    back = [
        corrupted_frame(pickle.loads(pickle.dumps(plan)), "v", f"{i:05d}", i, FRAME)
        for i in (3, 2, 1, 0)
    ]
    for one, other in zip(forth, reversed(back), strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_key_is_the_name_of_a_frame_not_its_position() -> None:
    plan = Plan("gaussian_noise", 3)
    first, later = (
        corrupted_frame(plan, "v", "00005", 0, FRAME),
        corrupted_frame(plan, "v", "00005", 9, FRAME),
    )
    np.testing.assert_array_equal(first, later)


@pytest.mark.parametrize("mode", ["fast", "exact"])
def test_everything_in_the_key_counts(mode: str) -> None:
    base = Plan("gaussian_noise", 3, mode)  # type: ignore[arg-type]
    wanted = corrupted_frame(base, "v", "0", 0, FRAME)
    others = [
        corrupted_frame(Plan("gaussian_noise", 3, mode, seed=1), "v", "0", 0, FRAME),  # type: ignore[arg-type]
        corrupted_frame(base, "w", "0", 0, FRAME),
        corrupted_frame(base, "v", "1", 0, FRAME),
    ]
    assert all((other != wanted).mean() > 0.5 for other in others)
    keys: list[tuple[str, int, tuple[str, ...]]] = [
        ("fog", 1, ("v",)),
        ("fog", 2, ("v",)),
        ("snow", 1, ("v",)),
        ("fog", 1, ("v", "w")),
    ]
    draws = {tuple(generator("fast", 0, n, s, *p).random(2)) for n, s, p in keys}
    assert len(draws) == len(keys)
    assert generator("exact", 0, "fog", 1, "v").randint(1 << 30) == generator(  # type: ignore[union-attr]
        "exact", 0, "fog", 1, "v"
    ).randint(1 << 30)


@pytest.mark.parametrize("name", [n for n in SHARING if n not in ("snow",)])
def test_per_video_repeats_what_a_video_shares(name: str) -> None:
    shared = frames(Plan(name, 3, temporal="per_video"), range(3))
    np.testing.assert_array_equal(shared[0], shared[1])
    np.testing.assert_array_equal(shared[0], shared[2])
    single = frames(Plan(name, 3), range(2))
    assert (single[0] != single[1]).any()
    other = corrupted_frame(Plan(name, 3, temporal="per_video"), "w", "0", 0, FRAME)
    assert (other != shared[0]).any()


def test_per_video_snow_falls_in_one_direction_with_new_flakes() -> None:
    plan = Plan("snow", 1, temporal="per_video")
    black = np.zeros((96, 96, 3), np.uint8)
    layers = [corrupted_frame(plan, "v", str(i), i, black)[..., 0].astype(float) for i in range(2)]
    assert (layers[0] != layers[1]).mean() > 0.1
    directions = [_direction(layer) for layer in layers]
    assert abs(directions[0] - directions[1]) < 12


def _direction(layer: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> float:
    """Degrees of the structure tensor's main axis."""
    y, x = np.gradient(layer)
    return float(np.degrees(0.5 * np.arctan2(2 * (x * y).mean(), (x * x).mean() - (y * y).mean())))


def test_noise_stays_new_in_every_frame() -> None:
    for temporal in ("per_video", "drift"):
        one, other = frames(Plan("gaussian_noise", 3, temporal=temporal), range(2))
        assert (one != other).mean() > 0.5


@pytest.mark.parametrize("name", ["fog", "frost", "elastic_transform", "spatter", "motion_blur"])
def test_drift_changes_slowly_also_from_one_draw_to_the_next(name: str) -> None:
    soft = Plan(name, 4, temporal="drift")
    moving = frames(soft, range(PERIOD - 3, PERIOD + 4))
    jumps = [np.abs(a.astype(float) - b).mean() for a, b in zip(moving[1:], moving, strict=False)]
    fresh = frames(Plan(name, 4), range(6))
    flicker = np.mean(
        [np.abs(a.astype(float) - b).mean() for a, b in zip(fresh[1:], fresh, strict=False)]
    )
    assert max(jumps) < 0.6 * flicker
    middle, end = frames(soft, range(PERIOD // 2, PERIOD // 2 + 1)), frames(soft, range(1))
    assert (middle[0] != end[0]).any()


def test_drift_keeps_the_spread_of_its_layers() -> None:
    soft, black = Plan("spatter", 4, temporal="drift"), np.full((96, 96, 3), 200, np.uint8)
    covered = [(corrupted_frame(soft, "v", str(i), i, black) < 190).mean() for i in range(0, 60, 4)]
    assert min(covered) > 0.4 * max(covered)


def test_signatures_name_what_decides_a_byte(tmp_path: Path) -> None:
    assert Plan("motion_blur", 5).signature == "motion_blur:5@fast.1,per_frame,seed0"
    plan = Plan("fog", 2, "exact", "drift", -7)
    assert plan.signature == "fog:2@exact.1,drift,seed-7"
    own = Plan("frost", 1).signature
    assert own.endswith(",frost-own.1")
    from PIL import Image

    Image.fromarray(scene(80, 90)).save(tmp_path / "frost1.png")
    other = Plan("frost", 1, frost_dir=tmp_path)
    assert other.signature not in (own, "frost:1@fast.1,per_frame,seed0")
    assert (
        corrupted_frame(other, "v", "0", 0, FRAME)
        != corrupted_frame(Plan("frost", 1), "v", "0", 0, FRAME)
    ).any()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("fgo", 3), "did you mean 'fog'"),
        (("fog", 0), "from 1 to 5"),
        (("fog", 3, "fastest"), "unknown mode"),
        (("fog", 3, "fast", "per_vide"), "did you mean 'per_video'"),
        (("fog", 3, "fast", "drift", "1"), "wanted an integer"),
    ],
)
def test_impossible_plans_are_refused_at_once(arguments: tuple[object, ...], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Plan(*arguments)  # type: ignore[arg-type]


def test_words_of_the_command_line() -> None:
    assert parse("motion_blur:5") == (("motion_blur", 5),)
    assert parse("fog") == tuple(("fog", s) for s in range(1, 6))
    assert parse("fog:2-3, shot_noise:1,fog:2") == (("shot_noise", 1), ("fog", 2), ("fog", 3))
    assert len(parse("all")) == 19 * 5
    assert [n for n, _ in parse("all:3")] == list(CORRUPTIONS)
    assert {n for n, _ in parse("noise:1")} == {n for n in CORRUPTIONS if n.endswith("noise")}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("motion:5", "did you mean 'motion_blur'"),
        ("fog:0", "from 1 to 5"),
        ("fog:3-9", "from 1 to 5"),
        ("fog:4-2", "from 1 to 5"),
        ("fog:", "NAME:SEVERITY"),
        ("fog:strong", "NAME:SEVERITY"),
        ("", "unknown corruption ''"),
    ],
)
def test_wrong_words_are_told(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse(text)


def drawn_for_video(plan: Plan, number: int) -> Drawn:
    rng = generator(plan.mode, plan.seed, plan.name, plan.severity, "clip", "video", str(number))
    return draw(plan.name, plan.severity, (64, 96), rng)


@pytest.mark.parametrize("name", ["fog", "spatter", "elastic_transform"])
def test_a_drift_ends_at_the_next_draw(name: str) -> None:
    plan = Plan(name, 3, temporal="drift")
    first, second = drawn_for_video(plan, 0), drawn_for_video(plan, 1)
    for key, value in drifted(first, second, 1.0).items():
        np.testing.assert_allclose(value, second.values[key], atol=1e-4)


def test_frost_of_a_later_draw_lies_at_its_place_in_the_first_picture() -> None:
    plan, frame = Plan("frost", 3, temporal="drift"), np.full((64, 96, 3), 90, np.uint8)
    first, second = drawn_for_video(plan, 0), drawn_for_video(plan, 1)
    values = {"picture": first.values["picture"], "place": second.values["place"]}
    wanted = apply(frame, replace(first, values=values), np.random.default_rng(0))
    np.testing.assert_array_equal(corrupted_frame(plan, "clip", "f", PERIOD, frame), wanted)
