"""Candidate mask tracks of one video: prompts, filtering, propagation in both directions.

Which prompts become tracks follows from the configuration alone and never from how many objects
are computed together. Every expression is filtered as if it were alone; a box prompt whose mask
another expression has too is tracked once.

Source: Kim et al., "Referring Video Object Segmentation via Language-aligned Track Selection"
(SOLA), section 3.3, and the released code where it says more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from rvosbench.records import Sample, Track
from rvosbench.tracks.admission import Admission, Rules
from rvosbench.tracks.config import Compute, TrackConfig
from rvosbench.tracks.follower import Follower
from rvosbench.tracks.grid import grid_prompts
from rvosbench.tracks.prompts import Prompt, largest_first

if TYPE_CHECKING:
    from rvosbench.models.sam2.tracker import Sam2
    from rvosbench.tracks.boxes import Grounder


def generate_tracks(
    sam2: Sam2,
    sample: Sample,
    config: TrackConfig,
    grounder: Grounder | None = None,
    compute: Compute | None = None,
) -> tuple[Track, ...]:
    """Candidate tracks of a video; may be empty.

    Args:
        sam2: the frozen network.
        sample: a video of at least one frame. Its expressions are looked at by the grounder only.
        config: prompts and filters.
        grounder: gives box prompts; None leaves them out.
        compute: memory and batches; changes no track.

    Returns:
        Grid tracks, which serve every expression, then box tracks, which serve the expressions
        whose own prompts they are; in the order they were made.
    """
    follower = Follower.of(sam2, sample.video, compute or Compute())
    return candidate_tracks(follower, sample, config, grounder)


def candidate_tracks(
    follower: Follower, sample: Sample, config: TrackConfig, grounder: Grounder | None = None
) -> tuple[Track, ...]:
    """As `generate_tracks`, with a follower of the video that may go on to other prompts."""
    tracks = grid_tracks(follower, config)
    if grounder is not None:
        tracks += box_tracks(follower, grounder, sample, config, tracks)
    return tuple(replace(track, id=str(i)) for i, track in enumerate(tracks))


def grid_tracks(follower: Follower, config: TrackConfig) -> list[Track]:
    """Tracks of grid prompts, without ids."""
    prompts = [
        prompt
        for frame in config.prompt_frames(len(follower.video))
        for prompt in grid_prompts(
            follower.sam2, follower.features(frame), frame, follower.video.size, config
        )
    ]
    return follow_grid(follower, prompts, config)


def box_tracks(
    follower: Follower,
    grounder: Grounder,
    sample: Sample,
    config: TrackConfig,
    grid: Sequence[Track] = (),
) -> list[Track]:
    """Tracks of box prompts, without ids.

    Args:
        follower: shares features and network with the grid.
        grounder: finds the boxes.
        sample: the video and its expressions.
        config: prompts and filters.
        grid: grid tracks, which filter box prompts if the configuration says so.
    """
    from rvosbench.tracks.boxes import box_prompts

    return follow_boxes(follower, box_prompts(follower, grounder, sample, config), config, grid)


def follow_grid(follower: Follower, prompts: Sequence[Prompt], config: TrackConfig) -> list[Track]:
    """Filter prompts, given frame by frame and the largest of each first, and track the rest."""
    if config.order == "video":
        prompts = largest_first(prompts)
    rules = Rules(config.iou_filter, config.group(len(follower.video)), config.max_grid_tracks)
    admission = Admission(prompts, rules)
    tracks: list[Track] = []
    while admitted := admission.next(follower.shown):
        made = follower.tracks(admitted, "grid")
        for track in made:
            admission.drop(_shows(track))
        tracks += made
    return tracks


def follow_boxes(
    follower: Follower,
    prompts: Mapping[str, Sequence[Prompt]],
    config: TrackConfig,
    grid: Sequence[Track] = (),
) -> list[Track]:
    """Filter the prompts of every expression, largest first, and track the rest together."""
    group = config.group(len(follower.video))
    rules = Rules(config.iou_filter, group, config.max_box_tracks, neighbours=True)
    waiting = {expression: Admission(many, rules) for expression, many in prompts.items()}
    for admission in waiting.values():
        for track in grid if config.grid_filters_boxes else ():
            admission.drop(_shows(track))
    pool = _Pool(follower)
    while wanted := {e: chosen for e, a in waiting.items() if (chosen := a.next(follower.shown))}:
        pool.add(wanted)
        for expression, admitted in wanted.items():
            for prompt in admitted:
                waiting[expression].drop(_shows(pool.tracks[prompt.key]))
    return pool.for_all() if config.candidate_pool == "video" else pool.for_each()


def _shows(track: Track) -> Callable[[int], bytes]:
    """Compressed counts of a track's mask in a frame."""
    return lambda frame: str(track.masks.rle(frame)["counts"]).encode("ascii")


@dataclass
class _Pool:
    """Box tracks of all expressions: equal masks are tracked once, whoever asked for them."""

    follower: Follower
    tracks: dict[tuple[int, bytes], Track] = field(default_factory=dict)
    users: dict[Prompt, list[str]] = field(default_factory=dict)

    def add(self, wanted: Mapping[str, Sequence[Prompt]]) -> None:
        """Track what is new, all prompts of a frame at once."""
        fresh: dict[int, dict[tuple[int, bytes], Prompt]] = {}
        for expression, prompts in wanted.items():
            for prompt in prompts:
                self.users.setdefault(prompt, []).append(expression)
                if prompt.key not in self.tracks:
                    fresh.setdefault(prompt.frame, {}).setdefault(prompt.key, prompt)
        for frame in sorted(fresh):
            made = self.follower.tracks(list(fresh[frame].values()), "box")
            self.tracks.update(zip(fresh[frame], made, strict=True))

    def for_all(self) -> list[Track]:
        """Every track for every expression."""
        return list(self.tracks.values())

    def for_each(self) -> list[Track]:
        """Tracks for the expressions whose prompts they are.

        Prompts of one mask but different boxes or scores are rows of their own, as they would be
        if each expression had been alone; masks and tokens in memory are shared.
        """
        return [
            replace(
                self.tracks[prompt.key],
                score=prompt.score,
                prompt=prompt.place,
                candidates=frozenset(users),
            )
            for prompt, users in self.users.items()
        ]
