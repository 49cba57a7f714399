"""How a large convolution is cut: into chunks of time, channels and kernels that fit the memory.

A chunk is a rectangular part of the result. Longer chunks of time are better, since each reads
L - 1 frames more than it gives and transforms its kernels anew; all channels at once are better
where they lie side by side in the file; chunks that begin and end where the storage's own do are
better, since these are then written once. `choose_grid` weighs this for all candidates that fit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, astuple, dataclass
from itertools import product
from math import ceil, prod
from typing import Any

from ._layout import Region
from ._memory import format_bytes

# Longer chunks gain nothing, and shorter ones give a bar that moves and a soon answer to Ctrl-C.
_LARGEST_CHUNK_BYTES = 32 << 20
# What a call costs besides its samples, in samples.
_CALL_COST_SAMPLES = 20_000
# Calls of fewer samples take mostly what calls take.
_LEAST_CALL_SAMPLES = 16_384


@dataclass(frozen=True)
class Sizes:
    """What is to be cut.

    Attributes
    ----------
    frames : int
        M, of the result.
    taps : int
        L.
    channels : tuple of int
        The axes of x but time.
    channel_order : tuple of int
        These axes, the one whose neighbours lie farthest apart first.
    outputs : int
        Kernels of a bank, or outputs of a matrix; else 1.
    routing : str
    shared_kernels : bool
        Whether all channels have the same kernels.
    time_inside : bool
        Whether neighbours in time are neighbours in the storage.
    sample_bytes, result_bytes : int
        Of one sample.
    is_complex : bool
    source_time_chunk, result_time_chunk, result_output_chunk : int or None
        Of storage chunks.
    source_channel_chunk, result_channel_chunk : tuple of int or None
        Of storage chunks, without time.
    fixed_bytes : int
        What reading and writing take, whatever the chunk.
    """

    frames: int
    taps: int
    channels: tuple[int, ...]
    channel_order: tuple[int, ...]
    outputs: int
    routing: str
    shared_kernels: bool
    time_inside: bool
    sample_bytes: int
    result_bytes: int
    is_complex: bool
    source_time_chunk: int | None
    source_channel_chunk: tuple[int, ...] | None
    result_time_chunk: int | None
    result_channel_chunk: tuple[int, ...] | None
    result_output_chunk: int | None
    fixed_bytes: int


@dataclass(frozen=True)
class Grid:
    """The largest chunk: frames of result, channels along each axis but time, and kernels."""

    frames: int
    tile: tuple[int, ...]
    outputs: int

    def as_json(self) -> dict[str, Any]:
        """Return plain values, for the journal."""
        return asdict(self)

    @staticmethod
    def from_json(values: dict[str, Any]) -> Grid:
        """Return what `as_json` was made of."""
        return Grid(int(values["frames"]), tuple(values["tile"]), int(values["outputs"]))


@dataclass(frozen=True)
class Step:
    """One convolution: a window of x with some kernels.

    `begins` and `ends` say whether it is the first and the last that is added up to its chunk,
    as the tiles of a matrix are.
    """

    frames: slice
    tile: Region
    outputs: slice
    begins: bool
    ends: bool


def steps(sizes: Sizes, grid: Grid) -> Iterator[Step]:
    """Go through all steps so that each window of x is read once, in the order of the storage."""
    times = _parts(sizes.frames, grid.frames)
    kernels = _parts(sizes.outputs, grid.outputs)
    tiles = list(
        product(*[_parts(size, part) for size, part in zip(sizes.channels, grid.tile, strict=True)])
    )
    if sizes.routing == "matrix":
        for frames, outputs in product(times, kernels):
            for index, tile in enumerate(tiles):
                yield Step(frames, tile, outputs, index == 0, index == len(tiles) - 1)
        return
    outer = product(tiles, times) if sizes.time_inside else product(times, tiles)
    for first, second in outer:
        tile, frames = (first, second) if sizes.time_inside else (second, first)
        for outputs in kernels:
            yield Step(frames, tile, outputs, True, True)


def frames_read(sizes: Sizes, grid: Grid, first: int, samples: int) -> int:
    """Return how many of x's frames `steps` reads of each channel, each as often as it is read.

    Parameters
    ----------
    first : int
        The first frame of mode 'full' that the result has.
    samples : int
        Those of x along time.
    """

    def there(frames: slice) -> int:
        begin, end = frames.start + first - sizes.taps + 1, frames.stop + first
        return max(0, min(end, samples) - max(begin, 0))

    is_matrix = sizes.routing == "matrix"
    if grid.tile == sizes.channels or (sizes.time_inside and not is_matrix):
        # Windows that follow each other share what both need.
        return there(slice(0, sizes.frames))
    times = ceil(sizes.outputs / grid.outputs) if is_matrix else 1
    return times * sum(there(frames) for frames in _parts(sizes.frames, grid.frames))


def chunk_count(sizes: Sizes, grid: Grid) -> int:
    """Return how many chunks the result has."""
    times = ceil(sizes.frames / grid.frames) * ceil(sizes.outputs / grid.outputs)
    if sizes.routing == "matrix":
        return times
    return times * prod(ceil(a / b) for a, b in zip(sizes.channels, grid.tile, strict=True))


def needed_bytes(sizes: Sizes, grid: Grid) -> int:
    """Return the memory that chunks of this size take: buffers, and `computing_bytes`."""
    return buffer_bytes(sizes, grid) + computing_bytes(sizes, grid)


def buffer_bytes(sizes: Sizes, grid: Grid) -> int:
    """Return what is held while one chunk is computed, the next read and the last written."""
    read = (grid.frames + sizes.taps - 1) * prod(grid.tile) * sizes.sample_bytes
    written = chunk_samples(sizes, grid) * sizes.result_bytes
    return 2 * read + 2 * written + _sum_bytes(sizes, grid) + sizes.fixed_bytes


def computing_bytes(sizes: Sizes, grid: Grid) -> int:
    """Return what `firbank.convolve` is left for a chunk in memory: what it needs at the least, and
    half as much as its buffers take, up to what it needs to be fast."""
    enough = _fast_bytes(sizes, grid)
    return _least_bytes(sizes, grid) + min(enough, buffer_bytes(sizes, grid) // 2)


def _least_bytes(sizes: Sizes, grid: Grid) -> int:
    """Return what sums of products take, 64 samples of one output at a time."""
    inputs = prod(grid.tile) if sizes.routing == "matrix" else 1
    parts = 2 if sizes.is_complex else 1
    staged = (inputs * parts + 1) * (sizes.taps + 64) + 64
    return 8 * (staged + (inputs * parts * parts + 1) * sizes.taps) + 256


def _fast_bytes(sizes: Sizes, grid: Grid) -> int:
    """Return about what two engines take, with spectra of all kernels and a few blocks each."""
    inputs = prod(grid.tile) if sizes.routing == "matrix" else 1
    kernels = grid.outputs * inputs
    parts = 2 if sizes.is_complex else 1
    return 16 * parts * (kernels * 4 * sizes.taps + (grid.outputs + inputs) * 16_384)


def choose_grid(
    sizes: Sizes,
    limit_bytes: int,
    most_frames: int | None,
    most_channels: int | None,
    most_outputs: int | None,
) -> Grid:
    """Return the cheapest grid that fits the limit; the `most_` are the caller's batch sizes.

    Raises
    ------
    ValueError
        If no chunk of use fits (`least_grid`); the message says what would do.
    """
    outputs_limit = min(sizes.outputs, most_outputs or sizes.outputs)
    channels_limit = min(prod(sizes.channels), most_channels or prod(sizes.channels))
    least = least_grid(sizes, most_frames, most_channels, most_outputs)
    _check_fits(sizes, least, limit_bytes)
    grids = {least}
    for tile in {_tile(sizes, count) for count in _halvings(channels_limit)}:
        for outputs in _halvings(outputs_limit):
            outputs = _aligned(outputs, sizes.result_output_chunk, sizes.outputs)
            frames = _most_frames(sizes, tile, outputs, limit_bytes)
            frames = min(frames, most_frames or frames)
            if frames > 0:
                frames = _aligned(frames, sizes.result_time_chunk, sizes.frames)
                grids.add(Grid(frames, tile, outputs))
    return min(grids, key=lambda grid: (_cost(sizes, grid), astuple(grid)))


def most_frames_that_fit(sizes: Sizes, limit_bytes: int, most_frames: int | None) -> int:
    """Return how many frames of all channels and kernels to compute at a time.

    Raises
    ------
    ValueError
        If no number of use fits the limit; the message says what would do.
    """
    frames = _frames_of_use(sizes, sizes.channels, sizes.outputs, most_frames)
    _check_fits(sizes, Grid(frames, sizes.channels, sizes.outputs), limit_bytes)
    frames = _most_frames(sizes, sizes.channels, sizes.outputs, limit_bytes)
    return _aligned(min(frames, most_frames or frames), sizes.result_time_chunk, sizes.frames)


def least_grid(
    sizes: Sizes,
    most_frames: int | None,
    most_channels: int | None,
    most_outputs: int | None,
) -> Grid:
    """Return the smallest chunks that are of use, where the caller's batch sizes allow them.

    They are the storage's own, since a part of one costs as much, and go on for `_frames_of_use`.
    """
    chunks = (sizes.source_channel_chunk, sizes.result_channel_chunk)
    tile = tuple(
        min(size, max([1, *(chunk[axis] for chunk in chunks if chunk)]))
        for axis, size in enumerate(sizes.channels)
    )
    if most_channels is not None and prod(tile) > most_channels:
        tile = _tile(sizes, most_channels)
    outputs = min(sizes.outputs, sizes.result_output_chunk or 1)
    outputs = min(outputs, most_outputs or outputs)
    return Grid(_frames_of_use(sizes, tile, outputs, most_frames), tile, outputs)


def _frames_of_use(
    sizes: Sizes, tile: tuple[int, ...], outputs: int, most_frames: int | None
) -> int:
    """Return the fewest frames that do not take many times as long as more of them would.

    With as many as the kernel has taps, half of what is read is new; with a storage chunk's, none
    is unpacked or packed more than twice; and a call has some samples to be worth its while.
    """
    worth = ceil(_LEAST_CALL_SAMPLES / (prod(tile) * outputs))
    frames = max(sizes.taps, worth, sizes.source_time_chunk or 1, sizes.result_time_chunk or 1)
    return min(sizes.frames, frames, most_frames or frames)


def _check_fits(sizes: Sizes, least: Grid, limit_bytes: int) -> None:
    needed = needed_bytes(sizes, least)
    if needed > limit_bytes:
        raise ValueError(
            f"memory_limit is {format_bytes(limit_bytes)}; x with kernels of {sizes.taps} taps "
            f"needs at least {needed} bytes, for {least.frames} frames at a time"
        )


def _cost(sizes: Sizes, grid: Grid) -> float:
    """Return about what a sample of the result costs, where 1 is the best that can be."""
    channels, all_channels = prod(grid.tile), prod(sizes.channels)
    batches = ceil(sizes.outputs / grid.outputs)
    sharing = channels if sizes.shared_kernels else 1
    cost = (grid.frames + sizes.taps - 1) / grid.frames
    cost += sizes.taps / (grid.frames * sharing)
    cost += _CALL_COST_SAMPLES / (grid.frames * channels * grid.outputs)
    cost += 0.05 * (batches - 1)
    cost += 0.5 * (sizes.source_time_chunk or 0) / grid.frames
    if channels < all_channels:
        if not sizes.time_inside:
            cost += 0.5
        if sizes.routing == "matrix":
            cost += 0.1
    if grid.frames < sizes.frames and grid.frames % (sizes.result_time_chunk or 1):
        cost += 1
    if grid.outputs < sizes.outputs and grid.outputs % (sizes.result_output_chunk or 1):
        cost += 1
    if sizes.result_channel_chunk is not None:
        parts = zip(grid.tile, sizes.channels, sizes.result_channel_chunk, strict=True)
        if any(own < most and own % chunk for own, most, chunk in parts):
            cost += 1
    return cost


def _most_frames(sizes: Sizes, tile: tuple[int, ...], outputs: int, limit_bytes: int) -> int:
    """Return how many frames fit, as far as more of them gain anything."""
    if needed_bytes(sizes, Grid(1, tile, outputs)) > limit_bytes:
        return 0
    fit, least_that_does_not = 1, sizes.frames + 1
    while least_that_does_not - fit > 1:
        middle = (fit + least_that_does_not) // 2
        if needed_bytes(sizes, Grid(middle, tile, outputs)) <= limit_bytes:
            fit = middle
        else:
            least_that_does_not = middle
    a_frame = max(
        prod(tile) * sizes.sample_bytes,
        chunk_samples(sizes, Grid(1, tile, outputs)) * sizes.result_bytes,
    )
    enough = max(16 * sizes.taps, _LARGEST_CHUNK_BYTES // a_frame, sizes.result_time_chunk or 1)
    return min(fit, enough)


def _tile(sizes: Sizes, most: int) -> tuple[int, ...]:
    """Return a tile of at most `most` channels that lie as close together as can be."""
    tile = [1] * len(sizes.channels)
    chunks = sizes.result_channel_chunk or sizes.source_channel_chunk
    for axis in reversed(sizes.channel_order):
        size = min(sizes.channels[axis], most)
        tile[axis] = _aligned(size, chunks[axis] if chunks else None, sizes.channels[axis])
        most //= sizes.channels[axis]
        if most <= 1:
            break
    return tuple(tile)


def _aligned(size: int, chunk: int | None, whole: int) -> int:
    """Return the largest multiple of a storage chunk up to `size`, or `size` if that is all."""
    if chunk is None or size >= whole or size < chunk:
        return size
    return size // chunk * chunk


def _halvings(most: int) -> list[int]:
    sizes = [most]
    while sizes[-1] > 1:
        sizes.append((sizes[-1] + 1) // 2)
    return sizes


def chunk_samples(sizes: Sizes, grid: Grid) -> int:
    """Return the samples of a chunk of the result."""
    channels = 1 if sizes.routing == "matrix" else prod(grid.tile)
    return grid.frames * channels * grid.outputs


def _sum_bytes(sizes: Sizes, grid: Grid) -> int:
    """Return what adding up the tiles of a matrix takes."""
    if sizes.routing != "matrix" or grid.tile == sizes.channels:
        return 0
    return 2 * chunk_samples(sizes, grid) * (16 if sizes.is_complex else 8)


def _parts(size: int, part: int) -> list[slice]:
    return [slice(first, min(first + part, size)) for first in range(0, size, part)]
