"""Reading `meta_expressions.json`, the file format that most RVOS datasets share.

`{"videos": {video: {"frames": [name], "expressions": {id: {"exp": text, ...}}}}}`. Which key names
the objects (`anno_id`, `obj_id`, `objects`), and whether it is there, differs by dataset and split.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rvosbench.errors import AnnotationError
from rvosbench.records import Expression, Json

_IMAGE_NAME = re.compile(r"\.(jpe?g|png|webp|bmp|tiff?)$", re.IGNORECASE)


@dataclass(frozen=True)
class Clip:
    """What a meta file says of one video.

    Attributes:
        id: video id.
        frame_names: without extension, in temporal order.
        expressions: in file order.
        objects: expression id -> ids of its objects (empty: no target); None where the file names
            no objects, as on hidden splits.
    """

    id: str
    frame_names: tuple[str, ...]
    expressions: tuple[Expression, ...]
    objects: Mapping[str, tuple[str, ...]] | None

    def content(self) -> Json:
        """All of it, for the fingerprint of a split."""
        objects, said = self.objects or {}, self.expressions
        rows = [[e.id, e.text, e.group, list(e.tags), list(objects.get(e.id, ()))] for e in said]
        return [self.id, list(self.frame_names), rows]


@dataclass(frozen=True)
class MetaFile:
    """A meta file and how to read it.

    Attributes:
        path: the json file.
        dataset: name for messages, as is the split.
        key: key of an expression that names its objects.
    """

    path: Path
    dataset: str
    split: str
    key: str

    def videos(self) -> dict[str, Json]:
        """Video id -> raw entry; raises AnnotationError for no JSON, or one without "videos"."""
        try:
            content = json.loads(self.path.read_text(encoding="utf-8-sig"))
        except (ValueError, OSError) as error:
            raise AnnotationError(
                f"{self.path} cannot be read as JSON ({error}): download it again"
            ) from error
        videos = content.get("videos") if isinstance(content, dict) else None
        if not isinstance(videos, dict) or not videos:
            raise AnnotationError(
                f'{self.path}: wanted {{"videos": {{...}}}} with at least one video, got '
                f"{str(content)[:80]}. Is this the meta_expressions.json of {self.dataset} "
                f"{self.split}?"
            )
        return videos

    def clips(self, videos: Mapping[str, Json], named: bool = False) -> dict[str, Clip]:
        """Check and type raw entries; order is kept.

        Args:
            videos: of `videos()`, all or some.
            named: the split has ground truth, so that every expression must name its objects.

        Raises:
            AnnotationError: an entry without frames, expressions or texts, or where only a part
                of the expressions names objects, or none of those that must.
        """
        clips = {video: self._clip(video, entry) for video, entry in videos.items()}
        without = next((c.id for c in clips.values() if c.objects is None), None)
        within = next((c.id for c in clips.values() if c.objects is not None), None)
        if without is not None and within is not None:
            raise AnnotationError(
                f"{self.path}: video {within!r} names objects ({self.key!r}), video "
                f"{without!r} does not: were two files of different splits merged?"
            )
        if without is not None and named:
            raise AnnotationError(
                f"{self.path}: the expressions of video {without!r} have no {self.key!r}, "
                f"which split {self.split!r} of {self.dataset} needs. Files without it belong "
                "to a hidden split (valid or test): was one put in the wrong folder?"
            )
        return clips

    def _clip(self, video: str, entry: Json) -> Clip:
        if not isinstance(entry, dict) or "expressions" not in entry:
            categories = isinstance(entry, dict) and "objects" in entry
            found = "this is YouTube-VOS's meta.json (categories), " if categories else ""
            wanted = f"{found}wanted a meta_expressions.json file"
            raise self._wrong(video, f" has no 'expressions': {wanted}")
        raw = entry["expressions"]
        if not isinstance(raw, dict):
            kind = type(raw).__name__
            raise self._wrong(
                video, f': \'expressions\' is a {kind}, wanted {{"0": {{"exp": "..."}}, ...}}'
            )
        expressions = tuple(self._expression(video, eid, e) for eid, e in raw.items())
        return Clip(video, self._frames(video, entry), expressions, self._objects(video, raw))

    def _frames(self, video: str, entry: Mapping[str, Json]) -> tuple[str, ...]:
        frames = entry.get("frames")
        if not isinstance(frames, list) or not frames:
            raise self._wrong(video, " lists no 'frames': wanted [\"00000\", ...]")
        names = tuple(_IMAGE_NAME.sub("", str(name)) for name in frames)
        if len(set(names)) < len(names):
            twice = next(n for n in names if names.count(n) > 1)
            raise self._wrong(video, f" lists frame {twice!r} twice")
        return names

    def _expression(self, video: str, eid: str, entry: Json) -> Expression:
        text = entry.get("exp") if isinstance(entry, dict) else None
        if not isinstance(text, str):
            got = str(entry)[:80]
            raise self._wrong(
                video, f': expression {eid!r} has no text: wanted {{"exp": "..."}}, got {got}'
            )
        tags = entry.get("tags", [])
        if not isinstance(tags, list) or not all(isinstance(t, str) for t in tags):
            raise self._wrong(video, f": 'tags' of expression {eid!r} is {tags!r}")
        return Expression(eid, text, tags=tuple(tags))

    def _objects(self, video: str, raw: Mapping[str, Json]) -> Mapping[str, tuple[str, ...]] | None:
        with_key = [eid for eid, entry in raw.items() if self.key in entry]
        if not with_key:
            return None if raw else {}
        without = next((eid for eid in raw if eid not in with_key), None)
        if without is not None:
            raise self._wrong(
                video,
                f": expression {with_key[0]!r} names its objects ({self.key!r}), expression "
                f'{without!r} does not. No target is written "{self.key}": []',
            )
        return {eid: self._ids(video, eid, entry[self.key]) for eid, entry in raw.items()}

    def _ids(self, video: str, eid: str, value: Json) -> tuple[str, ...]:
        """Ids as text: releases write 3, "3", [3] and ["3"]. Repeats count once."""
        values = value if isinstance(value, list) else [value]
        if any(isinstance(v, bool) or not isinstance(v, int | str) for v in values):
            raise self._wrong(
                video, f": {self.key!r} of expression {eid!r} is {value!r}, wanted ids"
            )
        return tuple(dict.fromkeys(str(v).strip() for v in values))

    def _wrong(self, video: str, what: str) -> AnnotationError:
        return AnnotationError(f"{self.path}: video {video!r}{what}")
