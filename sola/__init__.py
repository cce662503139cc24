"""SOLA: referring video object segmentation by selecting tracks with aligned object tokens.

The reference method, connected to the benchmark through entry points like anybody's. To read:

    method      tracks and text in, selected tracks out
    network/    the selector (`selector`, then `motion`, `alignment`, `attention`), its `losses`
    data/       what it is trained on: `overlaps` -> `samples` -> `batches`
    training/   `loop`, the rest around it
    config      all settings; `model` is the door for scripts
    analysis/, reproduce/, cli/
"""
