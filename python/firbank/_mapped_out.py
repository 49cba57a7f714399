"""Results in views of mapped files, written past the pages.

Who writes to a page that the file has lost, or that a full disk has no room for, dies by SIGBUS; a
write at an offset is an OSError.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np

from ._file_array import FileArray
from ._mapping import find_mapping


@contextmanager
def written_at_once(array: np.ndarray, label: str) -> Iterator[Callable[[np.ndarray], None]]:
    """Reserve the room of an array, and give what writes its values, all of them.

    Parameters
    ----------
    array : numpy.ndarray
        What is not mapped, or mapped in private, is written as it is; else its file is.
    label : str
        What messages call it.

    Raises
    ------
    OSError
        If the file cannot be written, has become shorter than `array`, or the disk is full.
    """
    mapping = find_mapping(array)
    if mapping is not None:
        mapping.check_size(label if mapping.path is None else f"{label} {mapping.path!r}")
    if mapping is None or mapping.path is None:
        yield lambda values: np.copyto(array, values)
        return
    label = f"{label} {mapping.path!r}"
    descriptor = os.open(mapping.path, os.O_RDWR)
    try:
        _reserve(descriptor, _bytes_of(array, mapping.offset_bytes), label)
        file = FileArray(
            descriptor,
            label,
            mapping.offset_bytes,
            array.shape,
            array.strides,
            array.dtype,
            time_axis=array.shape.index(max(array.shape)),
        )
        whole = tuple(slice(0, size) for size in array.shape)
        yield lambda values: file.write(whole, values)
    finally:
        os.close(descriptor)


def _bytes_of(array: np.ndarray, offset: int) -> range:
    """The bytes of a file from the first that an array has to the last; its first element is at
    `offset`."""
    reach = [(size - 1) * step for size, step in zip(array.shape, array.strides, strict=True)]
    first = offset + sum(min(0, one) for one in reach)
    return range(first, offset + sum(max(0, one) for one in reach) + array.itemsize)


def _reserve(descriptor: int, room: range, label: str) -> None:
    if not hasattr(os, "posix_fallocate"):
        return
    try:
        os.posix_fallocate(descriptor, room.start, len(room))
    except OSError as error:
        raise OSError(error.errno, f"{label} cannot be given its room: {error.strerror}") from error
