"""What a track file says of itself: what decided its rows, and where they were made."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path

from rvosbench.models.runtime import TRANSFORMERS
from rvosbench.models.weights import ModelIdentity
from rvosbench.recipe import Recipe, digest
from rvosbench.records import Json, Sample, Video
from rvosbench.tracks.config import BOX_FIELDS

FORMAT = 2
"""Of new files. 1: `frames` is `frame_fingerprint`. 2: `frames` is `Video.identity`."""

TRACKER_REVISION = 2
"""Of the code that turns frames and prompts into tracks. Raise it with every change after which
the same weights and settings give other masks, scores or tokens: older files are then stale.

1: to begin with; files that name no revision count as this one. 2: the prompted frame is
remembered as the original SAM2 remembers it.
"""

LOOKED_AT = 8
"""Frames of a video whose bytes `frame_fingerprint` looks at."""


@dataclass(frozen=True)
class Header:
    """What decided the tracks of a file.

    Attributes:
        video: id.
        frames: hash of the frames, see `frames_hash`.
        tracker: the SAM2.
        grounder: the GroundingDINO, or None if there are no box prompts.
        prompts: the fields of the configuration that matter, see `relevant`.
        expressions: id -> text, if box tracks depend on them; else None.
        truth: whether truth-prompted tracks were added.
        corruption: of the dataset, or None.
        made: where and by what: image_size, dtype, device, libraries, and backend unless it is
            transformers.
        token_dtype: "float32" gives the same results as no cache; "float16" halves the file.
        content: sha256 of all rows.
        revision: of the code that made them, see `TRACKER_REVISION`.
        format: of the file, see `FORMAT`.
    """

    video: str
    frames: str
    tracker: ModelIdentity
    grounder: ModelIdentity | None
    prompts: Mapping[str, Json]
    expressions: Mapping[str, str] | None = None
    truth: bool = False
    corruption: str | None = None
    made: Mapping[str, Json] = field(default_factory=dict)
    token_dtype: str = "float32"
    content: str = ""
    revision: int = TRACKER_REVISION
    format: int = FORMAT

    @property
    def recipe(self) -> Recipe:
        """All that decided the rows."""
        return Recipe(
            {
                "tracker": _decides(self.tracker),
                "grounder": _decides(self.grounder),
                **self.prompts,
                "truth": self.truth,
                "corruption": self.corruption,
                "dtype": self.made.get("dtype"),
                "token_dtype": self.token_dtype,
                "revision": self.revision,
                "backend": self.made.get("backend", TRANSFORMERS),
                "video": self.video,
                "frames": self.frames,
                "expressions": self.expressions and dict(self.expressions),
            }
        )

    @property
    def shared(self) -> Recipe:
        """What all files of a cache have in common."""
        return self.recipe.only(self.recipe.facts.keys() - {"video", "frames", "expressions"})

    def differences(self, wanted: Header, names: Iterable[str] | None = None) -> list[str]:
        """Why this file is not the one that is wanted, in words; empty if it is.

        Models are told apart by their hashes, or by name where one hash is unknown. `names` are
        those of the recipe's facts that matter; None is all of them.
        """
        asked = {*(wanted.recipe.facts if names is None else names)}
        found = _other("tracker", self.tracker, wanted.tracker) if "tracker" in asked else []
        if "grounder" in asked:
            found += _other("grounder", self.grounder, wanted.grounder)
        if (self.grounder is None) != (wanted.grounder is None):
            asked -= {*BOX_FIELDS, "expressions"}
        rest = sorted(asked - {"tracker", "grounder"})
        return found + wanted.recipe.only(rest).differences(self.recipe.only(rest))

    def unfit(self, sample: Sample, boxes: bool) -> list[str]:
        """Why the tracks are not those of a video as it is now, in words; empty if they are.

        Box tracks, if they are asked for, are of the expressions that the file knows. Fewer may be
        asked for, unless all share one pool of candidates.
        """
        asked = {e.id: e.text for e in sample.expressions}
        known = self.expressions or {}
        if self.prompts.get("candidate_pool") != "video":
            known = {i: text for i, text in known.items() if i in asked}
        found = []
        if self.frames != frames_hash(sample.video, self.format):
            of = f" ({self.corruption})" if self.corruption else ""
            found.append(f"they are of other frames{of} than those of this dataset")
        wanted, have = Recipe({"expressions": asked}), Recipe({"expressions": known})
        if boxes and (others := wanted.differences(have)):
            found.append(
                "they are for other expressions than those of this dataset: "
                f"{len(others)} differ, such as {others[0]}"
            )
        return found

    @staticmethod
    def from_json(content: Json) -> Header:
        """Reverse of `dataclasses.asdict`; unknown keys are ignored."""
        known = {f.name for f in fields(Header)}
        facts = {"revision": 1, **{k: v for k, v in content.items() if k in known}}
        for model in ("tracker", "grounder"):
            facts[model] = facts[model] and ModelIdentity(**facts[model])
        return Header(**facts)


def content_of(headers: Iterable[Header]) -> str:
    """Hash of the rows of some files, in any order: changes when tracks were made anew."""
    return digest(sorted([header.video, header.content] for header in headers))


def frames_hash(video: Video, file_format: int = FORMAT) -> str:
    """What a file of some format says of a video's frames."""
    return video.identity if file_format > 1 else frame_fingerprint(video)


def frame_fingerprint(video: Video) -> str:
    """What files of format 1 say of frames: they cost GPU days and stay valid. Not for new files.

    It looks at few frames and misses others that are replaced. Frames in files: names, sizes in
    bytes, and the bytes of eight frames spread over the video. Frames corrupted when read: the
    clean frames and the corruption's signature. Frames that are drawn: names and the pixels of
    eight.
    """
    plan, clean = getattr(video.read, "plan", None), getattr(video.read, "video", None)
    if plan is not None and isinstance(clean, Video):
        return digest([frame_fingerprint(clean), str(plan.signature)])
    names, last, count = list(video.frame_names), len(video) - 1, min(len(video), LOOKED_AT)
    chosen = [round(i * last / max(count - 1, 1)) for i in range(count)]
    files: tuple[Path, ...] | None = getattr(getattr(video.read, "__self__", None), "files", None)
    if files is not None:
        sizes = [path.stat().st_size for path in files]
        seen = [hashlib.sha256(files[i].read_bytes()).hexdigest() for i in chosen]
        return digest([names, sizes, seen])
    frames = (video.read(i) for i in chosen)
    pixels = [[*f.shape, hashlib.sha256(f.tobytes()).hexdigest()] for f in frames]
    return digest([names, pixels])


def _decides(model: ModelIdentity | None) -> str | None:
    return None if model is None else model.sha256 or model.name


def _other(what: str, have: ModelIdentity | None, want: ModelIdentity | None) -> list[str]:
    if have is not None and want is not None:
        if have.is_other(want):
            return [f"{what} is {_shown(have)}, wanted {_shown(want)}"]
    elif want is not None:
        return [f"there are no box tracks, wanted those of {_shown(want)}"]
    elif have is not None:
        return ["there are box tracks, wanted none"]
    return []


def _shown(model: ModelIdentity) -> str:
    return f"{model.name} (sha256 {model.sha256[:12]})" if model.sha256 else model.name
