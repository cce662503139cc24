"""Which videos: asked once, without opening more than it takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from rvosbench.cli.options import parse_videos
from rvosbench.contracts import Dataset
from rvosbench.corruptions.plan import Plan
from rvosbench.datasets.capabilities import (
    check_videos,
    corruption_of,
    details,
    frame_folders,
    problems,
    referents,
    video_ids,
)
from rvosbench.datasets.choice import DatasetChoice
from rvosbench.datasets.corrupted import corrupted
from rvosbench.demo import dataset as demo
from rvosbench.errors import DatasetError, UsageError
from rvosbench.records import Sample
from tests.toys import ToyDataset

PLAN = Plan("contrast", 3)


@dataclass(frozen=True)
class Counted(ToyDataset):
    """Says which videos were opened, and cannot list them."""

    opened: list[str] = field(default_factory=list)

    def sample(self, video_id: str) -> Sample:
        self.opened.append(video_id)
        return super().sample(video_id)


@dataclass(frozen=True)
class Listing(Counted):
    """Can list its videos."""

    def video_ids(self) -> list[str]:
        return list(self.videos)


@pytest.fixture
def drawn() -> Callable[[], int]:
    """How many of the demo's videos were drawn."""
    for cached in (demo._clip, demo._expressions):
        cached.cache_clear()
    return lambda: demo._clip.cache_info().misses


@pytest.mark.parametrize(
    ("text", "ids"),
    [(None, None), ("a", ("a",)), ("a, b", ("a", "b")), (" b,a,b ", ("b", "a"))],
)
def test_videos_are_read_once_with_blanks_and_repetitions(
    text: str | None, ids: tuple[str, ...] | None
) -> None:
    assert parse_videos(text) == ids


@pytest.mark.parametrize("text", ["", " ", ",", "a,,b", "a,"])
def test_an_empty_id_is_refused_and_never_means_all(text: str) -> None:
    with pytest.raises(UsageError, match=r"an empty video id; wanted ids with commas"):
        parse_videos(text)


def test_choosing_videos_of_a_large_split_draws_none(drawn: Callable[[], int]) -> None:
    chosen = DatasetChoice("demo", "train", videos=("train-1999", "train-0007"))
    assert chosen.video_ids == chosen.restriction == ["train-1999", "train-0007"]
    assert DatasetChoice("demo", "train", limit=2).video_ids == ["train-0000", "train-0001"]
    whole = DatasetChoice("demo", "train")
    assert len(whole.video_ids) == len(whole.dataset) == 2000
    assert whole.restriction is None
    assert drawn() == 0
    chosen.dataset.sample("train-0007")
    assert drawn() == 1


def test_a_limit_counts_the_videos_that_were_asked_for() -> None:
    chosen = DatasetChoice("demo", "test", videos=("test-0003", "test-0001"), limit=1)
    assert chosen.restriction == ["test-0003"]
    assert DatasetChoice("demo", "test", limit=100).restriction == video_ids(chosen.dataset)


def test_an_unknown_video_names_the_near_one() -> None:
    with pytest.raises(UsageError, match=r"demo/valid has no video 'valid-24' \(did you mean"):
        _ = DatasetChoice("demo", "valid", videos=("valid-0001", "valid-24")).video_ids


def test_the_choice_opens_a_corrupted_dataset_and_lists_it_as_cheaply(
    drawn: Callable[[], int],
) -> None:
    chosen = DatasetChoice("demo", "train", corruption=PLAN, limit=1)
    assert corruption_of(chosen.dataset) == PLAN.signature
    assert chosen.video_ids == ["train-0000"]
    assert drawn() == 0


def test_a_dataset_that_cannot_list_opens_what_is_asked_for_and_no_more() -> None:
    dataset = Counted()
    assert video_ids(dataset, 2) == ["a", "b/c"]
    assert dataset.opened == ["a", "b/c"]
    dataset.opened.clear()
    check_videos(dataset, ["d"])
    assert dataset.opened == ["d"]
    with pytest.raises(UsageError, match=r"toy/valid has no video 'x' \(3 videos\)"):
        check_videos(dataset, ["d", "x"])
    listing = Listing()
    assert video_ids(listing, 2) == ["a", "b/c"]
    check_videos(listing, ["d"])
    assert not listing.opened


def test_what_a_dataset_does_not_tell_has_a_fallback() -> None:
    dataset = ToyDataset()
    assert corruption_of(dataset) is None
    assert problems(dataset, "a") == []
    assert details(dataset) == []
    assert frame_folders(dataset) is None
    assert referents(dataset, "a") == {
        "0": ("left",),
        "1": ("right",),
        "2": ("left", "right"),
        "3": (),
    }
    assert referents(ToyDataset(hidden=True), "a") is None
    with pytest.raises(DatasetError, match="no video 'x'"):
        referents(dataset, "x")


def test_a_corrupted_dataset_tells_all_that_the_clean_one_tells() -> None:
    clean = demo.open_demo(None, "test")
    noisy = corrupted(clean, PLAN)
    assert isinstance(noisy, Dataset)
    assert video_ids(noisy) == video_ids(clean)
    assert referents(noisy, "test-0001") == referents(clean, "test-0001")
    assert problems(noisy, "test-0001") == problems(clean, "test-0001")
    assert noisy.details == clean.details
    plain = corrupted(ToyDataset(), PLAN)
    assert problems(plain, "a") == []
    assert details(plain) == []


def test_the_folder_of_clean_frames_is_not_that_of_corrupted_ones(tmp_path: Path) -> None:
    @dataclass(frozen=True)
    class OnDisk(ToyDataset):
        frames: Path = tmp_path

    assert frame_folders(OnDisk()) == tmp_path
    assert frame_folders(corrupted(OnDisk(), PLAN)) is None
