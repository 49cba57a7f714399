"""Convolution of dask arrays: against the same in memory, block by block, and with workers lost."""

from __future__ import annotations

import doctest
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from direct_sums import assert_convolved, assert_follows
from firbank import convolve
from hypothesis import given, settings
from hypothesis import strategies as st

da = pytest.importorskip("dask.array", reason="convolves dask arrays")
import dask  # noqa: E402
import firbank._time_blocks  # noqa: E402
import firbank.dask  # noqa: E402

MODES = ("full", "same", "valid", "causal")
rng = np.random.default_rng(20240608)


@pytest.fixture(autouse=True)
def synchronous():
    with dask.config.set(scheduler="synchronous"):
        yield


@pytest.mark.parametrize(
    "module", [firbank.dask, firbank._time_blocks], ids=lambda module: module.__name__
)
def test_examples_in_the_documentation_run(module):
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0


def test_firbank_does_not_import_dask():
    program = "import sys, firbank; sys.exit('dask' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0


# Against the convolution in memory.


@st.composite
def cuts(draw, size):
    """Chunks of a dimension, mostly more than one."""
    ends = draw(st.lists(st.integers(1, size), max_size=6, unique=True))
    ends = [0, *sorted({*ends, size})]
    return tuple(stop - start for start, stop in zip(ends, ends[1:], strict=False))


@st.composite
def problems(draw):
    random = np.random.default_rng(draw(st.integers(0, 2**32)))

    def numbers(shape, type_):
        values = random.normal(size=shape) * 5
        if type_[0] == "c":
            values = values + 1j * random.normal(size=shape)
        return values.astype(type_)

    routing = draw(st.sampled_from(["rows", "bank", "matrix"]))
    shape = draw(st.lists(st.integers(1, 4), max_size=2))
    axis = draw(st.integers(0, len(shape)))
    samples, taps = draw(st.integers(1, 40)), draw(st.integers(1, 30))
    mode = draw(st.sampled_from(MODES if taps <= samples else ("full", "same", "causal")))
    types = st.sampled_from(["f4", "f8", "f2", "i2", "c8", "c16"])
    x = numbers((*shape[:axis], samples, *shape[axis:]), draw(types))
    if x.dtype.kind == "f":
        x.flat[random.integers(x.size, size=draw(st.integers(0, 2)))] = np.nan

    outputs, type_ = draw(st.integers(1, 5)), draw(types)
    if routing == "rows":
        broad = [draw(st.sampled_from([1, size])) for size in shape]
        of_channels = (*broad[:axis], taps, *broad[axis:])
        h = numbers(draw(st.sampled_from([(taps,), of_channels])), type_)
    elif routing == "bank":
        form = draw(st.sampled_from(["one", "array", "list", "ragged list"]))
        h = numbers((outputs, taps), type_)
        if form == "one":
            h = h[0]
        elif form == "list":
            h = list(h)
        elif form == "ragged list":
            h = [kernel[: random.integers(1, taps + 1)] for kernel in h]
    else:
        h = numbers((outputs, *x.shape[:axis], taps, *x.shape[axis + 1 :]), type_)
        h = h[0] if draw(st.booleans()) else h
    options = {"axis": draw(st.sampled_from([axis, axis - x.ndim])), "mode": mode}
    options["routing"] = routing
    options["precision"] = draw(st.sampled_from([None, None, "float32", "float64"]))
    chunks = tuple(draw(cuts(size)) for size in x.shape)
    return x, chunks, h, options, draw(st.sampled_from(["auto", 1, 2, 7]))


@given(problems())
@settings(max_examples=150)
def test_equals_the_convolution_in_memory(problem):
    x, chunks, h, options, last_axis_chunks = problem
    want = convolve(x, h, **options)
    names = {name: options[name] for name in ("axis", "mode", "routing")}
    lazy = firbank.dask.convolve(
        da.from_array(x, chunks=chunks), h, last_axis_chunks=last_axis_chunks, **options
    )
    assert isinstance(lazy, list) == isinstance(want, list)
    ragged = isinstance(want, list)
    if not ragged:
        lazy, want = [lazy], [want]
    for mine, its in zip(lazy, want, strict=True):
        assert mine.shape == its.shape
        assert mine.dtype == its.dtype
        assert mine._meta.dtype == its.dtype
        assert mine._meta.ndim == its.ndim
        # Each block has the size that the chunks say, and so can be used by itself.
        first = mine.blocks[(0,) * mine.ndim]
        assert first.compute().shape == tuple(sizes[0] for sizes in mine.chunks)
    computed = list(dask.compute(*lazy))
    assert [y.dtype for y in computed] == [mine.dtype for mine in lazy]
    assert_convolved(computed if ragged else computed[0], x, h, **names)


@pytest.mark.parametrize("mode", MODES)
def test_equals_numpy(mode):
    x, h = rng.normal(size=1000), rng.normal(size=123)
    full = np.convolve(x, h)
    want = {"full": full, "same": full[61:1061], "valid": full[122:1000], "causal": full[:1000]}
    got = firbank.dask.convolve(da.from_array(x[None], chunks=(1, 77)), h, mode=mode)
    assert_follows(got.compute()[0], want[mode])


def test_matrix_of_many_blocks_of_channels():
    x, h = rng.normal(size=(5, 7, 60)), rng.normal(size=(3, 5, 7, 9))
    lazy = firbank.dask.convolve(da.from_array(x, chunks=(2, 1, 13)), h, routing="matrix")
    assert_convolved(lazy.compute(), x, h, routing="matrix")


def test_sums_of_half_precision_are_rounded_once():
    """Sums that would lose their small part, were each block of channels rounded by itself."""
    x = np.full((3, 4), [[1.0], [2.0**-11], [2.0**-11]], np.float16)
    h = np.ones((3, 1), np.float16)
    got = firbank.dask.convolve(da.from_array(x, chunks=(1, 4)), h, routing="matrix").compute()
    np.testing.assert_array_equal(got, np.full(4, 1 + 2.0**-10, np.float16), strict=True)


# Blocks and the graph.


@given(
    chunks=st.lists(st.integers(1, 9), min_size=1, max_size=9),
    taps=st.integers(1, 40),
    mode=st.sampled_from(MODES),
)
@settings(max_examples=300)
def test_blocks_of_time_take_what_they_need_and_no_more(chunks, taps, mode):
    samples = sum(chunks)
    if mode == "valid" and taps > samples:
        with pytest.raises(ValueError, match="taps"):
            firbank._time_blocks.time_blocks(tuple(chunks), taps, mode)
        return
    blocks = firbank._time_blocks.time_blocks(tuple(chunks), taps, mode)
    begins = np.cumsum([0, *chunks])
    frame = {"full": 0, "causal": 0, "same": (taps - 1) // 2, "valid": taps - 1}[mode]
    for block in blocks:
        taken = [
            begins[number] + sample
            for number, begin, end in block.pieces
            for sample in range(begin, end)
        ]
        assert all(0 <= begin < end <= chunks[number] for number, begin, end in block.pieces)
        oldest, newest = max(0, frame - taps + 1), min(samples, frame + block.frames) - 1
        assert taken == list(range(oldest, newest + 1))
        # Where the wanted frames begin in the convolution of these samples alone.
        lead = {"full": 0, "causal": 0, "valid": taps - 1}[block.mode]
        assert oldest + lead + block.skipped == frame
        frame += block.frames
    size = {"full": samples + taps - 1, "valid": samples - taps + 1}.get(mode, samples)
    assert sum(block.frames for block in blocks) == size
    if mode in ("same", "causal"):
        assert [block.frames for block in blocks] == chunks


def test_chunks_of_the_result():
    x = da.zeros((4, 6, 10), chunks=((1, 3), 6, (4, 0, 4, 2)), dtype=np.float32)
    h = np.ones((3, 6), np.float32)

    def chunks(mode, **options):
        return firbank.dask.convolve(x, h, mode=mode, routing="bank", **options).chunks

    assert chunks("causal") == ((1, 3), (6,), (4, 4, 2), (3,))
    assert chunks("same") == ((1, 3), (6,), (4, 4, 2), (3,))
    assert chunks("valid") == ((1, 3), (6,), (3, 2), (3,))
    assert chunks("full") == ((1, 3), (6,), (4, 4, 2, 4, 1), (3,))
    assert chunks("full", last_axis_chunks=2)[-1] == (2, 1)
    assert chunks("full", last_axis_chunks=(1, 2))[-1] == (1, 2)
    with dask.config.set({"array.chunk-size": 3 * 6 * 4 * 4 * 2}):
        assert chunks("full")[-1] == (2, 1)


@pytest.mark.parametrize("routing", ["rows", "bank", "matrix"])
def test_empty_chunks_are_left_out(routing):
    x, h = rng.normal(size=(4, 10)), rng.normal(size=(4, 3))
    lazy = firbank.dask.convolve(
        da.from_array(x, chunks=((0, 1, 3), (0, 4, 0, 6, 0))), h, mode="causal", routing=routing
    )
    assert all(0 not in sizes for sizes in lazy.chunks)
    assert_convolved(lazy.compute(), x, h, mode="causal", routing=routing)


def test_blocks_keep_no_frames_alive_that_nobody_wants():
    x = da.from_array(rng.normal(size=(2, 100)), chunks=(1, 20))
    lazy = firbank.dask.convolve(x, np.ones(15), mode="full")
    tail = dask.get(dict(lazy.__dask_graph__()), (lazy.name, 0, 5))
    assert tail.shape == (1, 14)
    assert tail.base is None


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("routing", ["rows", "bank", "matrix"])
def test_no_task_holds_more_than_its_block_and_the_taps_before_it(monkeypatch, mode, routing):
    sizes = []

    def spied(window, *arguments, **options):
        sizes.append(window.shape)
        return convolve(window, *arguments, **options)

    x = da.from_array(rng.normal(size=(6, 1000)), chunks=(2, 50))
    h = rng.normal(size=(6, 70))
    lazy = firbank.dask.convolve(x, h, mode=mode, routing=routing)
    monkeypatch.setattr(firbank.dask, "_convolve_in_memory", spied)
    lazy.compute()
    assert len(sizes) >= 3 * (1000 - 69) // 50
    assert max(channels for channels, _ in sizes) == 2
    assert max(samples for _, samples in sizes) <= 50 + 69


def test_options_reach_each_task(monkeypatch):
    given = []

    def spied(*arguments, **options):
        given.append(options)
        return convolve(*arguments, **options)

    how = {"method": "direct", "threads": 2, "memory_limit": "1GiB", "device": "cpu"}
    lazy = firbank.dask.convolve(da.ones((2, 100), chunks=(1, 50)), np.ones(5), **how)
    monkeypatch.setattr(firbank.dask, "_convolve_in_memory", spied)
    lazy.compute()
    assert len(given) >= 4
    assert all(how.items() <= one.items() for one in given)


def test_blocks_before_are_cut_where_they_are():
    x = da.zeros((2, 100), chunks=(1, 20))
    lazy = firbank.dask.convolve(x, np.ones(5), mode="causal")
    graph = dict(lazy.__dask_graph__())
    cut = [key for key in graph if key[0].startswith("firbank-samples")]
    assert len(cut) == 2 * 4
    parts = dask.get(graph, cut)
    assert {part.shape for part in parts} == {(1, 4)}


def test_nothing_is_computed_before_it_is_asked_for():
    def fail(block):
        raise AssertionError("computed")

    x = da.zeros((2, 10), chunks=(1, 5)).map_blocks(fail, dtype=float)
    lazy = firbank.dask.convolve(x, np.ones(3))
    with pytest.raises(AssertionError, match="computed"):
        lazy.compute()


def test_same_arguments_give_the_same_names():
    x = da.from_array(rng.normal(size=(2, 10)), chunks=5)
    names = [
        firbank.dask.convolve(x, h, mode=mode).name
        for h in (np.ones(3), np.ones(3), np.ones(4))
        for mode in ("same", "causal")
    ]
    assert names[:2] == names[2:4]
    square = da.ones((6, 6), chunks=3)
    others = ({}, {"axis": 0}, {"precision": "float32"}, {"method": "fft"}, {"threads": 2})
    names += [firbank.dask.convolve(square, np.ones(3), **other).name for other in others]
    assert len(set(names)) == 4 + len(others)
    bank = {"mode": "causal", "routing": "bank"}
    along = [firbank.dask.convolve(square, np.ones(3), axis=axis, **bank).name for axis in (0, 1)]
    assert along[0] != along[1]


def test_goes_on_as_a_dask_array():
    x = rng.normal(size=(3, 200))
    h = rng.normal(size=9)
    lazy = firbank.dask.convolve(da.from_array(x, chunks=(2, 31)) * 2, h, mode="same")
    got = (lazy**2).mean(axis=-1).compute()
    np.testing.assert_allclose(got, (convolve(2 * x, h, mode="same") ** 2).mean(axis=-1))


# Errors.

X = da.zeros((3, 20), chunks=(2, 6))


@pytest.mark.parametrize(
    ("type_", "match", "x", "h", "options"),
    [
        (TypeError, "x is a ndarray", np.zeros((3, 20)), [1.0], {}),
        (TypeError, "x has dtype", da.from_array(np.array(["a"])), [1.0], {}),
        (TypeError, "h is a Dask collection", X, da.ones(3), {}),
        (TypeError, "h has dtype", X, ["a"], {}),
        (TypeError, "axis is 0.5", X, [1.0], {"axis": 0.5}),
        (IndexError, "axis is 2", X, [1.0], {"axis": 2}),
        (IndexError, "axis is -3", X, [1.0], {"axis": -3}),
        (ValueError, "chunks of unknown sizes", X[X[:, 0] > 0], [1.0], {}),
        (ValueError, r"x has shape \(3, 0\)", X[:, :0], [1.0], {}),
        (ValueError, "mode is 'wrong'", X, [1.0], {"mode": "wrong"}),
        (ValueError, "routing is 'wrong'", X, [1.0], {"routing": "wrong"}),
        (ValueError, "21 taps and x 20 samples", X, np.ones(21), {"mode": "valid"}),
        (ValueError, r"h has shape \(0,\)", X, [], {}),
        (ValueError, r"h has shape \(\)", X, 1.0, {}),
        (ValueError, r"h\[1\] is nan; allowed: finite taps", X, [1.0, np.nan], {}),
        (ValueError, r"h has shape \(2, 5\)", X, np.ones((2, 5)), {}),
        (ValueError, r"h has shape \(1, 3, 5\)", X, np.ones((1, 3, 5)), {}),
        (
            ValueError,
            r"h has shape \(1, 3, 5\); allowed with routing 'bank'",
            X,
            np.ones((1, 3, 5)),
            {"routing": "bank"},
        ),
        (
            ValueError,
            r"h\[1\] has shape \(1, 2\); allowed: \(taps,\)",
            X,
            [np.ones(3), np.ones((1, 2))],
            {"routing": "bank"},
        ),
        (ValueError, r"h\[1\] has shape \(\)", X, [np.ones(3), 1.0], {"routing": "bank"}),
        (ValueError, r"h has shape \(2, 5\)", X, np.ones((2, 5)), {"routing": "matrix"}),
        (ValueError, r"h has shape \(4, 2, 5\)", X, np.ones((4, 2, 5)), {"routing": "matrix"}),
        (
            ValueError,
            "last_axis_chunks is 'x'",
            X,
            [1.0],
            _BANK := {"routing": "bank", "last_axis_chunks": "x"},
        ),
        (ValueError, "last_axis_chunks is", X, [1.0], {**_BANK, "last_axis_chunks": (2, 2)}),
        (ValueError, "last_axis_chunks is 'any'", X, [1.0], {"last_axis_chunks": "any"}),
    ],
)
def test_errors_name_the_argument(type_, match, x, h, options):
    with pytest.raises(type_, match=match) as caught:
        firbank.dask.convolve(x, h, **options)
    assert "\n" not in str(caught.value)


# Workers.


def slow_noise(directory, seconds, block_info=None):
    """A block of noise that takes its time and leaves a mark when it was made."""
    place = block_info[None]["chunk-location"]
    shape = block_info[None]["chunk-shape"]
    time.sleep(seconds)
    mark = f"{place[0]}-{place[1]}.{os.getpid()}.{time.monotonic_ns()}"
    open(os.path.join(directory, mark), "x").close()
    return np.random.default_rng(place).normal(size=shape)


@pytest.mark.parametrize(
    "routing",
    [
        "rows",
        pytest.param("bank", marks=pytest.mark.full),
        pytest.param("matrix", marks=pytest.mark.full),
    ],
)
def test_result_is_right_though_a_worker_is_killed(cluster, tmp_path, routing):
    channels, samples, chunk, taps = 4, 6000, 300, 450
    x = da.map_blocks(
        slow_noise,
        str(tmp_path),
        0.05,
        chunks=((2, 2), (chunk,) * (samples // chunk)),
        dtype=np.float64,
        meta=np.empty((0, 0)),
    )
    h = rng.normal(size=(channels, taps))
    blocks = x.numblocks[0] * x.numblocks[1]
    with dask.config.set(scheduler=None):
        future = cluster.compute(firbank.dask.convolve(x, h, mode="same", routing=routing))
    give_up = time.monotonic() + 60
    while len(list(tmp_path.iterdir())) < blocks // 2:
        assert time.monotonic() < give_up
        time.sleep(0.005)
    victim = int(min(tmp_path.iterdir(), key=os.path.getmtime).name.split(".")[1])
    os.kill(victim, signal.SIGKILL)
    assert not future.done()
    got = future.result(timeout=60)

    made = [mark.name.split(".") for mark in tmp_path.iterdir()]
    # The run went on after the worker was lost, and what it alone had made was made again.
    assert {pid for _, pid, _ in made} >= {str(victim)}
    assert len(made) > blocks
    whole = np.concatenate(
        [
            np.concatenate(
                [
                    np.random.default_rng((row, column)).normal(size=(2, chunk))
                    for column in range(samples // chunk)
                ],
                axis=1,
            )
            for row in range(2)
        ]
    )
    assert_convolved(got, whole, h, mode="same", routing=routing)


@pytest.fixture(scope="module")
def cluster():
    """Three worker processes that listen on the loopback address alone."""
    distributed = pytest.importorskip("distributed", reason="runs worker processes")
    with (
        distributed.LocalCluster(
            n_workers=3,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address=None,
        ) as local,
        distributed.Client(local) as client,
    ):
        yield client
