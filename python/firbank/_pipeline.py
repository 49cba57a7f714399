"""Reading the next window and writing the last chunk while one is computed.

Three threads at most: the caller's computes, reports progress and hears Ctrl-C; one reads ahead;
one writes and keeps the journal. Each side has two buffers, so that memory is bounded.
"""

from __future__ import annotations

import contextlib
import time
import zlib
from concurrent.futures import Future, ThreadPoolExecutor, wait
from types import TracebackType

import numpy as np

from . import _journal
from ._journal import Journal
from ._layout import Region
from ._sinks import Sink
from ._sources import Source

# Of the time between two syncs, the part that syncs may take.
_SYNC_SHARE = 0.1


class WindowReader:
    """Reads windows along time, with zeros where x has not begun or has ended.

    Two windows that follow each other share frames, which are copied from the first and not read
    again. The array that `get` returns is good until the second `get` after it.

    Parameters
    ----------
    source : Source
    axis : int
        The axis of time.
    most_samples : int
        Of the largest window.
    """

    def __init__(self, source: Source, axis: int, most_samples: int) -> None:
        self._source = source
        self._axis = axis
        self._buffers = [np.empty(most_samples, source.dtype) for _ in range(2)]
        self._last: tuple[slice, Region, np.ndarray] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="firbank-read")
        self._next: Future[np.ndarray] | None = None

    def __enter__(self) -> WindowReader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        interrupt = _finish(self._thread)
        if interrupt is not None:
            raise interrupt

    def prepare(self, window: slice, tile: Region) -> None:
        """Begin to read; `window` may reach beyond x on either side."""
        self._next = self._thread.submit(self._read, window, tile)

    def get(self) -> np.ndarray:
        """Return what was prepared last."""
        assert self._next is not None
        return self._next.result()

    def _read(self, window: slice, tile: Region) -> np.ndarray:
        axis = self._axis
        shape = [part.stop - part.start for part in tile]
        shape.insert(axis, window.stop - window.start)
        self._buffers.reverse()
        array = self._buffers[0][: int(np.prod(shape, dtype=np.int64))].reshape(shape)
        in_time = np.moveaxis(array, axis, 0)

        first = window.start
        if self._last is not None:
            before, own_tile, old = self._last
            if own_tile == tile and before.start <= window.start < before.stop:
                first = min(before.stop, window.stop)
                kept = slice(window.start - before.start, first - before.start)
                in_time[: first - window.start] = np.moveaxis(old, axis, 0)[kept]

        begin = max(first, min(0, window.stop))
        end = max(begin, min(window.stop, self._source.shape[axis]))
        in_time[first - window.start : begin - window.start] = 0
        in_time[end - window.start :] = 0
        if end > begin:
            region = (*tile[:axis], slice(begin, end), *tile[axis:])
            into = in_time[begin - window.start : end - window.start]
            self._source.read(region, np.moveaxis(into, 0, axis))
        self._last = window, tile, array
        return array


class ChunkWriter:
    """Writes chunks in order and keeps the journal of them.

    However the block is left, what was written is synced and recorded first.

    Parameters
    ----------
    sink : Sink
    journal : Journal or None
    most_samples : int
        Of the largest chunk.
    dtype : numpy.dtype
    """

    def __init__(
        self, sink: Sink, journal: Journal | None, most_samples: int, dtype: np.dtype
    ) -> None:
        self._sink = sink
        self._journal = journal
        self._buffers = [np.empty(most_samples, dtype) for _ in range(2)]
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="firbank-write")
        self._pending: Future[int] | None = None
        self._unrecorded: list[int] = []
        self._next_sync = time.monotonic() + _journal.SYNC_INTERVAL_S

    def __enter__(self) -> ChunkWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        interrupt = _finish(self._thread)
        if kind is None and interrupt is None:
            self._sync()
        else:
            # What went wrong first is the news; a disk that fails will fail again here.
            with contextlib.suppress(OSError):
                self._sync()
        if interrupt is not None:
            raise interrupt

    def buffer(self, shape: tuple[int, ...]) -> np.ndarray:
        """Return where to compute the next chunk."""
        self._buffers.reverse()
        return self._buffers[0][: int(np.prod(shape, dtype=np.int64))].reshape(shape)

    def put(self, region: Region, values: np.ndarray) -> int:
        """Write a chunk, which `buffer` gave, once the one before is written; as `wait`."""
        before = self.wait()
        self._pending = self._thread.submit(self._write, region, values)
        return before

    def wait(self) -> int:
        """Return when all chunks are written; raises what went wrong.

        Returns
        -------
        int
            The samples of the chunk that was waited for, 0 if there was none.
        """
        if self._pending is None:
            return 0
        pending, self._pending = self._pending, None
        return pending.result()

    def _write(self, region: Region, values: np.ndarray) -> int:
        self._sink.write(region, values)
        if self._journal is not None:
            self._unrecorded.append(zlib.crc32(values))
            if time.monotonic() >= self._next_sync:
                self._sync()
        return values.size

    def _sync(self) -> None:
        start = time.monotonic()
        self._sink.sync()
        if self._journal is not None and self._unrecorded:
            self._journal.record(self._unrecorded)
            self._unrecorded = []
        taken = time.monotonic() - start
        self._next_sync = start + max(_journal.SYNC_INTERVAL_S, taken / _SYNC_SHARE)


def _finish(thread: ThreadPoolExecutor) -> BaseException | None:
    """Return when a thread has done all that it was given, whatever signals come meanwhile.

    A thread that went on would write into the next file that has the descriptor's number. It is a
    future that is waited for: ``Thread.join``, once interrupted, takes a thread for dead.

    Returns
    -------
    BaseException or None
        What a signal has raised, such as KeyboardInterrupt.
    """
    interrupt = None
    last: Future[None] | None = None
    while last is None or not last.done():
        try:
            last = last or thread.submit(_nothing)
            wait([last])
        except RuntimeError:  # no thread can be started, and none was
            break
        except BaseException as error:
            interrupt = error
    try:
        thread.shutdown(wait=True)
    except BaseException as error:
        interrupt = error
    return interrupt


def _nothing() -> None:
    pass
