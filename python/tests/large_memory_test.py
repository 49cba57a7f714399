"""The memory of a large convolution stays below its limit, whatever is read and written.

Each case runs in a process of its own, which says how much its resident memory rose at most. The
pages of files that the system caches are not the process's and do not count; mappings would.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from firbank import _memory, convolve
from firbank._grid import Sizes, choose_grid, least_grid, needed_bytes
from firbank._memory import available_in_group, default_memory_bytes, memory_bytes
from hypothesis import given, settings
from hypothesis import strategies as st
from large_support import needs, place, stored

ALLOWANCE_BYTES = 2 << 20  # of Python objects, thread stacks and the like

MEASURE = """
    import json, sys
    from pathlib import Path
    import numpy as np
    from large_memory_test import Case
    from firbank import convolve

    folder, limit, case = Path(sys.argv[1]), sys.argv[2], Case(**json.loads(sys.argv[3]))

    def status(field):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1]) * 1024

    def run(case, folder, limit):
        with case.opened(folder) as (x, out):
            Path("/proc/self/clear_refs").write_text("5")
            before = status("VmRSS")
            got = convolve(x, case.kernels(), out=out, memory_limit=limit, **case.arguments())
            if case.sink == "none":
                for _ in got:
                    pass
            return status("VmHWM") - before

    # What is loaded once and for all is not the large job's.
    run(case.small(), folder / "small", None)
    print(run(case, folder / "large", limit))
"""


@dataclass(frozen=True)
class Case:
    """A convolution of 16 channels from one kind of storage to another."""

    source: str
    sink: str
    layout: str
    routing: str
    frames: int
    chunk_frames: int = 5000
    result_chunk_frames: int = 5000
    packing: str | None = "gzip"
    is_constant: bool = False
    taps: int = 9

    def small(self) -> Case:
        sizes = {"frames": 2000, "chunk_frames": 800, "result_chunk_frames": 800}
        return replace(self, **sizes)

    @property
    def axis(self) -> int:
        return 0 if self.layout == "time first" else 1

    def arguments(self) -> dict[str, object]:
        return {"axis": self.axis, "mode": "same", "routing": self.routing}

    def shape(self, frames: int) -> tuple[int, int]:
        return (frames, 16) if self.axis == 0 else (16, frames)

    def kernels(self) -> np.ndarray:
        shape = self.shape(self.taps) if self.routing == "matrix" else (3, self.taps)
        h = np.ones(shape, "f4")
        return h[0] if self.routing == "rows" else h

    def samples(self) -> np.ndarray:
        if self.is_constant:
            return np.ones(self.shape(self.frames), "f4")
        return np.random.default_rng(1).standard_normal(self.shape(self.frames), "f4")

    @contextmanager
    def opened(self, folder: Path) -> Iterator[tuple[object, object]]:
        """Give source and sink, which are there after the first time."""
        folder.mkdir(parents=True, exist_ok=True)
        y_shape = (*self.shape(self.frames), *((3,) if self.routing == "bank" else ()))
        y_shape = (self.frames,) if self.routing == "matrix" else y_shape
        y_chunk = (*self.shape(self.result_chunk_frames), 3)[: len(y_shape)]
        with place(self.sink, y_shape, np.float32, folder, y_chunk, self.packing) as out:
            if self.sink == "memmap":
                # A new mapping, of which no page is resident.
                out = np.memmap(folder / "y.raw", "f4", "r+", shape=y_shape)
            if self.source == "chunks":
                one = np.ones(self.shape(1000), "f4")
                yield (one for _ in range(self.frames // 1000)), out
                return
            if (folder / "x.npy").exists():
                yield folder / "x.npy", out
                return
            if (folder / "x.raw").exists():
                yield np.memmap(folder / "x.raw", "f4", "r", shape=self.shape(self.frames)), out
                return
            there = (folder / "x.h5").exists() or (folder / "x.zarr").exists()
            none = np.broadcast_to(np.float32(0), self.shape(self.frames))
            x = none if there else self.samples()
            chunk = self.shape(self.chunk_frames)
            with stored(self.source, x, folder, chunk, self.packing) as x:
                yield x, out


def measured_rise(folder: Path, case: Case, limit: int | str) -> int:
    """Return how many bytes of memory a convolution takes at most, in a process of its own.

    The files are made here before, since what a process has freed it uses again unseen.
    """
    for one, name in ((case, "large"), (case.small(), "small")):
        with one.opened(folder / name):
            pass
    path = os.pathsep.join([*sys.path, str(Path(__file__).parent)])
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            textwrap.dedent(MEASURE),
            folder,
            str(limit),
            json.dumps(asdict(case)),
        ],
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        text=True,
        timeout=200,
        check=True,
    )
    return int(done.stdout.splitlines()[-1])


def needs_all(case: Case) -> None:
    needs(case.source)
    needs(case.sink)
    if not os.access("/proc/self/clear_refs", os.W_OK):
        pytest.skip("the highest resident memory of a process cannot be reset here")


def check(folder: Path, case: Case, limit: int | str = "24 MiB") -> None:
    needs_all(case)
    rise = measured_rise(folder, case, limit)
    print(f"{case}: {rise / 2**20:.1f} MiB of {limit}")
    assert rise < memory_bytes(limit) + ALLOWANCE_BYTES
    # A measurement that shows nothing would pass as well.
    assert rise > memory_bytes(limit) / 50


def test_an_npy_file_into_one(tmp_path):
    check(tmp_path, Case("npy", "npy", "channels first", "rows", 2_000_000))


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
    case = Case(source, sink, layout, routing, 500_000, packing="gzip")
    check(tmp_path, case, "32 MiB" if "hdf5" in (source, sink) else "24 MiB")


PACKED = [
    # kind, packing, chunk in kB, are the result's chunks others than the source's, routing
    ("hdf5", None, 64, False, "rows"),
    ("hdf5", None, 2500, True, "bank"),
    ("hdf5", None, 8000, False, "rows"),
    ("hdf5", "gzip", 4, False, "rows"),
    ("hdf5", "gzip", 64, True, "bank"),
    ("hdf5", "gzip", 2500, True, "rows"),
    ("hdf5", "gzip", 8000, False, "bank"),
    ("hdf5", "gzip", 12000, True, "rows"),
    ("zarr 2", "blosc", 64, True, "rows"),
    ("zarr 2", "gzip", 2500, True, "rows"),
    ("zarr 2", "zstd", 8000, False, "rows"),
    ("zarr 3", None, 2500, True, "rows"),
    ("zarr 3", "zstd", 64, True, "bank"),
    ("zarr 3", "blosc", 500, True, "rows"),
    ("zarr 3", "zstd", 2500, False, "bank"),
    ("zarr 3", "gzip", 2500, True, "bank"),
    ("zarr 3", "blosc", 8000, True, "rows"),
    ("zarr 3", "sharded", 2500, True, "rows"),
    ("zarr 3", "sharded", 8000, False, "bank"),
]


@pytest.mark.full
@pytest.mark.parametrize("is_constant", [False, True], ids=["random", "constant"])
@pytest.mark.parametrize(("kind", "packing", "chunk_kb", "differ", "routing"), PACKED)
def test_chunks_of_any_size_within_the_least_limit_that_is_named(
    tmp_path, kind, packing, chunk_kb, differ, routing, is_constant
):
    chunk_frames = chunk_kb * 1000 // 64 // 48 * 48  # to be cut into shards
    case = Case(
        kind,
        kind,
        "time first",
        routing,
        max(6 * chunk_frames, 100_000),
        chunk_frames,
        (2 * chunk_frames // 3 if differ else chunk_frames) // (3 if routing == "bank" else 1),
        packing,
        is_constant,
    )
    check_least(tmp_path, case)


def check_least(folder: Path, case: Case) -> None:
    """Ask for the least limit, and see that it is enough and kept."""
    needs_all(case)
    with case.opened(folder / "large") as (x, out), pytest.raises(ValueError) as caught:
        convolve(x, case.kernels(), out=out, memory_limit=1000, **case.arguments())
    least = int(re.search("needs at least ([0-9]+) bytes", str(caught.value))[1])
    rise = measured_rise(folder, case, least)
    print(f"{case}: {rise / 2**20:.1f} MiB of {least / 2**20:.1f} MiB")
    assert rise < least + ALLOWANCE_BYTES
    with case.opened(folder / "large") as (_, out):
        expected = convolve(case.samples(), case.kernels(), **case.arguments())
        there = np.load(out, mmap_mode="r") if case.sink == "npy" else out[...]
        np.testing.assert_allclose(there, expected, atol=1e-4)


@pytest.mark.parametrize("kind", ["npy", "hdf5", "zarr 2", "zarr 3"])
def test_the_least_limit_that_is_named_is_enough(tmp_path, kind):
    """Also with large chunks that do not agree, where packages take many times their size."""
    check_least(tmp_path, Case(kind, kind, "time first", "rows", 40_000, 13_000, 10_000))


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
        source_time_chunk=draw(chunk),
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
    least = needed_bytes(sizes, least_grid(sizes, *batches))
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


def test_pages_of_files_are_available(tmp_path):
    (tmp_path / "memory.max").write_text("2147483648\n")
    (tmp_path / "memory.current").write_text("2147479552\n")
    stat = "anon 500000000\nfile 1647479552\ninactive_file 1000000000\nactive_file 600000000\n"
    (tmp_path / "memory.stat").write_text(stat)
    assert available_in_group(tmp_path) == 1_600_004_096
    (tmp_path / "memory.max").write_text("max\n")
    with pytest.raises(ValueError, match="max"):
        available_in_group(tmp_path)


@pytest.mark.parametrize(
    ("available", "limit"), [(0, 64 << 20), (1 << 30, 1 << 28), (9 << 30, 1 << 30)]
)
def test_the_limit_where_none_is_given(monkeypatch, available, limit):
    monkeypatch.setattr(_memory, "available_bytes", lambda: available)
    assert default_memory_bytes() == limit
