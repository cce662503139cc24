"""Where networks run, and in which precision."""

from __future__ import annotations

from rvosbench.errors import ConfigurationError


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
