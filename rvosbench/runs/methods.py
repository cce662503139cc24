"""Choosing a method: its name, its preset, and what was changed in its configuration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

from rvosbench import plugins
from rvosbench.config import configure, differences, signed_values
from rvosbench.contracts import Method, MethodIdentity, MethodSpec, TruthMethod
from rvosbench.errors import UnknownNameError, UsageError
from rvosbench.models.runtime import known_device
from rvosbench.records import Json
from rvosbench.runs.code_hash import source_hash


@dataclass(frozen=True)
class MethodChoice:
    """A method as chosen on the command line; building it loads the weights.

    Attributes:
        name: at the entry point.
        preset: one of the spec's presets, or None for the configuration's defaults.
        settings: dotted configuration keys that differ from the preset.
        device: "auto", "cpu", "cuda", "cuda:1" or "mps"; the method gets what "auto" means here.
    """

    name: str
    preset: str | None = None
    settings: Mapping[str, Json] = field(default_factory=dict)
    device: str = "auto"

    @property
    def spec(self) -> MethodSpec:
        """What stands at the entry point."""
        return plugins.method_spec(self.name)

    @cached_property
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
        return self.spec.build(self.config, known_device(self.device))

    def facts(self) -> dict[str, Json]:
        """Name, preset, and as `config` what differs from the defaults."""
        return {"method": self.name, "preset": self.preset, "config": differences(self.config)}

    def details(self) -> dict[str, Json]:
        """The whole configuration, as defaults may change, and the hash of the code."""
        code = source_hash(_home(self.spec))
        return {"configuration": signed_values(self.config), "code": code}

    def identify(self, videos: Sequence[str]) -> MethodIdentity | None:
        """As the method's spec tells it without opening a network; None if it does not."""
        spec = self.spec
        if spec.identify is None:
            return None
        return spec.identify(self.config, known_device(self.device), videos)


def _home(spec: MethodSpec) -> str:
    """The module of the code that makes the method."""
    build: Any = spec.build
    while isinstance(build, partial):
        build = build.func
    return str(build.__module__)


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
