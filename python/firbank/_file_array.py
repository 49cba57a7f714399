"""Rectangular parts of an array in a file, by reading and writing at offsets.

A mapping of the file would be less code. But if a mapped file shrinks, the process dies by SIGBUS,
and so it does if a sparse one grows on a full disk; a read or a write at an offset is an OSError
that can name the file and the place. The pages that it touches belong to the system and not to the
process, too.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from weakref import WeakValueDictionary

import numpy as np

# A gap in the file that is read over rather than left out by a call of its own: on a warm page
# cache a call of Python costs about as much as copying this much.
_LARGEST_GAP_BYTES = 32 << 10
# What a call of the system reads or writes of scattered parts: more is no faster, measured.
BOUNCE_BYTES = 256 << 10
# Linux moves at most 2 GiB - 4 KiB a call.
_LARGEST_CALL_BYTES = 1 << 30

# Of files that are written, by device and inode: who fills gaps keeps others from writing there.
_locks: WeakValueDictionary[tuple[int, int], threading.Lock] = WeakValueDictionary()
_locks_lock = threading.Lock()

Region = tuple[slice, ...]
Move = Callable[[int, memoryview], None]
MoveApart = Callable[[int, int, tuple[int, ...], np.ndarray], None]


class FileArray:
    """An array with any strides inside an open file.

    Not safe for two threads that write; reading beside reading is. Two arrays in one file, which
    may lie in each other's gaps, are safe for two threads of one process.

    Parameters
    ----------
    descriptor : int
        An open file, which stays the caller's.
    label : str
        What messages call it, such as ``"x 'day1.npy'"``.
    offset : int
        Byte of the file that holds the first element.
    shape : tuple of int
    strides : tuple of int
        Bytes; may be negative or zero.
    dtype : numpy.dtype
    time_axis : int
        The axis that messages count frames on.
    bounce_bytes : int, optional
        The most memory for parts that lie scattered in the file.
    """

    def __init__(
        self,
        descriptor: int,
        label: str,
        offset: int,
        shape: tuple[int, ...],
        strides: tuple[int, ...],
        dtype: np.dtype,
        time_axis: int,
        bounce_bytes: int = BOUNCE_BYTES,
    ) -> None:
        self._descriptor = descriptor
        self._label = label
        self._offset = offset
        self._strides = strides
        self._time_axis = time_axis
        self._bounce_bytes = max(bounce_bytes, dtype.itemsize)
        self._bounce = bytearray()
        self._lock: threading.Lock | None = None
        self.shape = shape
        self.dtype = dtype

    def read(self, region: Region, into: np.ndarray) -> None:
        """Read a region into an array of its shape, whose dtype may differ.

        Raises
        ------
        OSError
            If the file ends before the region does, or cannot be read.
        """
        where = f"frames {region[self._time_axis].start} to {region[self._time_axis].stop}"

        def read(position: int, buffer: memoryview) -> None:
            self._read_exactly(buffer, position, where)

        def gather(position: int, size: int, strides: tuple[int, ...], memory: np.ndarray) -> None:
            buffer = self._buffer(size)
            read(position, buffer)
            memory[...] = np.ndarray(memory.shape, self.dtype, buffer, strides=strides)

        self._each_run(region, into, read, gather)

    def write(self, region: Region, values: np.ndarray) -> None:
        """Write an array of the region's shape.

        What lies between scattered elements is read and written back as it is, while nobody else
        of this process writes to the file by this method. What others write there, through a
        mapping or in another process, may be lost.

        Raises
        ------
        OSError
            If the file cannot be written, above all on a full disk.
        """

        if self._lock is None:
            self._lock = _lock_of(self._descriptor)
        lock = self._lock

        def write(position: int, buffer: memoryview) -> None:
            with lock:
                self._write_exactly(buffer, position)

        def scatter(position: int, size: int, strides: tuple[int, ...], memory: np.ndarray) -> None:
            buffer = self._buffer(size)
            with lock:
                if memory.size * self.dtype.itemsize < size:
                    self._read_exactly(buffer, position, "the place of the result")
                np.ndarray(memory.shape, self.dtype, buffer, strides=strides)[...] = memory
                self._write_exactly(buffer, position)

        self._each_run(region, values, write, scatter)

    def _buffer(self, size: int) -> memoryview:
        if len(self._bounce) < size:
            self._bounce = bytearray(size)
        return memoryview(self._bounce)[:size]

    def _each_run(
        self,
        region: Region,
        memory: np.ndarray,
        move: Move,
        move_apart: MoveApart,
    ) -> None:
        """Cut a region into parts that one call of the system serves well, in the file's order.

        `move` serves bytes that lie as in the file, `move_apart` elements that do not.
        """
        if memory.size == 0:
            return
        position = self._offset
        strides = []
        for axis, (part, stride) in enumerate(zip(region, self._strides, strict=True)):
            position += part.start * stride
            if stride < 0:
                position += (memory.shape[axis] - 1) * stride
                memory = np.flip(memory, axis)
            strides.append(abs(stride))
        axes = [axis for axis in range(memory.ndim) if memory.shape[axis] > 1]
        axes.sort(key=lambda axis: -strides[axis])
        single = tuple(slice(None) if axis in axes else 0 for axis in range(memory.ndim))
        left = [axis for axis in range(memory.ndim) if axis in axes]
        memory = memory[(*single, ...)].transpose([left.index(axis) for axis in axes])
        self._cut(position, tuple(strides[axis] for axis in axes), memory, move, move_apart)

    def _cut(
        self,
        position: int,
        strides: tuple[int, ...],
        memory: np.ndarray,
        move: Move,
        move_apart: MoveApart,
    ) -> None:
        extent = self._extent(strides, memory.shape)
        direct = memory.dtype == self.dtype and memory.flags.c_contiguous
        if direct and _is_contiguous(strides, memory):
            move(position, _bytes_of(memory))
            return
        if memory.ndim == 0:
            move_apart(position, extent, strides, memory)
            return
        inner = self._extent(strides[1:], memory.shape[1:])
        dense = strides[0] - inner <= _LARGEST_GAP_BYTES
        if dense and extent <= self._bounce_bytes:
            move_apart(position, extent, strides, memory)
            return
        if direct and not dense and _is_contiguous(strides[1:], memory[0, ...]):
            # Rows far apart in the file: the loop is what a chunk of many channels takes.
            buffer = _bytes_of(memory)
            for row in range(memory.shape[0]):
                move(position + row * strides[0], buffer[row * inner : (row + 1) * inner])
            return
        rows = 1
        if dense:
            rows = max(1, (self._bounce_bytes - inner) // max(1, strides[0]) + 1)
        for first in range(0, memory.shape[0], rows):
            part = memory[first, ...] if rows == 1 else memory[first : first + rows]
            own = strides[1:] if rows == 1 else strides
            self._cut(position + first * strides[0], own, part, move, move_apart)

    def _extent(self, strides: tuple[int, ...], shape: tuple[int, ...]) -> int:
        apart = sum(stride * (size - 1) for stride, size in zip(strides, shape, strict=True))
        return apart + self.dtype.itemsize

    def _read_exactly(self, buffer: memoryview, position: int, where: str) -> None:
        done = 0
        while done < len(buffer):
            part = buffer[done : done + _LARGEST_CALL_BYTES]
            try:
                count = os.preadv(self._descriptor, [part], position + done)
            except OSError as error:
                raise OSError(
                    error.errno, f"{self._label} cannot be read ({where}): {error.strerror}"
                ) from error
            if count == 0:
                size = os.fstat(self._descriptor).st_size
                raise OSError(
                    f"{self._label} ends at byte {size}, but {where} need bytes {position} to "
                    f"{position + len(buffer)}: the file has shrunk"
                )
            done += count

    def _write_exactly(self, buffer: memoryview, position: int) -> None:
        done = 0
        while done < len(buffer):
            part = buffer[done : done + _LARGEST_CALL_BYTES]
            try:
                done += os.pwrite(self._descriptor, part, position + done)
            except OSError as error:
                raise OSError(
                    error.errno,
                    f"{self._label} cannot be written at byte {position + done}: {error.strerror}",
                ) from error


def _lock_of(descriptor: int) -> threading.Lock:
    """Return the one lock for a file."""
    state = os.fstat(descriptor)
    with _locks_lock:
        return _locks.setdefault((state.st_dev, state.st_ino), threading.Lock())


def contiguous_strides(shape: tuple[int, ...], itemsize: int, fortran: bool) -> tuple[int, ...]:
    """Return the strides, in bytes, of an array without gaps.

    Examples
    --------
    >>> contiguous_strides((2, 3), 4, fortran=False), contiguous_strides((2, 3), 4, fortran=True)
    ((12, 4), (4, 8))
    """
    strides = []
    stride = itemsize
    for size in shape if fortran else reversed(shape):
        strides.append(stride)
        stride *= size
    return tuple(strides if fortran else reversed(strides))


def array_at(
    offset: int, shape: tuple[int, ...], strides: tuple[int, ...], dtype: np.dtype
) -> np.ndarray:
    """Return an array that stands for one in a file, and whose elements nobody may touch.

    Its addresses are bytes of the file, so that NumPy tells whether two such arrays overlap.

    Examples
    --------
    >>> one, other = (array_at(100 + k, (5,), (4,), np.dtype("int16")) for k in (0, 2))
    >>> np.shares_memory(one, other), np.shares_memory(one, one[1:])
    (False, True)
    """
    return np.asarray(_At(offset, shape, strides, dtype))


class _At:
    def __init__(
        self, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], dtype: np.dtype
    ) -> None:
        self.__array_interface__ = {
            "version": 3,
            "data": (offset + 4096, True),  # 0 would be no address
            "shape": shape,
            "strides": strides,
            "typestr": dtype.str,
        }


def sync_path(path: str | os.PathLike[str]) -> None:
    """Return when a file, or the names in a folder, would survive a power failure."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _is_contiguous(strides: tuple[int, ...], memory: np.ndarray) -> bool:
    return (
        memory.flags.c_contiguous
        and contiguous_strides(memory.shape, memory.dtype.itemsize, False) == strides
    )


def _bytes_of(memory: np.ndarray) -> memoryview:
    return memoryview(memory.reshape(-1).view(np.uint8))
