"""How frozen networks run: whose code, on which device, in which precision."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, ExitStack
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import ModuleType

from rvosbench.errors import ConfigurationError, RvosbenchError, did_you_mean, first_line

TRANSFORMERS, ORIGINAL = "transformers", "original"
"""The code of a network: that of transformers, or the package of its authors."""
BACKENDS = (TRANSFORMERS, ORIGINAL)

INSTALL = {
    "sam2": "pip install --no-build-isolation sam2==1.1.0",
    "groundingdino": "pip install rf-groundingdino==0.3.0",
}

DTYPES = ("float32", "bfloat16", "float16")

_ACCELERATORS = ("/dev/nvidiactl", "/dev/dxg", "/dev/kfd")  # NVIDIA, NVIDIA under WSL, AMD


def known_device(device: str) -> str:
    """As `choose_device`, importing no torch where there can be nothing but the CPU."""
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
    """Raises ConfigurationError for what is no precision; "auto" is to be chosen before."""
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


class BackendError(RvosbenchError):
    """An original package that is not installed, cannot be imported or cannot run a network."""


def check_backend(backend: str) -> None:
    """Raises ConfigurationError for names that are no backend: says which there are."""
    if backend not in BACKENDS:
        raise ConfigurationError(
            f"backend {backend!r}{did_you_mean(backend, BACKENDS)}: known are {', '.join(BACKENDS)}"
        )


def import_original(package: str, module: str) -> ModuleType:
    """A module of an original package.

    Args:
        package: "sam2" or "groundingdino".
        module: its dotted name.

    Raises:
        BackendError: the package, or one that it needs, is not there: says how to install it.
    """
    try:
        return import_module(module)
    except (ImportError, RuntimeError, AttributeError) as error:
        # RuntimeError and AttributeError: a torchvision that does not fit this torch.
        raise BackendError(
            f"backend=original needs the package {package!r}, which cannot be imported here "
            f"({first_line(error)}). Install it beside a torchvision that fits this "
            f"torch (`{INSTALL[package]}`), or without CUDA as docs/backends.md says; or leave "
            "backend at transformers, which gives the same results"
        ) from error


def installed_versions(*distributions: str) -> dict[str, str]:
    """Distribution -> version, of those that are installed."""
    found = {}
    for name in distributions:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
