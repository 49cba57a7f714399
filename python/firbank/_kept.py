"""What was made of a bank's kernels, kept from one convolution to the next."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

from . import _core
from ._job import Job

# Convolutions that differ in shape or arguments and take turns, as a loop over passes has them.
_MOST = 4


class KeptConvolvers:
    """The convolvers of the last few kinds of convolution that a bank was used for.

    One that is used again transforms only the kernels that have changed since. Thread safety: any
    thread; one that finds a convolver at work makes one of its own, which is not kept.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[Hashable, tuple[_core.Convolver, int]] = OrderedDict()

    def run(
        self,
        key: Hashable,
        job: Job,
        make: Callable[[], _core.Convolver],
        version: int,
        changes_since: Callable[[int], Any],
        tell: Callable[[int, int], object] | None,
    ) -> None:
        """Run `job`, whose kernels are those of `version`; `changes_since` gives the numbers of
        kernels that an older version did not have, and may give more."""
        with self._lock:
            convolver, had = self._kept.pop(key, (None, version))
        if convolver is None:
            convolver = make()
        # Another thread may have kept kernels that are newer than those of `job`.
        for index in changes_since(min(had, version)):
            convolver.replace(index)
        job.run(convolver, tell, True)
        with self._lock:
            self._kept[key] = (convolver, version)
            while len(self._kept) > _MOST:
                self._kept.popitem(last=False)
