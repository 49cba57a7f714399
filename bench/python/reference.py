"""What is right: direct convolution in double precision, of a few stretches of a few results."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from rows import Row

STRETCH = 200  # frames that are compared at each place
LARGEST_ERROR = {"single": 5e-6, "double": 1e-12}  # relative L2


class WrongShape(Exception):
    """A result has other frames than it should have."""


def direct(x: np.ndarray, h: np.ndarray, first: int, end: int) -> np.ndarray:
    """Frames first <= n < end of the full convolution of x (n, frames) with h (n, taps), summed."""
    frames, taps = x.shape[1], h.shape[1]
    begin = max(0, first - taps + 1)
    part = x[:, begin : min(end, frames)].astype(np.float64)
    whole = sum(np.convolve(a, b) for a, b in zip(part, h.astype(np.float64), strict=True))
    result = np.zeros(end - first)
    there = whole[first - begin : end - begin]
    result[: len(there)] = there
    return result


def stretches(first: int, end: int, taps: int) -> list[tuple[int, int]]:
    """Where frames first <= n < end are compared: at both ends, at the kernel's, in the middle."""
    places = {first, taps - STRETCH // 2, (first + end) // 2, end - STRETCH}
    inside = sorted({min(max(place, first), max(end - STRETCH, first)) for place in places})
    return [(place, min(place + STRETCH, end)) for place in inside]


def error(
    row: Row, x, h, pick: Callable[[int, int], np.ndarray], offset: int, extent: str
) -> float:
    """Relative L2 error of a result.

    Parameters
    ----------
    row, x, h
        The workload, its signals and its kernels.
    pick
        From (channel, kernel) to the samples of that result.
    offset
        The frame of the full convolution that sample 0 of it is.
    extent
        'full' where it must have all frames, 'valid' where those suffice whose kernel lies inside.

    Raises
    ------
    WrongShape
        If it lacks frames that it must have.
    """
    difference = power = 0.0
    for channel, k in row.looked_at():
        signals, kernels = row.parts(x, h, channel, k)
        frames, taps = signals.shape[1], kernels.shape[1]
        first, end = (taps - 1, frames) if extent == "valid" else (0, frames + taps - 1)
        got = pick(channel, k)
        if got.ndim != 1 or offset > first or offset + len(got) < end:
            raise WrongShape(
                f"result of channel {channel}, kernel {k} has shape {got.shape} from frame "
                f"{offset} on; it needs frames {first} to {end - 1}"
            )
        for begin, stop in stretches(first, end, taps):
            right = direct(signals, kernels, begin, stop)
            wrong = got[begin - offset : stop - offset].astype(np.float64) - right
            difference += float(wrong @ wrong)
            power += float(right @ right)
    return (difference / power) ** 0.5
