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

from ._arrays import require_numbers
from ._file_array import FileArray, contiguous_strides, file_bytes
from ._mapping import Mapping, find_mapping
from ._npy import read_npy_header
from ._stores import (
    hdf5_cache_bytes,
    is_hdf5,
    is_zarr,
    one_line,
    slabs,
    storage_chunk,
    store_label,
    within,
    zarr_root,
)

Region = tuple[slice, ...]


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
    file_bytes : range or None
        The bytes of this file among which the samples lie, if that is known.
    working_bytes : int
        Memory that a read takes besides what it reads into.
    """

    label: str
    shape: tuple[int, ...]
    dtype: np.dtype
    chunk: tuple[int, ...] | None
    axes_by_stride: tuple[int, ...]
    file: str | None
    file_bytes: range | None
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


def open_source(x: object, axis: int, bounce_bytes: int) -> Source:
    """Return the source for `x`.

    Parameters
    ----------
    x : str, Path, numpy.ndarray, numpy.memmap, h5py.Dataset or zarr.Array
    axis : int
        The axis of time, for messages; out of range is found later.
    bounce_bytes : int
        The most memory for parts that lie scattered.

    Raises
    ------
    OSError
        If a file cannot be opened.
    ValueError
        If a file is no whole .npy file.
    TypeError
        If its samples are no numbers.
    """
    if isinstance(x, (str, os.PathLike)):
        source: Source = _npy_source(os.fspath(x), axis, bounce_bytes)
    elif is_hdf5(x):
        source = _Hdf5Source(x, bounce_bytes)
    elif is_zarr(x):
        source = _ZarrSource(x, bounce_bytes)
    else:
        source = _array_source(np.asanyarray(x), axis, bounce_bytes)
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
        bounce_bytes: int,
    ) -> None:
        self.label = label
        self.shape = shape
        self.dtype = dtype.newbyteorder("=")
        self.axes_by_stride = _axes_by_stride(strides)
        self.file = os.path.abspath(path)
        self.file_bytes = file_bytes(offset, shape, strides, dtype)
        self.working_bytes = bounce_bytes
        self._offset, self._strides = offset, strides
        self._descriptor = os.open(path, os.O_RDONLY)
        time_axis = axis % max(1, len(shape))
        self._array = FileArray(
            self._descriptor, label, offset, shape, strides, dtype, time_axis, bounce_bytes
        )

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
    file_bytes = None
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
        for part in slabs(whole, None, self.dtype.itemsize, 1 << 20):
            digest.update(self._array[part].tobytes())
        return {"content": digest.hexdigest(), **_kind(self)}

    def close(self) -> None:
        pass


class _StoredSource:
    """What HDF5 datasets and Zarr arrays have in common."""

    file: str | None
    file_bytes = None

    def __init__(self, array: Any, bounce_bytes: int) -> None:
        self.label = store_label("x", array)
        self.shape = tuple(int(size) for size in array.shape)
        self.dtype = np.dtype(array.dtype).newbyteorder("=")
        self.axes_by_stride = tuple(range(len(self.shape)))
        self.chunk = storage_chunk(array)
        self._array = array
        self._slab_bytes = max(bounce_bytes, chunk_bytes(self.chunk, self.dtype))
        # A slab as it comes, beside the chunk that it is unpacked from.
        self.working_bytes = 2 * self._slab_bytes + chunk_bytes(self.chunk, self.dtype)

    def read(self, region: Region, into: np.ndarray) -> None:
        for part in slabs(region, self.chunk, self.dtype.itemsize, self._slab_bytes):
            where = ", ".join(f"{one.start}:{one.stop}" for one in part)
            try:
                values = self._array[part]
            except MemoryError:
                raise
            except Exception as error:  # each compressor has its own types of error
                message = f"{self.label} cannot be read at [{where}]: {one_line(error)}"
                raise OSError(message) from error
            self._check_read(where)
            into[within(part, region)] = values

    def _check_read(self, where: str) -> None:
        """Raise OSError if what was just read is not to be trusted."""

    def close(self) -> None:
        pass


class _Hdf5Source(_StoredSource):
    def __init__(self, dataset: Any, bounce_bytes: int) -> None:
        super().__init__(dataset, bounce_bytes)
        self.working_bytes += hdf5_cache_bytes(dataset)
        name = dataset.file.filename
        self.file = os.path.abspath(name) if os.path.isfile(name) else None
        # A file that is open for writing changes when it is closed, whatever was written.
        self._may_change = dataset.file.mode != "r"
        self._file_size = 0
        if self.file is not None and not self._may_change:
            self._file_size = min(dataset.file.id.get_filesize(), os.stat(self.file).st_size)

    def _check_read(self, where: str) -> None:
        # Beyond the end of a file that has shrunk the HDF5 library reads zeros and says nothing.
        if self._file_size and os.stat(self.file).st_size < self._file_size:
            raise OSError(f"{self.label} cannot be read at [{where}]: the file has shrunk")

    def identity(self, *, by_content: bool) -> dict[str, Any]:
        state = _file_state(self, by_content or self._may_change or self.file is None)
        return {"path": self.file, "name": self._array.name, **state}


class _ZarrSource(_StoredSource):
    def __init__(self, array: Any, bounce_bytes: int) -> None:
        super().__init__(array, bounce_bytes)
        self.working_bytes += 2 * bounce_bytes  # its threads keep as much, measured
        self.file = zarr_root(array)

    def identity(self, *, by_content: bool) -> dict[str, Any]:
        return {"path": self.file, "name": self._array.path, **_file_state(self, True)}


def chunk_bytes(chunk: tuple[int, ...] | None, dtype: np.dtype) -> int:
    """Return the size of an unpacked storage chunk, 0 if there are none."""
    return 0 if chunk is None else int(np.prod(chunk, dtype=np.int64)) * dtype.itemsize


def _npy_source(path: str, axis: int, bounce_bytes: int) -> Source:
    label = f"x {path!r}"
    with Path(path).open("rb") as file:
        header = read_npy_header(file, label)
    require_numbers(header, label)
    strides = contiguous_strides(header.shape, header.dtype.itemsize, header.fortran_order)
    return _FileSource(
        label, path, header.offset_bytes, header.shape, strides, header.dtype, axis, bounce_bytes
    )


def _array_source(array: np.ndarray, axis: int, bounce_bytes: int) -> Source:
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
        bounce_bytes,
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
