"""The original's arithmetic and, given the same random state, the original's bytes.

float64 in [0, 1] (float32 where the original has it), cut to 8 bit rather than rounded. Source of
every function: see `rvosbench.corruptions.table`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from rvosbench.corruptions.exact import blur, digital, noise, weather
from rvosbench.corruptions.implementation import Maker

EXACT: Mapping[str, Maker[np.random.RandomState]] = MappingProxyType(
    {
        "gaussian_noise": Maker(noise.gaussian_noise),
        "shot_noise": Maker(noise.shot_noise),
        "impulse_noise": Maker(noise.impulse_noise),
        "defocus_blur": Maker(blur.defocus_blur),
        "glass_blur": Maker(blur.glass_blur, blur.draw_shuffle),
        "motion_blur": Maker(blur.motion_blur, blur.draw_angle),
        "zoom_blur": Maker(blur.zoom_blur),
        "snow": Maker(weather.snow, weather.draw_snow),
        "frost": Maker(weather.frost, weather.draw_frost),
        "fog": Maker(weather.fog, weather.draw_fog),
        "brightness": Maker(weather.brightness),
        "contrast": Maker(digital.contrast),
        "elastic_transform": Maker(digital.elastic_transform, digital.draw_elastic),
        "pixelate": Maker(digital.pixelate),
        "jpeg_compression": Maker(digital.jpeg_compression),
        "speckle_noise": Maker(noise.speckle_noise),
        "gaussian_blur": Maker(blur.gaussian_blur),
        "spatter": Maker(weather.spatter, weather.draw_spatter),
        "saturate": Maker(digital.saturate),
    }
)
