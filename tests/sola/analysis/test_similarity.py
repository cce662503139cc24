"""Token similarity over mask mIoU, on tracks whose answer is known."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Sequence
from dataclasses import asdict, replace
from importlib.metadata import entry_points
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from typer.testing import CliRunner

from rvosbench.datasets import load_dataset
from rvosbench.errors import UsageError
from rvosbench.masks import MaskSequence
from rvosbench.models.weights import ModelIdentity
from rvosbench.plugins import COMMANDS
from rvosbench.records import Track
from rvosbench.tracks.cache_file import TrackCacheError, write_tracks
from rvosbench.tracks.header import Header, frames_hash
from sola.analysis.similarity import (
    Curve,
    Pairs,
    Sampling,
    cache_files,
    choose_pairs,
    compare,
    compare_cache,
    curve_of,
    to_csv,
)
from sola.analysis.similarity_plot import MAIN, draw, write_similarity
from sola.cli.app import app

WIDTH, LENGTH = 40, 3


def track(name: str, masks: NDArray[np.bool_], tokens: Sequence[Sequence[float]]) -> Track:
    return Track(
        id=name,
        masks=MaskSequence.from_arrays(masks),
        score=1.0,
        tokens=np.array(tokens, np.float32),
        source="truth" if name == "truth" else "grid",
        prompt_frame=0,
    )


def bar(first: int, last: int, frames: int = 1) -> NDArray[np.bool_]:
    masks = np.zeros((frames, 4, WIDTH), bool)
    masks[..., first:last] = True
    return masks


def turned(angle: float) -> list[float]:
    return [math.cos(angle), math.sin(angle)]


def fan() -> list[Track]:
    """Bars that slide off the first one, their tokens turning with their IoU: 1 - IoU radians."""
    tracks = []
    for shift in range(0, 20, 2):
        iou = (20 - shift) / (20 + shift)
        tokens = [turned(1 - iou)] * LENGTH
        tracks.append(track(str(shift), bar(shift, shift + 20, LENGTH), tokens))
    return tracks


def header_of(video: str, frames: str = "f") -> Header:
    model = ModelIdentity("toy", "0" * 64)
    return Header(video, frames, model, None, {}, None, False, None, {"dtype": "float32"})


def cache(folder: Path, **videos: Sequence[Track]) -> Path:
    for name, tracks in videos.items():
        write_tracks(folder / f"{name}.parquet", header_of(name), tracks)
    return folder


def with_first(count: int) -> NDArray[np.int64]:
    return np.array([[0, i] for i in range(1, count)])


def test_a_known_relation_comes_back_exactly() -> None:
    tracks = fan()
    pairs = compare(tracks, with_first(len(tracks)))
    expected = np.array([(20 - s) / (20 + s) for s in range(2, 20, 2)])
    assert pairs.miou == pytest.approx(expected)
    assert pairs.similarity == pytest.approx(np.cos(1 - expected), abs=1e-6)
    curve = curve_of(pairs, 5)
    means = [b.mean for b in curve.bins if b.mean is not None]
    assert means == sorted(means)
    assert curve.spearman == pytest.approx(1)
    assert curve.pearson is not None
    assert 0.9 < curve.pearson < 1


def test_both_are_means_over_frames() -> None:
    first = track("a", np.concatenate([bar(0, 20), bar(0, 20)]), [turned(0), turned(0)])
    other = track("b", np.concatenate([bar(0, 10), bar(0, 20)]), [turned(1.0), turned(0.2)])
    pairs = compare([first, other], with_first(2))
    assert pairs.miou == pytest.approx([(0.5 + 1) / 2])
    assert pairs.similarity == pytest.approx([(math.cos(1.0) + math.cos(0.2)) / 2])


def test_frames_where_both_are_empty_do_not_count_and_those_where_one_is_do() -> None:
    nothing = np.zeros((1, 4, WIDTH), bool)
    first = track("a", np.concatenate([bar(0, 20), nothing, nothing]), [turned(0)] * 3)
    other = track("b", np.concatenate([bar(0, 20), bar(0, 9), nothing]), [turned(0.6)] * 3)
    pairs = compare([first, other], with_first(2))
    assert pairs.miou == pytest.approx([1 / 2])
    assert pairs.similarity == pytest.approx([math.cos(0.6)])


def test_tracks_that_are_never_visible_and_tokens_of_no_length_give_no_nan() -> None:
    nothing = np.zeros((LENGTH, 4, WIDTH), bool)
    tracks = [
        track("a", nothing, [turned(0)] * LENGTH),
        track("b", nothing, [turned(1)] * LENGTH),
        track("c", bar(0, 9, LENGTH), [[0.0, 0.0]] * LENGTH),
    ]
    pairs = compare(tracks, choose_pairs(3, "v", Sampling()))
    assert pairs.left_out == 1
    assert pairs.miou.tolist() == [0, 0]
    assert pairs.similarity.tolist() == [0, 0]
    curve = curve_of(pairs)
    assert curve.pearson is curve.spearman is None
    assert "nan" not in to_csv(curve)


def test_pairs_are_drawn_reproducibly_and_only_where_there_are_too_many() -> None:
    few = Sampling(pairs_per_video=7, seed=3)
    drawn = choose_pairs(10, "v", few)
    assert len({tuple(pair) for pair in drawn.tolist()}) == 7
    assert (drawn[:, 0] < drawn[:, 1]).all()
    assert np.array_equal(drawn, choose_pairs(10, "v", few))
    assert not np.array_equal(drawn, choose_pairs(10, "w", few))
    assert not np.array_equal(drawn, choose_pairs(10, "v", replace(few, seed=4)))
    assert len(choose_pairs(4, "v", few)) == 6
    assert choose_pairs(1, "v", few).shape == choose_pairs(0, "v", few).shape == (0, 2)


def test_bins_hold_every_pair_once_with_its_mean_and_variance() -> None:
    pairs = Pairs(np.array([0.0, 0.24, 0.25, 0.99, 1.0]), np.array([0.1, 0.3, 0.5, 0.7, 0.9]), 2)
    curve = curve_of(pairs, 4)
    assert [b.pairs for b in curve.bins] == [2, 1, 0, 2]
    first, _, none, last = curve.bins
    assert (first.mean, first.variance) == pytest.approx((0.2, 0.01))
    assert (last.miou, last.mean) == pytest.approx((0.995, 0.8))
    assert none.mean is none.variance is none.miou is None
    assert (curve.pairs, curve.left_out) == (5, 2)
    rows = list(csv.DictReader(to_csv(curve).splitlines()))
    assert [row["pairs"] for row in rows] == ["2", "1", "0", "2"]
    assert float(rows[0]["std"]) == pytest.approx(0.1)
    assert rows[2]["mean"] == ""


@pytest.mark.parametrize("bins", [0, -1, 1001])
def test_a_wrong_number_of_bins_is_an_error(bins: int) -> None:
    with pytest.raises(UsageError, match="wanted 1 to 1000"):
        curve_of(Pairs.joined([]), bins)


def test_sources_can_be_chosen_and_unknown_ones_are_an_error(tmp_path: Path) -> None:
    tracks = [*fan()[:3], track("truth", bar(0, 20, LENGTH), [turned(0)] * LENGTH)]
    files = sorted(cache(tmp_path, v=tracks).glob("*.parquet"))
    assert len(compare_cache(files, Sampling()).miou) == 6
    assert len(compare_cache(files, Sampling(sources=("grid",))).miou) == 3
    with pytest.raises(UsageError, match="unknown source of tracks boxes"):
        Sampling(sources=("boxes",))


def test_pairs_are_of_one_video_and_videos_of_one_track_give_none(tmp_path: Path) -> None:
    tracks = fan()
    files = sorted(cache(tmp_path, a=tracks[:2], b=tracks[2:4], c=tracks[:1], d=[]).glob("*"))
    seen: list[str] = []
    assert len(compare_cache(files, Sampling(), seen.append).miou) == 2
    assert seen == ["a", "b", "c", "d"]


def test_tracks_of_different_lengths_are_named(tmp_path: Path) -> None:
    short = track("s", bar(0, 20), [turned(0)])
    files = list(cache(tmp_path, v=[fan()[0], short]).glob("*"))
    with pytest.raises(TrackCacheError, match=r"v\.parquet: tracks of different lengths"):
        compare_cache(files, Sampling())


def test_the_png_shows_line_and_band_and_the_svg_the_words(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    miou = rng.random(400)
    png, svg, _ = write_similarity(
        tmp_path, curve_of(Pairs(miou, miou * 0.8 + rng.normal(0, 0.05, 400))), "A & B"
    )
    colours = {colour for _, colour in Image.open(png).convert("RGB").getcolors(1 << 20) or []}
    assert colours >= {(0x00, 0x72, 0xB2), (0xCF, 0xE3, 0xF1), (0x9A, 0x9A, 0x9A)}
    text = svg.read_text(encoding="utf-8")
    for words in ("A &amp; B", "cosine similarity", "mIoU of the two", "400 pairs", "Pearson r"):
        assert words in text


@pytest.mark.parametrize(
    "pairs",
    [
        Pairs.joined([]),
        Pairs(np.array([0.5]), np.array([0.5])),
        Pairs(np.array([0.0, 1.0]), np.array([-1.0, 1.0])),
        Pairs(np.full(9, 0.3), np.full(9, 1.0)),
    ],
    ids=["none", "one", "extremes", "all alike"],
)
def test_any_pairs_can_be_drawn_inside_the_page(pairs: Pairs) -> None:
    drawing = draw(curve_of(pairs, 4), "t")
    for shape in drawing.shapes:
        for x, y in shape.points if hasattr(shape, "points") else (shape.at,):
            assert 0 <= x <= drawing.size[0]
            assert 0 <= y <= drawing.size[1]
    assert MAIN[1] < drawing.size[1]


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["analyze", "similarity", *arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout


def test_the_command_writes_three_files_and_prints_json(tmp_path: Path) -> None:
    tracks = str(cache(tmp_path / "cache", a=fan(), b=fan()[:1]))
    out = tmp_path / "out"
    code, text = run("--tracks", tracks, "--out", str(out), "--bins", "10", "--json")
    found = json.loads(text)
    assert code == 0
    assert (found["videos"], found["pairs"], len(found["bins"])) == (2, 45, 10)
    assert sorted(p.name for p in out.iterdir()) == [
        f"similarity.{s}" for s in ("csv", "png", "svg")
    ]
    assert [Path(p).parent for p in found["written"]] == [out] * 3
    again = json.loads(run("--tracks", tracks, "--out", str(out), "--bins", "10", "--json")[1])
    assert again == found


def test_the_command_prints_the_curve_for_people(tmp_path: Path) -> None:
    tracks = str(cache(tmp_path / "cache", a=fan()))
    code, text = run("--tracks", tracks, "--out", str(tmp_path / "out"), "--bins", "2")
    assert code == 0
    assert "0.50 - 1.00" in text


def test_a_cache_without_pairs_gives_an_empty_figure(tmp_path: Path) -> None:
    tracks = str(cache(tmp_path / "cache", a=fan()[:1]))
    code, text = run("--tracks", tracks, "--out", str(tmp_path / "out"), "--json")
    assert (code, json.loads(text)["pairs"], json.loads(text)["pearson"]) == (0, 0, None)


def test_no_cache_or_one_of_another_dataset_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(TrackCacheError, match="no track cache here"):
        run("--tracks", str(tmp_path))
    tracks = str(cache(tmp_path / "cache", a=fan()))
    with pytest.raises(TrackCacheError, match="is in demo/valid: name the dataset and split"):
        run("--tracks", tracks, "--dataset", "demo", "--split", "valid")


def test_a_curve_is_json(tmp_path: Path) -> None:
    curve: Curve = curve_of(compare(fan(), with_first(10)), 3)
    assert json.loads(json.dumps(asdict(curve)))["bins"][2]["pairs"] == curve.bins[2].pairs


def test_only_the_videos_of_the_split_are_compared_and_their_frames_checked(tmp_path: Path) -> None:
    folder = cache(tmp_path, elsewhere=fan())
    sample = load_dataset("demo", None, "valid").sample("valid-0001")
    path = folder / "valid-0001.parquet"
    write_tracks(path, header_of("valid-0001", frames_hash(sample.video)), fan())
    assert cache_files(folder, "demo", "valid", None)[0] == [path]
    assert len(cache_files(folder, None, None, None)[0]) == 2
    write_tracks(path, header_of("valid-0001", "other"), fan())
    with pytest.raises(TrackCacheError, match="are of other frames"):
        cache_files(folder, "demo", "valid", None)


def test_the_commands_are_mounted_under_rvosbench_sola() -> None:
    (entry,) = (e for e in entry_points(group=COMMANDS) if e.name == "sola")
    commands = entry.load()
    shown = CliRunner().invoke(commands, ["analyze", "--help"])
    assert shown.exit_code == 0
    assert "similarity" in shown.stdout
    assert "probe" in shown.stdout
