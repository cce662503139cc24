"""Where networks run, and in which precision."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

from rvosbench.errors import ConfigurationError

DTYPES = ("float32", "bfloat16", "float16")


_ACCELERATORS = ("/dev/nvidiactl", "/dev/dxg", "/dev/kfd")  # NVIDIA, NVIDIA under WSL, AMD


def known_device(device: str) -> str:
    """As `choose_device`, without importing torch where there can be nothing but the CPU.

    Raises:
        ConfigurationError: as there.
    """
    bare = sys.platform == "linux" and not any(Path(place).exists() for place in _ACCELERATORS)
    return "cpu" if device == "cpu" or (device == "auto" and bare) else choose_device(device)


def choose_device(device: str) -> str:
    """The device that "auto" means here: CUDA, then MPS, then CPU; others are checked.

    Raises:
        ConfigurationError: a device that this machine or this build of torch does not have.
    """
    import torch

    there = {
        "cpu": True,
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
    }
    if device == "auto":
        return next(name for name in ("cuda", "mps", "cpu") if there[name])
    kind = device.partition(":")[0]
    if kind not in there:
        raise ConfigurationError(f"--device {device!r}: known are auto, cpu, cuda, cuda:N and mps")
    if not there[kind]:
        here = ", ".join(name for name, ok in there.items() if ok)
        raise ConfigurationError(f"--device {device}: torch finds no {kind} here, only {here}")
    return device


def choose_dtype(dtype: str, device: str) -> str:
    """The precision that "auto" means on a device: bfloat16 on CUDA, float32 elsewhere."""
    if dtype != "auto":
        return dtype
    return "bfloat16" if device.startswith("cuda") else "float32"


def check_dtype(dtype: str, model: str) -> None:
    """Refuse names of no precision that networks run in; "auto" is to be chosen before.

    Raises:
        ConfigurationError: saying which there are.
    """
    if dtype not in DTYPES:
        raise ConfigurationError(f"{model} dtype {dtype!r}: known are auto, {', '.join(DTYPES)}.")


def frozen(device: str, dtype: str) -> AbstractContextManager[object]:
    """For running a network: no gradients, and autocast to a type of half precision.

    With autocast weights stay float32, as in the code of the networks' authors.
    """
    import torch

    stack = ExitStack()
    stack.enter_context(torch.inference_mode())
    if dtype != "float32":
        stack.enter_context(torch.autocast(torch.device(device).type, getattr(torch, dtype)))
    return stack
