from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from rvosbench.tracks.config import TrackConfig
from rvosbench.tracks.filters import admit, boxes_of, largest_first, suppress, without_parts


def square(x0: int, x1: int, y0: int = 0, y1: int = 10) -> NDArray[np.bool_]:
    mask = np.zeros((10, 40), bool)
    mask[y0:y1, x0:x1] = True
    return mask


def test_boxes_are_tight_and_zero_for_empty_masks() -> None:
    masks = np.stack([square(3, 7, 2, 5), square(0, 0)])
    assert boxes_of(masks).tolist() == [[3, 2, 6, 4], [0, 0, 0, 0]]


def test_suppression_keeps_the_better_of_two_boxes_and_the_first_of_equals() -> None:
    boxes = np.array([[0, 0, 10, 10], [1, 0, 10, 10], [20, 0, 30, 10], [0, 0, 10, 10]], float)
    assert suppress(boxes, np.array([0.5, 0.9, 0.1, 0.5]), 0.7) == [1, 2]
    assert suppress(boxes, np.array([0.5, 0.5, 0.1, 0.5]), 0.7) == [0, 2]
    assert suppress(boxes, np.array([0.5, 0.5, 0.1, 0.5]), 0.95) == [0, 1, 2]
    assert suppress(np.zeros((0, 4)), np.zeros(0), 0.7) == []


def test_larger_masks_come_first_and_empty_ones_not_at_all() -> None:
    masks = np.stack([square(0, 2), square(0, 0), square(0, 9), square(5, 7)])
    assert largest_first(masks) == [2, 0, 3]


def test_a_mask_inside_a_larger_one_is_a_part() -> None:
    masks = np.stack([square(0, 20), square(0, 10), square(12, 28), square(30, 35)])
    assert without_parts(masks, [0, 2, 1, 3], 0.7) == [0, 2, 3]
    assert without_parts(masks, [0, 2, 1, 3], 1.0) == [0, 2, 1, 3]
    assert without_parts(masks, [0, 2, 1, 3], 0.4) == [0, 3]


def test_prompts_admitted_together_do_not_filter_each_other() -> None:
    twins = np.stack([square(0, 10), square(0, 10), square(0, 10)])
    assert admit(twins, [], 0.7, group=1, limit=64) == [0]
    assert admit(twins, [], 0.7, group=2, limit=64) == [0, 1]
    assert admit(twins, [], 0.7, group=4, limit=64) == [0, 1, 2]
    assert admit(twins, [square(0, 9)], 0.7, group=4, limit=64) == []
    assert admit(twins, [square(0, 7)], 0.7, group=4, limit=64) == [0, 1, 2]


def test_no_prompt_is_admitted_beyond_the_limit() -> None:
    apart = np.stack([square(5 * i, 5 * i + 4) for i in range(6)])
    assert admit(apart, [], 0.7, group=1, limit=3) == [0, 1, 2]
    assert admit(apart, [square(30, 40)], 0.7, group=2, limit=3) == [0, 1]
    assert admit(apart, [square(30, 40)] * 3, 0.7, group=2, limit=3) == []


def test_the_released_code_prompts_the_first_and_the_middle_frames() -> None:
    config = TrackConfig()
    assert config.prompt_frames(10) == (0, 5)
    assert config.prompt_frames(11) == (0, 5, 10)
    assert config.prompt_frames(1) == (0,)
    assert TrackConfig(frame_interval=4).prompt_frames(10) == (0, 4, 8)
    assert (config.group(200), config.group(201), TrackConfig(filter_group=1).group(9)) == (4, 2, 1)


@pytest.mark.parametrize("field", ["points_per_side", "max_grid_tracks"])
def test_impossible_configurations_are_refused(field: str) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        TrackConfig(**{field: 0})  # type: ignore[arg-type]
