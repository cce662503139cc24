"""Reading a track cache as a method's source of tracks, if it fits what the method asks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rvosbench.files.names import file_name
from rvosbench.models.backends import TRANSFORMERS
from rvosbench.models.weights import ModelIdentity
from rvosbench.recipe import digest
from rvosbench.records import Json, Sample, Track
from rvosbench.tracks.cache import (
    TRACKER_REVISION,
    Header,
    TrackCacheError,
    read_header,
    read_tracks,
)
from rvosbench.tracks.config import TrackConfig
from rvosbench.tracks.identity import differing, frame_fingerprint, relevant

if TYPE_CHECKING:
    from rvosbench.tracks.maker import CandidateConfig

SUFFIX = ".parquet"


def track_files(folder: Path) -> list[Path]:
    """The files of a cache, sorted by name.

    Raises:
        TrackCacheError: there is none.
    """
    files = sorted(p for p in folder.glob(f"*{SUFFIX}") if not p.name.startswith("."))
    if not files:
        raise TrackCacheError(
            f"{folder}: no track cache here (no *{SUFFIX} files). {_how_to_build(folder)}"
        )
    return files


def track_file(folder: Path, video: str) -> Path:
    """Where the tracks of a video lie."""
    return folder / (file_name(video) + SUFFIX)


@dataclass(frozen=True)
class Wanted:
    """What cached tracks must have been made with.

    Attributes:
        tracker: the SAM2.
        grounder: the GroundingDINO, or None for grid tracks only.
        prompts: how tracks are made.
        dtype: of the networks; "auto" accepts any.
        backend: whose code ran them.
    """

    tracker: ModelIdentity
    grounder: ModelIdentity | None
    prompts: TrackConfig
    dtype: str
    backend: str = TRANSFORMERS

    @staticmethod
    def of(config: CandidateConfig) -> Wanted:
        """What a configuration asks for; hashes weights, opens none."""
        from rvosbench.tracks.maker import grounder_identity, tracker_identity

        models = tracker_identity(config), grounder_identity(config)
        return Wanted(*models, config.prompts, config.dtype, config.backend)

    def problems(self, header: Header) -> list[str]:
        """Why a file does not fit, in words; empty if it fits."""
        found = _other("tracker", header.tracker, self.tracker)
        if self.grounder is not None and header.grounder is None:
            found.append(f"there are no box tracks, wanted those of {self.grounder.name}")
        elif self.grounder is not None and header.grounder is not None:
            found += _other("grounder", header.grounder, self.grounder)
        boxes = self.grounder is not None and header.grounder is not None
        fields = relevant(self.prompts, boxes)
        found += differing({k: v for k, v in header.prompts.items() if k in fields}, fields)
        dtype = header.made.get("dtype")
        if self.dtype not in ("auto", dtype):
            found.append(f"dtype is {dtype}, wanted {self.dtype}")
        backend = header.made.get("backend", TRANSFORMERS)
        if backend != self.backend:
            found.append(f"backend is {backend}, wanted {self.backend}")
        if header.revision != TRACKER_REVISION:
            found.append(
                f"revision of the tracker's code is {header.revision}, this version makes "
                f"{TRACKER_REVISION}"
            )
        return found


class CachedTracks:
    """The tracks of a cache; satisfies `TrackSource`. No model is opened.

    A cache with box tracks also serves a configuration without a grounder: its grid tracks are the
    same. Truth-prompted tracks are for training and never given out.

    Args:
        config: what tracks are asked for; `config.tracks` is the cache's folder.

    Raises:
        TrackCacheError: no cache there, or made with other models or another configuration: says
            what differs and how to build it.
    """

    def __init__(self, config: CandidateConfig) -> None:
        self._config = config
        self.folder = Path(config.tracks)
        headers = [read_header(path) for path in track_files(self.folder)]
        self._headers = {header.video: header for header in headers}
        wanted = Wanted.of(config)
        for header in headers:
            self._check(header, wanted)

    def tracks(self, sample: Sample) -> tuple[Track, ...]:
        """Cached tracks of a video; may be empty.

        Raises:
            TrackCacheError: the video is not in the cache, or its frames or sentences are others.
        """
        header = self._headers.get(sample.video.id)
        if header is None:
            raise TrackCacheError(
                f"{self.folder}: no tracks of video {sample.video.id!r} (it has "
                f"{len(self._headers)} videos). {_how_to_build(self.folder)}"
            )
        check_sample(self.folder, header, sample, self._boxes)
        rows = read_tracks(track_file(self.folder, sample.video.id))
        wanted = {"grid", "box"} if self._boxes else {"grid"}
        return tuple(track for track in rows if track.source in wanted)

    def provenance(self, videos: Sequence[str] | None = None) -> dict[str, Json]:
        """What decided the tracks, as `TrackMaker` says it, and their hash.

        Args:
            videos: of a run; other files of the cache do not matter to it. None: all.

        Returns:
            Where files were made differently, such as on two devices: "mixed: " and all values.
        """
        names = self._headers.keys() if videos is None else videos
        headers = [self._headers[v] for v in names if v in self._headers]
        headers = headers or list(self._headers.values())
        first = headers[0]
        grounder = {"grounder": first.recipe["grounder"]} if self._boxes else {}
        return {
            "tracker": first.recipe["tracker"],
            **grounder,
            **_shared([dict(h.made) for h in headers]),
            "tracks": digest(sorted([h.video, h.content] for h in headers)),
        }

    @property
    def _boxes(self) -> bool:
        return bool(self._config.grounder)

    def _check(self, header: Header, wanted: Wanted) -> None:
        problems = wanted.problems(header)
        if problems:
            raise TrackCacheError(
                f"{self.folder}: the tracks of video {header.video!r} were made otherwise: "
                f"{'; '.join(problems)}. Change the settings to those of the cache (`rvosbench "
                f"tracks info {self.folder}`), or build another: {_how_to_build(Path('OTHER'))}"
            )


def check_sample(folder: Path, header: Header, sample: Sample, boxes: bool) -> None:
    """Refuse tracks of other frames, or box tracks of other sentences.

    Raises:
        TrackCacheError: saying which.
    """
    video = sample.video
    if header.frames != frame_fingerprint(video):
        of = f" ({header.corruption})" if header.corruption else ""
        raise TrackCacheError(
            f"{folder}: the tracks of video {video.id!r} are of other frames{of} than those of "
            f"this dataset. {_how_to_build(Path('OTHER'))}"
        )
    if not boxes:
        return
    known, asked = header.expressions or {}, {e.id: e.text for e in sample.expressions}
    wrong = {i: text for i, text in asked.items() if known.get(i) != text}
    pooled = header.prompts.get("candidate_pool") == "video" and known.keys() != asked.keys()
    if wrong or pooled:
        example = next(iter(wrong.items()), "a different number of them")
        raise TrackCacheError(
            f"{folder}: the box tracks of video {video.id!r} are for other expressions than those "
            f"of this dataset: {len(wrong)} differ, such as {example}. "
            f"{_how_to_build(Path('OTHER'))}"
        )


def _shared(values: Sequence[Json]) -> Json:
    """What all say; where they differ, all of it in words."""
    if all(value == values[0] for value in values):
        return values[0]
    if all(isinstance(value, dict) for value in values):
        keys = dict.fromkeys(key for value in values for key in value)
        return {key: _shared([value.get(key) for value in values]) for key in keys}
    return f"mixed: {', '.join(sorted({str(value) for value in values}))}"


def _other(what: str, have: ModelIdentity, want: ModelIdentity) -> list[str]:
    return [f"{what} is {_shown(have)}, wanted {_shown(want)}"] if have.is_other(want) else []


def _shown(model: ModelIdentity) -> str:
    return f"{model.name} (sha256 {model.sha256[:12]})" if model.sha256 else model.name


def _how_to_build(folder: Path) -> str:
    return f"Build it with `rvosbench tracks build --out {folder}` and the settings of the run"
