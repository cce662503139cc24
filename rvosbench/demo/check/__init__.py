"""A second implementation of what MotionShapes says: it judges the generator."""
