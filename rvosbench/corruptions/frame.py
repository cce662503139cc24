"""Corrupting one frame: draw what is random, apply it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from rvosbench.corruptions.draws import DrawContext, Draws, Pictures, Random, mode_of
from rvosbench.corruptions.exact import blur, digital, noise, weather
from rvosbench.corruptions.fast import blur as fast_blur
from rvosbench.corruptions.fast import digital as fast_digital
from rvosbench.corruptions.fast import noise as fast_noise
from rvosbench.corruptions.fast import weather as fast_weather
from rvosbench.corruptions.frost import FrostPictures
from rvosbench.corruptions.table import Level, Mode, corruption
from rvosbench.errors import UnknownNameError, UsageError
from rvosbench.records import Frame

SMALLEST = 32
"""Pixels of the shorter side: below, kernels are larger than what they blur."""


def _nothing(setting: DrawContext, rng: Any) -> Draws:  # noqa: ANN401 no generator is asked
    return {}


@dataclass(frozen=True)
class Implementation:
    """One corruption in one mode.

    Attributes:
        apply: (frame (H, W, 3) uint8, level, draws, generator) -> frame of the same shape. The
            generator is used only for noise that is drawn per pixel and frame.
        draw: (setting, generator) -> draws.
    """

    apply: Callable[[Frame, Level, Draws, Any], Frame]
    draw: Callable[[DrawContext, Any], Draws] = _nothing


_EXACT: Mapping[str, Implementation] = {
    "gaussian_noise": Implementation(noise.gaussian_noise),
    "shot_noise": Implementation(noise.shot_noise),
    "impulse_noise": Implementation(noise.impulse_noise),
    "defocus_blur": Implementation(blur.defocus_blur),
    "glass_blur": Implementation(blur.glass_blur, blur.draw_shuffle),
    "motion_blur": Implementation(blur.motion_blur, blur.draw_angle),
    "zoom_blur": Implementation(blur.zoom_blur),
    "snow": Implementation(weather.snow, weather.draw_snow),
    "frost": Implementation(weather.frost, weather.draw_frost),
    "fog": Implementation(weather.fog, weather.draw_fog),
    "brightness": Implementation(weather.brightness),
    "contrast": Implementation(digital.contrast),
    "elastic_transform": Implementation(digital.elastic_transform, digital.draw_elastic),
    "pixelate": Implementation(digital.pixelate),
    "jpeg_compression": Implementation(digital.jpeg_compression),
    "speckle_noise": Implementation(noise.speckle_noise),
    "gaussian_blur": Implementation(blur.gaussian_blur),
    "spatter": Implementation(weather.spatter, weather.draw_spatter),
    "saturate": Implementation(digital.saturate),
}
_FAST: Mapping[str, Implementation] = {
    **_EXACT,  # frost, brightness, pixelate, JPEG and saturate are the same in both modes
    "gaussian_noise": Implementation(fast_noise.gaussian_noise),
    "shot_noise": Implementation(fast_noise.shot_noise),
    "impulse_noise": Implementation(fast_noise.impulse_noise),
    "defocus_blur": Implementation(fast_blur.defocus_blur),
    "glass_blur": Implementation(fast_blur.glass_blur, fast_blur.draw_shuffle),
    "motion_blur": Implementation(fast_blur.motion_blur, blur.draw_angle),
    "zoom_blur": Implementation(fast_blur.zoom_blur),
    "snow": Implementation(fast_weather.snow, fast_weather.draw_snow),
    "fog": Implementation(fast_weather.fog, fast_weather.draw_fog),
    "contrast": Implementation(fast_digital.contrast),
    "elastic_transform": Implementation(fast_digital.elastic_transform, fast_digital.draw_elastic),
    "speckle_noise": Implementation(fast_noise.speckle_noise),
    "gaussian_blur": Implementation(fast_blur.gaussian_blur),
    "spatter": Implementation(fast_weather.spatter, fast_weather.draw_spatter),
}
_IMPLEMENTATIONS: Mapping[Mode, Mapping[str, Implementation]] = {"fast": _FAST, "exact": _EXACT}


@dataclass(frozen=True)
class Drawn:
    """A corruption with what was drawn for it; `values` is empty where all noise is per pixel.

    Frames of one video may share it: then they have one motion, one fog, one frost.
    """

    name: str
    severity: int
    mode: Mode
    size: tuple[int, int]
    values: Draws

    @property
    def level(self) -> Level:
        """The strength."""
        return corruption(self.name).level(self.severity)


def corrupt(frame: Frame, name: str, severity: int, rng: Random, mode: Mode = "fast") -> Frame:
    """One frame of ImageNet-C.

    Args:
        frame: (H, W, 3) uint8 RGB, at least 32 x 32; (H, W) and (H, W, 1) count as grey.
        name: one of `CORRUPTIONS`.
        severity: 1 to 5.
        rng: what everything random is drawn from: a Generator in fast mode, a RandomState in exact
            mode, which draws as the original does from NumPy's global state.
        mode: "fast" has the distribution of the original, "exact" its arithmetic and its bytes.

    Returns:
        (H, W, 3) uint8, a new array.

    Raises:
        UsageError: unknown name or mode, a severity outside 1 to 5, a frame of another type or too
            small, a generator that does not fit the mode.

    >>> import numpy as np
    >>> frame = np.full((64, 64, 3), 100, np.uint8)
    >>> corrupt(frame, "gaussian_noise", 5, np.random.default_rng(0)).shape
    (64, 64, 3)
    """
    if mode not in _IMPLEMENTATIONS:
        raise UnknownNameError("mode", str(mode), _IMPLEMENTATIONS)
    if mode_of(rng) != mode:
        raise UsageError(
            f"mode {mode!r} with a {type(rng).__name__}: the fast mode draws from a "
            "numpy.random.Generator, the exact mode from a numpy.random.RandomState"
        )
    frame = checked(frame)
    return apply(frame, draw(name, severity, frame.shape, rng), rng)


def draw(
    name: str, severity: int, shape: tuple[int, ...], rng: Random, pictures: Pictures | None = None
) -> Drawn:
    """Draw what the frames of a video may share; the kind of generator decides the mode.

    Args:
        name: one of `CORRUPTIONS`.
        severity: 1 to 5.
        shape: (H, W, ...) of the frame.
        rng: see `corrupt`.
        pictures: of frost; None takes our own.

    Raises:
        UsageError: as `corrupt`.
    """
    level = corruption(name).level(severity)
    size, mode = check_size(shape), mode_of(rng)
    setting = DrawContext(level, size, pictures or FrostPictures())
    values = _IMPLEMENTATIONS[mode][name].draw(setting, rng)
    return Drawn(name, severity, mode, size, values)


def apply(frame: Frame, drawn: Drawn, rng: Random) -> Frame:
    """Corrupt a frame with what was drawn; noise that belongs to single pixels is drawn now.

    Raises:
        UsageError: a frame of another type or of another size than was drawn for, or another kind
            of generator.
    """
    frame = checked(frame)
    if frame.shape[:2] != drawn.size:
        raise UsageError(
            f"{drawn.name} was drawn for {drawn.size[0]}x{drawn.size[1]}, the frame is "
            f"{frame.shape[0]}x{frame.shape[1]} (height x width): draw for each size"
        )
    if mode_of(rng) != drawn.mode:
        raise UsageError(f"{drawn.name} was drawn in {drawn.mode} mode: pass that generator again")
    maker = _IMPLEMENTATIONS[drawn.mode][drawn.name]
    return maker.apply(frame, drawn.level, drawn.values, rng)


def checked(frame: Frame) -> Frame:
    """The frame as a writable (H, W, 3) array in C order; grey is repeated. Raises UsageError."""
    if not isinstance(frame, np.ndarray) or frame.dtype != np.uint8:
        got = frame.dtype if isinstance(frame, np.ndarray) else type(frame).__name__
        raise UsageError(f"the frame is {got}, wanted a uint8 array with values 0 to 255")
    if frame.ndim == 2:
        frame = frame[..., None]
    if frame.ndim != 3 or frame.shape[2] not in (1, 3):
        raise UsageError(
            f"the frame has shape {frame.shape}, wanted (H, W, 3), (H, W, 1) or (H, W)"
        )
    check_size(frame.shape)
    if frame.shape[2] == 1:
        frame = np.repeat(frame, 3, axis=2)
    # One memory layout: compiled loops would otherwise be compiled anew for each.
    return np.require(frame, requirements=["C", "W"])


def check_size(shape: tuple[int, ...]) -> tuple[int, int]:
    """(height, width) of a shape; raises UsageError below 32 x 32."""
    if len(shape) < 2 or min(shape[:2]) < SMALLEST:
        raise UsageError(
            f"the frame has shape {tuple(shape)}, wanted at least {SMALLEST} x {SMALLEST} pixels"
        )
    return int(shape[0]), int(shape[1])
