"""Where a large convolution writes: arrays, mappings, .npy files, HDF5 datasets, Zarr arrays.

A sink writes rectangular regions, one thread at a time, and can put what it has been given on the
disk for good (`sync`). A sink with a `journal_path` outlives the process, so that a call that was
cut off goes on with it.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from ._file_array import BOUNCE_BYTES, FileArray, contiguous_strides, sync_path
from ._mapping import Mapping, find_mapping
from ._memory import format_bytes
from ._npy import npy_path, read_npy_header, write_npy_header
from ._stores import StoredArray, is_hdf5, is_zarr, open_stored

Region = tuple[slice, ...]

JOURNAL_SUFFIX = ".firbank-journal"


class Sink(Protocol):
    """Where samples go.

    Attributes
    ----------
    label : str
        What messages call it.
    chunk : tuple of int or None
        What the storage writes as a whole.
    file : str or None
        The path of the file or folder, if there is one.
    journal_path : str or None
        Where to keep the journal; None if nothing outlives the process.
    working_bytes : int
        Memory that a write takes besides what it writes.
    """

    label: str
    chunk: tuple[int, ...] | None
    file: str | None
    journal_path: str | None
    working_bytes: int

    def begin(self, *, again: bool) -> None:
        """Make the place ready: all of it, so that a full disk is found now and not at the end.

        `again` says that an earlier call has written parts, which must stay.
        """

    def write(self, region: Region, values: np.ndarray) -> None:
        """Write a C-contiguous array of the region's shape; OSError if that fails."""

    def read(self, region: Region, into: np.ndarray) -> None:
        """Read back what was written, into an array of the region's shape."""

    def sync(self) -> None:
        """Return when everything written so far would survive a power failure."""

    def close(self) -> None:
        """Close what was opened here. The caller's objects stay open."""

    def result(self) -> Any:
        """Return what the caller gets: its own object, or a mapping of the new file."""


def open_sink(out: object, shape: tuple[int, ...], dtype: np.dtype, axis: int) -> Sink:
    """Return the sink for `out`, after checking that the result fits it.

    Raises
    ------
    TypeError
        If `out` is nothing to write to, or its dtype is not the result's.
    ValueError
        If its shape is not the result's, or it is read-only.
    OSError
        If its file cannot be opened.
    """
    if isinstance(out, (str, os.PathLike)):
        path = npy_path("out", out)
        if os.path.exists(path) and not os.path.isfile(path):
            raise ValueError(f"out {path!r} is no file; allowed: the path of an .npy file")
        return NpySink(path, shape, dtype, axis)
    if is_hdf5(out) or is_zarr(out):
        stored = open_stored("out", out)
        read_only = out.file.mode == "r" if is_hdf5(out) else getattr(out, "read_only", False)
        _check(stored.label, out, not read_only, shape, dtype)
        return _StoredSink(stored)
    if not isinstance(out, np.ndarray):
        raise TypeError(
            f"out is of type {type(out).__name__}; allowed: None, a numpy array or memmap, an "
            f"h5py.Dataset, a zarr.Array, or the path of an .npy file"
        )
    mapping = find_mapping(out)
    label = "out" if mapping is None or mapping.path is None else f"out {mapping.path!r}"
    _check(label, out, out.flags.writeable, shape, dtype)
    if mapping is None or mapping.path is None:
        return _ArraySink(out, mapping)
    if any(step == 0 and size > 1 for step, size in zip(out.strides, out.shape, strict=True)):
        raise ValueError(f"{label} has several elements in one place; allowed: one place each")
    return _MappedSink(out, label, mapping.path, mapping.offset_bytes, axis)


def _check(label: str, out: Any, writable: bool, shape: tuple[int, ...], dtype: np.dtype) -> None:
    if tuple(out.shape) != shape:
        raise ValueError(f"{label} has shape {tuple(out.shape)}; allowed: {shape}")
    if np.dtype(out.dtype).newbyteorder("=") != dtype:
        raise TypeError(f"{label} has dtype {out.dtype}; allowed: {dtype}, that of the result")
    if not writable:
        raise ValueError(f"{label} is read-only; allowed: what can be written to")


class _ArraySink:
    """An array in memory, or a mapping whose file has no name."""

    label = "out"
    chunk = None
    file = None
    journal_path = None
    working_bytes = 0

    def __init__(self, array: np.ndarray, mapping: Mapping | None) -> None:
        self._array = array
        self._mapping = mapping

    def begin(self, *, again: bool) -> None:
        pass

    def write(self, region: Region, values: np.ndarray) -> None:
        if self._mapping is not None:
            self._mapping.check_size(self.label)
        self._array[region] = values

    def read(self, region: Region, into: np.ndarray) -> None:
        into[...] = self._array[region]

    def sync(self) -> None:
        pass

    def close(self) -> None:
        pass

    def result(self) -> np.ndarray:
        return self._array


class _FileSink:
    """What is written to a file at offsets: an .npy file, or the file of a mapping."""

    chunk = None

    def __init__(self, label: str, path: str) -> None:
        self.label = label
        self.file = os.path.abspath(path)
        self.journal_path = path + JOURNAL_SUFFIX
        self.working_bytes = BOUNCE_BYTES
        self._descriptor = -1
        self._array: FileArray | None = None

    def write(self, region: Region, values: np.ndarray) -> None:
        assert self._array is not None
        self._array.write(region, values)

    def read(self, region: Region, into: np.ndarray) -> None:
        assert self._array is not None
        self._array.read(region, into)

    def sync(self) -> None:
        os.fsync(self._descriptor)

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _allocate(self, start: int, size: int) -> None:
        """Reserve the disk's blocks: a sparse file would find the disk full in the middle."""
        if size == 0 or not hasattr(os, "posix_fallocate"):
            return
        try:
            os.posix_fallocate(self._descriptor, start, size)
        except OSError as error:
            free = shutil.disk_usage(os.path.dirname(self.journal_path) or ".").free
            raise OSError(
                error.errno,
                f"{self.label} needs {format_bytes(start + size)} on the disk, "
                f"{format_bytes(free)} are free: {error.strerror}",
            ) from error


class NpySink(_FileSink):
    """A new .npy file."""

    def __init__(
        self,
        path: str,
        shape: tuple[int, ...],
        dtype: np.dtype,
        axis: int,
    ) -> None:
        path = os.path.abspath(path)
        super().__init__(f"out {path!r}", path)
        self._path, self._shape, self._dtype = path, shape, dtype
        self._axis = axis

    @property
    def exists(self) -> bool:
        """Whether something lies at the path already."""
        return os.path.lexists(self._path)

    def begin(self, *, again: bool) -> None:
        is_new = not self.exists
        with Path(self._path).open("r+b" if again else "w+b") as file:
            if again:
                header = read_npy_header(file, self.label)
                if (header.shape, header.dtype, header.fortran_order) != (
                    self._shape,
                    self._dtype,
                    False,
                ):
                    raise ValueError(
                        f"{self.label} has shape {header.shape} and dtype {header.dtype}, which is "
                        f"not what its journal began; resume=False writes over it"
                    )
                offset = header.offset_bytes
            else:
                offset = write_npy_header(file, self._shape, self._dtype)
            file.flush()
            self._descriptor = os.dup(file.fileno())
        strides = contiguous_strides(self._shape, self._dtype.itemsize, False)
        self._array = FileArray(
            self._descriptor,
            self.label,
            offset,
            self._shape,
            strides,
            self._dtype,
            self._axis,
        )
        size = int(np.prod(self._shape, dtype=np.int64)) * self._dtype.itemsize
        try:
            self._allocate(offset, size)
        except OSError:
            # Nothing of worth is in the file yet, and its blocks are what the disk lacks.
            if is_new:
                os.unlink(self._path)
            raise
        if not again:
            sync_path(Path(self._path).parent)

    def result(self) -> np.ndarray:
        return np.load(self._path, mmap_mode="r+")


class _MappedSink(_FileSink):
    """A view of a mapped file, written past its pages, which show the same."""

    def __init__(
        self,
        array: np.ndarray,
        label: str,
        path: str,
        offset: int,
        axis: int,
    ) -> None:
        super().__init__(label, path)
        if offset or array.nbytes != find_mapped_bytes(array):
            # Another part of the same file may have a journal of its own.
            self.journal_path = f"{path}.{offset}{JOURNAL_SUFFIX}"
        self._mapped, self._path = array, path
        self._offset, self._axis = offset, axis

    def begin(self, *, again: bool) -> None:
        self._descriptor = os.open(self._path, os.O_RDWR)
        array = self._mapped
        self._array = FileArray(
            self._descriptor,
            self.label,
            self._offset,
            array.shape,
            array.strides,
            array.dtype,
            self._axis % max(1, array.ndim),
        )
        if array.flags.c_contiguous or array.flags.f_contiguous:
            self._allocate(self._offset, array.nbytes)

    def result(self) -> np.ndarray:
        return self._mapped


def find_mapped_bytes(array: np.ndarray) -> int:
    """Return the size of the whole array that a view of a mapping was taken from."""
    root: np.ndarray = array
    while isinstance(root.base, np.ndarray):
        root = root.base
    return root.nbytes


class _StoredSink:
    """An HDF5 dataset or a Zarr array; one that lies in no file has no journal."""

    def __init__(self, stored: StoredArray) -> None:
        self.label = stored.label
        self.chunk = stored.chunk
        self.file = stored.file
        self.working_bytes = stored.writing_bytes
        self.journal_path = None
        if self.file is not None:
            name = stored.name.strip("/").replace("/", ".")
            self.journal_path = self.file + (name and "." + name) + JOURNAL_SUFFIX
        self.read = stored.read
        self.write = stored.write
        self.sync = stored.sync
        self.close = stored.close
        self._stored = stored

    def begin(self, *, again: bool) -> None:
        self.sync()

    def result(self) -> Any:
        return self._stored.array
