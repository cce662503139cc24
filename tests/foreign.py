"""A CUDA device without hardware: it finds tensors that are made on the wrong device.

Fake tensors have shapes, types and a device but no data, and mixing devices is an error. Two parts
of torch need more than fake data even so, and a build without CUDA lacks both:

* indexing asks for the device's guard. Torch itself puts in one that does nothing where a CUDA
  build finds no GPU; `_with_guard` makes it do so in a CPU build too;
* the autograd engine wants the device's streams. `backward` calls the same backward formulas, node
  by node, without the engine.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode

CUDA, LAZY = 1, 17  # positions in torch's table of device guards (c10/core/DeviceType.h)
TABLE = "_ZN3c104impl26device_guard_impl_registryE"


@contextmanager
def fake_cuda() -> Iterator[str]:
    """Inside, tensors are fake, also those of the CPU, and so is the device "cuda"."""
    with _with_guard(), _WithoutConstants(allow_non_fake_inputs=True):
        yield "cuda"


class _WithoutConstants(FakeTensorMode):  # type: ignore[no-untyped-call]
    """Fake tensors that never keep the data they were made of: it would move to the device."""

    def may_turn_const(self, t: Tensor) -> bool:
        return False


@contextmanager
def _with_guard() -> Iterator[None]:
    """A CUDA guard that does nothing, taken away again at the end."""
    if torch.backends.cuda.is_built():  # type: ignore[no-untyped-call]
        yield
        return
    table = _guards()
    table[CUDA] = table[LAZY]  # it has no devices, like CUDA's without a GPU:
    torch._C._ensureCUDADeviceGuardSet()  # now torch replaces it
    try:
        yield
    finally:
        table[CUDA] = None


def _guards() -> Any:  # noqa: ANN401 - an array of pointers
    """Torch's table of device guards by type of device."""
    folder = Path(torch.__file__).parent / "lib"
    library = next((p for p in folder.glob("libc10.*") if p.suffix in (".so", ".dylib")), None)
    try:
        table = (ctypes.c_void_p * (LAZY + 1)).in_dll(ctypes.CDLL(str(library)), TABLE)
    except (OSError, ValueError):
        pytest.skip("this build of torch has no CUDA and hides its device guards")
    if table[CUDA] is not None or table[LAZY] is None:
        pytest.skip("this build of torch has no CUDA and orders its device guards otherwise")
    return table


def backward(loss: Tensor) -> None:
    """What `loss.backward()` does, for a loss on the fake device.

    Gradients are summed where paths meet and arrive at the leaves' `grad`. Every gradient must be
    on the device of the loss.
    """
    assert loss.grad_fn is not None
    waiting: dict[Any, list[Tensor | None]] = {loss.grad_fn: [torch.ones_like(loss)]}
    for node in _from_outputs_to_leaves(loss.grad_fn):
        if (gradients := waiting.pop(node, None)) is None:
            continue
        assert all(g is None or g.device == loss.device for g in gradients), node.name()
        if hasattr(node, "variable"):
            node.variable.grad = gradients[0]
            continue
        found = node(*gradients)
        for (following, place), gradient in zip(
            node.next_functions, found if isinstance(found, tuple) else (found,), strict=True
        ):
            if following is not None and gradient is not None:
                shapes = [like.shape for like in following._input_metadata]
                row = waiting.setdefault(following, [None] * len(shapes))
                # Torch leaves it to its engine to sum over what was broadcast.
                row[place] = _sum(row[place], gradient.sum_to_size(shapes[place]))


def _sum(before: Tensor | None, gradient: Tensor) -> Tensor:
    return gradient if before is None else before + gradient


def _from_outputs_to_leaves(root: Any) -> list[Any]:  # noqa: ANN401 - torch names no type
    """Nodes of the graph, every one before those it passes gradients to."""
    order: list[Any] = []
    seen, stack = {root}, [(root, iter(root.next_functions))]
    while stack:
        node, rest = stack[-1]
        following = next((n for n, _ in rest if n is not None and n not in seen), None)
        if following is None:
            order.append(node)
            stack.pop()
        else:
            seen.add(following)
            stack.append((following, iter(following.next_functions)))
    return order[::-1]
