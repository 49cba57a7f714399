"""Bank: FIR kernels of any mix of sizes."""

from __future__ import annotations

import operator
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _arguments as arguments
from ._arrays import require_real
from ._kept import KeptConvolvers

_NOT_STATE = ("_lock", "_convolvers")


class Bank:
    """A list of real FIR kernels, each of its own size.

    The kernels are copied and never change, but for `update`. What was made of a bank, such as a
    `Stream`, follows its updates.

    Parameters
    ----------
    kernels : array_like or sequence of array_like
        Shape (K, taps), or (taps,) for a single kernel, or a list of K kernels of shape (taps,)
        each, of any sizes of at least 1. Real and finite. Tap 0 meets the newest sample.
    precision : {None, 'float32', 'float64'}, optional
        What to keep the kernels in. By default what `numpy.result_type` gives for them: float32
        where all are float32 or float16, float64 where there is a float64 or there are integers
        alone.
    max_taps : int, optional
        The largest size that `update` may bring; by default the largest of `kernels`. What is
        planned for longer kernels than there are costs time and memory.

    Raises
    ------
    TypeError
        If a kernel is complex, or not an array of numbers.
    ValueError
        If there is no kernel, one is empty, is not one-dimensional, holds a value that is not
        finite (also one that float32 cannot hold), or is longer than `max_taps`.

    Notes
    -----
    Thread safety: any thread may read a bank or update it at any time; each sees whole kernels.
    Banks can be pickled and copied.

    Examples
    --------
    >>> import firbank
    >>> bank = firbank.Bank([[0.5, 0.5], [1.0, 0.0, -1.0]])
    >>> len(bank), bank.taps, bank.longest, bank.dtype.name
    (2, (2, 3), 3, 'float64')
    >>> bank.update(0, [0.25, 0.5, 0.25])
    >>> bank[0], bank.version
    (array([0.25, 0.5 , 0.25]), 1)
    """

    def __init__(
        self,
        kernels: ArrayLike | Sequence[ArrayLike],
        precision: str | None = None,
        max_taps: int | None = None,
    ) -> None:
        forced = arguments.precision_dtype(precision)
        arrays = _kernel_arrays(kernels)
        self._dtype = _common_dtype(arrays) if forced is None else forced
        own = [
            _checked(array, self._dtype, f"kernels[{index}]") for index, array in enumerate(arrays)
        ]
        longest = max(kernel.size for kernel in own)
        self._max_taps = (
            longest if max_taps is None else arguments.whole("max_taps", max_taps, longest)
        )
        self._kernels = own
        self._changed = [0] * len(own)  # the version that brought each kernel
        self._version = 0
        self._lock = threading.Lock()
        self._convolvers = KeptConvolvers()

    def update(self, index: int, kernel: ArrayLike) -> None:
        """Replace one kernel.

        Parameters
        ----------
        index : int
            Which one; -1 is the last.
        kernel : array_like
            Shape (taps,), of 1 to `max_taps` real, finite numbers. It is copied, and rounded to
            `dtype`.

        Raises
        ------
        IndexError
            If there is no such kernel.
        TypeError, ValueError
            As the constructor; the bank has not changed then.
        """
        index = self._index(index)
        name = f"kernel for bank[{index}]"
        own = _checked(arguments.array(name, kernel), self._dtype, name)
        if own.size > self._max_taps:
            raise ValueError(
                f"{name} has {own.size} taps; allowed: up to {self._max_taps}, max_taps"
            )
        with self._lock:
            self._kernels[index] = own
            self._version += 1
            self._changed[index] = self._version

    def convolve(
        self,
        x: ArrayLike,
        axis: int = -1,
        mode: str = "full",
        **options: Any,
    ) -> NDArray | list[NDArray]:
        """Convolve every channel of an array with every kernel, and keep what was made of these.

        ``firbank.convolve(x, bank, axis, mode, routing='bank', **options)`` is the same. A call of
        the same shape and arguments as one of the last four transforms only the kernels that
        `update` has changed since: for loops that change a kernel and convolve again. The memory
        that is kept, a few times the kernels' own for each thread, is freed with the bank; with a
        `memory_limit` nothing is kept.

        Parameters
        ----------
        x, axis, mode, options
            As `firbank.convolve` has them.

        Examples
        --------
        >>> import numpy as np, firbank
        >>> bank = firbank.Bank(np.ones((2, 3)))
        >>> x = np.arange(4.0)
        >>> bank.convolve(x, mode="causal")[:, 0]
        array([0., 1., 3., 6.])
        >>> bank.update(0, [0.0, 0.0, 2.0])
        >>> bank.convolve(x, mode="causal")[:, 0]
        array([0., 0., 0., 2.])
        """
        from ._convolve import convolve

        return convolve(x, self, axis, mode, "bank", **options)

    def __len__(self) -> int:
        return len(self._kernels)

    def __getitem__(self, index: int) -> NDArray[np.floating]:
        """Kernel `index`, a copy of shape (taps,) and `dtype`."""
        return self._kernels[self._index(index)].copy()

    def __iter__(self) -> Iterator[NDArray[np.floating]]:
        return (kernel.copy() for kernel in self._snapshot()[1])

    def __repr__(self) -> str:
        sizes = self.taps
        taps = f"{sizes[0]}" if len(set(sizes)) == 1 else f"{min(sizes)} to {max(sizes)}"
        noun = "kernel" if len(sizes) == 1 else "kernels"
        return f"<Bank of {len(sizes)} {noun}, {taps} taps, {self._dtype.name}, v{self._version}>"

    @property
    def taps(self) -> tuple[int, ...]:
        """The size of each kernel."""
        return tuple(kernel.size for kernel in self._snapshot()[1])

    @property
    def longest(self) -> int:
        """The size of the longest kernel there is."""
        return max(self.taps)

    @property
    def max_taps(self) -> int:
        """The largest size that an update may bring."""
        return self._max_taps

    @property
    def dtype(self) -> np.dtype:
        """Of the kernels, float32 or float64."""
        return self._dtype

    @property
    def version(self) -> int:
        """How many updates there were."""
        return self._version

    def _snapshot(self) -> tuple[int, list[NDArray[np.floating]]]:
        """The version, and the kernels of it; nobody may write to them."""
        with self._lock:
            return self._version, list(self._kernels)

    def _changes_since(self, version: int) -> tuple[int, dict[int, NDArray[np.floating]]]:
        """The version, and which kernels an older one did not have."""
        with self._lock:
            changes = {
                index: kernel
                for index, (changed, kernel) in enumerate(
                    zip(self._changed, self._kernels, strict=True)
                )
                if changed > version
            }
            return self._version, changes

    def _index(self, index: int) -> int:
        position = operator.index(index)
        count = len(self._kernels)
        if not -count <= position < count:
            raise IndexError(f"index is {position}; allowed: {-count} to {count - 1}")
        return position % count

    def __getstate__(self) -> dict[str, Any]:
        with self._lock:
            state = {name: value for name, value in self.__dict__.items() if name not in _NOT_STATE}
            return state | {"_kernels": list(self._kernels), "_changed": list(self._changed)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        for kernel in self._kernels:
            kernel.flags.writeable = False
        self._lock = threading.Lock()
        self._convolvers = KeptConvolvers()


def as_bank(kernels: Bank | ArrayLike | Sequence[ArrayLike]) -> Bank:
    """`kernels` itself where it is a bank, and else a bank of it."""
    return kernels if isinstance(kernels, Bank) else Bank(kernels)


def _kernel_arrays(kernels: ArrayLike | Sequence[ArrayLike]) -> list[np.ndarray]:
    """One array for each kernel."""
    if isinstance(kernels, (list, tuple)):
        arrays = [
            arguments.array(f"kernels[{index}]", kernel) for index, kernel in enumerate(kernels)
        ]
        if arrays and all(array.ndim == 0 for array in arrays):
            return [np.asarray(arrays)]  # numbers: a single kernel
    elif isinstance(kernels, Bank):
        arrays = list(kernels)
    else:
        array = arguments.array("kernels", kernels)
        if array.ndim not in (1, 2):
            raise ValueError(
                f"kernels has {array.ndim} dimensions; allowed: (K, taps), (taps,), or a list"
            )
        arrays = [array] if array.ndim == 1 else list(array)
    if not arrays:
        raise ValueError("kernels holds 0 kernels; at least 1 is needed")
    return arrays


def _common_dtype(arrays: Sequence[np.ndarray]) -> np.dtype:
    for index, array in enumerate(arrays):
        require_real(array, f"kernels[{index}]")
    common = np.result_type(*{array.dtype for array in arrays})
    is_narrow = common.kind == "f" and common.itemsize <= 4
    return np.dtype(np.float32 if is_narrow else np.float64)


def _checked(array: np.ndarray, dtype: np.dtype, name: str) -> NDArray[np.floating]:
    """An own copy that cannot be written to."""
    require_real(array, name)
    if array.ndim != 1 or array.size == 0:
        raise ValueError(f"{name} has shape {array.shape}; allowed: (taps,), of 1 tap or more")
    arguments.require_finite(name, array)
    if dtype == np.float32:
        arguments.require_float32(name, array)
    own = np.array(array, dtype=dtype, order="C")
    own.flags.writeable = False
    return own
