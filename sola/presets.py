"""Named configurations of a training, and how `--set` changes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from rvosbench.config import configure, parse_assignments
from rvosbench.errors import UnknownNameError
from sola.config import (
    DEMO_SELECTOR,
    DEMO_TRAINING,
    PAPER_SELECTOR,
    PAPER_TRAINING,
    SelectorConfig,
    TrainConfig,
)
from sola.method import RELEASED_TEXT

NETWORK = "selector."
"""Keys that begin so change the network, all others the training."""


@dataclass(frozen=True)
class TrainingPreset:
    """A network, how it is trained, and the text encoder that it fits."""

    selector: SelectorConfig
    training: TrainConfig
    text_encoder: str = RELEASED_TEXT

    def changed(self, assignments: Sequence[str]) -> TrainingPreset:
        """The preset with `key=value` applied; `selector.` keys change the network.

        Raises:
            ConfigurationError: an unknown key, or a value that does not fit.
        """
        changes = parse_assignments(assignments)
        network = {k.removeprefix(NETWORK): v for k, v in changes.items() if k.startswith(NETWORK)}
        training = {k: v for k, v in changes.items() if not k.startswith(NETWORK)}
        return replace(
            self,
            selector=configure(self.selector, network),
            training=configure(self.training, training),
        )


TRAINING_PRESETS: Mapping[str, TrainingPreset] = {
    "demo": TrainingPreset(DEMO_SELECTOR, DEMO_TRAINING, "demo"),
    "released": TrainingPreset(SelectorConfig(), TrainConfig()),
    "paper": TrainingPreset(PAPER_SELECTOR, PAPER_TRAINING),
}


def training_preset(name: str | None, dataset: str) -> TrainingPreset:
    """A preset by name; None is "demo" on the demo dataset and "released" on all others.

    Raises:
        UnknownNameError: there is no such preset.
    """
    name = name or ("demo" if dataset == "demo" else "released")
    if name not in TRAINING_PRESETS:
        raise UnknownNameError("preset", name, TRAINING_PRESETS)
    return TRAINING_PRESETS[name]
