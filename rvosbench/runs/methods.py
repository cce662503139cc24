"""Choosing a method: its name, its preset, and what was changed in its configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rvosbench import plugins
from rvosbench.config import configure, differences
from rvosbench.contracts import Method, MethodSpec, TruthMethod
from rvosbench.errors import UnknownNameError, UsageError
from rvosbench.records import Json, MethodCard


@dataclass(frozen=True)
class MethodChoice:
    """A method as chosen on the command line; building it loads the weights.

    Attributes:
        name: at the entry point.
        preset: one of the spec's presets, or None for the configuration's defaults.
        settings: dotted configuration keys that differ from the preset.
        device: "auto", "cpu", "cuda", "cuda:1" or "mps".
    """

    name: str
    preset: str | None = None
    settings: Mapping[str, Json] = field(default_factory=dict)
    device: str = "auto"

    @property
    def spec(self) -> MethodSpec:
        """What stands at the entry point."""
        return plugins.method_spec(self.name)

    @property
    def card(self) -> MethodCard:
        """What the tables print."""
        return self.spec.card

    @property
    def config(self) -> object:
        """Defaults, then the preset, then the settings.

        Raises:
            ConfigurationError: a setting that does not exist or does not fit.
        """
        spec = self.spec
        preset = spec.presets[self.preset] if self.preset else {}
        return configure(configure(spec.config_type(), preset), self.settings)

    def build(self) -> Method | TruthMethod:
        """Make the method, weights and all; raises WeightsError if they are missing."""
        return self.spec.build(self.config, self.device)

    def facts(self) -> dict[str, Json]:
        """What the choice adds to a signature."""
        return {"method": self.name, "preset": self.preset, "config": differences(self.config)}


def load_method(
    name: str,
    preset: str | None = None,
    settings: Mapping[str, Json] | None = None,
    device: str = "auto",
    dataset: str | None = None,
) -> MethodChoice:
    """Choose a method by name.

    Args:
        name: at the entry point `rvosbench.methods`.
        preset: None takes "demo" when `dataset` is "demo" and the method has it, so that nobody
            scores real data with toy weights by accident; elsewhere "released" if it has that.
        settings: dotted configuration keys to change.
        device: see `MethodChoice`.
        dataset: name of the dataset it will run on.

    Raises:
        UnknownNameError: no such method or preset.
        ConfigurationError: a setting that does not exist or does not fit.
    """
    presets = plugins.method_spec(name).presets
    if preset is None:
        wanted = "demo" if dataset == "demo" and "demo" in presets else "released"
        preset = wanted if wanted in presets else None
    elif not presets:
        raise UsageError(f"method {name!r} has no presets: leave out --preset {preset}")
    elif preset not in presets:
        raise UnknownNameError(f"preset of method {name!r}", preset, presets)
    choice = MethodChoice(name, preset, dict(settings or {}), device)
    _ = choice.config  # a wrong setting is told now, not after the weights are loaded
    return choice
