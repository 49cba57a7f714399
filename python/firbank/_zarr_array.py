"""A Zarr array, without the threads of its package."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from ._file_array import sync_path
from ._stores import FIXED_BYTES, Region, StoredArray

# Memory that a call takes for what it touches, measured with zstd, gzip and blosc.
_READING_CHUNKS = 8
_WRITING_CHUNKS = 7
_IN_MANY_THREADS = 20

_STORES_WITHOUT_A_LOOP = ("LocalStore", "MemoryStore", "ZipStore")


class ZarrArray(StoredArray):
    """An array of format 2 or 3; only one in a folder is in a `file` that outlives the process.

    From version 3 on, the package reads several chunks side by side and gives each to one of up to
    32 threads, for each of which malloc keeps what it has freed: 16 times a chunk was measured.
    Stores that belong to no event loop are therefore read and written in a loop of ours.
    """

    may_change = True  # a folder's time of change says nothing of its files

    def __init__(self, role: str, array: Any) -> None:
        store = array.store
        root = getattr(store, "root", None) or getattr(store, "path", None)
        is_folder = isinstance(root, (str, os.PathLike)) and os.path.isdir(root)
        self.file = os.path.abspath(root) if is_folder else None
        self.name = array.path
        label = f"{role} '{Path(str(self.file or store), self.name)}'"
        # A shard of many chunks is written as a whole.
        super().__init__(array, label, getattr(array, "shards", None) or array.chunks)
        self._loop: _Loop | None = None
        if type(store).__name__ in _STORES_WITHOUT_A_LOOP and hasattr(array, "async_array"):
            self._loop = _Loop()
        reading = _READING_CHUNKS if self._loop else _IN_MANY_THREADS
        writing = _WRITING_CHUNKS if self._loop else _IN_MANY_THREADS
        self.reading_bytes = FIXED_BYTES + reading * self._call_bytes
        self.writing_bytes = FIXED_BYTES + writing * self._call_bytes
        self._unsynced: set[Path] = set()

    def close(self) -> None:
        if self._loop is not None:
            self._loop.close()

    def _get(self, part: Region) -> np.ndarray:
        if self._loop is None:
            return self.array[part]
        return self._loop.run(self.array.async_array.getitem(part))

    def _set(self, part: Region, values: np.ndarray) -> None:
        if self._loop is None:
            self.array[part] = values
        else:
            self._loop.run(self.array.async_array.setitem(part, values))
        key = getattr(getattr(self.array, "metadata", None), "encode_chunk_key", None)
        if self.file is None or key is None:
            return
        touched = [
            range(one.start // size, -(-one.stop // size))
            for one, size in zip(part, self.chunk, strict=True)
        ]
        self._unsynced.update(Path(self.file, self.name, key(at)) for at in product(*touched))

    def sync(self) -> None:
        # A chunk that holds the fill value alone has no file. The folder of each new file is as
        # much a part of it as its content.
        there = [path for path in self._unsynced if path.exists()]
        for path in there + sorted({path.parent for path in there}):
            sync_path(path)
        self._unsynced.clear()


class _Loop:
    """An event loop in a thread of its own, which does at once what others would give to a pool.

    The thread begins with the first `run`.
    """

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            self._loop.set_default_executor(_AtOnce(1))
            self._thread = threading.Thread(
                target=self._loop.run_forever, name="firbank-zarr", daemon=True
            )
            self._thread.start()
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def close(self) -> None:
        if self._loop is None:
            return
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._loop = None


class _AtOnce(ThreadPoolExecutor):
    """A pool that has no threads: asyncio takes none that is not a ThreadPoolExecutor."""

    def submit(self, work: Any, /, *arguments: Any, **others: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(work(*arguments, **others))
        except Exception as error:
            future.set_exception(error)
        return future
