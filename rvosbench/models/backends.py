"""Whose code runs a frozen network: transformers', or the package of the network's authors."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from types import ModuleType

from rvosbench.errors import ConfigurationError, RvosbenchError, did_you_mean, first_line

TRANSFORMERS, ORIGINAL = "transformers", "original"
BACKENDS = (TRANSFORMERS, ORIGINAL)

INSTALL = {
    "sam2": "pip install --no-build-isolation sam2==1.1.0",
    "groundingdino": "pip install rf-groundingdino==0.3.0",
}


class BackendError(RvosbenchError):
    """An original package that is not installed, cannot be imported or cannot run a network."""


def check_backend(backend: str) -> None:
    """Refuse names that are no backend.

    Raises:
        ConfigurationError: saying which there are.
    """
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
