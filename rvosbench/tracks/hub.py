"""Track caches on the Hugging Face hub: a dataset repository that holds the files as they are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rvosbench.errors import first_line
from rvosbench.tracks.cache import SUFFIX, TEXTS, TrackCache
from rvosbench.tracks.cache_file import TrackCacheError
from rvosbench.tracks.header import Header

PATTERNS = [f"*{SUFFIX}", f"{TEXTS}/*{SUFFIX}"]
"""What belongs to a cache."""


def push_tracks(folder: Path, repository: str, private: bool = True, api: Any = None) -> str:  # noqa: ANN401 - HfApi
    """Upload a cache; files that are there already are not sent again.

    Args:
        folder: the cache.
        repository: `owner/name`; made if it does not exist. Its address is returned.
        private: whether a new repository is.
        api: a `huggingface_hub.HfApi`; None is a plain one with the user's token.

    Raises:
        TrackCacheError: no cache there, or the hub refuses.
    """
    headers = TrackCache(folder).headers()
    place, text = {"repo_id": repository, "repo_type": "dataset"}, card(headers[0], len(headers))
    with _hub(api, f"uploaded to {repository!r}") as hub:
        hub.create_repo(repository, repo_type="dataset", private=private, exist_ok=True)
        hub.upload_file(path_or_fileobj=text.encode("utf-8"), path_in_repo="README.md", **place)
        hub.upload_folder(folder_path=str(folder), allow_patterns=PATTERNS, **place)
    return f"https://huggingface.co/datasets/{repository}"


def pull_tracks(repository: str, folder: Path, revision: str | None = None, api: Any = None) -> int:  # noqa: ANN401 - HfApi
    """Download a cache, or what is missing of it; returns the number of videos.

    Args:
        repository: `owner/name` on the hub.
        folder: where the files go; made if it does not exist.
        revision: branch, tag or commit; None is the newest.
        api: a `huggingface_hub.HfApi`; None is a plain one.

    Raises:
        TrackCacheError: not available, or not a track cache.
    """
    place = {"repo_type": "dataset", "local_dir": str(folder)}
    with _hub(api, f"downloaded from {repository!r}") as hub:
        hub.snapshot_download(repository, revision=revision, allow_patterns=PATTERNS, **place)
    return len(TrackCache(folder).headers())


def card(header: Header, count: int) -> str:
    """The README of a repository: what the viewer shows, and how the tracks were made."""
    grounder = header.grounder.name if header.grounder else "none"
    settings = "\n".join(f"| {k} | {v} |" for k, v in sorted(header.prompts.items()))
    return f"""---
configs:
- config_name: tracks
  data_files: "*.parquet"
tags:
- rvosbench
---
# Candidate mask tracks for referring video object segmentation

{count} videos, one Parquet file each, a row a track: object tokens, masks as COCO run lengths,
prompts. Made by `rvosbench tracks build`; fetch with `rvosbench tracks pull`.

| setting | value |
|---|---|
| tracker | {header.tracker.name} |
| grounder | {grounder} |
| corruption | {header.corruption or "none"} |
{settings}
"""


@contextmanager
def _hub(api: Any, task: str) -> Iterator[Any]:  # noqa: ANN401 - HfApi
    from huggingface_hub import HfApi

    try:
        yield api or HfApi()
    except Exception as error:  # the hub client raises many kinds
        raise TrackCacheError(
            f"the cache cannot be {task} ({first_line(error)}). Is the name owner/name, and are "
            "you logged in (`hf auth login`)?"
        ) from error
