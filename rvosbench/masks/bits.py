"""Loops over packed bits, compiled by numba when first called and kept in its cache on disk.

Importing this module imports numba and compiles nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, cast

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

if TYPE_CHECKING:
    from numpy.typing import NDArray

Words: TypeAlias = "NDArray[np.uint64]"
Octets: TypeAlias = "NDArray[np.uint8]"

_Function = TypeVar("_Function", bound=Callable[..., object])

_GROUP = 64


def compiled(function: _Function) -> _Function:
    """The function, compiled for the argument types of its first call.

    Without fast math: sums keep their order, so every machine gives the same bits. Division by
    zero follows IEEE, as in NumPy.
    """
    return cast(_Function, numba.njit(cache=True, nogil=True, error_model="numpy")(function))


@intrinsic  # type: ignore[untyped-decorator,unused-ignore]
def nonzero64(context: Any, octets: Any, at: Any) -> Any:  # noqa: ANN401
    """Which of the 64 bytes from `at` on are not 0, first byte in the lowest bit.

    One vector comparison instead of 64: processors turn its outcome into a word directly.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ANN401
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        vector = ir.VectorType(ir.IntType(8), _GROUP)
        place = builder.gep(array.data, [arguments[1]])
        loaded = builder.load(builder.bitcast(place, vector.as_pointer()), align=1)
        flags = builder.icmp_unsigned("!=", loaded, ir.Constant(vector, [0] * _GROUP))
        return builder.bitcast(flags, ir.IntType(_GROUP))

    return types.uint64(octets, types.intp), generate
