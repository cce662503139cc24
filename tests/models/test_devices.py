"""Where networks run, in which precision, and without gradients."""

from __future__ import annotations

import pytest
import torch

from rvosbench.errors import ConfigurationError
from rvosbench.models.runtime import DTYPES, check_dtype, choose_device, choose_dtype, frozen


def test_auto_takes_what_this_machine_has() -> None:
    wanted = "cuda" if torch.cuda.is_available() else "cpu"
    if not torch.backends.mps.is_available():
        assert choose_device("auto") == wanted
    assert choose_device("cpu") == "cpu"
    with pytest.raises(ConfigurationError, match=r"'tpu': known are auto, cpu"):
        choose_device("tpu")


@pytest.mark.parametrize(
    ("dtype", "device", "wanted"),
    [
        ("auto", "cuda:1", "bfloat16"),
        ("auto", "cpu", "float32"),
        ("auto", "mps", "float32"),
        ("float16", "cpu", "float16"),
    ],
)
def test_auto_is_half_precision_on_cuda_only(dtype: str, device: str, wanted: str) -> None:
    assert choose_dtype(dtype, device) == wanted


def test_precisions_are_those_that_torch_has() -> None:
    for dtype in DTYPES:
        check_dtype(dtype, "SAM2")
        assert isinstance(getattr(torch, dtype), torch.dtype)
    with pytest.raises(ConfigurationError, match=r"SAM2 dtype 'int8': known are auto, float32"):
        check_dtype("int8", "SAM2")


def test_frozen_networks_run_without_gradients_and_weights_stay_float32() -> None:
    layer, pixels = torch.nn.Linear(4, 4), torch.ones(1, 4)
    for dtype in ("float32", "bfloat16"):
        with frozen("cpu", dtype):
            out = layer(pixels)
            assert torch.is_inference_mode_enabled()
        assert out.dtype == getattr(torch, dtype)
        assert not out.requires_grad
        assert layer.weight.dtype == torch.float32
    assert not torch.is_inference_mode_enabled()
    assert not torch.is_autocast_enabled("cpu")
