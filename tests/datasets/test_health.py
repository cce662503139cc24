from __future__ import annotations

from pathlib import Path

import pytest

from rvosbench.datasets.folder import open_folder
from rvosbench.datasets.health import statistics
from rvosbench.datasets.mevis import open_mevis
from rvosbench.datasets.ref_davis17 import open_ref_davis17
from rvosbench.datasets.ref_youtube_vos import open_ref_youtube_vos

from ..toys import ToyDataset
from . import toys


def test_counts_of_a_split(tmp_path: Path) -> None:
    root = toys.write_mevis(tmp_path)
    (root / "valid_u" / "JPEGImages").rename(root / "no frame is decoded")
    found = statistics(open_mevis(root, "valid_u"))
    assert (found["videos"], found["expressions"], found["objects"], found["frames"]) == (
        2,
        4,
        3,
        6,
    )
    assert found["frames_per_video"] == {"minimum": 3, "mean": 3.0, "maximum": 3}
    assert found["words_per_expression"] == {"minimum": 1, "mean": 1.75, "maximum": 2}
    assert found["targets_per_expression"] == {0: 1, 1: 2, 2: 1}
    assert not found["hidden"]


def test_groups_and_tags(tmp_path: Path) -> None:
    davis = statistics(open_ref_davis17(toys.write_davis(tmp_path / "davis"), "valid"))
    assert davis["groups"] == {"0": 3, "1": 3, "2": 3, "3": 3}
    assert davis["objects"] == 3
    folder = statistics(open_folder(toys.write_folder(tmp_path / "folder"), "all"))
    assert folder["tags"] == {"static": 1}


@pytest.mark.parametrize("hidden", [False, True])
def test_a_strangers_dataset_is_asked_for_its_truth(hidden: bool) -> None:
    found = statistics(ToyDataset(hidden=hidden))
    assert found["videos"] == 3
    assert found["hidden"] == hidden
    if hidden:
        assert found["objects"] is None
        assert found["targets_per_expression"] is None
    else:
        assert found["objects"] == 6
        assert found["targets_per_expression"] == {0: 3, 1: 6, 2: 3}


def test_the_real_hidden_file(shared_data: Path) -> None:
    found = statistics(open_ref_youtube_vos(shared_data / "ref-youtube-vos", "valid-507"))
    assert (found["videos"], found["expressions"], found["frames"]) == (507, 2096, 13710)
    assert found["hidden"]
    assert found["frames_per_video"]["minimum"] == 4
