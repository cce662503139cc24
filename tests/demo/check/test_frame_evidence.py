"""What one frame tells of an expression."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from rvosbench.demo.check.frame_evidence import glimpse
from rvosbench.demo.check.parser import read
from rvosbench.demo.dataset import MotionShapes, open_demo
from rvosbench.demo.scenes import ShapeObject
from rvosbench.errors import DatasetError
from rvosbench.records import FrameEvidence

T = 3


def shape(index: int, colour: str, x: float, size: float = 0.2) -> ShapeObject:
    states = [np.full(T, value) for value in (x, 0.5, size, 0.0)]
    return ShapeObject(colour, "circle", "plain", index, "still", *states)


SCENE = (
    shape(0, "red", 0.3), shape(1, "red", 0.7, 0.3), shape(2, "blue", 0.5), shape(3, "red", 0.02),
)  # fmt: skip


def evidence(text: str, out_of_sight: tuple[tuple[int, int], ...] = ()) -> FrameEvidence:
    masks = np.ones((len(SCENE), T, 2, 2), bool)
    for index, frame in out_of_sight:
        masks[index, frame] = False
    hidden = np.zeros((len(SCENE), len(SCENE), T))
    hidden[0, 2, 1] = 0.3  # the blue one is in front of the first red one in frame 1
    return glimpse(read(text), SCENE, masks, hidden)


def sets(marks: NDArray[np.bool_]) -> list[set[int]]:
    return [set(np.flatnonzero(row).tolist()) for row in marks]


def test_a_look_is_seen_in_every_frame_where_the_shape_is() -> None:
    seen = evidence("the blue circle", ((2, 1),))
    assert sets(seen.possible) == sets(seen.certain) == [{2}, set(), {2}]
    assert (seen.least, seen.most, seen.objects) == (1, 1, ("0", "1", "2", "3"))


@pytest.mark.parametrize(
    "clause", ["moves left", "stays still", "grows", "stops", "moves left and then up"]
)
def test_no_frame_tells_of_motion(clause: str) -> None:
    seen = evidence(f"the red circle that {clause}")
    assert sets(seen.possible) == [{0, 1, 3}] * T
    assert not seen.certain.any()
    assert evidence("the fastest red circle").possible.sum() == 3 * T


def test_sides_are_told_where_the_other_shape_is_seen() -> None:
    seen = evidence("the red circle right of the blue circle", ((2, 0),))
    assert sets(seen.possible) == [{0, 1, 3}, {1}, {1}]
    assert sets(seen.certain) == [set(), {1}, {1}]


def test_the_biggest_is_the_biggest_of_those_in_sight() -> None:
    seen = evidence("the biggest red circle", ((1, 2),))
    assert sets(seen.possible) == [{1}, {1}, {0, 3}]  # equals: no telling which
    assert sets(seen.certain) == [{1}, {1}, set()]
    assert sets(evidence("the smallest red circle", ((0, 0),)).certain)[0] == {3}


def test_an_overlap_tells_who_is_behind() -> None:
    seen = evidence("the red circle passing behind the blue circle")
    assert sets(seen.certain) == [set(), {0}, set()]
    assert sets(seen.possible) == [{0, 1, 3}] * T
    assert not evidence("the red circle moving across the blue circle").certain.any()


def test_the_edge_of_the_picture_tells_who_comes_or_goes() -> None:
    assert sets(evidence("the red circle leaving the picture").certain) == [{3}] * T


@pytest.fixture(scope="module")
def valid() -> MotionShapes:
    return open_demo(None, "valid")


def test_the_truth_is_always_possible_and_certainty_is_never_wrong(valid: MotionShapes) -> None:
    """Where a shape in sight is meant, the frame allows it; what it is sure of is meant."""
    sure = wrong = 0
    for video in valid.video_ids():
        masks = valid.objects(video)
        seen = np.stack([m.areas() > 0 for m in masks.values()], axis=1)
        for expression in valid.sample(video).expressions:
            found = valid.frame_evidence(video, expression.id)
            meant = np.array([name in valid.referents(video)[expression.id] for name in masks])
            assert np.all(found.possible[:, meant] | ~seen[:, meant]), expression.text
            assert not np.any(found.certain & ~found.possible)
            sure += int(found.certain.sum())
            wrong += int((found.certain & ~meant).sum())
    assert sure > 1000
    # The edge may cut one that comes while the expression is about one that goes; sizes and sides
    # are compared among those in sight.
    assert wrong < 0.03 * sure


def test_unknown_names_are_explained(valid: MotionShapes) -> None:
    with pytest.raises(DatasetError, match="no expression '99'"):
        valid.frame_evidence("valid-0000", "99")
    with pytest.raises(DatasetError, match="no video"):
        valid.frame_evidence("valid-9999", "0")
