"""Whatever is evaluated: a method by its name and configuration, or an object that is built."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

from rvosbench import plugins
from rvosbench.config import configure, differences, signed_values
from rvosbench.contracts import (
    Answer,
    Method,
    MethodIdentity,
    MethodSpec,
    Traceable,
    TraceableByVideo,
    TruthMethod,
)
from rvosbench.errors import UnknownNameError, UsageError
from rvosbench.records import Json, MethodCard, Prediction, Sample
from rvosbench.runs.complete import complete
from rvosbench.runs.source import object_facts, source_hash


class Candidate(Protocol):
    """What is evaluated, before it is built. Worker processes get it by pickle."""

    @property
    def needs_truth(self) -> bool:
        """It is handed the ground truth: an upper bound, never ranked."""

    @property
    def keeps(self) -> bool:
        """A run keeps its predictions; False if they lie in files already."""

    def facts(self) -> dict[str, Json]:
        """What it is, in short: its name, and what was chosen."""

    def details(self) -> dict[str, Json]:
        """What else decides its numbers and is known before it is built."""

    def identify(self, videos: Sequence[str]) -> MethodIdentity | None:
        """What it would say of itself once built, for a run of `videos`; None if unknown."""

    def build(self) -> Method | TruthMethod:
        """Make it."""

    def identity_of(self, method: Method | TruthMethod, videos: Sequence[str]) -> MethodIdentity:
        """What the built method says of itself."""

    def checked(self, answers: Mapping[str, Answer], sample: Sample) -> Mapping[str, Prediction]:
        """Its predictions for a video, as they are scored; raises PredictionError for a misfit."""

    def read_of(self, sample: Sample) -> str:
        """A hash of what it reads of a video beside its names and expressions."""

    def check_resumable(self) -> None:
        """Raises UsageError if two of its runs could not be told apart."""


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
    def needs_truth(self) -> bool:
        """Whether it is an upper bound."""
        return self.spec.needs_truth

    @property
    def keeps(self) -> bool:
        """A method's predictions are kept."""
        return True

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
        return self.spec.build(self.config, self.device)

    def facts(self) -> dict[str, Json]:
        """Name, preset, and as `config` what differs from the defaults."""
        return {"method": self.name, "preset": self.preset, "config": differences(self.config)}

    def details(self) -> dict[str, Json]:
        """The whole configuration, as defaults may change, and the hash of the code."""
        module = plugins.module_of(plugins.METHODS, "method", self.name)
        return {"configuration": signed_values(self.config), "code": source_hash(module)}

    def identify(self, videos: Sequence[str]) -> MethodIdentity | None:
        """As the method's spec tells it without opening a network; None if it does not."""
        spec = self.spec
        return spec.identify(self.config, self.device, videos) if spec.identify else None

    def identity_of(self, method: Method | TruthMethod, videos: Sequence[str]) -> MethodIdentity:
        """What the built method says of itself."""
        return identity_of(method, videos, self.card)

    def checked(self, answers: Mapping[str, Answer], sample: Sample) -> Mapping[str, Prediction]:
        """Complete predictions of the right size; raises PredictionError for others."""
        return complete(answers, sample, self.name)

    def read_of(self, sample: Sample) -> str:
        """The frames."""
        return sample.video.identity

    def check_resumable(self) -> None:
        """Its name, configuration, code and provenance tell everything."""


@dataclass(frozen=True)
class BuiltMethod:
    """A method that somebody built already."""

    method: Method | TruthMethod

    @property
    def needs_truth(self) -> bool:
        """Whether it is an upper bound."""
        return isinstance(self.method, TruthMethod)

    @property
    def keeps(self) -> bool:
        """A method's predictions are kept."""
        return True

    @property
    def name(self) -> str:
        """Its own name, or that of its class."""
        return str(getattr(self.method, "name", type(self.method).__name__))

    def build(self) -> Method | TruthMethod:
        """The method."""
        return self.method

    def facts(self) -> dict[str, Json]:
        """Its name."""
        return {"method": self.name, "preset": None, "config": {}}

    def details(self) -> dict[str, Json]:
        """The hash of its code, and its attributes as far as JSON can hold them."""
        code = source_hash(type(self.method).__module__)
        return {"code": code, "object": object_facts(self.method)[0]}

    def identify(self, videos: Sequence[str]) -> MethodIdentity | None:
        """What it says of itself."""
        return self.identity_of(self.method, videos)

    def identity_of(self, method: Method | TruthMethod, videos: Sequence[str]) -> MethodIdentity:
        """What it says of itself."""
        return identity_of(method, videos, MethodCard(self.name))

    def checked(self, answers: Mapping[str, Answer], sample: Sample) -> Mapping[str, Prediction]:
        """Complete predictions of the right size; raises PredictionError for others."""
        return complete(answers, sample, self.name)

    def read_of(self, sample: Sample) -> str:
        """The frames."""
        return sample.video.identity

    def check_resumable(self) -> None:
        """Raises UsageError if its code or one of its attributes cannot be told from another's."""
        if source_hash(type(self.method).__module__) is None:
            raise UsageError(
                f"{self.name} was defined without a source file, so a run of it cannot be resumed: "
                "nothing tells whether its code changed. Put it into a file, or start again"
            )
        unknown = object_facts(self.method)[1]
        if unknown:
            raise UsageError(
                f"a run of {self.name} cannot be resumed: nothing tells whether its attribute "
                f"{', '.join(unknown)} changed. Keep plain values, arrays, dataclasses or networks "
                "there, or start again"
            )


def choose(method: str | MethodChoice | Method | TruthMethod, dataset: str) -> Candidate:
    """A method by name, by choice, or built already.

    Args:
        method: a name takes the preset that fits the dataset, see `load_method`.
        dataset: name of the dataset it will run on.

    Raises:
        UsageError: the object has no `predict`, or the name is unknown.
    """
    if isinstance(method, str):
        return load_method(method, dataset=dataset)
    if isinstance(method, MethodChoice):
        return method
    if not isinstance(method, Method | TruthMethod):
        raise UsageError(f"{type(method).__name__} has no predict(sample): not a method")
    return BuiltMethod(method)


def identity_of(
    method: Method | TruthMethod, videos: Sequence[str], card: MethodCard
) -> MethodIdentity:
    """What a built method says of itself for a run of `videos`; `card` if it has none."""
    if isinstance(method, TraceableByVideo):
        provenance = dict(method.provenance_of(videos))
    else:
        provenance = dict(method.provenance()) if isinstance(method, Traceable) else {}
    return MethodIdentity(provenance, getattr(method, "card", card))


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
