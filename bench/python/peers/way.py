"""A way to compute a workload, and how to find one of its results in what comes out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Way:
    """`run` computes everything; `pick(result, channel, k)` is one signal of its result.

    Sample 0 of it is frame `offset` of the full convolution, and it has the full extent or, where
    the library gives no more, all frames whose kernel lies inside the signal ('valid').
    """

    run: Callable[[], Any]
    pick: Callable[[Any, int, int], Any]
    offset: int = 0
    extent: str = "full"

    def samples(self, result: Any, channel: int, k: int) -> np.ndarray:
        return np.asarray(self.pick(result, channel, k))


def by_channel(result: Any, channel: int, k: int) -> Any:
    """The results are (channels, frames), or a list of them by channel."""
    return result[channel]


def by_kernel(result: Any, channel: int, k: int) -> Any:
    """One signal: the results are (kernels, frames), or a list of them by kernel."""
    return result[k]


def by_both(result: Any, channel: int, k: int) -> Any:
    """The results are (channels, kernels, frames), or lists of that."""
    return result[channel][k]


def kernels_last(result: Any, channel: int, k: int) -> Any:
    """The results are (channels, frames, kernels)."""
    return result[channel][:, k]


def the_only(result: Any, channel: int, k: int) -> Any:
    return result
