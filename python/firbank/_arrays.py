"""Arrays of other libraries, seen as NumPy's and given back as what they were.

Nothing is imported here that the caller has not imported: an array's own module is found through
its type.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

_CPU_DEVICES = (1, 3)  # DLPack's kDLCPU and kDLCUDAHost: memory that the CPU reads


def as_numpy(array: Any, name: str) -> np.ndarray:
    """See an array-like as a NumPy array, without a copy where its memory can be read.

    Parameters
    ----------
    array : array_like
        A NumPy array, an object with ``__dlpack__`` (PyTorch, JAX, CuPy ...), with the buffer
        protocol, or anything else that `numpy.asarray` takes. What lies on a GPU is copied to the
        host.
    name : str
        What an error calls it.

    Raises
    ------
    TypeError
        If it cannot be seen as an array of numbers, or has a mask, which would be lost.
    """
    if type(array) is np.ndarray:
        return array
    require_no_mask(array, name)
    if isinstance(array, np.ndarray):
        return array
    if hasattr(array, "__dlpack__") and hasattr(array, "__dlpack_device__"):
        try:
            if array.__dlpack_device__()[0] in _CPU_DEVICES:
                return np.from_dlpack(array)
            return _from_device(array)
        except (BufferError, RuntimeError, TypeError, ValueError) as error:
            reason = str(error).partition("\n")[0]
            raise TypeError(f"{name} is a {_kind(array)} that cannot be read: {reason}") from error
    try:
        return np.asarray(array)
    except ValueError as error:  # rows of unequal length
        raise TypeError(f"{name} is not an array of numbers: {error}") from error


def like(template: Any, result: np.ndarray | list[np.ndarray]) -> Any:
    """Give `result` back as an array of the kind and on the device of `template`.

    PyTorch's, JAX's and CuPy's arrays are answered by their own; everything else by NumPy's. A list
    of results is answered by a list.
    """
    if isinstance(result, list):
        return [like(template, one) for one in result]
    library = type(template).__module__.partition(".")[0]
    if library in ("jaxlib", "jax"):
        devices = template.devices()
        one = next(iter(devices)) if len(devices) == 1 else None  # else JAX chooses
        return sys.modules["jax"].device_put(result, one)
    if library == "torch" and hasattr(template, "device"):
        return sys.modules["torch"].from_dlpack(result).to(template.device)
    if library == "cupy":
        with template.device:
            return sys.modules["cupy"].asarray(result)
    return result


def require_no_mask(array: Any, name: str) -> None:
    """Raise TypeError for an array with a mask, which would be lost."""
    if isinstance(array, np.ma.MaskedArray):
        raise TypeError(
            f"{name} is a masked array; allowed: arrays without a mask, as by .filled()"
        )


def require_numbers(array: Any, name: str) -> None:
    """Raise TypeError unless `array`, of any kind with a dtype, holds numbers, complex ones too."""
    if array.dtype.kind not in "biufc":
        raise TypeError(
            f"{name} has dtype {array.dtype}; allowed: bool, integers, real and complex numbers"
        )


def require_real(array: np.ndarray, name: str) -> None:
    """Raise TypeError unless `array` holds booleans, integers or real floating-point numbers."""
    if array.dtype.kind not in "buif":
        raise TypeError(f"{name} has dtype {array.dtype}; allowed: real numbers")


def _from_device(array: Any) -> np.ndarray:
    if hasattr(array, "cpu"):  # PyTorch
        return np.from_dlpack(array.cpu())
    if hasattr(array, "get"):  # CuPy
        return array.get()
    return np.asarray(array)  # JAX


def _kind(array: Any) -> str:
    return f"{type(array).__module__}.{type(array).__qualname__}"
