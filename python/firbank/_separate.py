"""A result must not be written over the samples that it is computed from."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from ._sinks import Sink
from ._sources import Source
from ._stores import is_hdf5, is_zarr


def share_memory(one: np.ndarray, other: np.ndarray) -> bool:
    """Tell whether two arrays have an element in common; yes where it is too hard to tell."""
    try:
        return np.may_share_memory(one, other) and np.shares_memory(one, other, max_work=10_000)
    except RuntimeError:
        return True


def check_separate(x: Any, source: Source, out: Any, sink: Sink) -> None:
    """Raise ValueError if `out` is `x`, lies in the same file, or overlaps it in memory.

    Different datasets of one HDF5 file, different arrays of one Zarr store and different parts of
    one mapped file are separate.
    """
    if _overlap(x, source, out, sink):
        raise ValueError(
            f"{sink.label} overlaps {source.label}; allowed: an array or file of its own"
        )


def _overlap(x: Any, source: Source, out: Any, sink: Sink) -> bool:
    if isinstance(x, np.ndarray) and isinstance(out, np.ndarray) and share_memory(x, out):
        return True
    if source.file is None or sink.file is None or not _is_same_file(source.file, sink.file):
        return False
    if is_hdf5(x) and is_hdf5(out):
        return x == out
    if is_zarr(x) and is_zarr(out):
        return x.path == out.path
    if source.file_bytes is not None and sink.file_bytes is not None:
        first, last = source.file_bytes, sink.file_bytes
        return first.start < last.stop and last.start < first.stop
    return True


def _is_same_file(one: str, other: str) -> bool:
    try:
        return os.path.samefile(one, other)
    except OSError:
        return False
