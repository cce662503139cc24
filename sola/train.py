"""The command that trains a selector on collected samples.

python -m sola.train --tokens DIR --preset demo --out sola/weights/demo --minutes 15
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import logging
from collections.abc import Sequence
from pathlib import Path

import torch

from rvosbench.configuration import configure, parse_assignments

from .checkpoint import load_selector, save_selector
from .config import DEMO_SELECTOR, DEMO_TRAINING, SelectorConfig, TrainConfig
from .epochs import TrainingData
from .progress import STATE_FILE, planned_epochs
from .samples import encode_texts, load_samples
from .training import seconds_per_epoch, train

logger = logging.getLogger(__name__)
HELD_OUT = 0.1
"""Share of the training videos that choose the best epoch if no others are given."""


def load_data(tokens: Path, valid: Path | None, text: str, device: str) -> TrainingData:
    """Reads samples and encodes their sentences.

    Args:
        tokens: folder of training samples.
        valid: folder of samples to choose the best epoch by; None holds out every tenth video.
        text: text encoder, see `rvosbench.adapters.text.load_text_encoder`.
        device: where it runs.
    """
    from rvosbench.adapters.text import load_text_encoder

    samples = load_samples(tokens)
    every = round(1 / HELD_OUT)
    chosen = load_samples(valid) if valid else samples[::every]
    learnt = samples if valid else [s for i, s in enumerate(samples) if i % every]
    encoder = load_text_encoder(text, device)
    return TrainingData(learnt, chosen, encode_texts([*learnt, *chosen], encoder.encode))


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line; see the module's docstring."""
    given = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    selector, config = _configs(given)
    data = load_data(given.tokens, given.valid, _text_source(given), given.device)
    if given.minutes:
        config = dataclasses.replace(config, epochs=_epochs(given, data, selector, config))
    logger.info("%d videos, %s", len(data.train), config)
    best = train(data, selector, config, given.out, given.device)
    if given.half:
        save_selector(given.out, load_selector(given.out), torch.float16)
    report = {"training": dataclasses.asdict(config), "videos": len(data.train), "best": best}
    text = json.dumps(report, indent=2) + "\n"
    (given.out / "training.json").write_text(text, encoding="utf-8")


def _epochs(
    given: argparse.Namespace, data: TrainingData, selector: SelectorConfig, config: TrainConfig
) -> int:
    """As many as fit into `--minutes`; a training that is resumed keeps to its plan."""
    planned = planned_epochs(given.out / STATE_FILE)
    seconds = 1.1 * seconds_per_epoch(data, selector, config, given.device)
    return planned or max(1, int(60 * given.minutes / seconds))


def _configs(given: argparse.Namespace) -> tuple[SelectorConfig, TrainConfig]:
    """The preset, changed by `--set` (`selector.` keys change the network) and `--epochs`."""
    demo = given.preset == "demo"
    selector = DEMO_SELECTOR if demo else SelectorConfig()
    config = dataclasses.replace(DEMO_TRAINING if demo else TrainConfig(), seed=given.seed)
    changes = parse_assignments(given.settings)
    mark = "selector."
    network = {k.removeprefix(mark): v for k, v in changes.items() if k.startswith(mark)}
    config = configure(config, {k: v for k, v in changes.items() if not k.startswith(mark)})
    if given.epochs:
        config = dataclasses.replace(config, epochs=given.epochs)
    return configure(selector, network), config


def _text_source(given: argparse.Namespace) -> str:
    if given.text:
        return str(given.text)
    if given.preset == "released":
        return "sentence-transformers/all-roberta-large-v1"
    import rvosbench.demo

    return str(Path(rvosbench.demo.__file__).parent / "weights" / "text")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m sola.train", description=(__doc__ or "").splitlines()[0]
    )
    add = parser.add_argument
    add("--tokens", type=Path, required=True, help="folder of collected samples (*.npz)")
    add("--valid", type=Path, help="folder of samples to choose the best epoch by")
    add("--text", help="text encoder: hub id or folder; default: the preset's")
    add("--out", type=Path, required=True, help="folder of the selector; resumed if unfinished")
    add("--preset", choices=("demo", "released"), default="demo")
    add("--set", dest="settings", action="append", default=[], metavar="KEY=VALUE")
    add("--epochs", type=int, help="exact number of epochs")
    add("--minutes", type=float, help="as many epochs as fit, by an estimate that is logged")
    add("--seed", type=int, default=0)
    add("--device", default="cpu")
    add("--half", action="store_true", help="store the weights as float16")
    return parser


if __name__ == "__main__":
    main()
