from __future__ import annotations

import sys
from dataclasses import replace

import pytest
import torch

from rvosbench.errors import ConfigurationError, UnknownNameError, UsageError
from rvosbench.runs.methods import MethodChoice, load_method

from .toy_plugin import CODE, ToyPlugin, plugin

__all__ = ["plugin"]


def test_toy_weights_are_the_default_on_the_demo_dataset_only() -> None:
    assert load_method("sola", dataset="demo").preset == "demo"
    assert load_method("sola", dataset="mevis").preset == "released"
    assert load_method("sola", "demo", dataset="mevis").preset == "demo"
    assert load_method("empty", dataset="demo").preset is None


def test_settings_come_after_the_preset_and_only_differences_are_signed() -> None:
    choice = load_method("everything", "demo", {"prompts.points_per_side": "6"})
    config = choice.facts()["config"]
    assert config["prompts.points_per_side"] == 6
    assert config["tracker"] == "demo"
    assert "prompts.resize" not in config
    assert load_method("sola", "released").facts() == {
        "method": "sola",
        "preset": "released",
        "config": {},
    }


def test_equal_choices_are_equal_whatever_the_device() -> None:
    assert MethodChoice("empty", device="cpu").facts() == MethodChoice("empty").facts()


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: load_method("slao"), UnknownNameError, "did you mean 'sola'"),
        (lambda: load_method("sola", "demmo"), UnknownNameError, "did you mean 'demo'"),
        (lambda: load_method("empty", "demo"), UsageError, "has no presets"),
        (lambda: load_method("sola", None, {"x": 1}), ConfigurationError, "unknown configuration"),
    ],
)
def test_a_wrong_choice_is_told_before_weights_are_loaded(
    call: object, error: type[Exception], message: str
) -> None:
    assert callable(call)
    with pytest.raises(error, match=message):
        call()


def test_a_method_is_built_for_a_device_that_torch_understands(plugin: ToyPlugin) -> None:
    noted = CODE.replace("lambda config, device: Box(config)", "built")
    noted = noted.replace(
        "TOLD =",
        "devices = []\n\n\ndef built(config, device):\n    "
        "devices.append(device)\n    return Box(config)\n\n\nTOLD =",
    )
    choice = plugin.write(noted)
    choice.build()
    replace(choice, device="cpu").build()
    (first, second) = sys.modules[f"{plugin.name}.method"].devices
    assert torch.device(first).type in ("cpu", "cuda", "mps")
    assert second == "cpu"
