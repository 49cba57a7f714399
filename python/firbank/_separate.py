"""A result must not be written over the samples that it is computed from, or another result."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ._arrays import as_numpy
from ._file_array import array_at
from ._mapping import find_file
from ._stores import is_hdf5, is_zarr, open_stored


@dataclass(frozen=True)
class Place:
    """Where samples lie.

    Attributes
    ----------
    label : str
        What messages call it.
    memory : numpy.ndarray or None
    file : tuple or None
        What tells the file or folder from others, whatever its name.
    in_file : numpy.ndarray or None
        An array that nobody may touch, whose addresses are bytes of the file. None where any byte
        may be meant.
    stored : h5py.Dataset, zarr.Array or None
    """

    label: str
    memory: np.ndarray | None = None
    file: tuple[Any, ...] | None = None
    in_file: np.ndarray | None = None
    stored: Any = None

    @classmethod
    def of(cls, thing: Any, label: str) -> Place:
        """Return the place of a path, an HDF5 dataset, a Zarr array or an array_like."""
        if isinstance(thing, (str, os.PathLike)):
            return cls(label, file=_file_key(os.fspath(thing)))
        if is_hdf5(thing) or is_zarr(thing):
            stored = open_stored(label, thing)
            path = stored.file
            if path is not None and is_zarr(thing):
                path = os.path.join(path, stored.name)
            return cls(label, file=None if path is None else _file_key(path), stored=thing)
        if isinstance(thing, (list, tuple)) or hasattr(thing, "__dask_graph__"):
            return cls(label)  # whose samples are copied
        array = as_numpy(thing, label)
        found = find_file(array)
        if found is None:
            return cls(label, array)
        path, offset = found
        in_file = array_at(offset, array.shape, array.strides, array.dtype)
        return cls(label, array, _file_key(path), in_file)

    def overlaps(self, other: Place) -> bool:
        """Tell whether two places have a sample in common; yes where it is too hard to tell.

        Different datasets of one HDF5 file, different arrays of one Zarr store and different parts
        of one mapped file have none.
        """
        has_memory = self.memory is not None and other.memory is not None
        if has_memory and share_memory(self.memory, other.memory):
            return True
        if self.stored is not None and other.stored is not None and self.file == other.file:
            return _is_same_stored(self.stored, other.stored)
        if self.file is None or self.file != other.file:
            return False
        if self.in_file is not None and other.in_file is not None:
            return share_memory(self.in_file, other.in_file)
        return True


def check_separate(results: Sequence[Place], read: Iterable[Place]) -> None:
    """Raise ValueError if a result overlaps another one, or what is read."""
    for index, result in enumerate(results):
        for before in results[:index]:
            if result.overlaps(before):
                raise ValueError(
                    f"{result.label} overlaps {before.label}; allowed: a place of its own for each"
                )
    for place in read:
        for result in results:
            if result.overlaps(place):
                raise ValueError(
                    f"{result.label} overlaps {place.label}; allowed: an array or file of its own"
                )


def places_of_kernels(h: Any) -> list[Place]:
    """Return the places of what kernels were given as; numbers in lists have none."""
    each = [("h", h)]
    if isinstance(h, (list, tuple)):
        each = [(f"h[{index}]", kernel) for index, kernel in enumerate(h)]
    return [Place.of(one, name) for name, one in each if hasattr(one, "shape")]


def share_memory(one: np.ndarray, other: np.ndarray) -> bool:
    """Tell whether two arrays have an element in common; yes where it is too hard to tell."""
    try:
        return np.may_share_memory(one, other) and np.shares_memory(one, other, max_work=10_000)
    except RuntimeError:
        return True


def _file_key(path: str) -> tuple[Any, ...]:
    try:
        state = os.stat(path)
    except OSError:
        return (os.path.realpath(path),)
    return state.st_dev, state.st_ino


def _is_same_stored(one: Any, other: Any) -> bool:
    """Tell whether two arrays of packages are one; those in folders have been told already."""
    if is_hdf5(one) or is_hdf5(other):
        return is_hdf5(one) and is_hdf5(other) and one == other
    in_folder = open_stored("", one).file is not None
    return in_folder or (one.store is other.store and one.path == other.path)
