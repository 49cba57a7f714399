"""A signal in chunks of any sizes gives chunks whose concatenation is the result in memory."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from direct_sums import assert_convolved
from firbank import convolve
from firbank._large import convolve_large, is_large
from hypothesis import given, settings
from hypothesis import strategies as st
from large_invariance_test import cases
from large_support import SINKS, place

H = np.ones(4, np.float32)


def pieces(x: np.ndarray, axis: int, sizes: list[int]):
    """Cut `x` along an axis into chunks of these sizes, over and over, in one buffer."""
    in_time = np.moveaxis(x, axis, 0)
    start = index = 0
    while start < len(in_time):
        size = sizes[index % len(sizes)]
        buffer = in_time[start : start + size].copy()
        yield np.moveaxis(buffer, 0, axis)
        # Whoever kept a view of the chunk would notice.
        buffer[...] = 77 if buffer.dtype.kind != "b" else True
        start += size
        index += 1


@given(
    case=cases(),
    sizes=st.lists(st.integers(0, 70), min_size=1, max_size=5).filter(any),
    sink=st.sampled_from(SINKS),
)
@settings(max_examples=40)
def test_chunks_of_any_sizes_give_the_result_in_memory(case, sizes, sink):
    check(case, sizes, sink)


@pytest.mark.full
@given(
    case=cases(),
    sizes=st.lists(st.integers(0, 70), min_size=1, max_size=5).filter(any),
    sink=st.sampled_from(SINKS),
)
@settings(max_examples=2000)
def test_many_chunks(case, sizes, sink):
    check(case, sizes, sink)


def check(case, sizes, sink):
    own = dict(case[0])
    x, h = own.pop("x"), own.pop("h")
    cut = ("batch_size_samples", "batch_size_channels", "batch_size_basis", "memory_limit")
    plain = {key: value for key, value in own.items() if key not in cut}
    with np.errstate(invalid="ignore", over="ignore"):
        expected = convolve(x, h, **plain)
        chunks = pieces(x, own["axis"], sizes)
        if sink in ("none", "npy"):
            got = list(convolve_large(chunks, h, **own))
            time = 0 if own["routing"] == "matrix" else own["axis"] % x.ndim
            y = np.concatenate(got, time)
            most = own["batch_size_samples"]
            assert most is None or max(part.shape[time] for part in got) <= most
        else:
            with (
                tempfile.TemporaryDirectory() as name,
                place(sink, expected.shape, expected.dtype, Path(name)) as out,
            ):
                y = np.array(convolve_large(chunks, h, out=out, **own)[...])
    assert y.dtype == expected.dtype
    assert y.shape == expected.shape
    assert_convolved(y, x, h, own["axis"], own["mode"], own["routing"])


@pytest.mark.parametrize("mode", ["full", "same", "valid", "causal"], ids="mode {}".format)
def test_kernels_of_different_sizes_give_lists(mode):
    rng = np.random.default_rng(8)
    x = rng.standard_normal((300, 2)).astype(np.float32)
    h = [rng.standard_normal(taps) for taps in (50, 3, 1, 80)]
    got = list(
        convolve_large(
            pieces(x, 0, [7, 90]), h, axis=0, mode=mode, routing="bank", batch_size_samples=40
        )
    )
    assert all(len(parts) == 4 for parts in got)
    whole = [np.concatenate([parts[index] for parts in got]) for index in range(4)]
    assert_convolved(whole, x, h, 0, mode, "bank")


@pytest.mark.parametrize("dtypes", [("f4", "f8"), ("f4", "c8"), ("i4", "f4")])
def test_kernels_of_different_sizes_have_one_dtype(tmp_path, dtypes):
    x = np.ones((2, 300), np.float32)
    np.save(tmp_path / "x.npy", x)
    h = [np.arange(1, 5, dtype=dtypes[0]), np.arange(1, 8, dtype=dtypes[1])]
    chunks = list(convolve(iter([x]), h, routing="bank"))
    expected = convolve(x, h, routing="bank")
    for got in (
        convolve(tmp_path / "x.npy", h, routing="bank"),
        convolve(tmp_path / "x.npy", h, routing="bank", out=[tmp_path / "0.npy", None]),
        [np.concatenate(each, 1) for each in zip(*chunks, strict=True)],
    ):
        assert [y.dtype for y in got] == [y.dtype for y in expected]
        assert_convolved(got, x, h, -1, "full", "bank")


def test_nothing_is_taken_before_it_is_needed():
    taken = []

    def endless():
        while True:
            taken.append(1)
            yield np.ones(100, np.float32)

    results = convolve_large(endless(), H, mode="causal", batch_size_samples=200)
    assert not taken
    assert next(results).shape == (200,)
    assert len(taken) == 2
    assert next(results)[0] == 4
    assert len(taken) == 4
    results.close()


def test_progress_counts_what_was_given():
    told = []
    list(
        convolve_large(
            iter([np.ones(100)] * 3),
            H,
            progress=lambda *now: told.append(now),
            batch_size_samples=150,
        )
    )
    assert told == [(0, 0), (150, 0), (300, 0), (303, 0)]


def gives(chunks, **others):
    return list(convolve_large(iter(chunks), H, **others))


@pytest.mark.parametrize(
    ("chunks", "message"),
    [
        ([], "x gives no chunk"),
        ([np.ones(0)], "x gives chunks without samples"),
        ([np.ones((2, 0)), np.ones((2, 0))], "x gives chunks without samples"),
        ([np.ones((0, 5))], "no empty channels"),
        ([np.ones((2, 5)), np.ones((3, 5))], r"chunk 1 of shape \(3, 5\); the first had .*\(2,\)"),
        ([np.ones((2, 5)), np.ones(5)], r"chunk 1 of shape \(5,\)"),
        ([np.ones(5), np.ones(5, "f4")], "chunk 1 of dtype float32; the first had float64"),
        ([np.array(3.0)], "x has no dimension"),
    ],
)
def test_chunks_that_do_not_suit(chunks, message):
    with pytest.raises(ValueError, match=message):
        gives(chunks)


def test_an_iterator_that_ends_too_soon_for_mode_valid():
    with pytest.raises(ValueError, match="h has 4 taps and x 3 samples"):
        gives([np.ones(3)], mode="valid")


def test_chunks_that_are_no_numbers():
    with pytest.raises(TypeError, match="x gives chunks of dtype object"):
        gives([np.array([None])])


def test_an_error_of_the_iterator_comes_through():
    def broken():
        yield np.ones(10)
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        list(convolve_large(broken(), H))


def test_kernels_are_checked_at_once():
    with pytest.raises(ValueError, match="allowed: finite taps"):
        convolve_large(iter([np.ones(5)]), [np.nan])


def test_a_limit_in_which_nothing_fits():
    with pytest.raises(ValueError, match="needs at least [0-9]+ bytes"):
        gives([np.ones((100, 100))], memory_limit=1000)


@pytest.mark.parametrize(("frames", "message"), [(99, "x gives more"), (101, "x gives 100")])
def test_an_out_of_another_length(frames, message):
    out = np.zeros(frames)
    with pytest.raises(ValueError, match=f"out has room for {frames} samples; {message}"):
        convolve_large(iter([np.ones(60), np.ones(40)]), H, mode="same", out=out)


def test_an_out_that_must_be_made(tmp_path):
    with pytest.raises(TypeError, match="whose length is not known before"):
        convolve_large(iter([np.ones(60)]), H, out=tmp_path / "y.npy")


def test_an_out_that_chunks_or_kernels_lie_in(tmp_path):
    x = np.arange(12.0).reshape(2, 6)
    np.save(tmp_path / "x.npy", x)
    for out in (x, np.load(tmp_path / "x.npy", mmap_mode="r+")):
        view = x if out is x else np.load(tmp_path / "x.npy", mmap_mode="r")
        with pytest.raises(ValueError, match="out overlaps x; allowed"):
            convolve((view[:, i : i + 2] for i in (0, 2, 4)), H, mode="same", out=out)
        with pytest.raises(ValueError, match="out overlaps h; allowed"):
            convolve(iter([np.ones((2, 6))]), view[0, :3], mode="same", out=out)
        np.testing.assert_array_equal(out, np.arange(12.0).reshape(2, 6))


def test_a_mask_is_not_dropped(tmp_path):
    x = np.ma.masked_array(np.ones(5), [0, 1, 0, 0, 0])
    for chunks in (x, iter([x])):
        with pytest.raises(TypeError, match="x is a masked array; allowed"):
            convolve(chunks, H, mode="same", out=np.memmap(tmp_path / "y", "f8", "w+", shape=(5,)))
    with pytest.raises(TypeError, match="x is a masked array; allowed"):
        gives([np.ones(5), x])


def test_what_is_large(tmp_path):
    np.save(tmp_path / "x.npy", np.ones(3))
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    for x in (str(tmp_path / "x.npy"), tmp_path, mapped, mapped[1:], iter([]), (_ for _ in ())):
        assert is_large(x, None)
    for x in (np.ones(3), [1, 2], (1, 2), np.float32(1), memoryview(b"123")):
        assert not is_large(x, None)
        assert is_large(x, tmp_path / "y.npy")
        assert is_large(x, [None, tmp_path / "y.npy"])
        assert not is_large(x, np.ones(3))
