"""firbank.signal against SciPy: shapes and types exactly, values to the precision of the type."""

from __future__ import annotations

import doctest
import importlib
import itertools
import subprocess
import sys
import tracemalloc
import warnings

import numpy as np
import pytest
from direct_sums import assert_follows, squared
from firbank import signal
from hypothesis import given, settings
from hypothesis import strategies as st

scipy_signal = pytest.importorskip("scipy.signal", reason="SciPy is what we compare with")

FUNCTIONS = ("convolve", "correlate", "fftconvolve", "oaconvolve")
MODES = ("full", "same", "valid")
INTEGERS = "bBhHiIlL"
# NumPy's characters; long double has a test of its own, since the answer is a double by design.
DTYPES = [*"?", *INTEGERS, *"efdFD", ">f4", ">c16", ">i2"]
each_function = pytest.mark.parametrize("name", FUNCTIONS)
each_mode = pytest.mark.parametrize("mode", MODES, ids=[f"mode_{mode}" for mode in MODES])

pytestmark = pytest.mark.filterwarnings("error")


def random_array(rng: np.random.Generator, shape: tuple[int, ...], dtype: str) -> np.ndarray:
    kind = np.dtype(dtype).kind
    if kind in "bu":
        return rng.integers(0, 2 if kind == "b" else 10, shape).astype(dtype)
    if kind == "i":
        return rng.integers(-9, 10, shape).astype(dtype)
    values = rng.standard_normal(shape)
    if kind == "c":
        values = values + 1j * rng.standard_normal(shape)
    return values.astype(dtype)


def wide(array: np.ndarray) -> np.ndarray:
    return array.astype(np.clongdouble if array.dtype.kind == "c" else np.longdouble)


def assert_as_scipy(
    name: str, x: np.ndarray, h: np.ndarray, mode: str, *arguments, **keywords
) -> None:
    """Take shape and type from SciPy, and values from SciPy in long double, or exact ones."""
    ours, theirs = getattr(signal, name), getattr(scipy_signal, name)
    try:
        with warnings.catch_warnings():
            # SciPy's direct sums of matrices convert memory that is not initialised.
            warnings.simplefilter("ignore", RuntimeWarning)
            wanted = theirs(x, h, mode, *arguments, **keywords)
    except ValueError:
        with pytest.raises(ValueError):
            ours(x, h, mode, *arguments, **keywords)
        return
    got = ours(x, h, mode, *arguments, **keywords)
    assert isinstance(got, np.ndarray)
    assert got.dtype == wanted.dtype
    assert got.dtype.isnative
    if wanted.dtype.kind in "biu":
        np.testing.assert_array_equal(got, wanted)
    else:
        exact = theirs(wide(x), wide(h), mode, *arguments, **keywords)
        power = theirs(squared(x), squared(h), mode, *arguments, **keywords)
        assert_follows(got, exact, None, np.sqrt(power.sum()))


class TestConvolve:
    @each_mode
    @each_function
    def test_all_pairs_of_types(self, name, mode):
        rng = np.random.default_rng(1)
        for dtype_x, dtype_h in itertools.product(DTYPES, DTYPES):
            x, h = random_array(rng, (12,), dtype_x), random_array(rng, (5,), dtype_h)
            assert_as_scipy(name, x, h, mode)

    @each_mode
    @each_function
    def test_all_pairs_of_small_sizes(self, name, mode):
        rng = np.random.default_rng(2)
        for samples, taps in itertools.product(range(1, 10), range(1, 10)):
            x, h = random_array(rng, (samples,), "d"), random_array(rng, (taps,), "D")
            assert_as_scipy(name, x, h, mode)

    @each_mode
    @each_function
    def test_all_pairs_of_small_matrices(self, name, mode):
        rng = np.random.default_rng(3)
        sizes = [1, 2, 3, 6]
        for shape in itertools.product(sizes, sizes, sizes, sizes):
            x, h = random_array(rng, shape[:2], "f"), random_array(rng, shape[2:], "d")
            assert_as_scipy(name, x, h, mode)

    @settings(max_examples=300)
    @given(data=st.data())
    def test_any_shapes_and_types(self, data):
        dimensions = data.draw(st.integers(1, 4), "dimensions")
        sizes = st.tuples(*[st.integers(1, 6)] * dimensions)
        dtypes = st.sampled_from(DTYPES[1:])  # SciPy lacks direct sums of booleans but in 1-D.
        rng = np.random.default_rng(data.draw(st.integers(0, 2**32), "seed"))
        x = random_array(rng, data.draw(sizes, "in1"), data.draw(dtypes, "dtype of in1"))
        h = random_array(rng, data.draw(sizes, "in2"), data.draw(dtypes, "dtype of in2"))
        name = data.draw(st.sampled_from(["convolve", "correlate"]), "function")
        method = "auto" if "f" in (x.dtype.kind, h.dtype.kind) else "direct"
        if np.result_type(x, h) == np.float16:
            method = "fft"  # SciPy has direct sums of float16 for one dimension only.
        assert_as_scipy(name, x, h, data.draw(st.sampled_from(MODES), "mode"), method)

    @settings(max_examples=300)
    @given(data=st.data())
    def test_any_axes_and_broadcasting(self, data):
        dimensions = data.draw(st.integers(1, 4), "dimensions")
        axes = data.draw(st.none() | st.sets(st.integers(0, dimensions - 1), min_size=1), "axes")
        shape_x, shape_h = [], []
        for dimension in range(dimensions):
            samples = data.draw(st.integers(1, 6))
            convolved = axes is None or dimension in axes
            taps = data.draw(st.integers(1, 6) if convolved else st.sampled_from([1, samples]))
            if not convolved and data.draw(st.booleans()):
                samples, taps = taps, samples
            shape_x.append(samples)
            shape_h.append(taps)
        if axes is not None:
            axes = [axis - dimensions * data.draw(st.booleans()) for axis in axes]
            axes = data.draw(st.permutations(axes))
        rng = np.random.default_rng(data.draw(st.integers(0, 2**32), "seed"))
        x = random_array(rng, tuple(shape_x), data.draw(st.sampled_from(DTYPES), "dtype of in1"))
        h = random_array(rng, tuple(shape_h), data.draw(st.sampled_from(DTYPES), "dtype of in2"))
        name = data.draw(st.sampled_from(["fftconvolve", "oaconvolve"]), "function")
        assert_as_scipy(name, x, h, data.draw(st.sampled_from(MODES), "mode"), axes)

    @each_mode
    def test_a_long_axis_with_few_taps_is_laid_out_first(self, mode):
        rng = np.random.default_rng(4)
        x, h = rng.standard_normal((3, 40, 2, 50)), rng.standard_normal((3, 30, 1, 2))
        assert_as_scipy("fftconvolve", x, h, mode, (1, 3))
        assert_as_scipy("convolve", x, h, mode)

    @each_mode
    def test_valid_and_same_of_longer_kernels(self, mode):
        rng = np.random.default_rng(5)
        for shape_x, shape_h in [((3, 50), (20, 7)), ((2, 2), (9, 10)), ((5, 3), (5, 31))]:
            x, h = rng.standard_normal(shape_x), rng.standard_normal(shape_h)
            assert_as_scipy("convolve", x, h, mode)
            assert_as_scipy("correlate", x, h, mode)

    @each_mode
    def test_strides_of_any_kind(self, mode):
        rng = np.random.default_rng(6)
        base = rng.standard_normal((30, 20))
        views = [base[::-1, ::2], base[3:20, 5:1:-1], base.T[2:9], np.asfortranarray(base)]
        views.append(np.broadcast_to(base[0], (9, 20)))
        h = rng.standard_normal((8, 9))[::-2, ::-3]
        for x in views:
            before = x.copy()
            assert_as_scipy("convolve", x, h, mode)
            assert_as_scipy("fftconvolve", x, h, mode, axes=[1, 0])
            np.testing.assert_array_equal(x, before)

    def test_lists_and_scalars(self):
        y = signal.convolve([1, 2, 3], [0, 1, 0.5])
        np.testing.assert_array_equal(y, [0.0, 1.0, 2.5, 4.0, 1.5])
        for name in FUNCTIONS:
            for x, h in [(3, 4), (3.5, np.float32(2)), (1 + 2j, 3 - 1j), (True, True), (3, 1j)]:
                got, wanted = getattr(signal, name)(x, h), getattr(scipy_signal, name)(x, h)
                assert got == wanted
                assert np.asarray(got).dtype == np.asarray(wanted).dtype
                assert np.ndim(got) == 0

    def test_results_are_contiguous_and_can_be_written(self):
        x, h = np.ones((4, 5)), np.ones((2, 3))
        for mode in MODES:
            y = signal.convolve(x, h, mode)
            assert y.flags.c_contiguous
            y[...] = 0.0
        np.testing.assert_array_equal(x, 1.0)

    def test_valid_does_not_copy_the_input(self, monkeypatch):
        # With a stand-in for the engine that allocates nothing, what is left is our own memory.
        axes = importlib.import_module("firbank.signal._axes")

        def convolve(x, h, axis, mode):
            _, count = axes.frames_of_mode(mode, x.shape[axis], h.shape[-1])
            return np.broadcast_to(np.float64(0.0), (count,))

        monkeypatch.setattr(axes, "convolve", convolve)
        x, h = np.ones((600, 700)), np.ones((5, 7))
        signal.convolve(x, h, "valid")
        tracemalloc.start()
        signal.convolve(x, h, "valid")
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 1.2 * x.nbytes  # The result itself, and the flat kernel.


class TestIntegers:
    @staticmethod
    def exact(x: np.ndarray, h: np.ndarray, dtype: np.dtype) -> np.ndarray:
        full = np.zeros([n + m - 1 for n, m in zip(x.shape, h.shape, strict=True)], object)
        for at in np.ndindex(*h.shape):
            part = tuple(slice(a, a + n) for a, n in zip(at, x.shape, strict=True))
            full[part] += x.astype(object) * int(h[at])
        bits = 8 * dtype.itemsize
        wrapped = [int(value) % 2**bits for value in full.ravel()]
        return np.array(wrapped, f"u{dtype.itemsize}").astype(dtype).reshape(full.shape)

    @settings(max_examples=300)
    @given(data=st.data())
    def test_any_values_are_exact_and_wrap_round(self, data):
        dimensions = data.draw(st.integers(1, 3))
        arrays = []
        for name in ("in1", "in2"):
            dtype = data.draw(st.sampled_from(INTEGERS), f"dtype of {name}")
            shape = data.draw(st.tuples(*[st.integers(1, 5)] * dimensions), f"shape of {name}")
            limits = np.iinfo(dtype)
            bits = data.draw(st.integers(1, limits.bits), f"bits of {name}")
            rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
            low, high = max(limits.min, -(2**bits)), min(limits.max, 2**bits)
            arrays.append(rng.integers(low, high, shape, dtype, endpoint=True))
        x, h = arrays
        result = np.result_type(x, h)
        y = signal.convolve(x, h)
        assert y.dtype == result
        if result.kind == "f":  # Of uint64 and a signed type; NumPy has no larger integer.
            exact = scipy_signal.convolve(wide(x), wide(h), method="direct")
            power = scipy_signal.convolve(squared(x), squared(h), method="direct")
            assert_follows(y, exact, None, np.sqrt(power.sum()))
        else:
            np.testing.assert_array_equal(y, self.exact(x, h, result))

    def test_the_limits_of_each_type(self):
        for dtype in INTEGERS:
            limits = np.iinfo(dtype)
            x = np.array([limits.min, limits.max, limits.min, 1], dtype)
            np.testing.assert_array_equal(
                signal.convolve(x, x), self.exact(x, x, np.dtype(dtype)), str(limits)
            )

    def test_sums_about_what_a_double_holds(self):
        rng = np.random.default_rng(7)
        for bits in (36, 40, 44, 52, 60):
            x = rng.integers(-(2**bits), 2**bits, (7, 9))
            h = np.array([[1, -2, 3], [0, 1, -1]])
            np.testing.assert_array_equal(signal.convolve(x, h), self.exact(x, h, x.dtype))

    def test_booleans(self):
        rng = np.random.default_rng(8)
        for shape_x, shape_h in [((50,), (5,)), ((3, 9), (2, 4)), ((4, 1), (1, 3))]:
            x, h = rng.random(shape_x) < 0.2, rng.random(shape_h) < 0.4
            counts = self.exact(x, h, np.dtype(np.int64))
            y = signal.convolve(x, h)
            assert y.dtype == np.bool_
            np.testing.assert_array_equal(y, counts > 0)


class TestPrecision:
    def test_float16_is_rounded_once(self):
        rng = np.random.default_rng(9)
        x, h = rng.random(3000).astype("e"), rng.random(200).astype("e")
        exact = np.convolve(wide(x), wide(h))
        y = signal.convolve(x, h)
        assert y.dtype == np.float16
        ours = np.abs(wide(y) - exact).max()
        theirs = np.abs(wide(scipy_signal.convolve(x, h, method="direct")) - exact).max()
        assert ours <= 1.001 * np.spacing(np.float16(exact.max())) / 2
        assert ours <= 1.001 * theirs

    @each_function
    def test_long_double_becomes_double_in_name_as_well(self, name):
        long, double = np.arange(5.0).astype("g"), np.array([1.0, 2.0])
        for x, h, dtype in [
            (long, double, "d"),
            (double, long, "d"),
            (long + 1j, double.astype("f"), "D"),
            (long, 1j * double, "D"),
        ]:
            y = getattr(signal, name)(x, h)
            assert y.dtype == np.dtype(dtype)
            assert_follows(y, getattr(scipy_signal, name)(wide(x), wide(h)))
        assert signal.lfilter(double, 1.0, long).dtype == np.float64


class TestNotFinite:
    @staticmethod
    def spoiled(x: np.ndarray, h: np.ndarray) -> np.ndarray:
        """Which frames of the full convolution have a product with what is not finite."""
        full = np.zeros([n + m - 1 for n, m in zip(x.shape, h.shape, strict=True)], bool)
        bad_x = ~np.isfinite(x)
        for at in np.ndindex(*h.shape):
            part = tuple(slice(a, a + n) for a, n in zip(at, x.shape, strict=True))
            full[part] |= bad_x | ~np.isfinite(h[at])
        return full

    @settings(max_examples=300)
    @given(data=st.data())
    def test_exactly_what_it_touches_becomes_nan(self, data):
        dimensions = data.draw(st.integers(1, 3))
        rng = np.random.default_rng(data.draw(st.integers(0, 2**32), "seed"))
        arrays = []
        for name in ("in1", "in2"):
            shape = data.draw(st.tuples(*[st.integers(1, 7)] * dimensions), f"shape of {name}")
            array = random_array(rng, shape, data.draw(st.sampled_from("fdFD")))
            for _ in range(data.draw(st.integers(0, 2), f"bad values of {name}")):
                bad = data.draw(st.sampled_from([np.nan, np.inf, -np.inf]))
                array.flat[data.draw(st.integers(0, array.size - 1))] = bad
            arrays.append(array)
        x, h = arrays
        mode = data.draw(st.sampled_from(["full", "same"]), "mode")
        frames = tuple(
            slice((m - 1) // 2, (m - 1) // 2 + n) if mode == "same" else slice(None)
            for n, m in zip(x.shape, h.shape, strict=True)
        )
        y = signal.convolve(x, h, mode)
        spoiled = self.spoiled(x, h)[frames]
        np.testing.assert_array_equal(np.isnan(y), spoiled)
        clean = [np.where(np.isfinite(array), array, 0) for array in (x, h)]
        exact, power = (
            np.where(spoiled, 0, scipy_signal.convolve(*map(each, clean), method="direct")[frames])
            for each in (wide, squared)
        )
        assert_follows(np.where(spoiled, 0, y), exact, None, np.sqrt(power.sum()))

    @pytest.mark.parametrize("shape", [(40,), (8, 9), (3, 4, 5)])
    def test_valid_mode(self, shape):
        x, h = np.ones(shape), np.ones([2] * len(shape))
        x.flat[x.size // 2] = np.inf
        inner = tuple(slice(1, n) for n in shape)
        for first, second in [(x, h), (h, x)]:
            np.testing.assert_array_equal(
                np.isnan(signal.convolve(first, second, "valid")), self.spoiled(x, h)[inner]
            )

    def test_other_rows_stay_as_they_are(self):
        x, h = np.ones((3, 20)), np.ones((3, 4))
        x[0, 5] = np.nan
        h[2, 1] = np.inf
        spoiled = np.isnan(signal.fftconvolve(x, h, axes=1))
        wanted = np.zeros((3, 23), bool)
        wanted[0, 5:9] = True
        wanted[2, 1:21] = True
        np.testing.assert_array_equal(spoiled, wanted)

    def test_direct_sums_of_scipy_have_nan_in_the_same_frames(self):
        x, h = np.arange(30.0), np.arange(1.0, 6.0)
        x[[4, 20]] = np.nan
        for mode in MODES:
            for name in ("convolve", "correlate"):
                got = getattr(signal, name)(x, h, mode)
                wanted = getattr(scipy_signal, name)(x, h, mode, method="direct")
                np.testing.assert_allclose(got, wanted, atol=1e-9)


class TestErrors:
    @each_function
    def test_of_all_convolutions(self, name):
        function = getattr(signal, name)
        with pytest.raises(ValueError, match=r"^mode is 'most'; allowed: 'full', 'same', 'valid'$"):
            function([1.0], [1.0], "most")
        with pytest.raises(ValueError, match=r"^in2 has 1 dimensions; allowed: 2, as many as in1$"):
            function(np.ones((2, 2)), [1.0])
        with pytest.raises(ValueError, match="as many as in1"):
            function(3.0, [1.0])
        with pytest.raises(ValueError, match=r"shape \(2, 3\) and in2 \(3, 2\); mode 'valid'"):
            function(np.ones((2, 3)), np.ones((3, 2))[::1], "valid")
        for bad in (np.array([None, 1.0]), np.array(["a"]), np.array(["2020"], "M8[D]")):
            with pytest.raises(TypeError, match=r"^in1 has dtype .*; allowed: "):
                function(bad, [1.0])
            with pytest.raises(TypeError, match=r"^in2 has dtype .*; allowed: "):
                function([1.0], bad)

    @pytest.mark.parametrize("function", [signal.convolve, signal.correlate])
    def test_of_empty_arrays_and_methods(self, function):
        for x, h in itertools.product([[], [1.0]], [[], [1.0]]):
            if not x or not h:
                with pytest.raises(ValueError, match=r"^in[12] has shape \(0,\); allowed: "):
                    function(x, h)
                with pytest.raises(ValueError, match=r"^in[12] has shape \(0,\); allowed: "):
                    function(x, h, "valid")
        with pytest.raises(ValueError, match=r"^in2 has shape \(0, 3\)"):
            function(np.ones((2, 3)), np.ones((0, 3)))
        with pytest.raises(ValueError, match=r"^method is 'slow'; allowed: 'auto', 'direct'"):
            function([1.0], [1.0], method="slow")
        for method in ("auto", "direct", "fft"):
            assert function([1.0, 2.0], [2.0], method=method).tolist() == [2.0, 4.0]

    @pytest.mark.parametrize("name", ["convolve", "correlate"])
    @pytest.mark.parametrize("dtype", ["d", "f", "l", "B", "D"])
    def test_an_empty_array_in_mode_same(self, name, dtype):
        ours, theirs = getattr(signal, name), getattr(scipy_signal, name)
        sizes = [0, 1, 3]
        shapes = [
            *(((n,), (m,)) for n, m in itertools.product(sizes, sizes)),
            *((s[:2], s[2:]) for s in itertools.product(sizes, sizes, sizes, sizes)),
            ((2, 0, 3), (2, 2, 2)),
        ]
        compared = 0
        for x, h in [(np.ones(a, dtype), np.ones(b, dtype)) for a, b in shapes]:
            if h.size == 0:
                with pytest.raises(ValueError, match=r"^in[12] has shape .*; allowed: "):
                    ours(x, h, "same")
            elif x.size == 0:
                got, wanted = ours(x, h, "same"), theirs(x, h, "same", "direct")
                assert (got.shape, got.dtype) == (wanted.shape, wanted.dtype)
                compared += 1
        assert compared == 23

    @pytest.mark.parametrize("name", ["fftconvolve", "oaconvolve"])
    def test_of_empty_arrays_and_axes(self, name):
        ours, theirs = getattr(signal, name), getattr(scipy_signal, name)
        for x, h in [([], [1.0]), ([1.0], []), (np.ones((0, 3)), np.ones((2, 2)))]:
            got, wanted = ours(x, h), theirs(x, h)
            assert (got.shape, got.dtype) == (wanted.shape, wanted.dtype)
        x, h = np.ones((2, 3)), np.ones((2, 2))
        for axes, message in [
            ((), "axes is empty"),
            ([1, 1], "each axis once"),
            ([1, -1], "each axis once"),
            (2, "axes holds 2; allowed: -2 to 1"),
            ([0, -3], "axes holds -3"),
            (1.5, "axes is 1.5"),
            ([0.0], r"axes is \[0.0\]"),
            ("a", "axes is 'a'"),
            (0, "in dimension 1, which is not convolved"),
        ]:
            with pytest.raises(ValueError):
                theirs(x, h, axes=axes)
            with pytest.raises(ValueError, match=message):
                ours(x, h, axes=axes)
        assert ours(x, h, axes=np.array([1])).shape == (2, 4)


class TestLfilter:
    @pytest.mark.parametrize("with_state", [False, True])
    def test_all_types(self, with_state):
        rng = np.random.default_rng(10)
        for types in itertools.product("?bldfFD", "lfdD", [*"?Hlefd", ">f4", "D"], "fD"):
            b, x = random_array(rng, (4,), types[0]), random_array(rng, (2, 9), types[2])
            a = np.array([2], types[1])
            zi = random_array(rng, (2, 3), types[3]) if with_state else None
            try:
                wanted = scipy_signal.lfilter(b, a, x, zi=zi)
            except NotImplementedError:  # Integers and float16 alone.
                continue
            got = signal.lfilter(b, a, x, zi=zi)
            exact, power = (
                scipy_signal.lfilter(each(b), each(a), each(x), zi=None if zi is None else each(zi))
                for each in (wide, squared)
            )
            results = [each if with_state else (each,) for each in (got, wanted, exact, power)]
            for part, its_wanted, its_exact, its_power in zip(*results, strict=True):
                assert part.dtype == its_wanted.dtype
                assert_follows(part, its_exact, -1, np.sqrt(its_power.sum(-1)))

    @settings(max_examples=300)
    @given(data=st.data())
    def test_any_shape_axis_and_state(self, data):
        shape = data.draw(st.lists(st.integers(1, 6), min_size=1, max_size=3), "shape of x")
        axis = data.draw(st.integers(-len(shape), len(shape) - 1), "axis")
        rng = np.random.default_rng(data.draw(st.integers(0, 2**32), "seed"))
        b = rng.standard_normal(data.draw(st.integers(1, 9), "taps"))
        a = np.zeros(data.draw(st.integers(1, 12), "length of a"))
        a[0] = data.draw(st.sampled_from([1.0, -2.0, 0.5]))
        x = rng.standard_normal(shape)
        state_shape = [size if data.draw(st.booleans()) else 1 for size in shape]
        state_shape[axis] = max(a.size, b.size) - 1
        zi = rng.standard_normal(state_shape)
        exact_ones, powers = (
            [
                scipy_signal.lfilter(each(b), each(a), each(x), axis),
                *scipy_signal.lfilter(each(b), each(a), each(x), axis, each(zi)),
            ]
            for each in (wide, squared)
        )
        results = signal.lfilter(b, a, x, axis), *signal.lfilter(b, a, x, axis, zi)
        for got, exact, power in zip(results, exact_ones, powers, strict=True):
            assert_follows(got, exact, axis, np.sqrt(power.sum(axis)))

    @settings(max_examples=150)
    @given(data=st.data())
    def test_chunks_equal_one_go(self, data):
        rng = np.random.default_rng(data.draw(st.integers(0, 2**32), "seed"))
        b = rng.standard_normal(data.draw(st.integers(1, 20), "taps"))
        x = rng.standard_normal((3, 40))
        cuts = sorted(data.draw(st.lists(st.integers(0, 40), max_size=6), "cuts"))
        state = first = rng.standard_normal((3, b.size - 1))
        parts = []
        for chunk in np.split(x, cuts, axis=1):  # Some of them empty.
            y, state = signal.lfilter(b, 1.0, chunk, zi=state)
            parts.append(y)
        whole, last = signal.lfilter(b, 1.0, x, zi=first)
        assert_follows(np.concatenate(parts, axis=1), whole, None)
        assert_follows(state, last, None)

    def test_integers_and_float16_alone(self):
        y = signal.lfilter([1, 2], 2, [1, 2, 3])
        assert y.dtype == np.float64
        np.testing.assert_array_equal(y, [0.5, 2.0, 3.5])
        half = np.array([1.0, 2.0, 3.0], "e")
        y, state = signal.lfilter(half, half[:1], half, zi=half[:2])
        assert (y.dtype, state.dtype) == (np.float16, np.float16)
        assert (y.tolist(), state.tolist()) == ([2.0, 6.0, 10.0], [12.0, 9.0])

    def test_empty_input_keeps_the_state(self):
        y, state = signal.lfilter([1.0, 2.0], 1.0, [], zi=[7.0])
        assert (y.shape, state.tolist()) == ((0,), [7.0])
        assert signal.lfilter([1.0, 2.0], 1.0, np.ones((0, 4))).shape == (0, 4)
        y, state = signal.lfilter([1.0, 2.0], 1.0, np.ones((0, 4)), zi=np.ones((1, 1)))
        assert (y.shape, state.shape) == ((0, 4), (0, 1))

    def test_the_state_does_not_hold_the_output(self):
        _, state = signal.lfilter(np.ones(3), 1.0, np.ones(1000), zi=np.zeros(2))
        assert state.base is None

    def test_arguments_are_left_as_they_were(self):
        b, x, zi = np.ones(3), np.ones(10), np.ones(2)
        signal.lfilter(b, 2.0, x, zi=zi)
        for array in (b, x, zi):
            np.testing.assert_array_equal(array, 1.0)

    def test_nan_stays_in_its_window(self):
        x = np.ones((2, 20))
        x[1, 7] = np.nan
        spoiled = np.isnan(signal.lfilter(np.ones(4), 1.0, x))
        assert np.argwhere(spoiled).tolist() == [[1, 7], [1, 8], [1, 9], [1, 10]]
        y = signal.lfilter([1.0, np.nan, 1.0], 1.0, np.ones(5))
        np.testing.assert_array_equal(np.isnan(y), [False, True, True, True, True])

    def test_errors(self):
        b, x = np.ones(3), np.ones((4, 5))
        for arguments, message in [
            ((b, [1.0, 0.0, 0.5], x), r"^a\[2\] is 0.5, feedback; allowed: 0, for FIR filters"),
            ((b, 0.0, x), r"^a\[0\] is 0; allowed: "),
            ((b, [0.0, 1.0], x), r"^a\[0\] is 0; allowed: "),
            (([], 1.0, x), r"^b has shape \(0,\); allowed: "),
            (([[1.0]], 1.0, x), r"^b has shape \(1, 1\); allowed: "),
            ((b, [], x), r"^a has shape \(0,\); allowed: "),
            ((b, 1.0, 3.0), r"^x has no dimension; allowed: "),
            ((b, 1.0, x, 2), r"^axis is 2; allowed for x of 2 dimensions: -2 to 1"),
            ((b, 1.0, x, -1, np.ones(2)), r"^zi has shape \(2,\); allowed: \(4, 2\), or 1 but"),
            ((b, 1.0, x, -1, np.ones((4, 1))), r"^zi has shape \(4, 1\)"),
            ((b, 1.0, x, -1, np.ones((2, 2))), r"^zi has shape \(2, 2\)"),
            ((b, 1.0, x, 0, np.ones((4, 5))), r"^zi has shape \(4, 5\); allowed: \(2, 5\)"),
        ]:
            with pytest.raises(ValueError, match=message):
                signal.lfilter(*arguments)
        for position, name in enumerate(["b", "a", "x"]):
            arguments = [b, 1.0, x]
            arguments[position] = np.array([object()])
            with pytest.raises(TypeError, match=rf"^{name} has dtype object; allowed: "):
                signal.lfilter(*arguments)
        with pytest.raises(TypeError, match=r"^axis is 1.5; allowed: a whole number$"):
            signal.lfilter(b, 1.0, x, 1.5)
        for axis in (2, -3):
            for function in (signal.lfilter, scipy_signal.lfilter):
                with pytest.raises(np.exceptions.AxisError):
                    function(b, 1.0, x, axis)


class TestLfilterZi:
    def test_against_scipy(self):
        rng = np.random.default_rng(11)
        for taps, length, dtype in itertools.product(range(1, 8), range(1, 10), "lfdFD"):
            if max(taps, length) == 1:
                continue  # SciPy has no empty state.
            b, a = random_array(rng, (taps,), dtype), np.zeros(length, dtype)
            a[0] = 2
            got, wanted = signal.lfilter_zi(b, a), scipy_signal.lfilter_zi(b, a)
            assert got.dtype == wanted.dtype
            double = np.result_type(b, "d")
            exact = scipy_signal.lfilter_zi(b.astype(double), a.astype(double))
            assert_follows(got, exact, -1, np.abs(b).sum())

    def test_it_is_the_state_of_a_steady_input(self):
        rng = np.random.default_rng(12)
        b = rng.standard_normal(31)
        y, state = signal.lfilter(b, 1.0, np.ones(50), zi=signal.lfilter_zi(b, 1.0))
        assert_follows(y, np.full(50, b.sum()))
        assert_follows(state, signal.lfilter_zi(b, 1.0))

    def test_one_tap_and_errors(self):
        assert signal.lfilter_zi([2.0], 1.0).shape == (0,)
        with pytest.raises(ValueError, match="feedback"):
            signal.lfilter_zi([1.0, 2.0], [1.0, 0.5])
        with pytest.raises(ValueError, match=r"^a\[0\] is 0"):
            signal.lfilter_zi([1.0, 2.0], 0.0)


class TestModule:
    def test_the_examples_in_the_documentation(self):
        for name in ("", "._convolve", "._lfilter"):
            result = doctest.testmod(importlib.import_module(f"firbank.signal{name}"))
            assert result.attempted > 0
            assert result.failed == 0

    def test_scipy_is_not_needed(self):
        program = (
            "import sys; sys.modules['scipy'] = None; from firbank import signal; "
            "print(signal.convolve([1.0, 2.0], [1.0, 1.0]).tolist())"
        )
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
        )
        assert done.stdout == "[1.0, 3.0, 2.0]\n"


@pytest.mark.full
class TestLarge:
    @settings(max_examples=500)
    @given(data=st.data())
    def test_large_arrays(self, data):
        dimensions = data.draw(st.integers(1, 3))
        largest = {1: 3000, 2: 60, 3: 18}[dimensions]
        # Sizes are drawn evenly, for Hypothesis prefers small ones.
        rng = np.random.default_rng(data.draw(st.integers(0, 2**32), "seed"))
        shapes = rng.integers(1, largest, (2, dimensions), endpoint=True).tolist()
        x = random_array(rng, tuple(shapes[0]), data.draw(st.sampled_from("lfdFD")))
        h = random_array(rng, tuple(shapes[1]), data.draw(st.sampled_from("lfdFD")))
        name = data.draw(st.sampled_from(FUNCTIONS))
        assert_as_scipy(name, x, h, data.draw(st.sampled_from(MODES), "mode"))

    @pytest.mark.parametrize("taps", [30, 3000])
    def test_long_integers(self, taps):
        rng = np.random.default_rng(13)
        for dtype in INTEGERS:
            limits = np.iinfo(dtype)
            x, h = (
                rng.integers(limits.min, limits.max, size, dtype, endpoint=True)
                for size in (20000, taps)
            )
            for mode in MODES:  # NumPy sums integers one by one, and wraps round.
                np.testing.assert_array_equal(signal.convolve(x, h, mode), np.convolve(x, h, mode))


def test_masked_arrays_are_refused():
    masked = np.ma.array(np.ones(5), mask=[0, 1, 0, 0, 0])
    for name, call in (
        ("in1", lambda: signal.convolve(masked, [1.0])),
        ("in2", lambda: signal.correlate([1.0], masked)),
        ("in1", lambda: signal.oaconvolve(masked, [1.0])),
        ("b", lambda: signal.lfilter(masked, 1.0, [1.0])),
        ("x", lambda: signal.lfilter([1.0], 1.0, masked)),
        ("zi", lambda: signal.lfilter([1.0, 1.0], 1.0, [1.0], zi=masked[:1])),
    ):
        with pytest.raises(TypeError, match=f"^{name} is a masked array; allowed: "):
            call()


def test_numbers_below_the_normal_ones_count_as_zero():
    assert not signal.convolve([1e-310] * 2, [1.0] * 2).any()
    assert not signal.lfilter([1e-200] * 2, 1.0, [1e-110] * 9).any()
