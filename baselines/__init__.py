"""Methods to be beaten, one file each."""
