"""What of a large result is on the disk for good, so that a call that was cut off can go on.

The journal lies beside the result, ``OUT.firbank-journal``, and is text: a first line of JSON
that says whose it is (`job`) and how the work is cut (`grid`), then a line for each finished chunk
with its number and the CRC-32 of its bytes.

The rules:

- The journal is there, synced, before the result is touched. Who finds a result and no journal
  finds a finished one, or somebody else's.
- A chunk's line is written only when a sync of the result has returned after the chunk was
  written. What the journal says is therefore true after a killed process and after a power
  failure; what it does not say is computed again.
- A sync is dear, so that lines are written in groups, at most every `SYNC_INTERVAL_S` and so that
  syncs take a tenth of the time at most. A killed process repeats that much.
- A line without its newline, or out of order, ends the journal: the process died while it wrote.
- When a call goes on, every line's CRC is compared with the result, which takes as long as reading
  what is finished. That finds a result that was changed, cut or replaced in between, and a disk
  that said it had synced and had not; neither is ever taken as finished.
- Whoever writes holds a lock on the file. When the result is whole, and synced, the journal goes.
"""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any

from ._file_array import sync_path

try:
    import fcntl
except ImportError:  # Windows has no such locks
    fcntl = None  # type: ignore[assignment]

_VERSION = 1

SYNC_INTERVAL_S = 1.0


class Journal:
    """The journal of one result, open and locked.

    Parameters
    ----------
    path : str

    Attributes
    ----------
    job, grid : dict or None
        Whose the unfinished result is and how it was cut; None if there was no journal.
    checksums : list of int
        One for each finished chunk, in order.

    Raises
    ------
    OSError
        If it cannot be opened, or another process is writing the same result.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self.existed = os.path.exists(path)
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        except OSError as error:
            raise OSError(
                error.errno, f"the journal {path!r} of out cannot be opened: {error.strerror}"
            ) from error
        try:
            self._lock()
        except OSError as error:
            os.close(self._descriptor)
            raise OSError(
                error.errno, f"out is being written by another call, which holds {path!r}"
            ) from error
        self.job: dict[str, Any] | None = None
        self.grid: dict[str, Any] | None = None
        self.checksums: list[int] = []
        self._parse(Path(path).read_bytes())

    def _lock(self) -> None:
        """Lock the file, or raise OSError; the lock goes with the process, however it ends."""
        if fcntl is None:
            return
        fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(self._descriptor).st_nlink == 0:
            # The other call finished, and took its journal away, just before the lock was free.
            raise BlockingIOError(errno.EWOULDBLOCK, os.strerror(errno.EWOULDBLOCK))

    def _parse(self, content: bytes) -> None:
        first, newline, rest = content.partition(b"\n")
        try:
            header = json.loads(first)
            if not newline or header["firbank-journal"] != _VERSION:
                return
            self.job, self.grid = header["job"], header["grid"]
            self._whole_bytes = len(first) + len(newline)
        except (ValueError, KeyError, TypeError):
            return
        for line in rest.splitlines(keepends=True):
            fields = line.split()
            whole = line.endswith(b"\n") and len(fields) == 2
            if not whole or fields[0] != b"%d" % len(self.checksums):
                return
            try:
                self.checksums.append(int(fields[1], 16))
            except ValueError:
                return
            self._whole_bytes += len(line)

    def begin(self, job: dict[str, Any], grid: dict[str, Any]) -> None:
        """Start anew: for this job, with no chunk finished."""
        self.job, self.grid, self.checksums = job, grid, []
        header = {"firbank-journal": _VERSION, "job": job, "grid": grid}
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, json.dumps(header).encode() + b"\n", 0)
        os.fsync(self._descriptor)
        sync_path(os.path.dirname(os.path.abspath(self._path)))

    def go_on(self) -> None:
        """Keep what is there, less a line that was cut off."""
        os.ftruncate(self._descriptor, self._whole_bytes)

    def record(self, checksums: list[int]) -> None:
        """Add the chunks that come next. Their data must have been synced before."""
        lines = b"".join(
            b"%d %08x\n" % (index, checksum)
            for index, checksum in enumerate(checksums, start=len(self.checksums))
        )
        end = os.lseek(self._descriptor, 0, os.SEEK_END)
        os.pwrite(self._descriptor, lines, end)
        os.fdatasync(self._descriptor) if hasattr(os, "fdatasync") else os.fsync(self._descriptor)
        self.checksums += checksums

    def remove(self) -> None:
        """Take the journal away."""
        os.unlink(self._path)
        sync_path(os.path.dirname(os.path.abspath(self._path)))

    def close(self) -> None:
        """Close the file, which leaves it, and drop the lock; one without a header goes."""
        if self.job is None and not self.existed and os.path.exists(self._path):
            os.unlink(self._path)
        os.close(self._descriptor)
