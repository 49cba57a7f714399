"""An HDF5 dataset, by h5py."""

from __future__ import annotations

import os
from math import prod
from typing import Any

import numpy as np

from ._file_array import sync_path
from ._stores import FIXED_BYTES, Region, StoredArray

# Chunks' worth of memory that the library takes beside its cache, measured, the first two with
# gzip.
_UNPACKING_CHUNKS = 6
_PACKING_CHUNKS = 6
_PLAIN_CHUNKS = 4
# It unpacks into a buffer that it doubles until all fits in, and keeps that in the cache. What lies
# behind the samples is not touched, but for less than this. Of the first few large ones more is.
_TOUCHED_BYTES = 8 << 10
_LARGE_CHUNKS = 3
# What the library notes of a chunk in its cache.
_NOTE_BYTES = 1 << 10


class Hdf5Array(StoredArray):
    """A dataset of an open file.

    The library keeps what is written in memory until it is flushed, and a process that dies while
    it flushes can leave the file unreadable if the flush moves chunks about: compressed datasets,
    and chunked ones whose chunks were not allocated early. A contiguous dataset has its place from
    the start and is safe.
    """

    def __init__(self, role: str, dataset: Any) -> None:
        filename = dataset.file.filename
        label = f"{role} '{filename}:{dataset.name}'"
        super().__init__(dataset, label, dataset.chunks)
        self.name = dataset.name
        self.file = os.path.abspath(filename) if os.path.isfile(filename) else None
        # A file that is open for writing changes when it is closed, whatever was written.
        self.may_change = dataset.file.mode != "r" or self.file is None
        self._file_size = 0
        if not self.may_change:
            self._file_size = min(dataset.file.id.get_filesize(), os.stat(self.file).st_size)
        cached = self._cached_chunks()
        if dataset.id.get_create_plist().get_nfilters() == 0:
            kept = cached * (self._chunk_bytes + _NOTE_BYTES)
            reading = writing = _PLAIN_CHUNKS
        else:
            touched = min(self._chunk_bytes, _TOUCHED_BYTES)
            kept = cached * (self._chunk_bytes + touched + _NOTE_BYTES)
            reading, writing = _UNPACKING_CHUNKS + min(cached, _LARGE_CHUNKS), _PACKING_CHUNKS
        kept += FIXED_BYTES + self._call_bytes
        self.reading_bytes = kept + reading * self._chunk_bytes
        self.writing_bytes = kept + writing * self._chunk_bytes

    def _cached_chunks(self) -> int:
        """Return how many chunks the library keeps: what fits into the cache that the dataset was
        opened with, which nobody can change while it is open."""
        if self.chunk is None:
            return 0
        _, cache_bytes, _ = self.array.id.get_access_plist().get_chunk_cache()
        there = prod(-(-own // part) for own, part in zip(self.shape, self.chunk, strict=True))
        return min(cache_bytes // self._chunk_bytes, there)

    def sync(self) -> None:
        try:
            self.array.file.flush()
        except (OSError, RuntimeError) as error:
            raise self._failure("written", None, error) from error
        if self.file is not None:
            sync_path(self.file)

    def _get(self, part: Region) -> np.ndarray:
        values = self.array[part]
        # Beyond the end of a file that has shrunk the library reads zeros and says nothing.
        if self._file_size and os.stat(self.file).st_size < self._file_size:
            raise OSError("the file has shrunk")
        return values

    def _set(self, part: Region, values: np.ndarray) -> None:
        self.array[part] = values
