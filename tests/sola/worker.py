"""What every process of the data-parallel test runs: python -m torch.distributed.run ... OUT."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import torch

from sola.training.loop import train
from sola.training.parallel import joined

from .learnable import FAST, TINY, make_data

SHAPE = dataclasses.replace(TINY, dropout=0.0, attention_dropout=0.0)
CONFIG = dataclasses.replace(FAST, epochs=2, batch_size=4, track_dropout=0.2)


def main() -> None:
    """Train on this process's share."""
    torch.set_num_threads(1)
    with joined("cpu") as world:
        train(make_data(9, 3), SHAPE, CONFIG, Path(sys.argv[1]), world=world)


if __name__ == "__main__":
    main()
