"""What kernels may be, for arrays and for files."""

from __future__ import annotations

from itertools import accumulate
from typing import Any

import numpy as np

from . import _arguments as arguments


def kernel_array(h: Any, routing: str) -> tuple[np.ndarray, list[int], list[int]]:
    """Return kernels as one array; of a bank also the size of each, and where each starts if one
    lies behind the other.

    Raises
    ------
    TypeError
        If `h` holds no numbers.
    ValueError
        If it has no taps, or is not finite.
    """
    if routing == "bank" and isinstance(h, (list, tuple)):
        each = [arguments.array(f"h[{k}]", kernel) for k, kernel in enumerate(h)]
        if not each:
            raise ValueError("h has no kernels; allowed: 1 or more")
        if any(kernel.ndim > 0 for kernel in each):
            return _joined(each)
    kernels = arguments.finite_taps("h", h)
    if routing != "bank":
        return kernels, [], []
    if kernels.ndim == 1:
        kernels = kernels[np.newaxis]
    return kernels, [kernels.shape[-1]] * len(kernels), []


def _joined(each: list[np.ndarray]) -> tuple[np.ndarray, list[int], list[int]]:
    for k, kernel in enumerate(each):
        if kernel.ndim != 1 or kernel.size == 0:
            raise ValueError(f"h[{k}] has shape {kernel.shape}; allowed: (taps,), of 1 tap or more")
    sizes = [kernel.size for kernel in each]
    joined = np.concatenate(each)
    try:
        arguments.require_finite("h", joined)
    except ValueError:
        for k, kernel in enumerate(each):
            arguments.require_finite(f"h[{k}]", kernel)
    if len(set(sizes)) == 1:
        return joined.reshape(len(each), -1), sizes, []
    return joined, sizes, [0, *accumulate(sizes[:-1])]
