"""A plan of files tells what the call then does, reads no samples and writes nothing."""

from __future__ import annotations

import firbank
import numpy as np
import pytest
from firbank import _pipeline
from firbank._file_array import FileArray
from firbank._stores import StoredArray
from hypothesis import given, settings
from hypothesis import strategies as st
from large_support import SINKS, SOURCES, needs, place, stored

H = np.ones(9, np.float32)


class Counts:
    """Counts what calls read and how many chunks they write."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.samples_read = self.chunks = 0
        prepare, put = _pipeline.WindowReader._read, _pipeline.ChunkWriter.put

        def counted_read(reader, window, tile):
            real = reader._source.read

            def read(region, into):
                self.samples_read += into.size
                real(region, into)

            with pytest.MonkeyPatch.context() as inner:
                inner.setattr(reader._source, "read", read)
                return prepare(reader, window, tile)

        def counted_put(writer, region, values):
            self.chunks += 1
            return put(writer, region, values)

        patch.setattr(_pipeline.WindowReader, "_read", counted_read)
        patch.setattr(_pipeline.ChunkWriter, "put", counted_put)


@pytest.mark.parametrize("layout", ["channels first", "time first"])
@pytest.mark.parametrize("routing", ["rows", "bank", "matrix"])
@given(
    frames=st.integers(1, 400),
    taps=st.integers(1, 60),
    mode=st.sampled_from(("full", "same", "causal")),
    batches=st.lists(st.none() | st.integers(1, 50), min_size=3, max_size=3),
)
@settings(max_examples=15)
def test_a_plan_tells_what_the_call_does(
    tmp_path_factory, layout, routing, frames, taps, mode, batches
):
    axis = 0 if layout == "time first" else 1

    def shape(frames: int) -> tuple[int, int]:
        return (frames, 5) if axis == 0 else (5, frames)

    folder = tmp_path_factory.mktemp("plan")
    np.save(folder / "x.npy", np.ones(shape(frames), np.float32))
    h = np.ones((3, taps) if routing == "bank" else (2, *shape(taps)), np.float32)
    arguments = {"axis": axis, "mode": mode, "routing": routing, "out": folder / "y.npy"}
    names = ("batch_size_samples", "batch_size_channels", "batch_size_basis")
    arguments |= dict(zip(names, batches, strict=True))
    h = h[0] if routing == "rows" else h
    plan = firbank.plan(folder / "x.npy", h, **arguments)
    assert [path.name for path in folder.iterdir()] == ["x.npy"]
    with pytest.MonkeyPatch.context() as patch:
        counts = Counts(patch)
        y = firbank.convolve(folder / "x.npy", h, **arguments)
    assert plan.chunks == counts.chunks
    assert plan.bytes_read == counts.samples_read * 4
    assert plan.passes == pytest.approx(counts.samples_read / (5 * frames))
    assert plan.bytes_written == y.nbytes
    assert plan.result_shape == y.shape
    assert plan.result_dtype == str(y.dtype)


@pytest.mark.parametrize("kind", SOURCES)
def test_no_samples_are_read_and_nothing_is_written(tmp_path, kind, monkeypatch):
    def refuse(*_):
        raise AssertionError("a plan reads and writes nothing")

    needs(kind)
    sink = SINKS[SOURCES.index(kind)]
    x = np.ones((3, 5000), np.float32)
    with (
        stored(kind, x, tmp_path, (2, 1000)) as source,
        place(sink, (3, 5000), np.float32, tmp_path, (2, 800)) as out,
    ):
        before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
        for access in (FileArray, StoredArray):
            monkeypatch.setattr(access, "read", refuse)
            monkeypatch.setattr(access, "write", refuse)
        large = source if kind != "array" else np.memmap(tmp_path / "m", "f4", "w+", shape=x.shape)
        before[tmp_path / "m"] = large is not source and (tmp_path / "m").stat().st_mtime_ns
        plan = firbank.plan(large, H, mode="same", out=out, memory_limit="40 MB")
        monkeypatch.undo()
        after = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert after == {path: time for path, time in before.items() if time is not False}
    assert isinstance(plan, firbank.FilePlan)
    assert plan.chunk.method in ("direct", "fft", "frames")
    assert plan.memory_bytes <= plan.memory_limit_bytes == 40_000_000
    assert plan.storage_bytes + plan.moving_bytes + plan.chunk.memory_bytes == plan.memory_bytes


def test_a_file_larger_than_any_memory(tmp_path):
    with open(tmp_path / "x.npy", "wb") as file:
        np.lib.format.write_array_header_1_0(
            file, {"descr": "<f4", "fortran_order": False, "shape": (64, 1 << 32)}
        )
        file.truncate(file.tell() + (4 * 64 << 32))
    plan = firbank.plan(tmp_path / "x.npy", H, memory_limit="100 MB", mode="same")
    assert plan.chunks > 1000
    assert plan.passes == 1
    assert plan.bytes_read == 4 * 64 << 32


def test_it_is_printed_as_a_plan_of_arrays_is(tmp_path):
    np.save(tmp_path / "x.npy", np.ones((4, 20_000), np.float32))
    plan = firbank.plan(
        tmp_path / "x.npy", np.ones((3, 9), "f4"), routing="bank", out=tmp_path / "y.npy",
        batch_size_samples=5000, memory_limit="64 MiB",
    )  # fmt: skip
    lines = str(plan).splitlines()
    keys = [line[:12].rstrip() for line in lines if not line.startswith("  ")]
    assert keys == ["pieces", "memory", "read", "written", "one piece:", "result"]
    assert lines[0].endswith("of up to 5000 samples of 4 channels with 3 kernels")
    assert " of 64 MiB: " in lines[1]
    assert any(line.startswith("  method      ") for line in lines)
    assert lines[-1] == "result      float32 (4, 20008, 3)"


def test_kernels_of_different_sizes_are_counted_together(tmp_path):
    np.save(tmp_path / "x.npy", np.ones((2, 3000), np.float32))
    h = [np.ones(3, np.float32), np.ones(50, np.float32)]
    arguments = {"routing": "bank", "batch_size_samples": 1000}
    plan = firbank.plan(tmp_path / "x.npy", h, **arguments)
    with pytest.MonkeyPatch.context() as patch:
        counts = Counts(patch)
        parts = firbank.convolve(tmp_path / "x.npy", h, **arguments)
    assert plan.chunks == counts.chunks
    assert plan.passes == 2
    assert plan.bytes_read == counts.samples_read * 4
    assert plan.result_shape == [part.shape for part in parts]


def test_what_the_call_refuses_the_plan_refuses(tmp_path):
    np.save(tmp_path / "x.npy", np.ones((2, 3000), np.float32))
    for arguments in ({"memory_limit": 1000}, {"out": np.zeros(3)}, {"mode": "all"}):
        messages = []
        for call in (firbank.plan, firbank.convolve):
            with pytest.raises(ValueError) as caught:
                call(tmp_path / "x.npy", H, **arguments)
            messages.append(str(caught.value))
        assert messages[0] == messages[1]
    with pytest.raises(FileNotFoundError):
        firbank.plan(tmp_path / "none.npy", H)
    with pytest.raises(TypeError, match="x is of type generator, of whose chunks nothing is known"):
        firbank.plan((_ for _ in ()), H)


def test_a_plan_of_arrays_looks_at_out_too():
    x, out = np.ones((2, 3000), np.float32), np.full((2, 3000), 7, np.float32)
    assert isinstance(firbank.plan(x, H, mode="same", out=out), firbank.Plan)
    assert (out == 7).all()
    with pytest.raises(ValueError, match=r"out has shape \(2, 2999\)"):
        firbank.plan(x, H, mode="same", out=out[:, 1:])
