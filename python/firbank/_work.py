"""One large convolution from a source into a sink: goes on from a journal, or starts anew."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from math import prod
from typing import Any

import numpy as np

from ._grid import (
    Grid,
    Sizes,
    Step,
    buffer_bytes,
    choose_grid,
    chunk_count,
    chunk_samples,
    frames_read,
    needed_bytes,
    steps,
)
from ._journal import Journal
from ._layout import Kernels, Region
from ._memory import format_bytes
from ._options import LargeOptions
from ._pipeline import ChunkWriter, WindowReader
from ._plan import FilePlan
from ._progress import Progress
from ._sinks import NpySink, Sink
from ._sources import Source

# A window of x: frames, which may reach beyond its ends, and a tile of its other axes.
_Window = tuple[slice, Region]


def sizes_of(source: Source, sink: Sink, kernels: Kernels, frames: int, dtype: np.dtype) -> Sizes:
    """Gather what the choice of a grid depends on."""
    axis = kernels.axis
    order = [other - (other > axis) for other in source.axes_by_stride if other != axis]
    result_axis = kernels.result_axis()
    result_channel_chunk = None
    if sink.chunk is not None and kernels.routing != "matrix":
        result_channel_chunk = _without(sink.chunk[: len(source.shape)], axis)
    return Sizes(
        frames=frames,
        taps=kernels.taps,
        channels=_without(source.shape, axis),
        channel_order=tuple(order),
        outputs=kernels.outputs,
        routing=kernels.routing,
        shared_kernels=kernels.routing == "bank" or kernels.h.ndim == 1,
        time_inside=source.axes_by_stride[-1] == axis,
        sample_bytes=source.dtype.itemsize,
        result_bytes=dtype.itemsize,
        is_complex=dtype.kind == "c",
        source_time_chunk=None if source.chunk is None else source.chunk[axis],
        source_channel_chunk=None if source.chunk is None else _without(source.chunk, axis),
        result_time_chunk=None if sink.chunk is None else sink.chunk[result_axis],
        result_channel_chunk=result_channel_chunk,
        result_output_chunk=(
            sink.chunk[-1] if sink.chunk is not None and kernels.has_output_axis else None
        ),
        fixed_bytes=source.working_bytes + sink.working_bytes,
    )


@dataclass(frozen=True)
class Work:
    """One convolution, ready to run.

    Attributes
    ----------
    source, sink, kernels
        What to read, where to write, and what to convolve with.
    first : int
        The first frame of mode 'full' that the result has.
    sizes : Sizes
    shape : tuple of int
    dtype : numpy.dtype
        Of the result.
    options : LargeOptions
    """

    source: Source
    sink: Sink
    kernels: Kernels
    first: int
    sizes: Sizes
    shape: tuple[int, ...]
    dtype: np.dtype
    options: LargeOptions

    def run(self, journals: list[str] | None) -> Any:
        """Compute what is not there yet, and return what the caller gets.

        At the end the journal is taken away, or its path is added to `journals`.
        """
        if self.sink.journal_path is None:
            try:
                self.sink.begin(again=False)
                self._compute(self._new_grid(), None)
            finally:
                self.sink.close()
            return self.sink.result()

        journal = Journal(self.sink.journal_path)
        try:
            grid = self._prepare(journal)
            self._compute(grid, journal)
            if journals is None:
                journal.remove()
            else:
                journals.append(self.sink.journal_path)
        finally:
            self.sink.close()
            journal.close()
        return self.sink.result()

    def plan(self) -> FilePlan:
        """Tell how `run` would compute all of it; reads no samples and writes nothing."""
        from ._convolve import empty

        grid = self._new_grid()
        axis, first_tile = self.kernels.axis, tuple(slice(0, size) for size in grid.tile)
        shape = list(grid.tile)
        shape.insert(axis, grid.frames + self.kernels.taps - 1)
        moving = buffer_bytes(self.sizes, grid)
        chunk = self.options.plan(
            empty(tuple(shape), self.source.dtype, allocate=False),
            self.kernels.part(first_tile, slice(0, grid.outputs)),
            self.options.limit_bytes - moving,
            axis,
        )
        samples = self.source.shape[axis]
        frames = frames_read(self.sizes, grid, self.first, samples)
        channel_bytes = prod(self.sizes.channels) * self.sizes.sample_bytes
        return FilePlan(
            x=self.source.label,
            out=self.sink.label,
            chunks=chunk_count(self.sizes, grid),
            batch_size_samples=grid.frames,
            batch_size_channels=prod(grid.tile),
            batch_size_basis=grid.outputs,
            memory_bytes=moving + chunk.memory_bytes,
            moving_bytes=moving - self.sizes.fixed_bytes,
            storage_bytes=self.sizes.fixed_bytes,
            memory_limit_bytes=self.options.limit_bytes,
            bytes_read=frames * channel_bytes,
            bytes_written=prod(self.shape) * self.dtype.itemsize,
            passes=frames / samples,
            chunk=chunk,
            result_shape=self.shape,
            result_dtype=str(self.dtype),
        )

    def _prepare(self, journal: Journal) -> Grid:
        """Decide whether to go on or to start anew, and make the sink ready for it."""
        job = self._identity()
        in_the_way = isinstance(self.sink, NpySink) and self.sink.exists
        there = in_the_way or not isinstance(self.sink, NpySink)
        if self.options.resume and journal.job is not None:
            self._check_same(journal.job, job)
            if journal.checksums and there:
                assert journal.grid is not None
                grid = Grid.from_json(journal.grid)
                self._check_fits(grid)
                self.sink.begin(again=True)
                self._check_there(grid, journal.checksums)
                journal.go_on()
                return grid
        elif self.options.resume and in_the_way:
            raise FileExistsError(
                f"{self.sink.label} exists and is not an unfinished result of this call; "
                f"resume=False writes over it"
            )
        grid = self._new_grid()
        journal.begin(job, grid.as_json())
        try:
            self.sink.begin(again=False)
        except OSError:
            journal.remove()
            raise
        return grid

    def _new_grid(self) -> Grid:
        options = self.options
        return choose_grid(
            self.sizes,
            options.limit_bytes,
            options.most_samples,
            options.most_channels,
            options.most_kernels,
        )

    def _identity(self) -> dict[str, Any]:
        """Return what makes this call this call, as plain values for the journal."""
        h = np.ascontiguousarray(self.kernels.h)
        together = self.source.file is not None and self.source.file == self.sink.file
        return {
            "x": self.source.identity(by_content=together),
            "h": {
                "shape": list(h.shape),
                "dtype": h.dtype.str,
                "content": hashlib.blake2b(
                    h.reshape(-1).view(np.uint8), digest_size=16
                ).hexdigest(),
            },
            "axis": self.kernels.axis,
            "mode": self.options.mode,
            "routing": self.options.routing,
            "precision": self.options.precision,
            "out": {"shape": list(self.shape), "dtype": self.dtype.str},
            "batch_size_samples": self.options.most_samples,
            "batch_size_channels": self.options.most_channels,
            "batch_size_basis": self.options.most_kernels,
        }

    def _check_same(self, there: dict[str, Any], job: dict[str, Any]) -> None:
        other = [key for key in job if there.get(key) != job[key]]
        if other:
            raise ValueError(
                f"{self.sink.label} is the unfinished result of another call, with other "
                f"{', '.join(other)}; resume=False writes over it"
            )

    def _check_fits(self, grid: Grid) -> None:
        needed = needed_bytes(self.sizes, grid)
        if needed > self.options.limit_bytes:
            raise ValueError(
                f"memory_limit is {format_bytes(self.options.limit_bytes)}, but {self.sink.label} "
                f"was begun in chunks that need {needed} bytes; resume=False starts anew"
            )

    def _check_there(self, grid: Grid, checksums: list[int]) -> None:
        """Compare all the chunks that the journal promises with what is there."""
        ends = (step for step in steps(self.sizes, grid) if step.ends)
        buffer = np.empty(chunk_samples(self.sizes, grid), self.dtype)
        for step, checksum in zip(ends, checksums, strict=False):
            region = self._region(step)
            shape = [part.stop - part.start for part in region]
            values = buffer[: prod(shape)].reshape(shape)
            self.sink.read(region, values)
            if zlib.crc32(values) != checksum:
                where = ", ".join(f"{part.start}:{part.stop}" for part in region)
                raise ValueError(
                    f"{self.sink.label} does not hold at [{where}] what its journal "
                    f"{self.sink.journal_path!r} says; resume=False starts anew"
                )

    def _compute(self, grid: Grid, journal: Journal | None) -> None:
        """Compute and write all chunks that the journal does not have."""
        left = steps(self.sizes, grid)
        chunks_done = len(journal.checksums) if journal else 0
        samples_done = 0
        while chunks_done:
            step = next(left)
            if step.ends:
                chunks_done -= 1
                samples_done += _samples(self._region(step))

        window_samples = (grid.frames + self.kernels.taps - 1) * prod(grid.tile)
        most_samples = chunk_samples(self.sizes, grid)
        convolve_bytes = self.options.limit_bytes - buffer_bytes(self.sizes, grid)
        progress = Progress(self.options.progress, prod(self.shape), samples_done)
        try:
            with (
                WindowReader(self.source, self.kernels.axis, window_samples) as reader,
                ChunkWriter(self.sink, journal, most_samples, self.dtype) as writer,
            ):
                total = None
                for window, group in self._windows(left, reader):
                    for step in group:
                        region = self._region(step)
                        if step.begins:
                            chunk = writer.buffer(tuple(p.stop - p.start for p in region))
                        total = self._convolve(step, window, chunk, total, convolve_bytes)
                        if step.ends:
                            progress.advance(writer.put(region, chunk))
                progress.advance(writer.wait())
        finally:
            progress.close()

    def _windows(
        self, left: Iterator[Step], reader: WindowReader
    ) -> Iterator[tuple[np.ndarray, list[Step]]]:
        """Give each window with the steps that it serves, while the next one is read."""
        groups = (list(group) for _, group in groupby(left, lambda step: (step.frames, step.tile)))
        group = next(groups, None)
        if group is not None:
            reader.prepare(*self._window(group[0]))
        while group is not None:
            window = reader.get()
            following = next(groups, None)
            if following is not None:
                reader.prepare(*self._window(following[0]))
            yield window, group
            group = following

    def _convolve(
        self,
        step: Step,
        window: np.ndarray,
        chunk: np.ndarray,
        total: np.ndarray | None,
        memory_limit: int,
    ) -> np.ndarray | None:
        """Compute a step into its chunk, or add it to the sum of tiles, which is returned."""
        h = self.kernels.part(step.tile, step.outputs)
        axis = self.kernels.axis
        if step.begins and step.ends:
            self.options.convolve(window, h, chunk, memory_limit, axis=axis)
            return None
        # Sums of tiles are as exact as the arithmetic, and rounded to 16 bits only at the end.
        precision = "float32" if self.dtype == np.float16 else self.options.precision
        part = self.options.convolve(window, h, None, memory_limit, axis=axis, precision=precision)
        total = part if total is None else np.add(total, part, out=total)
        if not step.ends:
            return total
        chunk[...] = total
        return None

    def _region(self, step: Step) -> Region:
        return self.kernels.result_region(step.frames, step.tile, step.outputs)

    def _window(self, step: Step) -> _Window:
        begin = step.frames.start + self.first - self.kernels.taps + 1
        return slice(begin, step.frames.stop + self.first), step.tile


def _samples(region: Region) -> int:
    return prod(part.stop - part.start for part in region)


def _without(shape: tuple[int, ...], axis: int) -> tuple[int, ...]:
    return (*shape[:axis], *shape[axis + 1 :])
