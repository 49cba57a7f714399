"""Telling the caller how far a long call has come."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

ProgressCallable = Callable[[int, int], Any]


class Progress:
    """Reports to a callable, to tqdm, or to nobody.

    A callable gets ``(done, total)`` in samples of the result: once at the start, where `done` is
    what an earlier, interrupted call has left, and then after each piece. It runs in the calling
    thread. True shows a bar of tqdm if that is installed, and nothing otherwise.

    Parameters
    ----------
    progress : callable, bool or None
    total : int
        All samples of the result.
    done : int
        Those that are there already.

    Raises
    ------
    TypeError
        If `progress` is none of these.
    """

    def __init__(self, progress: ProgressCallable | bool | None, total: int, done: int = 0) -> None:
        check_progress(progress)
        self._done, self._total = done, total
        self._call = progress if callable(progress) else None
        self._bar = None
        if isinstance(progress, (bool, np.bool_)) and progress:
            try:
                from tqdm.auto import tqdm
            except ImportError:
                pass
            else:
                self._bar = tqdm(
                    total=total, initial=done, unit="sample", unit_scale=True, desc="firbank"
                )
        if self._call:
            self._call(done, total)

    def advance(self, samples: int) -> None:
        """Count `samples` more, and tell; nothing to count is not told."""
        if samples == 0:
            return
        self._done += samples
        if self._bar is not None:
            self._bar.update(samples)
        if self._call:
            self._call(self._done, self._total)

    def close(self) -> None:
        """Leave the bar as it stands."""
        if self._bar is not None:
            self._bar.close()


def check_progress(progress: object) -> None:
    """Raise TypeError unless `progress` is a callable, a bool or None."""
    if progress is None or isinstance(progress, (bool, np.bool_)) or callable(progress):
        return
    raise TypeError(
        f"progress is {progress!r}; allowed: True, False, None, or a callable of (done, total)"
    )


@contextmanager
def teller(
    progress: ProgressCallable | bool | None, planes: int
) -> Iterator[ProgressCallable | None]:
    """Give what the engine is to call with (done, total), or None. It counts the `planes` that a
    sample of the result has, which are 2 where it is complex."""
    check_progress(progress)
    if callable(progress):
        yield lambda done, total: progress(done // planes, total // planes)
        return
    if not progress:
        yield None
        return
    try:
        from tqdm.auto import tqdm
    except ImportError:
        yield None
        return
    with tqdm(total=None, unit="sample", unit_scale=True, desc="firbank") as bar:

        def tell(done: int, total: int) -> None:
            bar.total = total // planes
            bar.update(done // planes - bar.n)

        yield tell
