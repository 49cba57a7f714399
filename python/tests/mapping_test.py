"""Mapped files in every call: read by offset, so that one that has shrunk is an OSError.

Who reads its pages dies by SIGBUS instead, and with him the run of these tests.
"""

from __future__ import annotations

import errno
import os
import tracemalloc

import firbank
import firbank.nemos
import firbank.signal
import numpy as np
import pytest
from firbank._mapping import find_mapping, in_memory, is_mapped

SAMPLES = 150_000  # more than what is read at once
TAPS = np.hanning(300)
LONG = 5_000


def predictor(basis, x, **options):
    return firbank.nemos.create_convolutional_predictor(basis, x, **options)


def next_chunk(x):
    with firbank.Stream(TAPS) as stream:
        return stream(x)


def next_chunk_in_place_of_another(x):
    out = x[::-1] if x.flags.writeable else np.empty_like(x)
    with firbank.Stream(TAPS) as stream:
        return np.array(stream(x, out=out))


def after_update(x):
    bank = firbank.Bank([TAPS], max_taps=LONG)
    bank.update(0, x[-LONG:])
    return bank[0]


def after_load_state(x):
    with firbank.Stream(TAPS) as stream:
        stream(np.ones(300))
        stream.load_state(stream.state() | {"history": x[-299:].reshape(1, -1)})
        return stream(np.ones(10))


CALLS = {
    "convolve": lambda x: firbank.convolve(x, TAPS),
    "convolve a few samples": lambda x: firbank.convolve(x[-100:], TAPS[:3]),
    "convolve, a few taps": lambda x: firbank.convolve(TAPS, x[-3:]),
    "convolve, taps": lambda x: firbank.convolve(TAPS, x[-LONG:]),
    "convolve, taps of a list": lambda x: firbank.convolve(TAPS, [x[-9:], x[-5:]], routing="bank")[
        0
    ],
    "convolve, chunks": lambda x: np.concatenate(list(firbank.convolve(iter([x, x]), TAPS))),
    "Bank": lambda x: firbank.Bank(x[-LONG:].reshape(2, -1))[1],
    "Bank of a list": lambda x: firbank.Bank([x[-LONG:], TAPS])[0],
    "Bank.update": after_update,
    "Bank.convolve": lambda x: firbank.Bank([TAPS, TAPS[1:]]).convolve(x)[1],
    "Stream": next_chunk,
    "Stream in place": next_chunk_in_place_of_another,
    "Stream.load_state": after_load_state,
    "signal.convolve": lambda x: firbank.signal.convolve(x, TAPS),
    "signal.correlate": lambda x: firbank.signal.correlate(TAPS, x),
    "signal.fftconvolve": lambda x: firbank.signal.fftconvolve(x.reshape(4, -1), [[1.0, 2.0]]),
    "signal.oaconvolve": lambda x: firbank.signal.oaconvolve(x, TAPS, "valid"),
    "signal.lfilter": lambda x: firbank.signal.lfilter(TAPS, 1.0, x),
    "signal.lfilter, taps": lambda x: firbank.signal.lfilter(x[-LONG:], 1.0, TAPS),
    "signal.lfilter, state": lambda x: firbank.signal.lfilter([1, 2], 1, [3.0], zi=x[-1:])[0],
    "signal.lfilter_zi": lambda x: firbank.signal.lfilter_zi(x[-LONG:], 1.0),
    "nemos": lambda x: predictor(np.stack([TAPS, TAPS], 1), x),
    "nemos, basis": lambda x: predictor(x[-LONG:].reshape(-1, 2), np.ones(LONG)),
}
each_call = pytest.mark.parametrize("name", CALLS)
each_view = pytest.mark.parametrize(
    "view", [lambda x: x, lambda x: np.asarray(x)[:], memoryview], ids=["memmap", "view", "buffer"]
)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "x.raw"
    np.random.default_rng(1).standard_normal(SAMPLES).tofile(path)
    return path


@each_view
@each_call
def test_a_file_that_has_shrunk(name, view, path):
    x = np.asanyarray(view(np.memmap(path, np.float64, "r+")))
    os.truncate(path, 4096)
    with pytest.raises(OSError, match="has shrunk") as caught:
        CALLS[name](x)
    assert "\n" not in str(caught.value)
    assert "x.raw" in str(caught.value)


@each_view
@each_call
def test_a_file_that_is_whole(name, view, path):
    want = CALLS[name](np.fromfile(path))
    got = CALLS[name](np.asanyarray(view(np.memmap(path, np.float64, "r"))))
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-12 * np.nanmax(np.abs(want)))


def test_blocks_of_a_dask_array(path):
    da = pytest.importorskip("dask.array", reason="convolves Dask arrays")
    x = np.memmap(path, np.float64, "r")

    def block_of_file(block, block_info=None):
        ((first, last),) = block_info[0]["array-location"]
        return x[first:last]

    blocks = da.zeros(SAMPLES, chunks=20_000).map_blocks(block_of_file, dtype=np.float64)
    y = firbank.dask.convolve(blocks, TAPS)
    np.testing.assert_allclose(y.compute(), firbank.convolve(np.array(x), TAPS), atol=1e-10)
    os.truncate(path, 4096)
    with pytest.raises(OSError, match="has shrunk"):
        y.compute(scheduler="synchronous")


def test_a_plan_reads_no_sample(path):
    x = np.memmap(path, ">f8", "r")
    os.truncate(path, 0)
    find_mapping(x)  # and the path is known: else the list of all that is mapped here counts
    assert memory_of(lambda: firbank.plan(x, TAPS)) < SAMPLES
    assert firbank.plan(x, TAPS).result_shape == (SAMPLES + 299,)


def test_what_is_read_is_what_the_array_shows(path):
    whole = np.memmap(path, np.float64, "r", offset=80, shape=(40, 30, 20))
    views = [
        whole,
        whole[3:, ::-2, 1::3],
        whole.T,
        whole[5, 6, 7, ...],
        np.memmap(path, np.float64, "r", shape=(30, 40), order="F"),
        np.memmap(path, ">i2", "r", offset=1, shape=(99,)),
        np.broadcast_to(whole[0], (2, 30, 20)),
        np.lib.stride_tricks.sliding_window_view(whole[0, 0], 4),
    ]
    for view in views:
        assert is_mapped(view)
        got = in_memory(view, "x")
        assert not is_mapped(got)
        assert got.dtype == view.dtype
        np.testing.assert_array_equal(got, view)


def test_arrays_in_memory_are_not_copied(path):
    x = np.fromfile(path)
    for array in (x, x[::2], np.memmap(path, np.float64, "r") + 1.0, x[:0]):
        assert in_memory(array, "x") is array
        assert not is_mapped(array)


def test_private_pages_and_files_without_a_name(path):
    x = np.memmap(path, np.float64, "c")
    x[7] = 1000.0
    assert in_memory(x, "x")[7] == 1000.0
    y = np.memmap(path, np.float64, "r")
    path.unlink()
    np.testing.assert_array_equal(in_memory(y, "y")[8:], x[8:])


def test_another_file_of_the_same_name(path):
    x = np.memmap(path, np.float64, "r")
    want = in_memory(x, "x")  # and the path is known from here on
    os.rename(path, path.with_name("old.raw"))
    np.zeros(SAMPLES).tofile(path)
    assert find_mapping(x).path == str(path.with_name("old.raw"))
    np.testing.assert_array_equal(in_memory(x, "x"), want)


def memory_of(call):
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_large_chunk_is_read_slice_by_slice(tmp_path):
    np.lib.format.open_memmap(tmp_path / "x.npy", "w+", np.int16, (64, 100_000)).flush()
    x = np.load(tmp_path / "x.npy", mmap_mode="r")
    out = np.empty(x.shape, np.float32)
    with firbank.Stream(np.ones(4, np.float32), channels=64) as stream:
        assert memory_of(lambda: stream(x, out=out)) < x.nbytes / 2


def test_a_predictor_is_read_in_parts(tmp_path):
    np.lib.format.open_memmap(tmp_path / "x.npy", "w+", np.float64, (1_000_000,)).flush()
    x = np.load(tmp_path / "x.npy", mmap_mode="r")
    out = np.lib.format.open_memmap(tmp_path / "y.npy", "w+", np.float64, (1_000_000, 2))
    basis = np.ones((5, 2))

    def call():
        firbank.nemos.create_convolutional_predictor(basis, x, out=out, memory_limit="3MiB")

    assert memory_of(call) < x.nbytes / 2
    np.testing.assert_allclose(out[5:], 0.0)


# Results in mapped files.

RESULTS = {
    "Stream": lambda out: firbank.Stream(np.ones((2, 3)))(np.ones((2, 90_000)), out=out.T),
    "Stream of a short chunk": lambda out: firbank.Stream([1.0, 1.0])(np.ones(90), out=out[:90, 1]),
    "nemos, padding alone": lambda out: predictor(np.ones((99_000, 2)), np.ones(90_000), out=out),
    "nemos, padding": lambda out: predictor(np.ones((80_000, 2)), np.ones(90_000), out=out[:]),
}
each_result = pytest.mark.parametrize("name", RESULTS)
short_series = pytest.mark.filterwarnings("ignore:.*shorter than")
SHAPE = (90_000, 2)


@short_series
@each_result
def test_a_result_in_a_mapped_file(name, tmp_path):
    out = np.lib.format.open_memmap(tmp_path / "y.npy", "w+", np.float64, SHAPE)
    want = np.zeros(SHAPE)
    got = RESULTS[name](out)
    np.testing.assert_array_equal(got, RESULTS[name](want))
    assert np.shares_memory(got, out)
    np.testing.assert_array_equal(np.load(tmp_path / "y.npy"), want)


@short_series
@each_result
@pytest.mark.parametrize("view", [lambda out: out, np.asarray], ids=["memmap", "view"])
def test_a_result_in_a_file_that_has_shrunk(name, view, tmp_path):
    out = view(np.lib.format.open_memmap(tmp_path / "y.npy", "w+", np.float64, SHAPE))
    os.truncate(tmp_path / "y.npy", 128)
    with pytest.raises(OSError, match="^out .*y.npy.* has shrunk"):
        RESULTS[name](out)


@pytest.mark.parametrize("name", [name for name in RESULTS if "short" not in name])
@pytest.mark.parametrize("view", [lambda out: out, np.asarray], ids=["memmap", "view"])
@short_series
def test_a_result_on_a_full_disk(name, view, small_disk):
    out = view(np.lib.format.open_memmap(small_disk / "y.npy", "w+", np.float64, SHAPE))
    with pytest.raises(OSError, match="y.npy") as caught:
        RESULTS[name](out)
    assert caught.value.errno == errno.ENOSPC


def test_a_stream_stays_where_it_was_on_a_full_disk(small_disk):
    out = np.lib.format.open_memmap(small_disk / "y.npy", "w+", np.float64, SHAPE)
    with firbank.Stream(np.ones((2, 3))) as stream:
        with pytest.raises(OSError):
            stream(np.ones((2, 90_000)), out=out.T)
        assert stream.position == 0
