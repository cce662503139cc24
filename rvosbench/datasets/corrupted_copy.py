"""A corrupted copy of a dataset on disk: the only place that knows the names of its own files.

    manifest.json                   what was done to which dataset, and the hash of every file
    .corrupt/run.json               what decides the copy
    .corrupt/videos/<video>.json    which files were made of a video

Where frames, masks and expressions lie is for `copy_build`. A copy is complete when it has a
manifest.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rvosbench.errors import DatasetError, UsageError
from rvosbench.execution.store import Store
from rvosbench.files.atomic import PART, discard, move, part_of, remove_left_overs, write_json
from rvosbench.files.claims import CLAIMS, claimed
from rvosbench.files.names import file_name
from rvosbench.recipe import Recipe
from rvosbench.records import Json

MANIFEST = "manifest.json"
FORMAT = 1
"""Version of the manifest."""

_STATE = ".corrupt"


@dataclass(frozen=True)
class Fault:
    """A file of a copy that is not what its manifest says."""

    path: str
    what: str


@dataclass(frozen=True)
class CorruptedCopy:
    """A copy, finished or not; a dataset is opened from its root `folder`."""

    folder: Path

    @property
    def manifest_file(self) -> Path:
        """There when the copy is complete."""
        return self.folder / MANIFEST

    @property
    def finished(self) -> bool:
        """Whether it has a manifest."""
        return self.manifest_file.is_file()

    @property
    def _run_file(self) -> Path:
        return self.folder / _STATE / "run.json"

    @property
    def store(self) -> Store:
        """What is done already: of each video, which files were made; damaged ones are not."""
        return Store(self.folder / _STATE / "videos", readable=self._is_whole)

    @contextmanager
    def claim(self, recipe: Recipe) -> Iterator[None]:
        """Work in the folder while nobody else does; until the end it has no manifest.

        Raises:
            UsageError: the folder holds a copy by another recipe or something else, or somebody
                works there.
        """
        self._check(recipe)
        with claimed(self.folder):
            facts = {"run": recipe.digest, "recipe": dict(recipe.facts)}
            write_json(self._run_file, facts)
            discard(self.manifest_file)
            remove_left_overs(self._run_file.parent)
            yield

    def place(self, folder: Path, files: Iterable[tuple[str, bytes]]) -> dict[str, str]:
        """Write files (name, content) as a folder below the copy's root: complete, or not at all.

        What is there is replaced. Returns path below the copy's root -> sha256.
        """
        beside = part_of(self.folder / _STATE / file_name(folder.as_posix()))
        made = {}  # each attempt has its own folder
        try:
            beside.mkdir(parents=True)
            for name, content in files:
                (beside / name).write_bytes(content)
                made[(folder / name).as_posix()] = hashlib.sha256(content).hexdigest()
            discard(self.folder / folder)
            (self.folder / folder).parent.mkdir(parents=True, exist_ok=True)
            move(beside, self.folder / folder)
        finally:
            discard(beside)
        return made

    def record(self, video: str) -> dict[str, Json]:
        """What is kept of a finished video.

        "files" (path -> sha256), "frames" (`Video.identity` of the "copy" and of the "clean" ones)
        and "meta", its entry in the JSON of the dataset `folder`.
        """
        return _read(self.store.output(video))

    def finish(self, facts: Mapping[str, Json], videos: Iterable[str]) -> Path:
        """Write the manifest, from what was done to which dataset, and the ids of all videos."""
        records = {video: self.record(video) for video in videos}
        files = {name: sha for r in records.values() for name, sha in r["files"].items()}
        frames = {video: record["frames"] for video, record in records.items()}
        content = {"format": FORMAT, **facts, "frames": frames, "files": files}
        write_json(self.manifest_file, content, indent=1)
        return self.manifest_file

    def manifest(self) -> dict[str, Json]:
        """What was done to which dataset, and the sha256 of every file.

        Raises:
            DatasetError: none there, or not one that this version can read.
        """
        path = self.manifest_file
        try:
            content = _read(path)
        except FileNotFoundError as error:
            raise DatasetError(
                f"{path} is missing: {self.folder} is no corrupted copy, or its making was broken "
                "off; run the same `rvosbench corrupt` again to finish it"
            ) from error
        except (OSError, ValueError) as error:
            raise DatasetError(f"{path} cannot be read as JSON ({error})") from error
        if not (isinstance(content, dict) and {"format", "corruption", "files"} <= content.keys()):
            raise DatasetError(f"{path} is not the manifest of a corrupted copy")
        if content["format"] > FORMAT:
            raise DatasetError(
                f"{path}: format {content['format']}, this version reads up to {FORMAT}: "
                "update rvosbench"
            )
        return content

    def faults(self) -> Iterator[Fault]:
        """Files that are missing or have another sha256; none if all is well.

        Raises:
            DatasetError: as `manifest`.
        """
        return self._faults(self.manifest()["files"])

    def _faults(self, files: Mapping[str, str]) -> Iterator[Fault]:
        for name, wanted in files.items():
            path = self.folder / name
            if not path.is_file():
                yield Fault(name, "missing")
            elif hashlib.sha256(path.read_bytes()).hexdigest() != wanted:
                yield Fault(name, f"changed ({path.stat().st_size} bytes)")

    def _is_whole(self, record: Path) -> bool:
        """Whether a record can be read, and all files that it names are as they were written."""
        try:
            return not any(self._faults(_read(record)["files"]))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return False

    def _check(self, recipe: Recipe) -> None:
        """Never mix two copies, never write among something else."""
        marker, advice = self._run_file, "choose another --out, or delete it"
        if marker.exists():
            try:
                content = _read(marker)
                same, facts = content["run"] == recipe.digest, content.get("recipe")
            except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
                raise UsageError(f"{marker} cannot be read ({error}): {advice}") from error
            if not same:  # copies of older versions do not say in what they differ
                found = recipe.differences(Recipe(facts))[:4] if isinstance(facts, dict) else []
                differing = f" ({'; '.join(found)})" if found else ""
                raise UsageError(
                    f"{self.folder} holds another corruption, or one made with other settings or "
                    f"library versions{differing}: {advice}"
                )
        elif self.folder.exists() and not all(map(self._ours, self.folder.iterdir())):
            raise UsageError(
                f"{self.folder} is not empty and holds no corrupted copy: choose another --out"
            )

    def _ours(self, path: Path) -> bool:
        """Whether a copy that has only just begun may have made it."""
        begun = path.name == _STATE and all(p.name.startswith(PART) for p in path.iterdir())
        return path.name == CLAIMS or begun


def _read(path: Path) -> dict[str, Json]:
    content: dict[str, Json] = json.loads(path.read_text(encoding="utf-8"))
    return content
