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
from rvosbench.corruptions.implementation import Maker

FAST: Mapping[str, Maker[np.random.Generator]] = MappingProxyType(
    {
        "gaussian_noise": Maker(noise.gaussian_noise),
        "shot_noise": Maker(noise.shot_noise),
        "impulse_noise": Maker(noise.impulse_noise),
        "defocus_blur": Maker(blur.defocus_blur),
        "glass_blur": Maker(blur.glass_blur, blur.draw_shuffle),
        "motion_blur": Maker(blur.motion_blur, blur.draw_angle),
        "zoom_blur": Maker(blur.zoom_blur),
        "snow": Maker(weather.snow, weather.draw_snow),
        "frost": Maker(same_weather.frost, weather.draw_frost),
        "fog": Maker(weather.fog, weather.draw_fog),
        "brightness": Maker(same_weather.brightness),
        "contrast": Maker(digital.contrast),
        "elastic_transform": Maker(elastic.elastic_transform, elastic.draw_elastic),
        "pixelate": Maker(same_digital.pixelate),
        "jpeg_compression": Maker(same_digital.jpeg_compression),
        "speckle_noise": Maker(noise.speckle_noise),
        "gaussian_blur": Maker(blur.gaussian_blur),
        "spatter": Maker(weather.spatter, weather.draw_spatter),
        "saturate": Maker(same_digital.saturate),
    }
)
