"""All ImageNet-C corruptions: names, strengths and what of them a video may share. Pure data.

The strengths are those of ImageNet-C at 224 x 224 pixels. The authors tuned another table for
299 x 299 and none for video sizes; here the one table is used at every size, as the field does.

Source: Hendrycks and Dietterich, ICLR 2019, and the code released with it
(github.com/hendrycks/robustness, ImageNet-C/create_c/make_imagenet_c.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, TypeAlias

from rvosbench.errors import UnknownNameError, UsageError

VERSION = 1
"""Changes whenever a byte of the fast mode could change; part of every signature."""

FROST_VERSION = 1
"""Changes whenever a byte of our own frost pictures could change; part of frost's signature."""

SEVERITIES = (1, 2, 3, 4, 5)

Family: TypeAlias = Literal["noise", "blur", "weather", "digital"]
Mode: TypeAlias = Literal["fast", "exact"]
"""Arithmetic: the distribution of the original, or its bytes; see `frame.corrupt`."""
Temporal: TypeAlias = Literal["per_frame", "per_video", "drift"]
"""What the frames of a video share; see `rvosbench.corruptions.Plan`."""
Level: TypeAlias = Mapping[str, float]
"""Strength of a corruption at one severity: parameter -> value."""


@dataclass(frozen=True)
class Corruption:
    """One row of the table.

    Attributes:
        name: as in ImageNet-C.
        family: the heading it has there.
        parameters: name -> its values at severity 1 to 5.
        shared: draws that a video may share (`temporal="per_video"` and `"drift"`); everything
            else is drawn anew for every frame.
        moves_pixels: frames no longer lie exactly under their masks.
        extra: one of the four that ImageNet-C adds for validation.
    """

    name: str
    family: Family
    parameters: Mapping[str, tuple[float, ...]]
    shared: tuple[str, ...] = ()
    moves_pixels: bool = False
    extra: bool = False

    def level(self, severity: int) -> Level:
        """Parameters at a severity: an integer from 1 to 5, else a UsageError is raised."""
        if isinstance(severity, bool) or severity not in SEVERITIES:
            raise UsageError(
                f"severity {severity!r}: wanted an integer from {SEVERITIES[0]} to {SEVERITIES[-1]}"
            )
        return MappingProxyType({k: v[severity - 1] for k, v in self.parameters.items()})


_ROWS = (
    # Standard deviation of the noise, pixel values in [0, 1].
    Corruption("gaussian_noise", "noise", {"std": (0.08, 0.12, 0.18, 0.26, 0.38)}),
    # Photons of a white pixel.
    Corruption("shot_noise", "noise", {"photons": (60, 25, 12, 5, 3)}),
    # Part of the values that become black or white.
    Corruption("impulse_noise", "noise", {"amount": (0.03, 0.06, 0.09, 0.17, 0.27)}),
    # Radius of the disc in pixels, and how much its edge is smoothed.
    Corruption(
        "defocus_blur", "blur", {"radius": (3, 4, 6, 8, 10), "alias": (0.1, 0.5, 0.5, 0.5, 0.5)}
    ),
    # Gaussian before and after, reach of the shuffle in pixels, number of scans.
    Corruption(
        "glass_blur",
        "blur",
        {"sigma": (0.7, 0.9, 1, 1.1, 1.5), "reach": (1, 2, 2, 3, 4), "scans": (2, 1, 3, 2, 2)},
        shared=("shuffle",),
        moves_pixels=True,
    ),
    # Length of the line in pixels (2 radius + 1 taps), and the fading along it.
    Corruption(
        "motion_blur",
        "blur",
        {"radius": (10, 15, 15, 15, 20), "sigma": (3, 5, 8, 12, 15)},
        shared=("angle",),
    ),
    # Zooms 1, 1 + step, ... below stop, all averaged.
    Corruption(
        "zoom_blur",
        "blur",
        {"stop": (1.11, 1.16, 1.21, 1.26, 1.31), "step": (0.01, 0.01, 0.02, 0.02, 0.03)},
        moves_pixels=True,
    ),
    # Normal layer (mean, std), enlarged, thresholded, blurred along a line; `keep` is how much of
    # the frame's own colours is kept.
    Corruption(
        "snow",
        "weather",
        {
            "mean": (0.1, 0.2, 0.55, 0.55, 0.55),
            "std": (0.3, 0.3, 0.3, 0.3, 0.3),
            "zoom": (3, 2, 4, 4.5, 2.5),
            "threshold": (0.5, 0.5, 0.9, 0.85, 0.85),
            "radius": (10, 12, 12, 12, 12),
            "sigma": (4, 4, 8, 8, 12),
            "keep": (0.8, 0.7, 0.7, 0.65, 0.55),
        },
        shared=("angle",),
    ),
    # Weights of the frame and of the frost picture.
    Corruption(
        "frost",
        "weather",
        {"frame": (1, 0.8, 0.7, 0.65, 0.6), "frost": (0.4, 0.6, 0.7, 0.7, 0.75)},
        shared=("picture", "place"),
    ),
    # Thickness, and how fast the fractal's detail fades.
    Corruption(
        "fog",
        "weather",
        {"thickness": (1.5, 2, 2.5, 2.5, 3), "decay": (2, 2, 1.7, 1.5, 1.4)},
        shared=("density",),
    ),
    # Added to V of HSV.
    Corruption("brightness", "weather", {"added": (0.1, 0.2, 0.3, 0.4, 0.5)}),
    # What remains of the distance from the channel's mean.
    Corruption("contrast", "digital", {"kept": (0.4, 0.3, 0.2, 0.1, 0.05)}),
    # Strength and smoothness of the displacement field, and of the affine change before it, in
    # pixels. The original says 244 where 224 was meant, and adds that nothing is incorrect.
    Corruption(
        "elastic_transform",
        "digital",
        {
            "alpha": (244 * 2, 244 * 2, 244 * 0.05, 244 * 0.07, 244 * 0.12),
            "sigma": (244 * 0.7, 244 * 0.08, 244 * 0.01, 244 * 0.01, 244 * 0.01),
            "affine": (244 * 0.1, 244 * 0.2, 244 * 0.02, 244 * 0.02, 244 * 0.02),
        },
        shared=("corners", "field"),
        moves_pixels=True,
    ),
    # Scale of the small copy.
    Corruption("pixelate", "digital", {"scale": (0.6, 0.5, 0.4, 0.3, 0.25)}),
    # Quality as in libjpeg.
    Corruption("jpeg_compression", "digital", {"quality": (25, 18, 15, 10, 7)}),
    # Standard deviation relative to the pixel's value.
    Corruption("speckle_noise", "noise", {"std": (0.15, 0.2, 0.35, 0.45, 0.6)}, extra=True),
    Corruption("gaussian_blur", "blur", {"sigma": (1, 2, 3, 4, 6)}, extra=True),
    # Normal layer (mean, std), smoothed, thresholded; water for mud = 0, otherwise mud.
    Corruption(
        "spatter",
        "weather",
        {
            "mean": (0.65, 0.65, 0.65, 0.65, 0.67),
            "std": (0.3, 0.3, 0.3, 0.3, 0.4),
            "sigma": (4, 3, 2, 1, 1),
            "threshold": (0.69, 0.68, 0.68, 0.65, 0.65),
            "strength": (0.6, 0.6, 0.5, 1.5, 1.5),
            "mud": (0, 0, 0, 1, 1),
        },
        shared=("liquid",),
        extra=True,
    ),
    # S of HSV becomes factor * S + added.
    Corruption(
        "saturate",
        "digital",
        {"factor": (0.3, 0.1, 2, 5, 20), "added": (0, 0, 0, 0.1, 0.2)},
        extra=True,
    ),
)

TABLE: Mapping[str, Corruption] = MappingProxyType({row.name: row for row in _ROWS})
CORRUPTIONS: tuple[str, ...] = tuple(TABLE)
"""The 19 names in the published order: 15 of the benchmark, then 4 for validation."""


def corruption(name: str) -> Corruption:
    """The row called `name`; raises UnknownNameError."""
    if name not in TABLE:
        raise UnknownNameError("corruption", name, TABLE)
    return TABLE[name]
