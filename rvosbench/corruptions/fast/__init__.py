"""The default mode: the same distributions from our own stream, several times faster.

What is not random differs from the exact mode by at most 1 grey level; what is random has the same
statistics. Random words are turned into noise by our own tables, and sums are integers where that
helps, so results depend neither on the machine nor on how a library draws its numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from rvosbench.corruptions.exact import digital as same_digital
from rvosbench.corruptions.exact import weather as same_weather
from rvosbench.corruptions.fast import blur, digital, elastic, noise, weather
from rvosbench.corruptions.implementation import Implementation

FAST: Mapping[str, Implementation[np.random.Generator]] = MappingProxyType(
    {
        "gaussian_noise": Implementation(noise.gaussian_noise),
        "shot_noise": Implementation(noise.shot_noise),
        "impulse_noise": Implementation(noise.impulse_noise),
        "defocus_blur": Implementation(blur.defocus_blur),
        "glass_blur": Implementation(blur.glass_blur, blur.draw_shuffle),
        "motion_blur": Implementation(blur.motion_blur, blur.draw_angle),
        "zoom_blur": Implementation(blur.zoom_blur),
        "snow": Implementation(weather.snow, weather.draw_snow),
        "frost": Implementation(same_weather.frost, weather.draw_frost),
        "fog": Implementation(weather.fog, weather.draw_fog),
        "brightness": Implementation(same_weather.brightness),
        "contrast": Implementation(digital.contrast),
        "elastic_transform": Implementation(elastic.elastic_transform, elastic.draw_elastic),
        "pixelate": Implementation(same_digital.pixelate),
        "jpeg_compression": Implementation(same_digital.jpeg_compression),
        "speckle_noise": Implementation(noise.speckle_noise),
        "gaussian_blur": Implementation(blur.gaussian_blur),
        "spatter": Implementation(weather.spatter, weather.draw_spatter),
        "saturate": Implementation(same_digital.saturate),
    }
)
