"""Which samples a block of frames is computed from, where the samples come in blocks as well."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from itertools import accumulate

from ._arguments import frames_of_mode


@dataclass(frozen=True)
class TimeBlock:
    """Frames of the result that are computed together, and the samples that they are computed from.

    The samples are those of the frames themselves and, as far as there are so many, taps - 1 before
    them. Of the convolution of these samples alone, in `mode`, the frames are `frames` in a row.

    Parameters
    ----------
    frames : int
        How many frames of the result.
    pieces : tuple of (int, int, int)
        The samples: the number of a block of the input, the first sample taken of it, and the end.
    mode : {'full', 'valid', 'causal'}
        The mode to convolve the samples in: the one that gives the fewest frames besides.
    skipped : int
        How many frames of that convolution come before the first one wanted.
    """

    frames: int
    pieces: tuple[tuple[int, int, int], ...]
    mode: str
    skipped: int


def time_blocks(chunks: tuple[int, ...], taps: int, mode: str) -> list[TimeBlock]:
    """Cut the frames of a convolution into blocks that follow the blocks of its input.

    Parameters
    ----------
    chunks : tuple of int
        The sizes of the input's blocks in samples, each 1 or more.
    taps : int
        Of the kernels.
    mode : {'full', 'same', 'valid', 'causal'}
        Of the whole convolution. 'same' and 'causal' give blocks of the input's sizes; 'valid'
        lacks the first taps - 1 frames; 'full' has taps - 1 frames more, in blocks no longer than
        the longest of the input.

    Returns
    -------
    list of TimeBlock
        None of them empty.

    Raises
    ------
    ValueError
        If there are more taps than samples in mode 'valid'.

    Examples
    --------
    >>> for block in time_blocks((4, 4), 3, "full"):
    ...     print(block)
    TimeBlock(frames=4, pieces=((0, 0, 4),), mode='causal', skipped=0)
    TimeBlock(frames=4, pieces=((0, 2, 4), (1, 0, 4)), mode='valid', skipped=0)
    TimeBlock(frames=2, pieces=((1, 2, 4),), mode='full', skipped=2)
    """
    ends = list(accumulate(chunks))
    samples = ends[-1]
    # Positions of frames are those in the mode 'full'.
    first, _ = frames_of_mode(mode, samples, taps)
    # 'same' moves the cuts along with the frames, so that sizes stay; 'valid' drops frames instead.
    moved = first if mode == "same" else 0
    cuts = [max(first, end + moved) for end in ends]
    if mode == "full":
        longest = max(chunks)
        cuts += [*range(samples + longest, samples + taps - 1, longest), samples + taps - 1]
    spans = zip([first, *cuts], cuts, strict=False)
    return [_block(start, stop, ends, taps) for start, stop in spans if start < stop]


def _block(start: int, stop: int, ends: list[int], taps: int) -> TimeBlock:
    oldest, end = max(0, start - taps + 1), min(stop, ends[-1])
    begins = [0, *ends]
    pieces = tuple(
        (number, max(oldest - begins[number], 0), min(end, ends[number]) - begins[number])
        for number in range(bisect_right(ends, oldest), bisect_left(ends, end) + 1)
    )
    before = start - oldest
    if stop > end:
        return TimeBlock(stop - start, pieces, "full", before)
    if before < taps - 1:
        return TimeBlock(stop - start, pieces, "causal", before)
    return TimeBlock(stop - start, pieces, "valid", 0)
