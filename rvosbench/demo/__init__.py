"""MotionShapes, the embedded benchmark: short clips of moving shapes, drawn from a seed."""
