"""Track caches on the hub: a repository holds the files as they are."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from rvosbench.demo.dataset import open_demo
from rvosbench.tracks.cache import TrackCache
from rvosbench.tracks.cache_build import BuildOptions, build_tracks
from rvosbench.tracks.cache_file import TrackCacheError
from rvosbench.tracks.hub import pull_tracks, push_tracks

from .caches import CONFIG, VIDEOS, of


class Hub:
    """A repository in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.private: bool | None = None

    def create_repo(self, name: str, *, repo_type: str, private: bool, exist_ok: bool) -> None:
        assert (name, repo_type, exist_ok) == ("me/tracks", "dataset", True)
        self.private = private
        self.folder.mkdir(exist_ok=True)

    def upload_file(self, *, path_or_fileobj: bytes, path_in_repo: str, **_: object) -> None:
        (self.folder / path_in_repo).write_bytes(path_or_fileobj)

    def upload_folder(self, *, folder_path: str, allow_patterns: list[str], **_: object) -> None:
        for pattern in allow_patterns:
            for path in Path(folder_path).glob(pattern):
                shutil.copy(path, self.folder)

    def snapshot_download(self, name: str, *, local_dir: str, **_: object) -> None:
        if name != "me/tracks":
            raise OSError("404 not found")
        shutil.copytree(self.folder, local_dir)


def test_a_cache_goes_to_the_hub_and_back(tmp_path: Path) -> None:
    hub, cache, demo = Hub(tmp_path / "hub"), tmp_path / "cache", open_demo(None, "valid")
    build_tracks(demo, CONFIG, cache, BuildOptions(truth=True, videos=VIDEOS))
    assert push_tracks(cache, "me/tracks", api=hub).endswith("datasets/me/tracks")
    assert hub.private is True
    card = (tmp_path / "hub" / "README.md").read_text()
    assert "| points_per_side | 3 |" in card
    assert pull_tracks("me/tracks", tmp_path / "back", api=hub) == 2
    assert of(tmp_path / "back").provenance() == of(cache).provenance()
    assert TrackCache(tmp_path / "back").problems(demo, VIDEOS) == []
    with pytest.raises(TrackCacheError, match=r"downloaded from 'me/other'.*404"):
        pull_tracks("me/other", tmp_path / "other", api=hub)
