"""The original's arithmetic and, given the same random state, the original's bytes.

float64 in [0, 1] (float32 where the original has it), cut to 8 bit rather than rounded. Source of
every function: see `rvosbench.corruptions.table`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from rvosbench.corruptions.exact import blur, digital, noise, weather
from rvosbench.corruptions.implementation import Implementation

EXACT: Mapping[str, Implementation[np.random.RandomState]] = MappingProxyType(
    {
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
)
