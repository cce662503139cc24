"""A target whose boundaries and metric values are computed once, for all expressions that mean it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from rvosbench.metrics.counts import Outlines
from rvosbench.metrics.frames import stability
from rvosbench.records import Target


@dataclass(frozen=True)
class KnownTarget:
    """The union of a target's objects, without void.

    Attributes:
        target: the truth of one or more expressions.
    """

    target: Target

    @cached_property
    def outlines(self) -> Outlines:
        """The united masks on the annotated frames with their boundaries."""
        return Outlines(self.target.union())

    @cached_property
    def metrics(self) -> Mapping[str, float]:
        """What every answer to this target has in common: its stability and objects."""
        return {
            "targets": len(self.target.objects),
            "target_stability": stability(self.outlines.masks),
        }
