"""The paper's own figures of the experiments, on MeViS valid, in percent.

Source: Kim et al., "Referring Video Object Segmentation via Language-aligned Track Selection",
arXiv 2412.01136: tables 4, 5, A.1 and A.2. All rows are trained on MeViS; the split's truth is
hidden, so they come from the authors' server.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Printed:
    """A row of a table, in percent as printed."""

    jf: float
    j: float
    f: float


SOLA = Printed(48.6, 45.2, 52.1)
"""The full method, in tables 1, 4, 5a, 5b, A.2a and A.2b."""

GROUNDER_ONLY = Printed(36.9, 30.0, 43.8)
NO_ALIGNMENT = Printed(44.5, 41.4, 47.6)
NO_INTER_OBJECT = Printed(44.3, 41.6, 47.0)
NO_MOTION = Printed(44.9, 42.2, 47.0)
MOTION_BLUR = Printed(39.8, 36.6, 43.0)
GAUSSIAN_NOISE = Printed(44.4, 40.5, 48.3)
NO_BACKGROUND = Printed(45.7, 42.4, 48.9)
NO_BACKGROUND_AT_INFERENCE = Printed(47.5, 43.9, 51.1)
ONE_LAYER = Printed(42.5, 40.0, 45.1)
THREE_LAYERS = Printed(48.2, 44.8, 51.5)
