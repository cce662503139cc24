"""A device that is not the CPU, without hardware: it finds tensors made on the wrong device."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch._functorch import config
from torch._subclasses.fake_tensor import FakeTensorMode


@contextmanager
def foreign_device() -> Iterator[str]:
    """Inside, tensors are fake, and mixing them with the CPU's is an error.

    A CUDA build of torch fakes "cuda". A CPU build has no CUDA device guard, which indexing and
    autograd need even for fake tensors; "meta" has one and is checked in the same way.
    """
    cuda = torch.backends.cuda.is_built()  # type: ignore[no-untyped-call]
    device = "cuda" if cuda else "meta"
    with config.patch(fake_tensor_allow_meta=True), FakeTensorMode():
        yield device
