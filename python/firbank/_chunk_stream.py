"""Convolution of a signal that comes in chunks, computed while it is iterated over."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from math import prod
from typing import Any

import numpy as np

from ._arguments import axis_of, frames_of_mode
from ._arrays import as_numpy
from ._grid import Grid, Sizes, buffer_bytes, most_frames_that_fit
from ._kernels import kernel_array
from ._layout import Kernels, check_kernels, each_kernel, is_ragged
from ._mapping import in_memory
from ._options import LargeOptions
from ._progress import Progress
from ._separate import Place, check_separate, places_of_kernels
from ._sinks import open_sink
from ._stores import is_hdf5, require_samples

# The length of x while it is not known: longer than any.
_UNKNOWN = 1 << 62


def convolve_chunks(chunks: Iterator[Any], h: Any, out: Any, options: LargeOptions) -> Any:
    """Convolve chunks along time; see `convolve_large`.

    Returns
    -------
    iterator of arrays, or `out`
        Of a bank of kernels of different sizes each item is a list of arrays, one for each kernel,
        of which some may be empty.

    Raises
    ------
    ValueError
        When the chunks are taken: if their shapes or dtypes differ, if there is none, or if
        there are not as many samples as the mode or `out` wants.
    """
    kernel_array(h, options.routing)
    if out is None:
        return _results(chunks, h, options)
    if is_hdf5(out):
        require_samples("out", out)
    if is_ragged(h, options.routing) or not hasattr(out, "shape"):
        raise TypeError(
            f"out is {out!r}; of an x in chunks, whose length is not known before, allowed: None, "
            f"or one array, memmap, h5py.Dataset or zarr.Array of the result's shape"
        )
    return _write(chunks, h, out, options)


def _results(chunks: Iterator[Any], h: Any, options: LargeOptions) -> Iterator[Any]:
    """Give the results as the chunks come."""
    first = _first(chunks)
    stream = _Stream(first, h, options)
    stream.plan(0, None)
    progress = Progress(options.progress, 0)
    try:
        for values in stream.run(chain([first], chunks)):
            yield values if stream.is_ragged else values[0]
            progress.advance(sum(part.size for part in values))
    finally:
        progress.close()


def _write(chunks: Iterator[Any], h: Any, out: Any, options: LargeOptions) -> Any:
    """Write all results to `out`, whose length says how many there must be."""
    place = Place.of(out, "out")
    check_separate([place], places_of_kernels(h))
    chunks = _apart(chunks, place)
    first = _first(chunks)
    stream = _Stream(first, h, options)
    time_axis = stream.kernels.result_axis()
    frames = out.shape[time_axis] if len(out.shape) > time_axis else 0
    shape = stream.kernels.result_shape(first.shape, frames)
    sink = open_sink(out, shape, stream.dtype, time_axis)
    stream.plan(sink.working_bytes, None if sink.chunk is None else sink.chunk[time_axis])
    progress = None
    done = 0
    try:
        sink.begin(again=False)
        progress = Progress(options.progress, prod(shape))
        for (values,) in stream.run(chain([first], chunks)):
            count = values.shape[time_axis]
            if done + count > frames:
                raise ValueError(f"{sink.label} has room for {frames} samples; x gives more")
            region = tuple(
                slice(done, done + count) if axis == time_axis else slice(0, size)
                for axis, size in enumerate(shape)
            )
            sink.write(region, np.ascontiguousarray(values))
            done += count
            progress.advance(values.size)
        if done < frames:
            raise ValueError(f"{sink.label} has room for {frames} samples; x gives {done}")
        sink.sync()
    finally:
        if progress is not None:
            progress.close()
        sink.close()
    return sink.result()


def _apart(chunks: Iterator[Any], result: Place) -> Iterator[np.ndarray]:
    """Give the chunks; ValueError if one lies where the result is written."""
    for chunk in chunks:
        array = as_numpy(chunk, "x")
        # Which file an array shows, if any, takes longer to find than most chunks to convolve.
        in_file = result.file is not None
        check_separate([result], [Place.of(array, "x") if in_file else Place("x", array)])
        yield array


def _first(chunks: Iterator[Any]) -> np.ndarray:
    for chunk in chunks:
        return in_memory(as_numpy(chunk, "x"), "x")
    raise ValueError("x gives no chunk; allowed: one or more")


class _Stream:
    """The signal up to now, and the kernels that follow it.

    Parameters
    ----------
    first : numpy.ndarray
        The first chunk, which all others must resemble; `run` takes it again.
    h : array_like or list of arrays
    options : LargeOptions
    """

    def __init__(self, first: np.ndarray, h: Any, options: LargeOptions) -> None:
        if first.dtype.kind not in "biufc":
            raise TypeError(
                f"x gives chunks of dtype {first.dtype}; allowed: bool, integers, real and complex "
                f"floating point"
            )
        self._options = options
        self._axis = axis = axis_of(options.axis, first.ndim)
        self._channels = (*first.shape[:axis], *first.shape[axis + 1 :])
        self._x_dtype = first.dtype.newbyteorder("=")
        if 0 in self._channels:
            raise ValueError(f"x gives a chunk of shape {first.shape}; allowed: no empty channels")
        self.is_ragged = is_ragged(h, options.routing)
        if self.is_ragged:
            self._followers = [
                check_kernels(one, "rows", axis, first.shape) for one in each_kernel(h)
            ]
        else:
            self._followers = [check_kernels(h, options.routing, axis, first.shape)]
        self.kernels = self._followers[0]
        self.dtype = options.result_dtype(self._x_dtype, self.kernels.h.dtype)
        self._sizes = Sizes(
            frames=_UNKNOWN,
            taps=max(one.taps for one in self._followers),
            channels=self._channels,
            channel_order=tuple(range(len(self._channels))),
            outputs=sum(one.outputs for one in self._followers),
            routing="bank" if self.is_ragged else options.routing,
            shared_kernels=True,
            time_inside=False,
            sample_bytes=self._x_dtype.itemsize,
            result_bytes=self.dtype.itemsize,
            is_complex=self.dtype.kind == "c",
            source_time_chunk=None,
            source_channel_chunk=None,
            result_time_chunk=None,
            result_channel_chunk=None,
            result_output_chunk=None,
            fixed_bytes=0,
        )
        self._used = 0

    def plan(self, fixed_bytes: int, time_chunk: int | None) -> None:
        """Decide how much to compute at a time, before `run`.

        Parameters
        ----------
        fixed_bytes : int
            Of the memory limit, what is spent elsewhere.
        time_chunk : int or None
            What the results' storage writes as a whole along time.
        """
        sizes = replace(self._sizes, fixed_bytes=fixed_bytes, result_time_chunk=time_chunk)
        limit = self._options.limit_bytes
        self._block = most_frames_that_fit(sizes, limit, self._options.most_samples)
        grid = Grid(self._block, self._channels, sizes.outputs)
        self._convolve_bytes = limit - buffer_bytes(sizes, grid)
        self._history = _History(
            sizes.taps - 1, self._block, self._axis, self._channels, self._x_dtype
        )

    def run(self, chunks: Iterator[Any]) -> Iterator[list[np.ndarray]]:
        """Take all chunks and give what becomes of them, an array for each set of kernels."""
        for index, chunk in enumerate(chunks):
            yield from self._take(self._checked(chunk, index))
        samples = self._used + self._history.added
        if samples == 0:
            raise ValueError("x gives chunks without samples; allowed: one sample or more")
        ends = [sum(frames_of_mode(self._options.mode, samples, k.taps)) for k in self._followers]
        yield from self._convolve(samples)
        while self._used < max(ends):
            self._history.add_zeros(min(self._block, max(ends) - self._used))
            yield from self._convolve(samples)

    def _checked(self, chunk: Any, index: int) -> np.ndarray:
        array = in_memory(as_numpy(chunk, "x"), "x")
        axis = self._axis
        if array.ndim != len(self._channels) + 1 or self._channels != (
            *array.shape[:axis],
            *array.shape[axis + 1 :],
        ):
            raise ValueError(
                f"x gives chunk {index} of shape {array.shape}; the first had channels of shape "
                f"{self._channels}, time along axis {axis}"
            )
        if array.dtype.newbyteorder("=") != self._x_dtype:
            raise ValueError(
                f"x gives chunk {index} of dtype {array.dtype}; the first had {self._x_dtype}"
            )
        return array

    def _take(self, chunk: np.ndarray) -> Iterator[list[np.ndarray]]:
        in_time = np.moveaxis(chunk, self._axis, 0)
        start = 0
        while start < len(in_time):
            # The first block is cut so that all the results but the last have one size.
            phase = (self._used - self._first_frame(self.kernels)) % self._block
            room = self._block - phase - self._history.added
            part = in_time[start : start + room]
            self._history.add(np.moveaxis(part, 0, self._axis))
            start += room
            if phase + self._history.added == self._block:
                yield from self._convolve(None)

    def _convolve(self, samples: int | None) -> Iterator[list[np.ndarray]]:
        """Convolve what was added; `samples` is the length of x once it is known."""
        results = [self._follow(kernels, samples) for kernels in self._followers]
        self._used += self._history.added
        self._history.drop()
        if any(result.size for result in results):
            yield results

    def _follow(self, kernels: Kernels, samples: int | None) -> np.ndarray:
        """Return the frames of the result that the newest frames of x add for some kernels."""
        begin = max(self._used, self._first_frame(kernels))
        end = self._used + self._history.added
        if samples is not None:
            end = min(end, sum(frames_of_mode(self._options.mode, samples, kernels.taps)))
        shape = (*self._channels[: self._axis], 0, *self._channels[self._axis :])
        if begin >= end:
            return np.empty(kernels.result_shape(shape, 0), self.dtype)
        newest = self._history.window(begin - self._used - kernels.taps + 1, end - self._used)
        options = self._options
        return options.convolve(
            newest,
            kernels.h,
            None,
            self._convolve_bytes,
            axis=self._axis,
            routing=kernels.routing,
            batch_size_channels=options.most_channels,
            batch_size_basis=options.most_kernels,
        )

    def _first_frame(self, kernels: Kernels) -> int:
        return frames_of_mode(self._options.mode, _UNKNOWN, kernels.taps)[0]


class _History:
    """The newest frames of the signal, of which the older ones have been used already.

    Parameters
    ----------
    before : int
        Frames to keep, which are zero at first.
    frames : int
        The most to add before `drop`.
    """

    def __init__(
        self, before: int, frames: int, axis: int, channels: tuple[int, ...], dtype: np.dtype
    ) -> None:
        size = (*channels[:axis], before + frames, *channels[axis:])
        self._axis = axis
        self._before = before
        self._array = np.zeros(size, dtype)
        self._in_time = np.moveaxis(self._array, axis, 0)
        self.added = 0

    def add(self, chunk: np.ndarray) -> None:
        """Append frames."""
        start = self._before + self.added
        frames = chunk.shape[self._axis]
        self._in_time[start : start + frames] = np.moveaxis(chunk, self._axis, 0)
        self.added += frames

    def add_zeros(self, frames: int) -> None:
        """Append frames of silence."""
        start = self._before + self.added
        self._in_time[start : start + frames] = 0
        self.added += frames

    def window(self, first: int, last: int) -> np.ndarray:
        """Return a view of frames, counted from the first that was added."""
        part = self._in_time[self._before + first : self._before + last]
        return np.moveaxis(part, 0, self._axis)

    def drop(self) -> None:
        """Keep only what the next frames still need."""
        # Where the two overlap NumPy copies by way of a buffer, so it is done in parts.
        for start in range(0, self._before, max(1, self.added)):
            stop = min(start + max(1, self.added), self._before)
            self._in_time[start:stop] = self._in_time[start + self.added : stop + self.added]
        self.added = 0
