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

from ._file_array import FileArray, contiguous_strides, file_bytes
from ._mapping import find_mapping
from ._memory import format_bytes
from ._npy import read_npy_header, write_npy_header
from ._sources import chunk_bytes
from ._stores import (
    hdf5_cache_bytes,
    is_hdf5,
    is_zarr,
    one_line,
    slabs,
    storage_chunk,
    store_label,
    zarr_root,
)

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
    file_bytes : range or None
        The bytes of this file among which the samples lie, if that is known.
    journal_path : str or None
        Where to keep the journal; None if nothing outlives the process.
    working_bytes : int
        Memory that a write takes besides what it writes.
    """

    label: str
    chunk: tuple[int, ...] | None
    file: str | None
    file_bytes: range | None
    journal_path: str | None
    working_bytes: int

    def begin(self, *, again: bool) -> None:
        """Make the place ready: all of it, so that a full disk is found now and not at the end.

        `again` says that an earlier call has written parts, which must stay.
        """

    def write(self, region: Region, values: np.ndarray) -> None:
        """Write a C-contiguous array of the region's shape; OSError if that fails."""

    def read(self, region: Region) -> np.ndarray:
        """Read back what was written."""

    def sync(self) -> None:
        """Return when everything written so far would survive a power failure."""

    def close(self) -> None:
        """Close what was opened here. The caller's objects stay open."""

    def result(self) -> Any:
        """Return what the caller gets: its own object, or a mapping of the new file."""


def open_sink(
    out: object, shape: tuple[int, ...], dtype: np.dtype, axis: int, bounce_bytes: int
) -> Sink:
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
        if os.path.exists(out) and not os.path.isfile(out):
            raise ValueError(
                f"out {os.fspath(out)!r} is no file; allowed: the path of an .npy file"
            )
        return NpySink(os.fspath(out), shape, dtype, axis, bounce_bytes)
    if is_hdf5(out):
        _check(store_label("out", out), out, out.file.mode != "r", shape, dtype)
        return _Hdf5Sink(out, bounce_bytes)
    if is_zarr(out):
        writable = not getattr(out, "read_only", False)
        _check(store_label("out", out), out, writable, shape, dtype)
        return _ZarrSink(out, bounce_bytes)
    if not isinstance(out, np.ndarray):
        raise TypeError(
            f"out is of type {type(out).__name__}; allowed: None, a numpy array or memmap, an "
            f"h5py.Dataset, a zarr.Array, or the path of an .npy file"
        )
    mapping = find_mapping(out) if isinstance(out, np.memmap) and out.size else None
    label = "out" if mapping is None or mapping.path is None else f"out {mapping.path!r}"
    _check(label, out, out.flags.writeable, shape, dtype)
    if mapping is None or mapping.path is None:
        return _ArraySink(out)
    return _MappedSink(out, label, mapping.path, mapping.offset_bytes, axis, bounce_bytes)


def _check(label: str, out: Any, writable: bool, shape: tuple[int, ...], dtype: np.dtype) -> None:
    if tuple(out.shape) != shape:
        raise ValueError(f"{label} has shape {tuple(out.shape)}; allowed: {shape}")
    if np.dtype(out.dtype).newbyteorder("=") != dtype:
        raise TypeError(f"{label} has dtype {out.dtype}; allowed: {dtype}, that of the result")
    if not writable:
        raise ValueError(f"{label} is read-only; allowed: what can be written to")


class _ArraySink:
    """An array in memory."""

    label = "out"
    chunk = None
    file = None
    file_bytes = None
    journal_path = None
    working_bytes = 0

    def __init__(self, array: np.ndarray) -> None:
        self._array = array

    def begin(self, *, again: bool) -> None:
        pass

    def write(self, region: Region, values: np.ndarray) -> None:
        self._array[region] = values

    def read(self, region: Region) -> np.ndarray:
        return np.array(self._array[region])

    def sync(self) -> None:
        pass

    def close(self) -> None:
        pass

    def result(self) -> np.ndarray:
        return self._array


class _FileSink:
    """What is written to a file at offsets: an .npy file, or the file of a mapping."""

    chunk = None
    file_bytes: range | None = None

    def __init__(self, label: str, path: str, bounce_bytes: int) -> None:
        self.label = label
        self.file = os.path.abspath(path)
        self.journal_path = path + JOURNAL_SUFFIX
        self.working_bytes = bounce_bytes
        self._descriptor = -1
        self._array: FileArray | None = None

    def write(self, region: Region, values: np.ndarray) -> None:
        assert self._array is not None
        self._array.write(region, values)

    def read(self, region: Region) -> np.ndarray:
        assert self._array is not None
        values = np.empty([part.stop - part.start for part in region], self._array.dtype)
        self._array.read(region, values)
        return values

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
        bounce_bytes: int,
    ) -> None:
        path = os.path.abspath(path)
        super().__init__(f"out {path!r}", path, bounce_bytes)
        self._path, self._shape, self._dtype = path, shape, dtype
        self._axis, self._bounce_bytes = axis, bounce_bytes

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
            self._bounce_bytes,
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
            _sync_path(Path(self._path).parent)

    def result(self) -> np.ndarray:
        return np.load(self._path, mmap_mode="r+")


class _MappedSink(_FileSink):
    """A numpy.memmap, written past its pages, which show the same."""

    def __init__(
        self,
        array: np.memmap,
        label: str,
        path: str,
        offset: int,
        axis: int,
        bounce_bytes: int,
    ) -> None:
        super().__init__(label, path, bounce_bytes)
        if array.offset or array.nbytes != find_mapped_bytes(array):
            # Another part of the same file may have a journal of its own.
            self.journal_path = f"{path}.{offset}{JOURNAL_SUFFIX}"
        self._mapped, self._path = array, path
        self.file_bytes = file_bytes(offset, array.shape, array.strides, array.dtype)
        self._offset, self._axis, self._bounce_bytes = offset, axis, bounce_bytes

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
            self._bounce_bytes,
        )
        if array.flags.c_contiguous or array.flags.f_contiguous:
            self._allocate(self._offset, array.nbytes)

    def result(self) -> np.ndarray:
        return self._mapped


def find_mapped_bytes(array: np.memmap) -> int:
    """Return the size of the whole array that a view of a mapping was taken from."""
    root: np.ndarray = array
    while isinstance(root.base, np.ndarray):
        root = root.base
    return root.nbytes


class _StoredSink:
    """What HDF5 datasets and Zarr arrays have in common."""

    file: str | None
    file_bytes = None
    journal_path: str | None

    def __init__(self, array: Any, bounce_bytes: int) -> None:
        self.label = store_label("out", array)
        self.chunk = storage_chunk(array)
        self._array = array
        one = chunk_bytes(self.chunk, np.dtype(array.dtype))
        self._slab_bytes = max(bounce_bytes, one)
        # Zarr packs the chunks of a slab side by side, each in a copy of its own.
        self.working_bytes = 3 * self._slab_bytes + one

    def write(self, region: Region, values: np.ndarray) -> None:
        starts = [part.start for part in region]
        for part in slabs(region, self.chunk, values.dtype.itemsize, self._slab_bytes):
            own = tuple(
                slice(one.start - start, one.stop - start)
                for one, start in zip(part, starts, strict=True)
            )
            try:
                self._array[part] = values[own]
            except MemoryError:
                raise
            except Exception as error:  # each compressor has its own types of error
                where = ", ".join(f"{one.start}:{one.stop}" for one in part)
                number = getattr(error, "errno", None)
                message = f"{self.label} cannot be written at [{where}]: {one_line(error)}"
                raise (OSError(number, message) if number else OSError(message)) from error
            self._written(part)

    def _written(self, region: Region) -> None:
        pass

    def read(self, region: Region) -> np.ndarray:
        return np.asarray(self._array[region])

    def close(self) -> None:
        pass

    def result(self) -> Any:
        return self._array


class _Hdf5Sink(_StoredSink):
    """An HDF5 dataset.

    The library keeps what is written in memory until it is flushed, and a process that dies
    while it flushes can leave the file unreadable if the flush moves chunks about: compressed
    datasets, and chunked ones whose chunks were not allocated early. A contiguous dataset has its
    place from the start and is safe.
    """

    def __init__(self, dataset: Any, bounce_bytes: int) -> None:
        super().__init__(dataset, bounce_bytes)
        self.working_bytes += hdf5_cache_bytes(dataset)
        name = dataset.file.filename
        self.file = os.path.abspath(name) if os.path.isfile(name) else None
        self.journal_path = None
        if self.file is not None:
            self.journal_path = self.file + dataset.name.replace("/", ".") + JOURNAL_SUFFIX

    def begin(self, *, again: bool) -> None:
        self._flush()

    def sync(self) -> None:
        self._flush()
        if self.file is not None:
            _sync_path(Path(self.file))

    def _flush(self) -> None:
        try:
            self._array.file.flush()
        except (OSError, RuntimeError) as error:
            number = getattr(error, "errno", None)
            message = f"{self.label} cannot be written: {one_line(error)}"
            raise (OSError(number, message) if number else OSError(message)) from error


class _ZarrSink(_StoredSink):
    """A Zarr array; one in a folder outlives the process, others have no journal."""

    def __init__(self, array: Any, bounce_bytes: int) -> None:
        super().__init__(array, bounce_bytes)
        self.working_bytes += 2 * bounce_bytes  # its threads keep as much, measured
        root = zarr_root(array)
        self.file = root
        self.journal_path = None
        self._folder = None
        if root is not None:
            name = "." + array.path.replace("/", ".") if array.path else ""
            self.journal_path = root + name + JOURNAL_SUFFIX
            self._folder = Path(root, array.path)
        self._unsynced: set[Path] = set()

    def begin(self, *, again: bool) -> None:
        pass

    def _written(self, region: Region) -> None:
        key = getattr(getattr(self._array, "metadata", None), "encode_chunk_key", None)
        if self._folder is None or key is None or self.chunk is None:
            return
        counts = [
            range(part.start // size, -(-part.stop // size))
            for part, size in zip(region, self.chunk, strict=True)
        ]
        for place in np.ndindex(*[len(count) for count in counts]):
            coordinates = tuple(count[at] for count, at in zip(counts, place, strict=True))
            self._unsynced.add(self._folder / key(coordinates))

    def sync(self) -> None:
        # A chunk that holds the fill value alone has no file. The folder of each new file is as
        # much a part of it as its content.
        folders = set()
        for path in self._unsynced:
            if path.exists():
                _sync_path(path)
                folders.add(path.parent)
        for folder in folders:
            _sync_path(folder)
        self._unsynced.clear()


def _sync_path(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
