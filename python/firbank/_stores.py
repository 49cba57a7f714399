"""Arrays that lie in chunks, in HDF5 and Zarr: recognised, read and written a few chunks at a time.

The packages are never imported here: who has an array of one has imported it.

They take more memory than a call asks for: chunks as they are stored and unpacked, copies of both,
a cache, and what malloc keeps of all these. So no call touches more than one chunk, or a few small
ones, and what that takes is counted as a multiple of the chunk that was measured, the worst of
several compressors, of random and constant samples, and of calls that end inside chunks.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from math import prod
from typing import Any

import numpy as np

Region = tuple[slice, ...]

# What a package takes however small the chunks are, measured.
FIXED_BYTES = 1 << 20
# Of small chunks a call may touch this much: enough to make the call itself cheap.
_SMALL_CALL_BYTES = 64 << 10


def is_hdf5(thing: object) -> bool:
    """Tell whether something is an ``h5py.Dataset``."""
    h5py = sys.modules.get("h5py")
    return h5py is not None and isinstance(thing, h5py.Dataset)


def is_zarr(thing: object) -> bool:
    """Tell whether something is a ``zarr.Array``, of either version of the package."""
    zarr = sys.modules.get("zarr")
    return zarr is not None and isinstance(thing, zarr.Array)


def is_group(thing: object) -> bool:
    """Tell whether something is a file or a group of HDF5 or Zarr, which holds arrays."""
    h5py, zarr = sys.modules.get("h5py"), sys.modules.get("zarr")
    if h5py is not None and isinstance(thing, h5py.Group):
        return True
    return zarr is not None and isinstance(thing, zarr.Group)


def require_samples(role: str, dataset: Any) -> None:
    """Raise ValueError if the file of an HDF5 dataset is closed; TypeError if it has no shape."""
    if not dataset:
        raise ValueError(f"{role} is a dataset of a closed HDF5 file; allowed: one of an open file")
    if dataset.shape is None:
        raise TypeError(f"{role} is the dataset {dataset.name!r} without a shape; allowed: arrays")


def open_stored(role: str, array: Any) -> StoredArray:
    """Return access to an HDF5 dataset or a Zarr array.

    Parameters
    ----------
    role : {'x', 'out'}
        What messages call it.
    array : h5py.Dataset or zarr.Array

    Raises
    ------
    ValueError
        If it is a dataset of a closed file.
    TypeError
        If it is a dataset without a shape.
    """
    if is_hdf5(array):
        require_samples(role, array)
    from ._hdf5_array import Hdf5Array
    from ._zarr_array import ZarrArray

    return (Hdf5Array if is_hdf5(array) else ZarrArray)(role, array)


class StoredArray:
    """An array whose package reads and writes whole chunks.

    One thread at a time. What the caller opened stays open.

    Attributes
    ----------
    array : h5py.Dataset or zarr.Array
    label : str
        What messages call it, such as ``"x 'day1.h5:/raw'"``.
    name : str
        Of the array within its file.
    shape : tuple of int
    dtype : numpy.dtype
        In the machine's byte order.
    chunk : tuple of int or None
        What is read and written as a whole.
    file : str or None
        The path of the file or folder, if there is one.
    reading_bytes, writing_bytes : int
        Memory that either takes besides what is read or written.
    may_change : bool
        Whether the file's time of change says nothing of the array.
    """

    name: str
    file: str | None
    reading_bytes: int
    writing_bytes: int
    may_change: bool

    def __init__(self, array: Any, label: str, chunk: tuple[int, ...] | None) -> None:
        self.array = array
        self.label = label
        self.shape = tuple(int(size) for size in array.shape)
        self.dtype = np.dtype(array.dtype).newbyteorder("=")
        self.chunk = None if chunk is None else tuple(int(size) for size in chunk)
        self._chunk_bytes = 0 if self.chunk is None else prod(self.chunk) * self.dtype.itemsize
        self._call_bytes = max(_SMALL_CALL_BYTES, self._chunk_bytes)

    def read(self, region: Region, into: np.ndarray) -> None:
        """Read a region into an array of its shape; OSError if it is not there any more."""
        for part in self._parts(region):
            try:
                values = self._get(part)
            except MemoryError:
                raise
            except Exception as error:  # each compressor has its own types of error
                raise self._failure("read", part, error) from error
            into[_within(part, region)] = values

    def write(self, region: Region, values: np.ndarray) -> None:
        """Write an array of the region's shape; OSError if that fails."""
        for part in self._parts(region):
            try:
                self._set(part, values[_within(part, region)])
            except MemoryError:
                raise
            except Exception as error:  # each compressor has its own types of error
                raise self._failure("written", part, error) from error

    def sync(self) -> None:
        """Return when everything written so far would survive a power failure."""
        raise NotImplementedError

    def close(self) -> None:
        """Let go of what reading and writing needed."""

    def _get(self, part: Region) -> np.ndarray:
        raise NotImplementedError

    def _set(self, part: Region, values: np.ndarray) -> None:
        raise NotImplementedError

    def _parts(self, region: Region) -> Iterator[Region]:
        most_samples = self._call_bytes // self.dtype.itemsize
        return call_parts(region, self.chunk or (1,) * len(self.shape), most_samples)

    def _failure(self, done: str, part: Region | None, error: BaseException) -> OSError:
        """Return what a package's error says, in one line; the HDF5 library likes several."""
        where = f" at [{', '.join(f'{one.start}:{one.stop}' for one in part)}]" if part else ""
        message = f"{self.label} cannot be {done}{where}: {' '.join(str(error).split())}"
        number = getattr(error, "errno", None)
        return OSError(number, message) if number else OSError(message)


def call_parts(region: Region, chunk: tuple[int, ...], most_samples: int) -> Iterator[Region]:
    """Cut a region so that the chunks that a part touches have at most so many samples together.

    Cuts are made between chunks only, so that each chunk is unpacked once: a part touches at least
    one, however large that is.

    Examples
    --------
    >>> list(call_parts((slice(3, 25),), (10,), 20))
    [(slice(3, 10, None),), (slice(10, 25, None),)]
    """
    touched = 1
    for part, size in zip(region, chunk, strict=True):
        touched *= (-(-part.stop // size) - part.start // size) * size
    if touched > most_samples:
        for axis, (part, size) in enumerate(zip(region, chunk, strict=True)):
            first_cut = (part.start // size + 1) * size
            if first_cut >= part.stop:
                continue
            cut = max(first_cut, (part.start + part.stop) // 2 // size * size)
            for half in (slice(part.start, cut), slice(cut, part.stop)):
                smaller = (*region[:axis], half, *region[axis + 1 :])
                yield from call_parts(smaller, chunk, most_samples)
            return
    yield region


def _within(part: Region, region: Region) -> Region:
    """Return where a part of a region lies, counted from the region's own start."""
    return tuple(
        slice(inner.start - outer.start, inner.stop - outer.start)
        for inner, outer in zip(part, region, strict=True)
    )
