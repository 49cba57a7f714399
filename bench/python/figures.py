"""What is made of times: medians, ratios within a round, and a part scaled to the whole."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

LADDER = (64, 8, 1)  # parts of the frames that are tried, one after the other
HOPELESS = 8  # times as long as another way of the same library: not tried with more frames

CHEAP_SECONDS = 1.0  # a run that is tried in any case
NEAR = 2  # times as long as the fastest way of the same library: still takes part in the rounds
FINALISTS = 3


def spread(values: Sequence[float]) -> dict[str, float]:
    """The median of values, the least and the largest."""
    return {
        "median": statistics.median(values),
        "least": min(values),
        "most": max(values),
    }


def ratios(theirs: Sequence[float], ours: Sequence[float]) -> list[float]:
    """Their time over ours of each round that both have; above 1 is where ours is faster.

    A round's two runs are neighbours, so that what slows the machine slows both.
    """
    return [a / b for a, b in zip(theirs, ours, strict=False)]


def scaled(seconds: float, frames: int, whole: int) -> float:
    """The time for `whole` frames by that for `frames`: proportional.

    Transforms over whole signals take a little more than that. What a call costs however few its
    frames are counts too often, so the largest part that fits is taken.
    """
    return seconds * whole / frames


def parts(whole: int, least: int) -> list[int]:
    """Numbers of frames to try, from few to `whole`, none of them below `least`."""
    return sorted({max(whole // part, min(least, whole)) for part in LADDER})


def worth_more(tried: dict[int, float], frames: int, limit: float, best: float) -> bool:
    """Whether a way that took tried[part] seconds for a part should go on to `frames`.

    Not if they would take more than `limit` seconds, nor if it is hopelessly behind and not cheap
    to try: `best` is the time per frame of the fastest way of the same library.
    """
    if not tried:
        return True
    most = max(tried)
    needed = scaled(tried[most], most, frames)
    return needed <= limit and (needed <= CHEAP_SECONDS or needed <= HOPELESS * best * frames)


def finalists(seconds: dict[str, float]) -> list[str]:
    """The ways that take part in the rounds, by their times when they were tried, fastest first.

    A trial is short, and something else may have disturbed it; so those that are near the fastest
    are measured as well.
    """
    ranked = sorted(seconds, key=seconds.get)
    return [way for way in ranked if seconds[way] <= NEAR * seconds[ranked[0]]][:FINALISTS]


def rounds(seconds: float, wanted: int, limit: float) -> int:
    """How many rounds a peer takes part in: long ones in three, so that a row comes to an end."""
    return wanted if seconds <= limit / 6 else min(wanted, 3)
