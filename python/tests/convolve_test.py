"""firbank.convolve and firbank.plan: against direct sums, SciPy, and their own laws."""

from __future__ import annotations

import doctest
import inspect
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

import firbank
import firbank._arguments
import firbank.nemos
import numpy as np
import pytest
from direct_sums import assert_convolved, assert_follows, direct_sums
from hypothesis import given, settings
from hypothesis import strategies as st

MODES = ("full", "same", "valid", "causal")
REAL = ("float32", "float64", "float16", "int16", "int64", "uint8", "bool")
COMPLEX = ("complex64", "complex128")


def noise(rng, shape, dtype):
    dtype = np.dtype(dtype)
    if dtype.kind in "iu":
        return rng.integers(0, 50, shape).astype(dtype)
    if dtype.kind == "b":
        return rng.integers(0, 2, shape).astype(dtype)
    values = rng.standard_normal(shape)
    if dtype.kind == "c":
        values = values + 1j * rng.standard_normal(shape)
    return values.astype(dtype)


@st.composite
def cases(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    routing = draw(st.sampled_from(("rows", "bank", "matrix")))
    ndim = draw(st.integers(1, 3))
    axis = draw(st.integers(-ndim, ndim - 1))
    samples = draw(st.sampled_from((1, 2, 9, 64, 300, 2500, 9000)))
    taps = draw(st.sampled_from((1, 2, 5, 31, 130, 600)))
    shape = [draw(st.integers(1, 4)) for _ in range(ndim)]
    shape[axis] = samples
    mode = draw(st.sampled_from(MODES if taps <= samples else ("full", "same", "causal")))
    x = noise(rng, shape, draw(st.sampled_from(REAL + COMPLEX)))
    kind = draw(st.sampled_from(REAL[:3] + COMPLEX))
    if draw(st.booleans()):
        x = np.asfortranarray(x)
    if draw(st.booleans()):
        x = x[tuple(slice(None, None, -1) for _ in shape)]
    if routing == "rows":
        if draw(st.booleans()):
            h = noise(rng, taps, kind)
        else:
            sizes = [size if draw(st.booleans()) else 1 for size in shape]
            sizes[axis] = taps
            h = noise(rng, sizes, kind)
    elif routing == "bank":
        count = draw(st.integers(1, 5))
        if draw(st.booleans()):
            h = noise(rng, (count, taps), kind)
        else:
            h = [noise(rng, draw(st.integers(1, taps)), kind) for _ in range(count)]
    else:
        sizes = list(shape)
        sizes[axis] = taps
        outputs = draw(st.integers(0, 3))
        h = noise(rng, [outputs, *sizes] if outputs else sizes, kind)
    return x, h, axis, mode, routing


batches = st.fixed_dictionaries(
    {},
    optional={
        "batch_size_samples": st.integers(50, 4000),
        "batch_size_channels": st.integers(1, 5),
        "batch_size_basis": st.integers(1, 5),
        "threads": st.integers(1, 4),
        "method": st.sampled_from(("direct", "fft")),
        "memory_limit": st.sampled_from(("300 MB", "2GiB")),
        "precision": st.sampled_from(("float32", "float64")),
    },
)


@settings(max_examples=150)
@given(cases(), batches)
def test_equals_direct_sums_whatever_the_layout_type_and_batches(case, how):
    x, h, axis, mode, routing = case
    result = firbank.convolve(x, h, axis, mode, routing, **how)
    assert_convolved(result, x, h, axis, mode, routing, how.get("method") == "fft")


@settings(max_examples=60)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 3000),
    st.integers(1, 900),
    st.sampled_from(("full", "same", "valid")),
)
def test_agrees_with_scipy_in_double(seed, samples, taps, mode):
    scipy_signal = pytest.importorskip("scipy.signal", reason="compared with SciPy")
    taps = min(taps, samples)
    rng = np.random.default_rng(seed)
    x, h = rng.standard_normal(samples), rng.standard_normal(taps)
    wide = scipy_signal.convolve(x.astype("g"), h.astype("g"), mode, method="direct")
    assert_follows(direct_sums(x, h, mode=mode), wide, dtype=np.float64)
    assert_convolved(firbank.convolve(x, h, mode=mode), x, h, mode=mode)


@settings(max_examples=60)
@given(cases(), st.data())
def test_nan_and_infinity_spoil_what_hears_them_and_nothing_else(case, data):
    x, h, axis, mode, routing = case
    x = x.astype(np.float32 if not np.iscomplexobj(x) else np.complex64)
    at = tuple(data.draw(st.integers(0, size - 1)) for size in x.shape)
    x[at] = data.draw(st.sampled_from((np.nan, np.inf, -np.inf)))
    result = firbank.convolve(x, h, axis, mode, routing)
    assert_convolved(result, x, h, axis, mode, routing)


@settings(max_examples=40)
@given(cases())
def test_writes_into_out_of_any_strides_and_nowhere_else(case):
    x, h, axis, mode, routing = case
    plain = firbank.convolve(x, h, axis, mode, routing)
    if isinstance(plain, list):
        outs = [np.full((*each.shape, 2), 7, each.dtype) for each in plain]
        firbank.convolve(x, h, axis, mode, routing, out=[each[..., 0] for each in outs])
    else:
        outs = [np.full((*plain.shape, 2), 7, plain.dtype)]
        result = firbank.convolve(x, h, axis, mode, routing, out=outs[0][..., 0])
        assert result.base is outs[0]
        plain = [plain]
    for each, want in zip(outs, plain, strict=True):
        np.testing.assert_allclose(each[..., 0], want, rtol=1e-3, atol=np.abs(want).max() * 1e-5)
        assert (each[..., 1] == 7).all()


@pytest.mark.parametrize("taps", [3, 400])
def test_float16_is_computed_in_float32(taps):
    rng = np.random.default_rng(5)
    x = (rng.standard_normal((3, 5000)) / 8).astype(np.float16)
    h = (rng.standard_normal(taps) / taps).astype(np.float16)
    result = firbank.convolve(x, h)
    assert result.dtype == np.float16
    expected = np.stack([np.convolve(row.astype(float), h.astype(float)) for row in x])
    # Rounded once, at the end.
    np.testing.assert_allclose(result, expected, rtol=2**-11 * 1.01, atol=2e-7)


def test_types_of_results():
    def of(x, h, **how):
        return firbank.convolve(np.ones(9, x), np.ones(3, h), **how).dtype

    assert of("float32", "float32") == np.float32
    assert of("float32", "float64") == np.float64
    assert of("int16", "float32") == np.float32
    assert of("int32", "float32") == np.float64
    assert of("int16", "int16") == np.float64
    assert of("bool", "bool") == np.float64
    assert of("complex64", "float32") == np.complex64
    assert of("float32", "complex128") == np.complex128
    assert of("int16", "int16", precision="float32") == np.float32
    assert of("complex128", "float64", precision="float32") == np.complex64
    assert of(">f4", ">f4") == np.float32
    assert of("longdouble", "float32") == np.float64


def test_empty_arrays():
    assert firbank.convolve(np.zeros(0), np.ones(3)).shape == (0,)
    assert firbank.convolve(np.zeros((0, 8)), np.ones(3)).shape == (0, 10)
    assert firbank.convolve(np.zeros((2, 0, 4)), np.ones((5, 3)), routing="bank").shape == (
        2, 0, 6, 5,
    )  # fmt: skip
    assert firbank.plan(np.zeros(0), np.ones(3)).method == "none"


def test_takes_what_numpy_takes():
    np.testing.assert_allclose(firbank.convolve([1, 2, 3], [0, 1, 0.5]), [0, 1, 2.5, 4, 1.5])


@pytest.mark.parametrize("size", [100, 300_000])
def test_calls_of_many_threads_run_side_by_side(size):
    rng = np.random.default_rng(1)
    x = rng.standard_normal((8, size))
    h = rng.standard_normal((8, 50))
    expected = [firbank.convolve(row, kernel) for row, kernel in zip(x, h, strict=True)]
    results = [None] * 8

    def work(i):
        for _ in range(5):
            results[i] = firbank.convolve(x[i], h[i])

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for result, want in zip(results, expected, strict=True):
        np.testing.assert_array_equal(result, want)


def test_lets_other_threads_work_meanwhile():
    x = np.zeros((4, 1_500_000), np.float32)
    ticks = []
    done = threading.Event()

    def tick():
        while not done.is_set():
            ticks.append(time.perf_counter())
            time.sleep(0.001)

    ticker = threading.Thread(target=tick)
    ticker.start()
    begin = time.perf_counter()
    firbank.convolve(x, np.ones(2000, np.float32), method="direct", threads=1)
    took = time.perf_counter() - begin
    done.set()
    ticker.join()
    assert took > 0.05
    assert len([t for t in ticks if begin < t < begin + took]) > 10


def test_progress_is_told_in_the_calling_thread():
    told = []
    caller = threading.get_ident()

    def progress(done, total):
        assert threading.get_ident() == caller
        told.append((done, total))

    firbank.convolve(np.ones((4, 300_000), np.float32), np.ones(999, np.float32), progress=progress)
    assert told[-1][0] == told[-1][1] > 0
    assert all(a[0] <= b[0] for a, b in zip(told, told[1:], strict=False))
    told.clear()
    firbank.convolve(np.ones((4, 9), np.complex64), np.ones(3), mode="same", progress=progress)
    assert told[-1] == (36, 36)  # samples of the result, complex as they are
    with pytest.raises(ZeroDivisionError):
        firbank.convolve(np.ones(9), np.ones(99), method="fft", progress=lambda *_: 1 / 0)


def test_a_bar_where_there_is_tqdm(capsys):
    pytest.importorskip("tqdm", reason="draws the bar")
    firbank.convolve(np.ones(500_000), np.ones(3000), progress=True)
    shown = capsys.readouterr().err
    assert "firbank" in shown and "100%" in shown


def test_ctrl_c_ends_it_at_once():
    script = """
        import sys, time, numpy as np, firbank
        x = np.zeros((8, 20_000_000), np.float32)
        out = np.empty_like(x)
        print("begin", flush=True)
        begin = time.perf_counter()
        try:
            h = np.ones(20_000, np.float32)
            firbank.convolve(x, h, mode="causal", method="direct", out=out)
        except KeyboardInterrupt:
            print("interrupted", time.perf_counter() - begin, flush=True)
            x[:] = 1
            firbank.convolve(x[0, :1000], np.ones(3, np.float32))  # as good as ever
            sys.exit(7)
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "begin\n"
    time.sleep(0.5)
    sent = time.perf_counter()
    os.kill(process.pid, signal.SIGINT)
    assert process.stdout.readline().startswith("interrupted")
    assert time.perf_counter() - sent < 2
    assert process.wait(timeout=30) == 7


def peak_of(body: str) -> int:
    """Bytes by which the anonymous memory of a process grows at most while ``body`` runs."""
    script = f"""
        import threading, numpy as np, firbank
        def anonymous():
            with open("/proc/self/status") as status:
                for line in status:
                    if line.startswith("RssAnon"):
                        return int(line.split()[1]) * 1024
        rng = np.random.default_rng(1)
        firbank.convolve(np.ones(9), np.ones(99), method="fft")
        peak, done = 0, threading.Event()
        def watch():
            global peak
            while not done.is_set():
                peak = max(peak, anonymous())
                done.wait(0.002)
{textwrap.indent(textwrap.dedent(body), " " * 8)}
        done.set()
        watcher.join()
        print(peak - before)
    """
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, timeout=250
    )
    assert result.returncode == 0, result.stderr
    return int(result.stdout)


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="reads Linux's accounts")
@pytest.mark.parametrize(
    ("limit", "routing"), [("1 MiB", "rows"), ("4 MiB", "bank"), ("60 MiB", "bank")]
)
def test_keeps_to_a_limit_of_memory(limit, routing):
    grown = peak_of(f"""
        x = rng.standard_normal((40, 100_000), dtype=np.float32)
        h = rng.standard_normal((40, 900), dtype=np.float32)
        routing = {routing!r}
        out = np.empty((40, 100_000, 40) if routing == "bank" else x.shape, np.float32)
        out[...] = 0
        watcher = threading.Thread(target=watch)
        before = anonymous()
        watcher.start()
        firbank.convolve(x, h, mode="same", routing=routing, out=out, memory_limit={limit!r})
    """)
    # Stacks of threads, the watcher's among them, and what the allocator keeps by.
    assert grown <= {"1 MiB": 2**20, "4 MiB": 2**22, "60 MiB": 60 * 2**20}[limit] + 2**20


def test_a_limit_that_nothing_fits_is_refused_with_the_least_that_would_do():
    x = np.zeros((3, 100_000), np.float32)
    h = np.ones(5000, np.float32)
    with pytest.raises(ValueError, match=r"memory_limit is 100 bytes; .* at least \d+") as refusal:
        firbank.convolve(x, h, memory_limit=100)
    least = int(str(refusal.value).split()[-1])
    firbank.convolve(x, h, memory_limit=least)
    with pytest.raises(ValueError, match="memory_limit"):
        firbank.convolve(x, h, memory_limit=least - 1)


@pytest.mark.parametrize("kind", ["float32", "complex64"])
def test_batch_sizes_bound_what_is_computed_at_once(kind):
    x, h = np.zeros((100_000, 40), kind), np.ones((10, 200), np.float32)

    def sizes(x, h, routing="bank", **batches):
        plan = firbank.plan(x, h, axis=0, routing=routing, method="fft", **batches)
        return plan.batch_size_samples, plan.batch_size_channels, plan.batch_size_basis

    samples, _, kernels = sizes(x, h)
    assert samples > 700 and kernels > 3
    assert sizes(x, h, batch_size_samples=700)[0] == 700
    assert sizes(x, h, batch_size_basis=3)[2] == 3
    own = np.ones((200, 40), np.float32)
    assert sizes(x, own, "rows")[1] > 2
    assert sizes(x, own, "rows", batch_size_channels=2)[1] == 2


def test_a_limit_in_many_digits_bounds_nothing():
    np.testing.assert_array_equal(
        firbank.convolve([1.0, 2.0], [3.0], memory_limit="9" * 400), [3, 6]
    )


def test_a_plan_takes_all_arguments_of_convolve():
    def arguments(call):
        return {
            name: (one.kind, one.default)
            for name, one in inspect.signature(call).parameters.items()
        }

    assert arguments(firbank.plan) == arguments(firbank.convolve)
    told = []
    firbank.plan(np.ones(9), [1.0], progress=lambda *now: told.append(now), resume=False)
    assert not told


def test_a_plan_follows_its_options():
    x, h = np.zeros((8, 200_000)), np.ones(50)
    assert firbank.plan(x, h, method="direct").method == "direct"
    assert firbank.plan(x, h, method="fft").method == "fft"
    assert firbank.plan(x, h, threads=3).threads == 3
    assert firbank.plan(x, h, threads=1).threads == 1
    best = firbank.plan(x, h).device
    assert best.startswith("cpu-")
    assert firbank.plan(x, h, device="cpu-scalar").device == "cpu-scalar"
    assert best != "cpu-scalar"


def test_a_plan_tells_what_would_be_done():
    x = np.lib.stride_tricks.as_strided(np.zeros(1, np.float32), (1000, 10**9), (0, 0))
    plan = firbank.plan(x, np.ones((64, 500), np.float32), routing="bank", memory_limit="1 GiB")
    assert plan.method == "fft"
    assert plan.memory_bytes <= 2**30
    assert plan.result_shape == (1000, 10**9 + 499, 64)
    assert "transforms" in str(plan)


X = np.zeros((4, 100))


@pytest.mark.parametrize(
    ("error", "message", "call"),
    [
        (ValueError, "mode is 'ful'; allowed: 'full'", 
         lambda: firbank.convolve(X, [1], mode="ful")),
        (ValueError, "routing is 'row'", lambda: firbank.convolve(X, [1], routing="row")),
        (ValueError, "method is 'fast'", lambda: firbank.convolve(X, [1], method="fast")),
        (IndexError, "axis is 2; allowed for x of 2 dimensions: -2 to 1",
         lambda: firbank.convolve(X, [1], axis=2)),
        (TypeError, "axis is 1.5", lambda: firbank.convolve(X, [1], axis=1.5)),
        (ValueError, "x has no dimension", lambda: firbank.convolve(3.0, [1])),
        (TypeError, "x has dtype object", lambda: firbank.convolve([None], [1])),
        (TypeError, "x is a masked array",
         lambda: firbank.convolve(np.ma.array([1.0, 2.0], mask=[True, False]), [1])),
        (TypeError, "x has dtype object", lambda: firbank.convolve(None, [1])),
        (ValueError, "h has a tap of 1e",
         lambda: firbank.convolve(X, [1e300], precision="float32")),
        (ValueError, "batch_size_samples is 1000000",
         lambda: firbank.convolve(X, [1], batch_size_samples=10**30)),
        (TypeError, "out has dtype (float128|longdouble)",
         lambda: firbank.convolve(X, [1], out=np.zeros(X.shape, np.longdouble))),
        (TypeError, "x is of type list_iterator, of whose chunks nothing is known",
         lambda: firbank.plan(iter([X]), [1])),
        (TypeError, "h has dtype <U1", lambda: firbank.convolve(X, ["a"])),
        (ValueError, r"h has shape \(3, 2\); allowed with x of shape \(4, 100\) and routing "
         r"'rows': \(taps,\) or \(4, taps\)", lambda: firbank.convolve(X, np.ones((3, 2)))),
        (ValueError, r"h has shape \(0,\)", lambda: firbank.convolve(X, [])),
        (ValueError, "h has 101 taps and x 100 samples; allowed with mode 'valid'",
         lambda: firbank.convolve(X, np.ones(101), mode="valid")),
        (ValueError, r"h\[1\] is nan; allowed: finite", lambda: firbank.convolve(X, [1, np.nan])),
        (ValueError, r"h\[1\]\[0\] is inf",
         lambda: firbank.convolve(X, [[1, 2], [np.inf]], routing="bank")),
        (ValueError, "h has no kernels", lambda: firbank.convolve(X, [], routing="bank")),
        (ValueError, r"h\[1\] has shape \(0,\)",
         lambda: firbank.convolve(X, [[1.0], np.ones(0)], routing="bank")),
        (ValueError, r"h has shape \(4, 2, 2\); allowed with routing 'bank'",
         lambda: firbank.convolve(X, np.ones((4, 2, 2)), routing="bank")),
        (ValueError, r"h has shape \(5, 2\); .*'matrix'",
         lambda: firbank.convolve(X, np.ones((5, 2)), routing="matrix")),
        (ValueError, "memory_limit is '2 apples'",
         lambda: firbank.convolve(X, [1], memory_limit="2 apples", method="fft")),
        (ValueError, "memory_limit is -1", lambda: firbank.convolve(X, [1], memory_limit=-1)),
        (TypeError, "axis is 0.0; allowed: a whole number",
         lambda: firbank.convolve(np.ones(9), np.ones(3), axis=0.0)),
        (TypeError, r"axis is array\(\[0, 1\]\); allowed: a whole number",
         lambda: firbank.convolve(np.ones(9), np.ones(3), axis=np.array([0, 1]))),
        (ValueError, "device is 'abacus'; allowed: auto, cpu",
         lambda: firbank.convolve(X, [1], device="abacus")),
        (ValueError, "device is 'cuda:99'", lambda: firbank.convolve(X, [1], device="cuda:99")),
        (TypeError, "device is 3", lambda: firbank.convolve(X, [1], device=3)),
        (ValueError, "precision is 'half'", lambda: firbank.convolve(X, [1], precision="half")),
        (ValueError, "threads is 0; allowed: whole numbers from 1 to 64, or None",
         lambda: firbank.convolve(X, [1], threads=0)),
        (ValueError, "threads is 65; allowed: whole numbers from 1 to 64, or None",
         lambda: firbank.convolve(X, [1], threads=65)),
        (TypeError, "batch_size_samples is 'all'",
         lambda: firbank.convolve(X, [1], batch_size_samples="all")),
        (TypeError, "progress is 3", lambda: firbank.convolve(X, [1], progress=3)),
        (TypeError, "out is of <class 'list'>", lambda: firbank.convolve(X, [1], out=[1])),
        (ValueError, r"out has shape \(3,\); allowed: \(4, 100\)",
         lambda: firbank.convolve(X, [1], out=np.zeros(3))),
        (TypeError, "out has dtype int64; allowed: float64, that of the result",
         lambda: firbank.convolve(X, [1], out=np.zeros(X.shape, np.int64))),
        (ValueError, "out overlaps", lambda: firbank.convolve(X, [1], out=X)),
        (ValueError, "out is read-only",
         lambda: firbank.convolve(X, [1], out=np.frombuffer(bytes(3200)).reshape(4, 100))),
        (ValueError, "allowed with a bank of several sizes: a list of 2",
         lambda: firbank.convolve(X, [[1], [1, 2]], routing="bank", out=np.zeros(3))),
    ],
)  # fmt: skip
def test_refuses_by_name(error, message, call):
    with pytest.raises(error, match=message) as refusal:
        call()
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("order", "CF")
def test_a_tap_far_behind_that_is_not_finite_is_found(order):
    h = np.zeros((3, 1_500_000), np.float32, order=order)
    h[1, 1_400_000] = np.nan
    with pytest.raises(ValueError, match=r"h\[1, 1400000\] is nan"):
        firbank.convolve(np.zeros((3, 10)), h)


def test_overlapping_halves_of_one_array_are_refused_and_disjoint_ones_taken():
    both = np.ones((2, 100))
    firbank.convolve(both[0], [1.0], out=both[1])
    line = np.ones(150)
    with pytest.raises(ValueError, match="out overlaps"):
        firbank.convolve(line[:100], [1.0], out=line[50:])


@pytest.mark.parametrize("seen", [memoryview, "torch"])
def test_a_result_over_kernels_that_are_no_ndarray_is_refused(seen):
    if seen == "torch":
        seen = pytest.importorskip("torch", reason="gives kernels of PyTorch").from_numpy
    x, both = np.ones((4, 100)), np.ones((4, 119))
    kernels = both.reshape(-1)[:80].reshape(4, 20)
    with pytest.raises(ValueError, match="out overlaps an array that is read"):
        firbank.convolve(x, seen(kernels), out=both)
    both = np.ones((4, 119, 4))
    kernels = both.reshape(-1)[:80].reshape(4, 20)
    with pytest.raises(ValueError, match="out overlaps an array that is read"):
        firbank.convolve(x, seen(kernels), routing="bank", out=both, memory_limit="200kB")
    assert (both == 1).all()


as_strided = np.lib.stride_tricks.as_strided


@pytest.mark.parametrize(
    "out",
    [
        as_strided(np.zeros(400), (4, 100), (8, 8)),
        as_strided(np.zeros(400), (4, 100), (0, 8)),
        as_strided(np.zeros(400), (4, 100), (8, 16)),
        np.lib.stride_tricks.sliding_window_view(np.zeros(103), 100, writeable=True),
        np.lib.stride_tricks.sliding_window_view(np.zeros(103), 4, writeable=True).T[::-1, ::-1],
    ],
)
def test_an_out_that_lies_over_itself_is_refused(out):
    x = np.ones((4, 100))
    for call in (
        firbank.Stream([1.0], channels=4),
        lambda x, out: firbank.convolve(x, [1], out=out),
    ):
        with pytest.raises(ValueError, match="out has several elements in one place"):
            call(x, out=out)
    assert not out.any()


def test_an_out_of_nested_strides_is_taken():
    x = np.random.default_rng(9).standard_normal((4, 100))
    room = np.zeros((100, 2, 4, 3))
    for out in (room[::-1, 1, :, 2].T, as_strided(room, (1, 4, 100), (3, 8, 32))[0]):
        firbank.convolve(x, [2.0], out=out)
        np.testing.assert_allclose(out, 2 * x, rtol=1e-12)


@pytest.mark.parametrize("routing", ["rows", "bank", "matrix"])
def test_a_gpu_gives_the_same(routing):
    """Also on the fake device of the C++ tests, where FIRBANK_PLUGIN_DIR leads to it."""
    rng = np.random.default_rng(8)
    x = rng.standard_normal((3, 20_000), dtype=np.float32)
    shape = {"rows": (3, 500), "bank": (4, 500), "matrix": (2, 3, 500)}[routing]
    h = rng.standard_normal(shape, dtype=np.float32)
    try:
        plan = firbank.plan(x, h, routing=routing, device="cuda")
    except ValueError as error:
        pytest.skip(f"no GPU: {error}")
    assert plan.method == "fft"
    assert plan.device.startswith("cuda")
    result = firbank.convolve(x, h, routing=routing, device="cuda")
    assert_convolved(result, x, h, routing=routing)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_gpu_gives_the_same_bits_whatever_the_threads(order, dtype):
    rng = np.random.default_rng(11)
    x = np.asarray(rng.standard_normal((6, 30_000)), dtype, order=order)
    h = rng.standard_normal((6, 200))
    try:
        alone = firbank.convolve(x, h, mode="same", device="cuda", precision=dtype, threads=1)
    except ValueError as error:
        pytest.skip(f"no GPU: {error}")
    assert_convolved(alone, x, h, mode="same")
    for threads in (2, 4):
        plan = firbank.plan(x, h, mode="same", device="cuda", precision=dtype, threads=threads)
        assert plan.threads == threads
        shared = firbank.convolve(
            x, h, mode="same", device="cuda", precision=dtype, threads=threads
        )
        np.testing.assert_array_equal(shared, alone)


def test_a_gpu_keeps_within_a_limit_or_names_the_least():
    rng = np.random.default_rng(12)
    x = rng.standard_normal((4, 10_000), dtype=np.float32)
    h = rng.standard_normal((4, 300), dtype=np.float32)
    try:
        whole = firbank.plan(x, h, device="cuda")
    except ValueError as error:
        pytest.skip(f"no GPU: {error}")
    limit = whole.memory_bytes * 3 // 4
    assert firbank.plan(x, h, device="cuda", memory_limit=limit).memory_bytes <= limit
    assert_convolved(firbank.convolve(x, h, device="cuda", memory_limit=limit), x, h)
    with pytest.raises(ValueError, match="memory_limit is 9000 bytes; this needs at least"):
        firbank.convolve(x, h, device="cuda", memory_limit=9_000)


def test_arrays_of_torch_are_answered_by_torch():
    torch = pytest.importorskip("torch", reason="compares with PyTorch")
    x = torch.arange(6, dtype=torch.float32)
    y = firbank.convolve(x, torch.tensor([1.0, 1.0]), mode="causal")
    assert isinstance(y, torch.Tensor)
    assert y.tolist() == [0, 1, 3, 5, 7, 9]
    rows = x.reshape(3, 2)
    bank = torch.eye(2)
    y = firbank.convolve(rows, bank, axis=0, mode="valid", routing="bank", precision="float64")
    assert y.dtype == torch.float64
    assert y.tolist() == [[[2, 0], [3, 1]], [[4, 2], [5, 3]]]


def test_a_ragged_bank_is_answered_by_a_list_of_torch():
    torch = pytest.importorskip("torch", reason="compares with PyTorch")
    kernels = [[1.0, 2.0], [1.0]]
    for got in (
        firbank.convolve(torch.ones(3), kernels, routing="bank"),
        firbank.Bank(kernels).convolve(torch.ones(3)),
    ):
        assert all(isinstance(one, torch.Tensor) for one in got)
        assert [one.tolist() for one in got] == [[1, 3, 3, 2], [1, 1, 1]]


def test_a_tensor_without_memory_is_refused_by_name():
    torch = pytest.importorskip("torch", reason="gives arrays of PyTorch")
    with pytest.raises(TypeError, match="^x is a torch.Tensor that cannot be read: "):
        firbank.convolve(torch.empty(9, device="meta"), [1.0])


def test_what_is_given_as_out_is_returned_whatever_x_is(tmp_path):
    torch = pytest.importorskip("torch", reason="gives arrays of PyTorch")
    x = torch.ones(9)
    out = np.zeros(10, np.float32)
    assert firbank.convolve(x, np.float32([1, 1]), out=out) is out
    both = [np.zeros(10), np.zeros(9)]
    got = firbank.convolve(x, [[1.0, 1.0], [1.0]], routing="bank", out=both)
    assert got[0] is both[0] and got[1] is both[1]
    got = firbank.convolve(x, np.float32([1, 1]), out=tmp_path / "y.npy")
    assert isinstance(got, np.memmap)
    assert got.tolist() == out.tolist() == [1, *[2] * 8, 1]


def test_parts_of_the_package_are_there_when_they_are_asked_for():
    script = (
        "import sys, firbank; assert 'firbank.signal' not in sys.modules; firbank.signal.convolve"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
    assert "signal" in dir(firbank)
    with pytest.raises(AttributeError, match="'firbank' has no attribute 'nothing'"):
        firbank.nothing  # noqa: B018


@pytest.mark.full
@settings(max_examples=3000)
@given(cases(), batches)
def test_equals_direct_sums_many_times_over(case, how):
    x, h, axis, mode, routing = case
    result = firbank.convolve(x, h, axis, mode, routing, **how)
    assert_convolved(result, x, h, axis, mode, routing, how.get("method") == "fft")


def test_examples_of_the_arguments_run():
    failed, attempted = doctest.testmod(firbank._arguments)
    assert attempted > 0 and failed == 0


def own_dtype_only(call, dtype, others):
    """`call` writes its result, of `dtype`, to an array of that alone."""
    want = call(None)
    assert want.dtype == dtype
    for other in others:
        out = np.zeros(want.shape, other)
        with pytest.raises(TypeError, match=f"^out has dtype {np.dtype(other)}; allowed: {dtype}"):
            call(out)
        assert not out.any()
    out = np.zeros(want.shape, dtype)
    assert call(out) is out
    np.testing.assert_array_equal(out, want)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "complex64", "complex128"])
def test_nothing_is_rounded_to_fit_out(dtype, tmp_path):
    x, h = np.arange(60.0).reshape(2, 30).astype(dtype), np.ones((2, 3), dtype)
    others = [other for other in ("e", "f", "d", "F", "D", "l") if np.dtype(other) != dtype]
    np.save(tmp_path / "x.npy", x)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    bank = {"axis": 1, "mode": "full", "routing": "bank"}
    own_dtype_only(lambda out: firbank.convolve(x, h, out=out), dtype, others)
    own_dtype_only(lambda out: firbank.convolve(mapped, h, out=out), dtype, others)
    own_dtype_only(lambda out: firbank.convolve(x, h, out=out, **bank), dtype, others)
    if x.dtype.kind == "c":
        return
    kept = firbank.Bank(h)
    own_dtype_only(
        lambda out: kept.convolve(x, out=out), np.result_type(x, kept.dtype).name, ["l", "e"]
    )
    own_dtype_only(lambda out: firbank.Stream(h)(x, out=out), kept.dtype.name, ["l", "e"])
    predictor = firbank.nemos.create_convolutional_predictor
    own_dtype_only(
        lambda out: predictor(h, x[0], out=out),
        "float64" if dtype == "float64" else "float32",
        ["l", "e"],
    )


def test_precision_makes_a_narrower_result():
    x, out = np.arange(9.0), np.zeros(9, np.float32)
    firbank.convolve(x, [1.0, 1.0], mode="same", precision="float32", out=out)
    np.testing.assert_array_equal(out, np.convolve(x, [1.0, 1.0], "same"))
