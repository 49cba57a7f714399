"""The memory of a large convolution stays below its limit, whatever is read and written.

Each case runs in a process of its own, which says how much its resident memory rose at most. The
pages of files that the system caches are not the process's and do not count; mappings would.
"""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from firbank._grid import Grid, Sizes, choose_grid, needed_bytes
from firbank._memory import memory_bytes
from hypothesis import given, settings
from hypothesis import strategies as st
from large_support import needs

MEASURE = """
    import sys
    from pathlib import Path
    import numpy as np
    from firbank._large import convolve_large
    from large_support import place, stored

    folder, source, sink, layout, routing, limit, frames = sys.argv[1:]
    folder, frames = Path(folder), int(frames)
    time_first = layout == "time first"
    axis = 0 if time_first else 1
    taps = 9

    def shape(frames, channels):
        return (frames, channels) if time_first else (channels, frames)

    def status(field):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1]) * 1024

    def run(folder, frames):
        folder.mkdir()
        x_shape = shape(frames, 16)
        h = np.ones(shape(taps, 16) if routing == "matrix" else (3, taps), "f4")
        h = h if routing != "rows" else h[0]
        y_shape = (*x_shape, 3) if routing == "bank" else x_shape
        y_shape = (frames,) if routing == "matrix" else y_shape
        chunk = shape(min(frames, 5000), 16)
        y_chunk = tuple(min(part, size) for part, size in zip((*chunk, 3), y_shape))
        arguments = {"axis": axis, "mode": "same", "routing": routing, "memory_limit": limit}
        with place(sink, y_shape, np.float32, folder, y_chunk) as out:
            if sink.startswith("memmap"):
                out = np.memmap(folder / "y.raw", "f4", "w+", shape=y_shape)
            if source == "chunks":
                reset()
                before = status("VmRSS")
                one = np.ones(shape(1000, 16), "f4")
                chunks = (one for _ in range(frames // 1000))
                got = convolve_large(chunks, h, out=out, **arguments)
                if out is None:
                    for _ in got:
                        pass
                report(before)
                return
            with stored(source, np.ones(x_shape, "f4"), folder, chunk) as x:
                reset()
                before = status("VmRSS")
                convolve_large(x, h, out=out, **arguments)
                report(before)

    def reset():
        Path("/proc/self/clear_refs").write_text("5")

    def report(before):
        global rise
        rise = status("VmHWM") - before

    # What is loaded and cached once and for all is not the large job's.
    run(folder / "small", 2000)
    run(folder / "large", frames)
    print(rise)
"""


def measured_rise(folder: Path, *arguments: object) -> int:
    """Return how many bytes of memory a convolution took at most."""
    path = os.pathsep.join([*sys.path, str(Path(__file__).parent)])
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(MEASURE), folder, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        text=True,
        timeout=200,
        check=True,
    )
    return int(done.stdout.splitlines()[-1])


def check(folder, source, sink, layout, routing, frames, limit="24 MiB"):
    needs(source)
    needs(sink)
    if not os.access("/proc/self/clear_refs", os.W_OK):
        pytest.skip("the highest resident memory of a process cannot be reset here")
    rise = measured_rise(folder, source, sink, layout, routing, limit, frames)
    print(f"{source} to {sink}, {layout}, {routing}: {rise / 2**20:.1f} MiB of {limit}")
    assert rise < memory_bytes(limit)
    # A measurement that shows nothing would pass as well.
    assert rise > memory_bytes(limit) / 50


def test_an_npy_file_into_one(tmp_path):
    check(tmp_path, "npy", "npy", "channels first", "rows", 2_000_000)


ALL = [
    ("npy", "npy", "time first", "rows"),
    ("npy", "npy", "time first", "bank"),
    ("npy", "npy", "channels first", "bank"),
    ("npy", "npy", "time first", "matrix"),
    ("npy fortran", "npy", "time first", "rows"),
    ("memmap", "memmap", "channels first", "rows"),
    ("memmap", "memmap", "time first", "rows"),
    ("hdf5", "hdf5", "time first", "rows"),
    ("hdf5", "hdf5", "channels first", "bank"),
    ("zarr 2", "zarr 2", "time first", "rows"),
    ("zarr 3", "zarr 3", "time first", "rows"),
    ("zarr 3", "zarr 3", "channels first", "bank"),
    ("chunks", "none", "time first", "rows"),
    ("chunks", "none", "channels first", "bank"),
    ("chunks", "memmap", "time first", "rows"),
    ("chunks", "zarr 3", "time first", "rows"),
    ("chunks", "hdf5", "time first", "rows"),
]


@pytest.mark.full
@pytest.mark.parametrize(("source", "sink", "layout", "routing"), ALL)
def test_every_kind(tmp_path, source, sink, layout, routing):
    check(tmp_path, source, sink, layout, routing, 2_000_000)


@st.composite
def all_sizes(draw, least_frames=1):
    dimensions = draw(st.integers(0, 3))
    channels = tuple(draw(st.integers(1, 400)) for _ in range(dimensions))
    chunk = st.none() | st.integers(1, 3000)

    def channel_chunk():
        return draw(st.none() | st.tuples(*[st.integers(1, 50) for _ in channels]))

    return Sizes(
        frames=draw(st.integers(least_frames, 10**9)),
        taps=draw(st.integers(1, 10**5)),
        channels=channels,
        channel_order=tuple(draw(st.permutations(range(dimensions)))),
        outputs=draw(st.integers(1, 1000)),
        routing=draw(st.sampled_from(("rows", "bank", "matrix"))),
        shared_kernels=draw(st.booleans()),
        time_inside=draw(st.booleans()),
        sample_bytes=draw(st.sampled_from((1, 2, 4, 8, 16))),
        result_bytes=draw(st.sampled_from((2, 4, 8, 16))),
        is_complex=draw(st.booleans()),
        source_channel_chunk=channel_chunk(),
        result_time_chunk=draw(chunk),
        result_channel_chunk=channel_chunk(),
        result_output_chunk=draw(chunk),
        fixed_bytes=draw(st.integers(0, 10**6)),
    )


@given(
    sizes=all_sizes(),
    limit=st.integers(1, 2**33),
    batches=st.lists(st.none() | st.integers(1, 2000), min_size=3, max_size=3),
)
@settings(max_examples=150)
def test_a_grid_fits_its_limit_or_nothing_does(sizes, limit, batches):
    least = needed_bytes(sizes, Grid(1, (1,) * len(sizes.channels), 1))
    if least > limit:
        with pytest.raises(ValueError, match=f"needs at least {least} bytes"):
            choose_grid(sizes, limit, *batches)
        return
    grid = choose_grid(sizes, limit, *batches)
    assert needed_bytes(sizes, grid) <= limit
    wanted = (grid.frames, int(np.prod(grid.tile)), grid.outputs)
    for own, most in zip(wanted, batches, strict=True):
        assert own >= 1
        assert most is None or own <= most
    assert all(own <= size for own, size in zip(grid.tile, sizes.channels, strict=True))


@given(sizes=all_sizes(least_frames=10**6 + 1))
@settings(max_examples=50)
def test_a_limit_that_is_no_limit_gives_chunks_of_use(sizes):
    grid = choose_grid(sizes, 2**60, None, None, None)
    assert grid.frames >= min(sizes.frames, 8 * sizes.taps)
    if sizes.result_time_chunk is not None and grid.frames < sizes.frames:
        assert grid.frames % sizes.result_time_chunk == 0


@pytest.mark.parametrize(
    ("limit", "size"),
    [(4096, 4096), ("1 KiB", 1024), ("1kB", 1000), ("2G", 2 << 30), (" 1.5 MiB", 3 << 19)],
)
def test_limits_in_words(limit, size):
    assert memory_bytes(limit) == size
