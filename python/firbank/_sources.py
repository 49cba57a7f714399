"""What a large convolution reads: arrays, mappings, .npy files, HDF5 datasets, Zarr arrays.

Each source reads rectangular regions into memory that the caller supplies, from one thread at a
time, and can say who it is, so that an interrupted call recognises its input.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from ._arguments import axis_of
from ._arrays import as_numpy, require_numbers
from ._file_array import BOUNCE_BYTES, FileArray, contiguous_strides
from ._mapping import Mapping, find_mapping
from ._npy import npy_path, read_npy_header
from ._stores import StoredArray, call_parts, is_group, is_hdf5, is_zarr, open_stored

Region = tuple[slice, ...]

_DIGEST_SAMPLES = 1 << 16  # at a time, of an array in memory


class Source(Protocol):
    """Where samples come from.

    Attributes
    ----------
    label : str
        What messages call it.
    shape : tuple of int
    dtype : numpy.dtype
        In the machine's byte order.
    chunk : tuple of int or None
        What the storage reads as a whole.
    axes_by_stride : tuple of int
        All axes, the one whose neighbours lie farthest apart first.
    file : str or None
        The path of the file or folder, if there is one.
    working_bytes : int
        Memory that a read takes besides what it reads into.
    """

    label: str
    shape: tuple[int, ...]
    dtype: np.dtype
    chunk: tuple[int, ...] | None
    axes_by_stride: tuple[int, ...]
    file: str | None
    working_bytes: int

    def read(self, region: Region, into: np.ndarray) -> None:
        """Read a region into an array of its shape; OSError if it is not there any more."""

    def identity(self, *, by_content: bool) -> dict[str, Any]:
        """Return what tells this source from others, as plain values.

        A file is told by its path, size and time of change; `by_content` says that these two
        change by the call itself (x and out in one file), so that samples of its content count
        instead.
        """

    def close(self) -> None:
        """Close what was opened here. The caller's objects stay open."""


def open_source(x: object, axis: int) -> Source:
    """Return the source for `x`.

    Parameters
    ----------
    x : str, Path, numpy.ndarray, numpy.memmap, h5py.Dataset or zarr.Array
    axis : int
        The axis of time, for messages.

    Raises
    ------
    OSError
        If a file cannot be opened.
    ValueError
        If a file is no whole .npy file.
    TypeError
        If its samples are no numbers, or have a mask.
    """
    if isinstance(x, (str, os.PathLike)):
        source: Source = _npy_source(npy_path("x", x), axis)
    elif is_group(x):
        raise TypeError(f"x is of type {type(x).__name__}; allowed: one of the arrays in it")
    elif is_hdf5(x) or is_zarr(x):
        source = _StoredSource(open_stored("x", x))
    else:
        source = _array_source(as_numpy(x, "x"), axis)
    try:
        require_numbers(source, source.label)
    except TypeError:
        source.close()
        raise
    return source


class _FileSource:
    """An .npy file, or a mapping read past its pages."""

    chunk = None

    def __init__(
        self,
        label: str,
        path: str,
        offset: int,
        shape: tuple[int, ...],
        strides: tuple[int, ...],
        dtype: np.dtype,
        axis: int,
    ) -> None:
        self.label = label
        self.shape = shape
        self.dtype = dtype.newbyteorder("=")
        self.axes_by_stride = _axes_by_stride(strides)
        self.file = os.path.abspath(path)
        self.working_bytes = BOUNCE_BYTES
        self._offset, self._strides = offset, strides
        time_axis = axis_of(axis, len(shape))
        self._descriptor = os.open(path, os.O_RDONLY)
        self._array = FileArray(self._descriptor, label, offset, shape, strides, dtype, time_axis)

    def read(self, region: Region, into: np.ndarray) -> None:
        self._array.read(region, into)

    def identity(self, *, by_content: bool) -> dict[str, Any]:
        name = {"path": self.file, "offset": self._offset, "strides": list(self._strides)}
        return {**name, **_file_state(self, by_content)}

    def close(self) -> None:
        os.close(self._descriptor)


class _ArraySource:
    """An array in memory, or a mapping whose file has no name."""

    file = None
    chunk = None
    working_bytes = 0

    def __init__(self, array: np.ndarray, mapping: Mapping | None) -> None:
        self.label = "x"
        self.shape = array.shape
        self.dtype = array.dtype.newbyteorder("=")
        self.axes_by_stride = _axes_by_stride(array.strides)
        self._array = np.asarray(array)
        self._mapping = mapping

    def read(self, region: Region, into: np.ndarray) -> None:
        if self._mapping is not None:
            self._mapping.check_size(self.label)
        into[...] = self._array[region]

    def identity(self, *, by_content: bool) -> dict[str, Any]:
        digest = hashlib.blake2b(digest_size=16)
        whole = tuple(slice(0, size) for size in self.shape)
        for part in call_parts(whole, (1,) * len(whole), _DIGEST_SAMPLES):
            digest.update(self._array[part].tobytes())
        return {"content": digest.hexdigest(), **_kind(self)}

    def close(self) -> None:
        pass


class _StoredSource:
    """An HDF5 dataset or a Zarr array."""

    def __init__(self, stored: StoredArray) -> None:
        self.label = stored.label
        self.shape = stored.shape
        self.dtype = stored.dtype
        self.chunk = stored.chunk
        self.axes_by_stride = tuple(range(len(self.shape)))
        self.file = stored.file
        self.working_bytes = stored.reading_bytes
        self.read = stored.read
        self.close = stored.close
        self._stored = stored

    def identity(self, *, by_content: bool) -> dict[str, Any]:
        state = _file_state(self, by_content or self._stored.may_change)
        return {"path": self.file, "name": self._stored.name, **state}


def _npy_source(path: str, axis: int) -> Source:
    label = f"x {path!r}"
    with Path(path).open("rb") as file:
        header = read_npy_header(file, label)
    require_numbers(header, label)
    strides = contiguous_strides(header.shape, header.dtype.itemsize, header.fortran_order)
    return _FileSource(label, path, header.offset_bytes, header.shape, strides, header.dtype, axis)


def _array_source(array: np.ndarray, axis: int) -> Source:
    mapping = find_mapping(array)
    if mapping is None or mapping.path is None:
        return _ArraySource(array, mapping)
    return _FileSource(
        f"x {mapping.path!r}",
        mapping.path,
        mapping.offset_bytes,
        array.shape,
        array.strides,
        array.dtype,
        axis,
    )


def _axes_by_stride(strides: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(sorted(range(len(strides)), key=lambda axis: -abs(strides[axis])))


def _kind(source: Source) -> dict[str, Any]:
    return {"shape": list(source.shape), "dtype": source.dtype.str}


def _file_state(source: Source, by_content: bool) -> dict[str, Any]:
    if by_content or source.file is None:
        return {"content": _sampled_digest(source), **_kind(source)}
    state = os.stat(source.file)
    return {"size": state.st_size, "changed_ns": state.st_mtime_ns, **_kind(source)}


def _sampled_digest(source: Source) -> str:
    """Digest up to 16 small blocks along the diagonal, which costs the same for any size."""
    digest = hashlib.blake2b(digest_size=16)
    for place in range(16):
        region = []
        for size in source.shape:
            start = max(0, size - 16) * place // 15
            region.append(slice(start, min(size, start + 16)))
        block = np.empty([part.stop - part.start for part in region], source.dtype)
        if block.size:
            source.read(tuple(region), block)
        digest.update(block.tobytes())
    return digest.hexdigest()
