"""Building, reading, checking and sharing caches of the demo benchmark's first videos."""

from __future__ import annotations

import shutil
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rvosbench.config import configure, differences
from rvosbench.corruptions.plan import Plan
from rvosbench.datasets.corrupted import corrupted
from rvosbench.demo.dataset import MotionShapes, open_demo
from rvosbench.errors import ConfigurationError, NoGroundTruthError
from rvosbench.execution.executors.local import local
from rvosbench.models.sam2.tracker import Sam2
from rvosbench.records import Track
from rvosbench.tracks.cache import TrackCache
from rvosbench.tracks.cache_build import BuildOptions, build_tracks
from rvosbench.tracks.cache_file import TrackCacheError, read_header, read_tracks, write_tracks
from rvosbench.tracks.candidates import CandidateConfig, grounder_identity
from rvosbench.tracks.config import Compute, relevant
from rvosbench.tracks.header import Header
from rvosbench.tracks.recall import recall_of
from rvosbench.tracks.track_maker import TrackMaker

from .caches import CONFIG, PROMPTS, VIDEOS, of, rebuild


@pytest.fixture(scope="module")
def demo() -> MotionShapes:
    return open_demo(None, "valid")


@pytest.fixture(scope="module")
def cache(demo: MotionShapes, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cache")
    build_tracks(demo, CONFIG, folder, BuildOptions(truth=True, videos=VIDEOS))
    return folder


@pytest.fixture
def copy(cache: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(cache, tmp_path / "copy"))


def test_a_cache_gives_what_the_models_give(demo: MotionShapes, cache: Path) -> None:
    source, maker = of(cache), TrackMaker(CONFIG, "cpu")
    total = 0
    for video in VIDEOS:
        sample = demo.sample(video)
        cached, made = source.tracks(sample), maker.tracks(sample)
        total += len(made)
        assert [t.id for t in cached] == [t.id for t in made]
        for ours, theirs in zip(cached, made, strict=True):
            assert ours.masks == theirs.masks
            assert np.array_equal(ours.tokens, theirs.tokens)
    assert total > 0
    provenance = source.provenance()
    assert {k: provenance[k] for k in maker.provenance()} == maker.provenance()
    assert len(provenance["tracks"]) == 64


def test_truth_tracks_are_for_training_only(demo: MotionShapes, cache: Path) -> None:
    rows = TrackCache(cache).tracks(VIDEOS[0])
    truth = [t.id for t in rows if t.source == "truth"]
    assert truth == [f"truth-{name}" for name in demo.objects(VIDEOS[0])][: len(truth)]
    assert len(truth) >= 2
    assert {t.source for t in of(cache).tracks(demo.sample(VIDEOS[0]))} <= {"grid"}


def test_a_killed_build_is_taken_up_and_nothing_is_done_twice(
    demo: MotionShapes, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Sam2, "encode", None)  # nothing may be computed
    assert rebuild(demo, copy) == "=="
    assert rebuild(demo, copy, replace(CONFIG, compute=Compute(batch_size=1))) == "=="
    monkeypatch.undo()
    TrackCache(copy).path(VIDEOS[1]).unlink()
    assert rebuild(demo, copy) == "=+"


def test_files_of_several_machines_make_one_cache(
    demo: MotionShapes, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    merged = tmp_path / "merged"
    merged.mkdir()
    for path in TrackCache(cache).files():
        shutil.copy(path, merged)  # no stamps: only what the files say of themselves
    monkeypatch.setattr(Sam2, "encode", None)
    assert rebuild(demo, merged) == "=="
    assert TrackCache(merged).problems(demo, VIDEOS) == []
    assert of(merged).provenance() == of(cache).provenance()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"prompts": replace(PROMPTS, points_per_side=4)}, "points_per_side is 3, wanted 4"),
        ({"prompts": replace(PROMPTS, iou_filter=0.6)}, "iou_filter is 0.7, wanted 0.6"),
        ({"tracker": "facebook/sam2-hiera-large"}, r"tracker is demo \(sha256 .*, wanted facebook"),
        ({"grounder": "some/grounder"}, "no box tracks, wanted those of some/grounder"),
        ({"dtype": "bfloat16"}, "dtype is float32, wanted bfloat16"),
    ],
)
def test_a_cache_made_otherwise_is_refused_and_says_why(
    demo: MotionShapes, copy: Path, change: dict[str, Any], message: str
) -> None:
    config = replace(CONFIG, **change)
    with pytest.raises(TrackCacheError, match=f"{message}.*rvosbench tracks build"):
        of(copy, config)
    with pytest.raises(TrackCacheError, match=f"{message}.*--overwrite"):
        rebuild(demo, copy, config)
    assert of(copy).tracks(demo.sample(VIDEOS[0]))  # nothing was lost


def test_other_weights_in_the_same_place_are_other_weights(
    demo: MotionShapes, copy: Path, tmp_path: Path
) -> None:
    place = tmp_path / "sam2"
    place.mkdir()
    (place / "model.safetensors").write_bytes(b"others")
    with pytest.raises(TrackCacheError, match="tracker is demo"):
        of(copy, replace(CONFIG, tracker=str(place)))


def test_settings_of_boxes_do_not_matter_without_boxes(demo: MotionShapes, cache: Path) -> None:
    config = replace(CONFIG, prompts=replace(PROMPTS, box_interval=9))
    assert of(cache, config).tracks(demo.sample(VIDEOS[0]))


def test_overwriting_replaces_what_does_not_fit(demo: MotionShapes, copy: Path) -> None:
    config = replace(CONFIG, prompts=replace(PROMPTS, max_grid_tracks=1))
    assert rebuild(demo, copy, config, overwrite=True, videos=VIDEOS[:1]) == "+"
    assert TrackCache(copy).header(VIDEOS[0]).prompts["max_grid_tracks"] == 1
    with pytest.raises(TrackCacheError, match="max_grid_tracks"):
        of(copy)
    assert any("max_grid_tracks" in text for text in TrackCache(copy).problems())
    assert TrackCache(copy).summary()["recipe"]["max_grid_tracks"] == "mixed: 1, 3"


def test_corrupted_frames_are_other_frames(demo: MotionShapes, cache: Path, tmp_path: Path) -> None:
    foggy = corrupted(demo, Plan("fog", 3))
    with pytest.raises(TrackCacheError, match="other frames"):
        of(cache).tracks(foggy.sample(VIDEOS[0]))
    build_tracks(foggy, CONFIG, tmp_path / "fog", BuildOptions(videos=VIDEOS[:1]))
    header = TrackCache(tmp_path / "fog").header(VIDEOS[0])
    assert (header.corruption or "").startswith("fog:3@fast")
    of(tmp_path / "fog").tracks(foggy.sample(VIDEOS[0]))
    with pytest.raises(TrackCacheError, match=r"other frames \(fog:3"):
        of(tmp_path / "fog").tracks(demo.sample(VIDEOS[0]))


def test_a_video_that_is_not_there_is_named(demo: MotionShapes, cache: Path) -> None:
    with pytest.raises(TrackCacheError, match=r"no tracks of video 'valid-0002' \(it has 2"):
        of(cache).tracks(demo.sample("valid-0002"))
    with pytest.raises(TrackCacheError, match="no track cache here"):
        of(cache / "nowhere")


def test_workers_give_the_same_files(demo: MotionShapes, cache: Path, tmp_path: Path) -> None:
    options = BuildOptions(truth=True, videos=VIDEOS[1:])
    build_tracks(demo, CONFIG, tmp_path, options, local(2))
    ours, theirs = TrackCache(tmp_path).path(VIDEOS[1]), TrackCache(cache).path(VIDEOS[1])
    assert read_header(ours) == read_header(theirs)


def test_hidden_truth_gives_no_truth_tracks(
    demo: MotionShapes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hidden(*_: object) -> None:
        raise NoGroundTruthError("hidden")

    monkeypatch.setattr(MotionShapes, "objects", hidden)
    with pytest.raises(NoGroundTruthError):
        rebuild(demo, tmp_path)
    assert rebuild(demo, tmp_path, truth=False, videos=VIDEOS[:1]) == "+"


def test_a_video_without_sentences_gets_no_truth_tracks(
    demo: MotionShapes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent = replace(demo.sample(VIDEOS[0]), expressions=())
    monkeypatch.setattr(MotionShapes, "sample", lambda self, video: silent)
    assert rebuild(demo, tmp_path, videos=VIDEOS[:1]) == "+"
    assert {t.source for t in TrackCache(tmp_path).tracks(VIDEOS[0])} == {"grid"}


# Box tracks belong to expressions.


def with_boxes(cache: Path, demo: MotionShapes, pool: str, folder: Path) -> CandidateConfig:
    """The first video's cache as if a grounder had been there, without one."""
    sample, path = demo.sample(VIDEOS[0]), TrackCache(cache).path(VIDEOS[0])
    grounder = folder / "grounder"
    grounder.mkdir(parents=True)
    (grounder / "model.safetensors").write_bytes(b"grounder")
    prompts = replace(PROMPTS, candidate_pool=pool)  # type: ignore[arg-type]
    config = replace(CONFIG, grounder=str(grounder), prompts=prompts)

    header: Header = replace(
        read_header(path),
        grounder=grounder_identity(config),
        prompts=relevant(prompts, True),
        expressions={e.id: e.text for e in sample.expressions},
    )
    rows = [t for t in read_tracks(path) if t.source == "grid"]
    box: Track = replace(rows[0], id="b", source="box", candidates=frozenset({"0"}))
    write_tracks(TrackCache(folder).path(VIDEOS[0]), header, [*rows, box])
    return config


@pytest.mark.parametrize("pool", ["expression", "video"])
def test_box_tracks_are_of_their_sentences(
    demo: MotionShapes, cache: Path, tmp_path: Path, pool: str
) -> None:
    config = with_boxes(cache, demo, pool, tmp_path)
    sample = demo.sample(VIDEOS[0])
    tracks = of(tmp_path, config).tracks(sample)
    assert [t.source for t in tracks].count("box") == 1
    first = sample.expressions[0]
    changed = replace(sample, expressions=(replace(first, text="something else"),))
    with pytest.raises(TrackCacheError, match=r"other expressions.*something else"):
        of(tmp_path, config).tracks(changed)
    fewer = replace(sample, expressions=(first,))
    if pool == "video":
        with pytest.raises(TrackCacheError, match="other expressions"):
            of(tmp_path, config).tracks(fewer)
    else:
        assert len(of(tmp_path, config).tracks(fewer)) == len(tracks)


def test_grid_tracks_of_a_cache_with_boxes_serve_alone(
    demo: MotionShapes, cache: Path, tmp_path: Path
) -> None:
    with_boxes(cache, demo, "expression", tmp_path)
    sample = demo.sample(VIDEOS[0])
    tracks = of(tmp_path, CONFIG).tracks(replace(sample, expressions=()))
    assert {t.source for t in tracks} == {"grid"}
    assert [t.id for t in tracks] == [t.id for t in of(cache).tracks(sample)]


# Checking and looking.


def test_a_whole_cache_is_well_and_a_broken_row_is_found(demo: MotionShapes, copy: Path) -> None:
    assert TrackCache(copy).problems() == []
    assert TrackCache(copy).problems(demo, VIDEOS) == []
    assert TrackCache(copy).problems(demo, [*VIDEOS, "valid-0002"]) == [
        "no tracks of video 'valid-0002'"
    ]
    assert TrackCache(copy).problems(demo, [*VIDEOS, "x"]) == ["demo/valid has no video 'x'"]
    assert TrackCache(copy).problems(None, ["x"]) == ["no tracks of video 'x'"]
    path = TrackCache(copy).path(VIDEOS[0])
    content = bytearray(path.read_bytes())
    tokens = read_tracks(path)[0].tokens[0, :4].tobytes()
    content[content.index(tokens)] ^= 1
    path.write_bytes(content)
    assert any("valid-0000" in text for text in TrackCache(copy).problems())
    path.write_bytes(b"no")
    assert any("valid-0000" in text for text in TrackCache(copy).problems())


def test_a_broken_file_is_a_problem_with_a_dataset_too(demo: MotionShapes, copy: Path) -> None:
    TrackCache(copy).path(VIDEOS[0]).write_bytes(b"no")
    assert any("valid-0000" in text for text in TrackCache(copy).problems(demo, VIDEOS))


def test_files_of_older_tracker_code_are_stale(demo: MotionShapes, copy: Path) -> None:
    shutil.rmtree(copy / ".stamps")  # an older stamp fits nothing: the revision is part of it
    path = TrackCache(copy).path(VIDEOS[0])
    content = asdict(read_header(path))
    del content["revision"]
    assert Header.from_json(content).revision == 1
    write_tracks(path, Header.from_json(content), read_tracks(path))
    with pytest.raises(TrackCacheError, match="revision is 1, wanted 2"):
        of(copy)
    with pytest.raises(TrackCacheError, match="revision is 1, wanted 2"):
        rebuild(demo, copy)
    assert any("revision" in text for text in TrackCache(copy).problems())


def test_only_the_videos_of_a_run_decide_its_provenance(cache: Path, copy: Path) -> None:
    whole = of(cache).provenance()
    path = TrackCache(copy).path(VIDEOS[1])
    header = read_header(path)
    other = replace(header, made={**header.made, "device": "cuda"})
    write_tracks(path, other, read_tracks(path)[:1])
    assert of(copy).provenance(VIDEOS[:1]) == of(cache).provenance(VIDEOS[:1])
    assert of(copy).provenance(VIDEOS[:1])["tracks"] != whole["tracks"]
    mixed = of(copy).provenance()
    assert mixed["device"] == "mixed: cpu, cuda"
    assert mixed["dtype"] == whole["dtype"]


def test_other_frames_are_found(demo: MotionShapes, copy: Path) -> None:
    foggy = corrupted(demo, Plan("fog", 3))
    assert all("other frames" in text for text in TrackCache(copy).problems(foggy, VIDEOS))
    assert len(TrackCache(copy).problems(foggy, VIDEOS)) == 2


def test_a_summary_counts(cache: Path) -> None:
    summary = TrackCache(cache).summary()
    rows = [t for path in TrackCache(cache).files() for t in read_tracks(path)]
    assert summary["counts"]["videos"] == 2
    assert summary["counts"]["tracks"] == len(rows)
    assert summary["counts"]["truth tracks"] == sum(t.source == "truth" for t in rows)
    assert summary["counts"]["object tokens"] == sum(len(t.tokens) for t in rows)
    assert summary["recipe"]["points_per_side"] == 3


def test_recall_is_by_source(demo: MotionShapes, cache: Path) -> None:
    recall = {r.source: r for r in recall_of(TrackCache(cache), demo)}
    assert list(recall) == ["grid", "truth", "all"]
    assert recall["truth"].best_track > recall["grid"].best_track
    assert replace(recall["all"], source="grid") == recall["grid"]  # truth is not for inference
    for row in recall.values():
        assert 0 <= row.best_track <= row.best_union <= 1
        assert row.expressions > 0


# Backends.


def test_a_cache_of_another_backend_is_refused(demo: MotionShapes, copy: Path) -> None:
    """Left out of the file, it is transformers: caches from before there was a choice."""
    config = replace(CONFIG, backend="original")
    with pytest.raises(TrackCacheError, match="backend is transformers, wanted original"):
        of(copy, config)
    with pytest.raises(TrackCacheError, match="backend is transformers, wanted original"):
        rebuild(demo, copy, config)
    for path in TrackCache(copy).files():
        header = read_header(path)
        made = {**header.made, "backend": "original"}
        write_tracks(path, replace(header, made=made), read_tracks(path))
    assert of(copy, config).provenance()["backend"] == "original"
    with pytest.raises(TrackCacheError, match="backend is original, wanted transformers"):
        of(copy)


def test_an_unknown_backend_is_a_wrong_setting() -> None:
    with pytest.raises(ConfigurationError, match=r"backend 'orginal' \(did you mean 'original'"):
        configure(CONFIG, {"backend": "orginal"})
    assert differences(configure(CandidateConfig(), {"backend": "original"})) == {
        "backend": "original"
    }
