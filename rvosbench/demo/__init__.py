"""MotionShapes, the embedded benchmark: short clips of moving shapes, drawn from a seed."""

from __future__ import annotations

from pathlib import Path

WEIGHTS = Path(__file__).parent / "weights"
"""The embedded small weights of the frozen models, a folder each (`sam2`, `text`)."""
