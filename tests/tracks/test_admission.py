"""Admission gives what the released loop gives, whatever can be decided ahead."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rvosbench.masks import pack
from rvosbench.tracks.prompts import Admission, Prompt, Rules, largest_first, overlaps, prompt_of

from .worlds import square

SIZE = (10, 40)


def at(frame: int, *span: int) -> Prompt:
    return prompt_of(frame, pack(square(*span)), 40)


def shown(prompts: Sequence[Prompt]) -> list[bytes]:
    return [p.counts for p in prompts]


def run(admission: Admission, moved: Callable[[Prompt, int], bytes]) -> tuple[list[Prompt], int]:
    """All admitted prompts, and in how many rounds."""
    tracks: list[Prompt] = []
    rounds = 0
    while batch := admission.next(shown):
        assert len({p.frame for p in batch}) == 1
        rounds += 1
        tracks += batch
        for prompt in batch:
            admission.drop(lambda frame, prompt=prompt: moved(prompt, frame))  # type: ignore[misc]
    return tracks, rounds


def still(prompt: Prompt, frame: int) -> bytes:
    """An object that does not move."""
    return prompt.counts


def test_prompts_admitted_together_do_not_filter_each_other() -> None:
    twins = [at(0, 0, 10)] * 3
    for group, count in ((1, 1), (2, 2), (4, 3)):
        assert run(Admission(twins, Rules(0.7, group, 64)), still)[0] == twins[:count]


def test_finished_tracks_filter() -> None:
    twins = [at(0, 0, 10)] * 3
    for other, left in ((square(0, 9), 0), (square(0, 7), 1)):
        admission = Admission(twins, Rules(0.7, 1, 64))
        admission.drop(lambda frame, other=other: prompt_of(0, pack(other), 40).counts)  # type: ignore[misc]
        assert len(run(admission, still)[0]) == left


def test_no_prompt_is_admitted_beyond_the_limit() -> None:
    apart = [at(0, 5 * i, 5 * i + 4) for i in range(6)]
    for group in (1, 2, 4):
        assert run(Admission(apart, Rules(0.7, group, 3)), still)[0] == apart[:3]


def test_one_frame_needs_one_round() -> None:
    apart = [at(0, 5 * i, 5 * i + 4) for i in range(6)]
    assert run(Admission(apart, Rules(0.7, 1, 64)), still) == (apart, 1)


def test_groups_of_boxes_end_at_another_frame_and_shrink_at_the_limit() -> None:
    mixed = [at(0, 0, 4), at(1, 5, 9), at(0, 10, 14), at(0, 15, 19)]
    rules = Rules(0.7, 4, 16, neighbours=True)
    assert run(Admission(mixed, rules), still) == (mixed, 3)
    assert [rules.room(made) for made in (0, 8, 9, 12, 14, 15)] == [4, 4, 4, 2, 1, 1]
    assert [Rules(0.7, 4, 16).room(made) for made in (12, 14)] == [4, 2]


def released(
    prompts: list[Prompt], rules: Rules, moved: Callable[[Prompt, int], bytes]
) -> list[Prompt]:
    """The released loop, one group after the other."""
    waiting, tracks = list(prompts), list[Prompt]()
    while waiting and len(tracks) < rules.limit:
        batch = group_of(waiting, rules, len(tracks))
        tracks += batch
        waiting = [
            p
            for p in waiting
            if not any(p is b for b in batch)
            and not any(
                overlaps(moved(b, p.frame), [p.counts], SIZE)[0] > rules.threshold for b in batch
            )
        ]
    return tracks


def group_of(waiting: list[Prompt], rules: Rules, made: int) -> list[Prompt]:
    """The next prompts of one frame, stopped as the released code stops."""
    twice = 2 if rules.neighbours and rules.group > 1 else 1
    batch: list[Prompt] = []
    for prompt in waiting:
        if batch and prompt.frame != batch[0].frame:
            if rules.neighbours:
                break
            continue
        batch.append(prompt)
        if len(batch) >= rules.group or made + len(batch) * twice >= rules.limit:
            break
    return batch


@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 10_000),
    group=st.sampled_from([1, 2, 4]),
    limit=st.sampled_from([1, 3, 5, 64]),
    neighbours=st.booleans(),
)
def test_the_released_order_of_decisions(
    seed: int, group: int, limit: int, neighbours: bool
) -> None:
    rng = np.random.default_rng(seed)
    drift = {}

    def moved(prompt: Prompt, frame: int) -> bytes:
        key = (prompt.counts, prompt.frame, frame)
        if key not in drift:
            shift = (hash(key[1:]) % 5 - 2) * (frame - prompt.frame)
            drift[key] = prompt_of(0, pack(np.roll(prompt.mask(), shift, axis=1)), 40).counts
        return drift[key]

    starts, widths = rng.integers(0, 20, 14), rng.integers(3, 15, 14)
    found = [
        at(int(rng.integers(0, 3)), int(x), int(x + w)) for x, w in zip(starts, widths, strict=True)
    ]
    prompts, rules = largest_first(found), Rules(0.5, group, limit, neighbours)
    assert run(Admission(prompts, rules), moved)[0] == released(prompts, rules, moved)


@pytest.mark.parametrize("neighbours", [False, True])
def test_no_prompts_give_no_tracks(neighbours: bool) -> None:
    assert Admission([], Rules(0.7, 4, 16, neighbours)).next(shown) == []
