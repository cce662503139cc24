"""What was built stays valid only while all that decided it stays."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load_file, save_file

from rvosbench.contracts import Dataset
from rvosbench.corruptions.plan import Plan
from rvosbench.datasets.corrupted import corrupted
from rvosbench.datasets.frames import video as frame_video
from rvosbench.demo.dataset import open_demo
from rvosbench.errors import NoGroundTruthError, UsageError
from rvosbench.files.atomic import write_json
from rvosbench.masks import MaskSequence
from rvosbench.models.sam2.tracker import Sam2
from rvosbench.models.weights import TRACKER, embedded
from rvosbench.records import Expression, Sample, Target
from rvosbench.tracks.cache import TrackCache
from rvosbench.tracks.cache_build import BuildOptions, build_tracks
from rvosbench.tracks.cache_file import TrackCacheError
from rvosbench.tracks.candidates import CandidateConfig, wanted_header
from rvosbench.tracks.header import frame_fingerprint

from .caches import CONFIG, PROMPTS, VIDEOS, of, rebuild


@dataclass(frozen=True)
class OnDisk:
    """A dataset of one video whose frames are files."""

    folder: Path
    texts: Mapping[str, str] = field(default_factory=lambda: {"0": "a box"})
    name: str = "ondisk"
    split: str = "valid"
    fingerprint: str = "1"
    protocols: tuple[str, ...] = ("mevis",)

    def __len__(self) -> int:
        return 1

    def __iter__(self) -> Iterator[Sample]:
        yield self.sample("v")

    def sample(self, video_id: str) -> Sample:
        names = tuple(sorted(p.stem for p in self.folder.iterdir()))
        expressions = tuple(Expression(i, t) for i, t in self.texts.items())
        return Sample(frame_video("toy", video_id, self.folder, names), expressions)

    def target(self, video_id: str, expression_id: str) -> Target:
        raise NoGroundTruthError("hidden")

    def objects(self, video_id: str) -> Mapping[str, MaskSequence]:
        raise NoGroundTruthError("hidden")


@pytest.fixture
def on_disk(tmp_path: Path) -> OnDisk:
    """Twelve frames of noise: more than files of format 1 looked at."""
    rng, folder = np.random.default_rng(3), tmp_path / "frames"
    folder.mkdir()
    for i in range(12):
        frame = rng.integers(0, 255, (36, 48, 3), np.uint8)
        Image.fromarray(frame).save(folder / f"{i:05d}.png")
    return OnDisk(folder)


def build(dataset: Dataset, folder: Path, config: CandidateConfig = CONFIG, **more: object) -> str:
    """What was made (+) and what was there (=)."""
    return rebuild(dataset, folder, config, truth=False, videos=None, **more)


def test_a_replaced_frame_has_its_tracks_made_again(on_disk: OnDisk, tmp_path: Path) -> None:
    out = tmp_path / "cache"
    assert build(on_disk, out) == "+"
    before = TrackCache(out).header("v")
    assert build(on_disk, out) == "="
    path = on_disk.folder / "00004.png"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1  # neither name nor size changes
    path.write_bytes(content)
    with pytest.raises(TrackCacheError, match="other frames"):
        of(out).tracks(on_disk.sample("v"))
    with pytest.raises(TrackCacheError, match=r"frames is .*, wanted .*--overwrite"):
        build(on_disk, out)
    assert build(on_disk, out, overwrite=True) == "+"
    assert TrackCache(out).header("v").frames != before.frames
    of(out).tracks(on_disk.sample("v"))


def test_other_weights_in_the_same_place_have_tracks_made_again(
    on_disk: OnDisk, tmp_path: Path
) -> None:
    out, weights = tmp_path / "cache", tmp_path / "sam2"
    shutil.copytree(embedded("demo", TRACKER), weights)
    config = replace(CONFIG, tracker=str(weights))
    assert build(on_disk, out, config) == "+"
    assert build(on_disk, out) == "="  # the same weights elsewhere
    weights_file = weights / "model.safetensors"
    tensors = load_file(weights_file)
    name = next(iter(tensors))
    save_file({**tensors, name: tensors[name] + 1}, weights_file)
    with pytest.raises(TrackCacheError, match=r"tracker is .*sha256 .*, wanted sam2 .sha256"):
        build(on_disk, out, config)
    with pytest.raises(TrackCacheError, match=r"tracker is .*sha256 .*, wanted sam2 .sha256"):
        of(out, config)


def test_another_corruption_is_another_cache(on_disk: OnDisk, tmp_path: Path) -> None:
    out = tmp_path / "cache"
    assert build(corrupted(on_disk, Plan("contrast", 1)), out) == "+"
    with pytest.raises(TrackCacheError, match=r"corruption is contrast:1@.*, wanted contrast:2@"):
        build(corrupted(on_disk, Plan("contrast", 2)), out)
    with pytest.raises(TrackCacheError, match=r"corruption is contrast:1@.*, wanted none"):
        build(on_disk, out)


def test_edited_expressions_matter_where_there_are_boxes(on_disk: OnDisk, tmp_path: Path) -> None:
    out, edited = tmp_path / "cache", replace(on_disk, texts={"0": "another box"})
    assert build(on_disk, out) == "+"
    assert build(edited, out) == "="
    cache, config = TrackCache(out), replace(CONFIG, grounder="some/grounder")
    header = replace(
        wanted_header(config),
        video="v",
        frames=cache.header("v").frames,
        made=cache.header("v").made,
        expressions=on_disk.texts,
    )
    cache.write(header, cache.tracks("v"))
    assert build(on_disk, out, config) == "="
    with pytest.raises(TrackCacheError, match=r"expressions.0 is a box, wanted another box"):
        build(edited, out, config)


def test_tracks_made_anew_have_another_provenance(tmp_path: Path) -> None:
    video, cache = VIDEOS[0], TrackCache(tmp_path)
    build_tracks(open_demo(None, "valid"), CONFIG, tmp_path, BuildOptions(videos=[video]))
    before = of(tmp_path).provenance()
    assert before["tracks"] == cache.content([video])
    assert cache.tracks(video)
    cache.write(cache.header(video), cache.tracks(video)[:-1])
    assert of(tmp_path).provenance()["tracks"] == cache.content([video]) != before["tracks"]


def test_files_of_format_1_are_taken_over_as_they_are(
    on_disk: OnDisk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They cost days: what they say of the frames is compared as it was when they were made."""
    out = tmp_path / "cache"
    build(on_disk, out)
    cache, video = TrackCache(out), on_disk.sample("v").video
    old = replace(cache.header("v"), frames=frame_fingerprint(video), format=1)
    cache.write(old, cache.tracks("v"))
    shutil.rmtree(out / ".stamps")
    content = cache.path("v").read_bytes()
    monkeypatch.setattr(Sam2, "encode", None)  # nothing may be computed
    assert build(on_disk, out) == "="
    assert cache.path("v").read_bytes() == content
    of(out).tracks(on_disk.sample("v"))
    assert cache.problems(on_disk) == []


def test_parts_of_one_cache_are_made_side_by_side_and_others_wait(
    on_disk: OnDisk, tmp_path: Path
) -> None:
    out = tmp_path / "cache"
    build(on_disk, tmp_path / "like")
    share = TrackCache(tmp_path / "like").header("v").shared.digest
    claim = {"host": "elsewhere", "process": 1, "started": "1", "since": "x", "share": share}
    write_json(out / ".claims" / "elsewhere-1-1.json", claim)
    with pytest.raises(UsageError, match="process 1 of elsewhere works here"):
        build(on_disk, out, replace(CONFIG, prompts=replace(PROMPTS, iou_filter=0.6)))
    assert build(on_disk, out) == "+"
    assert build(on_disk, out) == "="
