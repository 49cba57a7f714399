"""Recognising HDF5 datasets and Zarr arrays without importing their packages, and their files."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Region = tuple[slice, ...]


def is_hdf5(thing: object) -> bool:
    """Tell whether something is an ``h5py.Dataset``."""
    h5py = sys.modules.get("h5py")
    return h5py is not None and isinstance(thing, h5py.Dataset)


def is_zarr(thing: object) -> bool:
    """Tell whether something is a ``zarr.Array``, of either version of the package."""
    zarr = sys.modules.get("zarr")
    return zarr is not None and isinstance(thing, zarr.Array)


def zarr_root(array: Any) -> str | None:
    """Return the folder of a Zarr array's store, or None if it lies elsewhere than in a folder."""
    root = getattr(array.store, "root", None) or getattr(array.store, "path", None)
    if isinstance(root, (str, os.PathLike)) and os.path.isdir(root):
        return os.path.abspath(root)
    return None


def storage_chunk(thing: Any) -> tuple[int, ...] | None:
    """Return the shape of what is read or written as a whole: a chunk, or a Zarr shard of many."""
    chunk = getattr(thing, "shards", None) or thing.chunks
    return None if chunk is None else tuple(int(size) for size in chunk)


def store_label(role: str, thing: Any) -> str:
    """Return what messages call a dataset or an array, such as ``"x 'day1.h5:/raw'"``."""
    if is_hdf5(thing):
        return f"{role} '{thing.file.filename}:{thing.name}'"
    return f"{role} '{Path(str(zarr_root(thing) or thing.store), thing.path)}'"


def hdf5_cache_bytes(dataset: Any) -> int:
    """Return how much the HDF5 library keeps of a chunked dataset that was read or written."""
    if dataset.chunks is None:
        return 0
    _, size, _ = dataset.id.get_access_plist().get_chunk_cache()
    return min(int(size), dataset.nbytes)


def one_line(error: BaseException) -> str:
    """Return what an error says, in one line; the HDF5 library likes to take several."""
    return " ".join(str(error).split())


def slabs(
    region: Region, chunk: tuple[int, ...] | None, itemsize: int, most_bytes: int
) -> Iterator[Region]:
    """Cut a region into parts of at most `most_bytes`, between storage chunks wherever possible.

    A part is never smaller than what it shares with one storage chunk, so that each chunk is
    unpacked once.
    """
    size = itemsize
    for part in region:
        size *= part.stop - part.start
    if size > most_bytes:
        for axis, part in enumerate(region):
            unit = 1 if chunk is None else chunk[axis]
            first_cut = (part.start // unit + 1) * unit
            if first_cut >= part.stop:
                continue
            cut = max(first_cut, (part.start + part.stop) // 2 // unit * unit)
            for half in (slice(part.start, cut), slice(cut, part.stop)):
                smaller = (*region[:axis], half, *region[axis + 1 :])
                yield from slabs(smaller, chunk, itemsize, most_bytes)
            return
    yield region


def within(part: Region, region: Region) -> Region:
    """Return where a part of a region lies, counted from the region's own start.

    Examples
    --------
    >>> within((slice(12, 14),), (slice(10, 20),))
    (slice(2, 4, None),)
    """
    return tuple(
        slice(inner.start - outer.start, inner.stop - outer.start)
        for inner, outer in zip(part, region, strict=True)
    )
