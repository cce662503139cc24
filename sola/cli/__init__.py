"""`rvosbench sola`: commands of the reference method."""
