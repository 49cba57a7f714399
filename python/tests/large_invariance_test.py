"""However a large convolution is read, cut and written, its result is the one in memory."""

from __future__ import annotations

import importlib
import tempfile
from pathlib import Path

import numpy as np
import pytest
from direct_sums import assert_convolved
from firbank import convolve
from firbank._large import convolve_large
from hypothesis import given, settings
from hypothesis import strategies as st
from large_support import SINKS, SOURCES, place, stored

DTYPES = ("float32", "float64", "int16", "float16", "complex64", "bool", "uint8")


def samples(rng: np.random.Generator, shape, dtype: str) -> np.ndarray:
    kind = np.dtype(dtype).kind
    if kind in "bui":
        return rng.integers(0, 2 if kind == "b" else 100, shape).astype(dtype)
    x = rng.standard_normal(shape)
    return (x + 1j * rng.standard_normal(shape) if kind == "c" else x).astype(dtype)


@st.composite
def cases(draw):
    """Arguments of a convolution: arrays of all kinds, and how to cut them."""
    dimensions = draw(st.integers(1, 3))
    axis = draw(st.integers(-dimensions, dimensions - 1))
    frames = draw(st.integers(1, 60))
    shape = [draw(st.integers(1, 5)) for _ in range(dimensions)]
    shape[axis] = frames
    mode = draw(st.sampled_from(("full", "same", "valid", "causal")))
    taps = draw(st.integers(1, frames if mode == "valid" else 70))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    x = samples(rng, shape, draw(st.sampled_from(DTYPES)))
    routing = draw(st.sampled_from(("rows", "bank", "matrix")))
    own = list(shape)
    own[axis] = taps
    if routing == "bank":
        h_shape = (draw(st.integers(1, 5)), taps)
    elif routing == "matrix":
        h_shape = tuple(own) if draw(st.booleans()) else (draw(st.integers(1, 3)), *own)
    elif draw(st.booleans()):
        h_shape = (taps,)
    else:
        for other in range(dimensions):
            if other != axis % dimensions and draw(st.booleans()):
                own[other] = 1
        h_shape = tuple(own)
    h = samples(rng, h_shape, draw(st.sampled_from(("float32", "float64", "complex64", "float16"))))
    if x.dtype.kind == "f" and x.size and draw(st.booleans()):
        x.reshape(-1)[draw(st.integers(0, x.size - 1))] = draw(st.sampled_from((np.nan, np.inf)))
    cut = st.none() | st.integers(1, 20)
    chunks = draw(st.none() | st.lists(st.integers(1, 30), min_size=4, max_size=4))
    return {
        "x": x,
        "h": h,
        "axis": axis,
        "mode": mode,
        "routing": routing,
        "precision": draw(st.sampled_from((None, "float32", "float64"))),
        "batch_size_samples": draw(cut),
        "batch_size_channels": draw(cut),
        "batch_size_basis": draw(cut),
        "memory_limit": draw(st.none() | st.integers(30_000_000, 60_000_000)),
    }, chunks


def chunk_for(chunks, shape):
    return None if chunks is None else tuple(min(c, s) for c, s in zip(chunks, shape, strict=False))


@pytest.mark.parametrize("source", SOURCES)
@given(case=cases(), sink=st.sampled_from(SINKS))
@settings(max_examples=8)
def test_any_cut_from_and_to_any_storage_gives_the_result_in_memory(source, case, sink):
    check(source, sink, *case)


@pytest.mark.full
@given(case=cases(), source=st.sampled_from(SOURCES), sink=st.sampled_from(SINKS))
@settings(max_examples=1500)
def test_many_cuts(source, case, sink):
    check(source, sink, *case)


def check(source, sink, case, chunks):
    own = dict(case)
    x, h = own.pop("x"), own.pop("h")
    cut = ("batch_size_samples", "batch_size_channels", "batch_size_basis", "memory_limit")
    plain = {key: value for key, value in own.items() if key not in cut}
    with np.errstate(invalid="ignore", over="ignore"):
        expected = convolve(x, h, **plain)
        with (
            tempfile.TemporaryDirectory() as name,
            stored(source, x, Path(name), chunk_for(chunks, x.shape)) as large,
            place(
                sink, expected.shape, expected.dtype, Path(name), chunk_for(chunks, expected.shape)
            ) as out,
        ):
            y = np.array(convolve_large(large, h, out=out, **own)[...])
            left = [path.name for path in Path(name).glob("*journal*")]
            if sink == "npy":
                np.testing.assert_array_equal(np.load(Path(name) / "y.npy"), y)
    assert y.dtype == expected.dtype
    assert y.shape == expected.shape
    assert not left
    assert_convolved(y, x, h, own["axis"], own["mode"], own["routing"])


def test_each_convolution_is_as_small_and_done_as_was_told(tmp_path, monkeypatch):
    module = importlib.import_module("firbank._convolve")
    done = []

    def spied(window, h, *arguments, **options):
        if window.size > 1:  # and no question about types
            done.append((window.shape, len(h), options))
        return convolve(window, h, *arguments, **options)

    x = np.random.default_rng(6).standard_normal((6, 1000)).astype(np.float32)
    h = np.random.default_rng(7).standard_normal((5, 9)).astype(np.float32)
    np.save(tmp_path / "x.npy", x)
    how = {"threads": 2, "method": "direct", "device": "cpu", "precision": "float64"}
    sizes = {"batch_size_samples": 300, "batch_size_channels": 2, "batch_size_basis": 3}
    monkeypatch.setattr(module, "convolve", spied)
    y = convolve_large(tmp_path / "x.npy", h, mode="same", routing="bank", **sizes, **how)
    monkeypatch.undo()
    assert_convolved(y, x, h, mode="same", routing="bank")
    assert len(done) == 4 * 3 * 2
    for (channels, samples), kernels, options in done:
        assert channels <= 2 and samples <= 300 + 8 and kernels <= 3
        assert how.items() <= options.items()


@pytest.mark.parametrize("mode", ["full", "same", "valid", "causal"], ids="mode {}".format)
def test_kernels_of_different_sizes_go_to_files_of_their_own(tmp_path, mode):
    rng = np.random.default_rng(3)
    x = rng.standard_normal((2, 300)).astype(np.float32)
    h = [rng.standard_normal(taps).astype(np.float32) for taps in (5, 40, 1)]
    np.save(tmp_path / "x.npy", x)
    paths = [tmp_path / f"y{index}.npy" for index in range(3)]
    got = convolve_large(
        tmp_path / "x.npy", h, mode=mode, routing="bank", out=paths, batch_size_samples=64
    )
    assert_convolved(list(got), x, h, mode=mode, routing="bank")
    for y, path in zip(got, paths, strict=True):
        np.testing.assert_array_equal(np.load(path), y)
    assert not list(tmp_path.glob("*journal"))


def test_a_file_written_next_to_another_part_leaves_that_alone(tmp_path):
    larger = np.memmap(tmp_path / "y.raw", np.float32, "w+", offset=100, shape=(3, 2003))
    larger[...] = 9
    x = np.random.default_rng(1).standard_normal((3, 1000)).astype(np.float32)
    convolve_large(x, np.ones(4, np.float32), mode="causal", out=larger[:, 1001:1:-1])
    assert_convolved(larger[:, 1001:1:-1], x, np.ones(4), mode="causal")
    assert (larger[:, :2] == 9).all()
    assert (larger[:, 1002:] == 9).all()


def test_big_endian_files(tmp_path):
    x = np.random.default_rng(2).standard_normal((2, 500)).astype(">f4")
    np.save(tmp_path / "x.npy", x)
    out = np.memmap(tmp_path / "y.raw", ">f4", "w+", shape=(2, 500))
    convolve_large(tmp_path / "x.npy", np.ones(3, np.float32), mode="same", out=out)
    assert_convolved(out, x, np.ones(3), mode="same")


def test_storage_chunks_are_written_once_each(tmp_path):
    zarr = pytest.importorskip("zarr", minversion="3", reason="zarr 3 is not installed")
    x = np.random.default_rng(4).standard_normal((3000, 6)).astype(np.float32)
    out = zarr.create_array(tmp_path / "y.zarr", shape=x.shape, chunks=(500, 3), dtype="f4")
    writes = []
    folder = type(out.store)
    kept = folder.set

    async def counted(self, key, value, *others):
        writes.append(key)
        return await kept(self, key, value, *others)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(folder, "set", counted)
        convolve_large(
            x, np.ones(9, np.float32), axis=0, mode="same", out=out, batch_size_samples=1200
        )
    chunks = [key for key in writes if "c/" in key]
    assert len(chunks) == 12
    assert len(set(chunks)) == 12
