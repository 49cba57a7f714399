"""Predictors and kernels: against their definition by NumPy alone, and against NeMoS itself."""

from __future__ import annotations

import doctest
import inspect
import subprocess
import sys
import warnings
from collections import OrderedDict, defaultdict, namedtuple

import firbank
import firbank._raised_cosine
import firbank._series_tree
import firbank._shared_progress
import firbank.nemos
import numpy as np
import pytest
from direct_sums import assert_follows, squared
from firbank.nemos import RaisedCosineLog, create_convolutional_predictor
from hypothesis import given, settings
from hypothesis import strategies as st

CAUSALITIES = ("causal", "acausal", "anti-causal")
rng = np.random.default_rng(20240607)


def defined(basis, x, causality="causal", shift=None, axis=0):
    """The predictor as its definition has it, sample by sample, in more bits than float64."""
    basis, x = np.asarray(basis, np.longdouble), np.moveaxis(np.asarray(x, np.longdouble), axis, -1)
    window, samples = len(basis), x.shape[-1]
    shift = (causality != "acausal") if shift is None else shift
    y = np.full((*x.shape, basis.shape[1]), np.nan, np.longdouble)
    # The newest sample in the window of frame n is sample n + ahead.
    ahead = {"causal": 0, "anti-causal": window - 1, "acausal": window - 1 - (window - 1) // 2}
    offset = ahead[causality] + {"causal": -1, "anti-causal": 1, "acausal": 0}[causality] * shift
    for n in range(samples):
        newest = n + offset
        if window - 1 <= newest < samples:
            heard = x[..., newest - window + 1 : newest + 1][..., ::-1]
            y[..., n, :] = heard @ basis
    return np.moveaxis(y, -2, axis)


def size_of_products(basis, x, causality="causal", shift=None, axis=0):
    """The norms that sums of random signs would have, of each channel and kernel."""
    power = defined(squared(basis), squared(x), causality, shift, axis)
    return np.sqrt(np.nansum(power, axis))


def assert_defined(got, basis, x, causality="causal", shift=None, axis=0):
    """The promised error, beside the definition."""
    want = defined(basis, x, causality, shift, axis)
    assert_follows(got, want, axis, size_of_products(basis, x, causality, shift, axis))


@pytest.fixture(scope="module")
def nemos_predictor():
    """NeMoS's own function, in float64, which JAX takes for the time of a call only."""
    jax = pytest.importorskip("jax", reason="NeMoS needs JAX")
    convolution = pytest.importorskip("nemos.convolve", reason="compares with NeMoS")

    def predictor(*arguments, **options):
        with jax.enable_x64(True):
            return convolution.create_convolutional_predictor(*arguments, **options)

    return predictor


@pytest.fixture(scope="module")
def nap():
    return pytest.importorskip("pynapple", reason="convolves pynapple's objects")


@pytest.mark.parametrize(
    "module",
    [
        firbank.nemos,
        firbank._raised_cosine,
        firbank._series_tree,
        firbank._shared_progress,
    ],
    ids=lambda module: module.__name__,
)
def test_examples_in_the_documentation_run(module):
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0


def test_needs_neither_nemos_nor_jax_nor_pynapple():
    program = (
        "import sys\n"
        "for name in ('nemos', 'jax', 'pynapple'): sys.modules[name] = None\n"
        "import numpy as np\n"
        "from firbank.nemos import RaisedCosineLog, create_convolutional_predictor\n"
        "basis = RaisedCosineLog(3, 8).kernels()\n"
        "print(create_convolutional_predictor(basis, {'a': np.ones((20, 2))})['a'].shape)\n"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip() == "(20, 2, 3)"


# Against the definition.


@st.composite
def problems(draw):
    window = draw(st.integers(2, 9))
    kernels = draw(st.integers(1, 4))
    shape = draw(st.lists(st.integers(1, 4), max_size=2))
    axis = draw(st.integers(0, len(shape)))
    shape.insert(axis, draw(st.integers(1, 40)))
    causality = draw(st.sampled_from(CAUSALITIES))
    shift = draw(st.sampled_from([None, False] + [True] * (causality != "acausal")))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    basis_type = draw(st.sampled_from([np.float32, np.float64, np.int16]))
    type_ = draw(
        st.sampled_from([np.float16, np.float32, np.float64, np.int64, np.uint8, np.bool_])
    )
    basis = (random.normal(size=(window, kernels)) * 4).astype(basis_type)
    x = np.abs(random.normal(size=shape) * 4).astype(type_)
    if x.dtype.kind == "f":
        spoilt = draw(st.integers(0, 2))
        x.flat[random.integers(x.size, size=spoilt)] = np.nan
    return basis, x, {"predictor_causality": causality, "shift": shift, "axis": axis}


@given(problems())
@settings(max_examples=300)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_follows_the_definition(problem):
    basis, x, options = problem
    got = create_convolutional_predictor(basis, x, **options)
    assert type(got) is np.ndarray
    assert got.dtype in (np.float32, np.float64)
    assert_defined(got, basis, x, options["predictor_causality"], options["shift"], options["axis"])


@pytest.mark.parametrize(
    ("series", "basis", "result"),
    [
        ("f4", "f4", "f4"),
        ("f2", "f4", "f4"),
        ("f2", "f2", "f4"),
        ("u1", "f4", "f4"),
        ("?", "f4", "f4"),
        ("f8", "f4", "f8"),
        ("f4", "f8", "f8"),
        ("i8", "f4", "f8"),
        ("i2", "i2", "f8"),
        ("g", "f4", "f8"),
    ],
)
def test_type_of_the_result(series, basis, result):
    x, h = np.arange(9).astype(series), np.ones((3, 2), basis)
    assert create_convolutional_predictor(h, x).dtype == result


@pytest.mark.parametrize("causality", CAUSALITIES)
def test_what_is_not_finite_spoils_what_touches_it(causality):
    x = rng.normal(size=(60, 2))
    x[20, 0], x[40, 1] = np.inf, np.nan
    marked = np.where(np.isinf(x), np.nan, x)
    basis = rng.normal(size=(5, 3))
    got = create_convolutional_predictor(basis, x, causality)
    assert_defined(got, basis, marked, causality)


def test_batches_change_nothing():
    x, basis = rng.normal(size=(4, 50, 3)), rng.normal(size=(6, 5))
    for samples in (None, 6, 7, 50, 10**9):
        for channels in (None, 1, 5, 10**9):
            for kernels in (None, 1, 2, np.int64(7)):
                got = create_convolutional_predictor(
                    basis,
                    x,
                    axis=1,
                    batch_size_samples=samples,
                    batch_size_channels=channels,
                    batch_size_basis=kernels,
                )
                assert_defined(got, basis, x, axis=1)


def test_options_reach_the_convolution(monkeypatch):
    given = []

    def convolve(*arguments, **options):
        given.append(options)
        return firbank.convolve(*arguments, **options)

    options = {
        "batch_size_samples": 9,
        "batch_size_channels": 2,
        "batch_size_basis": 1,
        "memory_limit": "1GiB",
        "threads": 2,
    }
    monkeypatch.setattr(firbank.nemos, "convolve", convolve)
    create_convolutional_predictor(np.ones((4, 2)), [np.ones(30), np.ones((30, 3))], **options)
    assert len(given) == 2
    assert all(options.items() <= one.items() for one in given)


@pytest.mark.parametrize("causality", CAUSALITIES)
@pytest.mark.filterwarnings("ignore:basis_matrix has")
def test_window_as_long_as_the_series(causality):
    x, basis = rng.normal(size=6), rng.normal(size=(6, 2))
    for shift in (None, False):
        got = create_convolutional_predictor(basis, x, causality, shift)
        assert_defined(got, basis, x, causality, shift)


def test_tree_keeps_its_form():
    Pair = namedtuple("Pair", "left right")
    x = rng.normal(size=(12, 2))
    basis = rng.normal(size=(3, 2))
    tree = {
        "list": [x, None, (x, x)],
        "pair": Pair(x, [x]),
        "ordered": OrderedDict(b=x, a=x),
        "with default": defaultdict(list, a=x),
    }
    got = create_convolutional_predictor(basis, tree)
    assert list(got) == list(tree)
    assert type(got["list"][2]) is tuple
    assert got["list"][1] is None
    assert type(got["pair"]) is Pair
    assert type(got["ordered"]) is OrderedDict
    assert got["with default"].default_factory is list
    series = [
        got["list"][0],
        *got["list"][2],
        got["pair"].left,
        *got["pair"].right,
        *got["ordered"].values(),
        got["with default"]["a"],
    ]
    for one in series:
        assert_defined(one, basis, x)
    assert tree["list"][0] is x


def test_trees_without_series():
    basis = np.ones((2, 1))
    assert create_convolutional_predictor(basis, []) == []
    assert create_convolutional_predictor(basis, None) is None


def test_out_is_written_and_returned(tmp_path):
    x, basis = rng.normal(size=(30, 2)), rng.normal(size=(4, 3))
    path = tmp_path / "predictor.npy"
    kept = np.lib.format.open_memmap(path, "w+", np.float64, (30, 2, 3))
    out = {"a": kept, "b": [np.zeros((30, 3))]}
    got = create_convolutional_predictor(basis, {"a": x, "b": [x[:, 0]]}, out=out)
    assert got["a"] is kept
    assert got["b"][0] is out["b"][0]
    kept.flush()
    assert_defined(np.load(path), basis, x)
    assert_defined(out["b"][0], basis, x[:, 0])


def test_a_map_that_another_call_left_unfinished(tmp_path):
    out = np.lib.format.open_memmap(tmp_path / "y.npy", "w+", np.float64, (30_000, 2))
    x, basis = rng.normal(size=30_000), rng.normal(size=(5, 2))

    def stop(done, total):
        raise KeyboardInterrupt

    options = {"out": out, "batch_size_samples": 5_000}
    with pytest.raises(KeyboardInterrupt):
        create_convolutional_predictor(basis, x, progress=stop, **options)
    with pytest.raises(ValueError, match="unfinished result of another call.*resume=False"):
        create_convolutional_predictor(2 * basis, x, **options)
    create_convolutional_predictor(2 * basis, x, resume=False, **options)
    assert_follows(out[:1000], defined(2 * basis, x[:1000]), axis=0)


@pytest.fixture
def convolve_in_thirds(monkeypatch):
    """Convolutions that tell a progress of their own, whatever the sizes: 1, 2 and 3 of 3."""

    def convolve(*arguments, progress, **options):
        if progress is not None:
            for third in (1, 2, 3):
                progress(third, 3)
        return firbank.convolve(*arguments, **options)

    monkeypatch.setattr(firbank.nemos, "convolve", convolve)


@pytest.mark.filterwarnings("ignore:.*shorter than")
def test_progress_counts_all_series(convolve_in_thirds):
    told = []
    x, basis = rng.normal(size=30), np.ones((6, 2))
    create_convolutional_predictor(
        basis, [x, x[:3], x], progress=lambda done, total: told.append((done, total))
    )
    # Shifted, 24 frames of each long series are computed, of two kernels; of the short one none.
    assert told == [(16, 96), (32, 96), (48, 96), (64, 96), (80, 96), (96, 96)]


@pytest.mark.parametrize("progress", [True, False, None])
def test_progress_may_be_a_bar(convolve_in_thirds, progress, capsys):
    pytest.importorskip("tqdm", reason="shows its bar")
    create_convolutional_predictor(np.ones((4, 2)), np.ones(30), progress=progress)
    assert ("52.0/52.0" in capsys.readouterr().err) == bool(progress)


# Warnings and errors.


def test_warns_of_short_series():
    with pytest.warns(UserWarning, match="shorter than the window of 5") as caught:
        got = create_convolutional_predictor(np.ones((5, 2)), [np.ones(4), np.ones((9, 2))])
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert np.isnan(got[0]).all()
    assert got[0].shape == (4, 2)
    assert not np.isnan(got[1][5:]).any()


def test_an_even_window_is_no_matter_where_nothing_is_convolved():
    with pytest.warns(UserWarning) as caught:
        create_convolutional_predictor(np.ones((4, 1)), np.ones(3), "acausal")
    assert ["shorter than" in str(one.message) for one in caught] == [True]


def test_does_not_warn_of_epochs_without_samples(nap):
    epochs = nap.IntervalSet([0, 12, 20], [9, 15, 29])
    x = nap.Tsd(t=np.r_[0:10.0, 20:30.0], d=np.ones(20), time_support=epochs)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        create_convolutional_predictor(np.ones((5, 1)), x)


def test_warns_of_an_even_window_with_acausal_alone():
    with pytest.warns(UserWarning, match="an even number"):
        create_convolutional_predictor(np.ones((4, 1)), np.ones(9), "acausal")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        create_convolutional_predictor(np.ones((4, 1)), np.ones(9), "causal")
        create_convolutional_predictor(np.ones((5, 1)), np.ones(9), "acausal")


BASIS, SERIES = np.ones((5, 3)), np.arange(30.0)

# What is wrong, and what NeMoS raises: None where this package is stricter or speaks more plainly.
WRONG = {
    "a basis of one dimension": (ValueError, (BASIS[:, 0], SERIES), {}),
    "a basis of one row": (ValueError, (BASIS[:1], SERIES), {}),
    "a basis without columns": (ValueError, (BASIS[:, :0], SERIES), {}),
    "an empty series": (ValueError, (BASIS, SERIES[:0]), {}),
    "a complex series": (TypeError, (BASIS, SERIES + 1j), {}),
    "a series of no dimension": (ValueError, (BASIS, np.float64(3)), {}),
    "an axis that is not there": (ValueError, (BASIS, SERIES), {"axis": 1}),
    "a negative axis": (ValueError, (BASIS, SERIES), {"axis": -1}),
    "an axis of no whole number": (TypeError, (BASIS, SERIES), {"axis": 0.0}),
    "an unknown causality": (ValueError, (BASIS, SERIES, "noncausal"), {}),
    "a shift of acausal": (ValueError, (BASIS, SERIES, "acausal", True), {}),
    "a batch below the window": (ValueError, (BASIS, SERIES), {"batch_size_samples": 4}),
    **{
        f"{name} of {size!r}": (ValueError, (BASIS, SERIES), {name: size})
        for name in ("batch_size_samples", "batch_size_channels", "batch_size_basis")
        for size in (0, -1, 2.5, "many")
    },
}
WRONG_HERE = {
    "a basis with NaN": (ValueError, (np.full((5, 3), np.nan), SERIES), {}),
    "a complex basis": (TypeError, (BASIS + 1j, SERIES), {}),
    "a list of numbers": (TypeError, (BASIS, SERIES.tolist()), {}),
    "a masked series": (TypeError, (BASIS, np.ma.array(SERIES, mask=SERIES > 3)), {}),
    "a masked basis": (TypeError, (np.ma.array(BASIS, mask=BASIS > 3), SERIES), {}),
    "a string": (TypeError, (BASIS, "series"), {}),
    "text": (TypeError, (BASIS, np.array(["a"] * 9)), {}),
    "a wrong shape of out": (ValueError, (BASIS, SERIES), {"out": np.empty((29, 3))}),
    "a wrong type of out": (TypeError, (BASIS, SERIES), {"out": np.empty((30, 3), "f4")}),
    "an out of other form": (ValueError, (BASIS, [SERIES]), {"out": np.empty((30, 3))}),
    "an out that is no array": (TypeError, (BASIS, [SERIES]), {"out": [SERIES.tolist]}),
}


@pytest.mark.parametrize("wrong", [*WRONG, *WRONG_HERE])
def test_errors_name_the_argument(wrong):
    type_, arguments, options = (WRONG | WRONG_HERE)[wrong]
    with pytest.raises(type_) as caught:
        create_convolutional_predictor(*arguments, **options)
    message = str(caught.value)
    assert "\n" not in message
    assert "allowed" in message
    names = ("basis_matrix", "time_series", "axis", "predictor_causality", "shift", "batch", "out")
    assert message.startswith(names)


def test_out_that_cannot_be_written_to():
    out = np.empty((30, 3))
    out.flags.writeable = False
    with pytest.raises(ValueError, match="out is read-only"):
        create_convolutional_predictor(BASIS, SERIES, out=out)


def overlapping_halves(a, x, basis):
    return [x, x], [a[:30], a[15:45]], r"out\[0\] overlaps out\[1\]"


OVERLAPS = {
    "the series": lambda a, x, basis: (x, x[:, None], "out overlaps an array that is read"),
    "one array twice": lambda a, x, basis: ([x, x], [a[:30]] * 2, r"out\[0\] overlaps out\[1\]"),
    "halves": overlapping_halves,
    "another series": lambda a, x, basis: (
        {"a": x, "b": a[9:39, 0]},
        {"a": a[:30], "b": np.zeros((30, 1))},
        r"out\['a'\] overlaps an array that is read",
    ),
    "the basis": lambda a, x, basis: (x, basis[:30], "out overlaps an array that is read"),
}


@pytest.mark.parametrize("name", OVERLAPS)
def test_overlaps_are_refused_before_anything_is_written(name):
    a, x, basis = rng.normal(size=(60, 1)), rng.normal(size=30), rng.normal(size=(35, 1))
    series, out, message = OVERLAPS[name](a, x, basis)
    before = [array.copy() for array in (a, x, basis)]
    with pytest.raises(ValueError, match=f"^{message}; allowed: memory of its own$"):
        create_convolutional_predictor(basis, series, out=out)
    for array, was in zip((a, x, basis), before, strict=True):
        np.testing.assert_array_equal(array, was)


def test_errors_name_the_series_in_its_tree():
    with pytest.raises(ValueError, match=r"time_series\['b'\]\[1\] has shape \(0,\)"):
        create_convolutional_predictor(BASIS, {"a": SERIES, "b": [SERIES, SERIES[:0]]})


# Against NeMoS.


def test_takes_the_arguments_of_nemos():
    convolution = pytest.importorskip("nemos.convolve", reason="compares with NeMoS")
    theirs = inspect.signature(convolution.create_convolutional_predictor).parameters
    ours = inspect.signature(create_convolutional_predictor).parameters
    assert list(ours)[: len(theirs)] == list(theirs)
    assert all(ours[name].default == theirs[name].default for name in theirs)
    more = list(ours.values())[len(theirs) :]
    assert all(one.kind is inspect.Parameter.KEYWORD_ONLY for one in more)


@pytest.mark.parametrize("wrong", WRONG)
def test_nemos_raises_the_same(wrong, nemos_predictor):
    type_, arguments, options = WRONG[wrong]
    with pytest.raises(type_):
        nemos_predictor(*arguments, **options)


def compare_with_nemos(nemos_predictor, basis, x, **options):
    with warnings.catch_warnings(record=True) as theirs:
        warnings.simplefilter("always")
        want = nemos_predictor(basis, x, **options)
    with warnings.catch_warnings(record=True) as ours:
        warnings.simplefilter("always")
        got = create_convolutional_predictor(basis, x, **options)
    assert {w.category for w in ours} == {w.category for w in theirs}
    named = {"causality": options.get("predictor_causality", "causal")}
    named |= {name: options[name] for name in ("shift", "axis") if name in options}
    assert_follows(got, want, options.get("axis", 0), size_of_products(basis, x, **named))


@pytest.mark.parametrize("causality", CAUSALITIES)
@pytest.mark.parametrize("shift", [None, False])
@pytest.mark.parametrize("window", [4, 5])
def test_equals_nemos(nemos_predictor, causality, shift, window):
    x = rng.normal(size=(40, 2, 3))
    x[17, 1, 2] = np.nan
    basis = rng.normal(size=(window, 3))
    options = {"predictor_causality": causality, "shift": shift}
    compare_with_nemos(nemos_predictor, basis, x, **options)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("batches", [(None, None, None), (7, 4, 2)])
def test_equals_nemos_along_any_axis(nemos_predictor, axis, batches):
    names = ("batch_size_samples", "batch_size_channels", "batch_size_basis")
    options = dict(zip(names, batches, strict=True))
    x, basis = rng.normal(size=(20, 21, 22)), rng.normal(size=(6, 3))
    compare_with_nemos(nemos_predictor, basis, x, axis=axis, **options)


@pytest.mark.parametrize("type_", ["f4", "f2", "i8", "u1", "?"])
def test_equals_nemos_in_other_types(nemos_predictor, type_):
    x = np.abs(rng.normal(size=30) * 3).astype(type_)
    compare_with_nemos(nemos_predictor, rng.normal(size=(5, 3)), x)


def test_equals_nemos_where_series_are_short(nemos_predictor):
    x, basis = rng.normal(size=(4, 2)), rng.normal(size=(5, 3))
    for causality in CAUSALITIES:
        compare_with_nemos(nemos_predictor, basis, x, predictor_causality=causality)


@given(problems())
@settings(max_examples=5)
def test_equals_nemos_at_random(nemos_predictor, problem):
    basis, x, options = problem
    compare_with_nemos(nemos_predictor, basis.astype(float), x, **options)


@pytest.mark.full
@given(problems())
@settings(max_examples=300)
def test_equals_nemos_at_random_often(nemos_predictor, problem):
    basis, x, options = problem
    compare_with_nemos(nemos_predictor, basis.astype(float), x, **options)


def test_equals_nemos_in_float32():
    jax = pytest.importorskip("jax", reason="NeMoS needs JAX")
    convolution = pytest.importorskip("nemos.convolve", reason="compares with NeMoS")
    x, basis = jax.numpy.asarray(rng.normal(size=(50, 3)), "f4"), rng.normal(size=(8, 4))
    basis = jax.numpy.asarray(basis, "f4")
    got = create_convolutional_predictor(basis, x)
    assert type(got) is np.ndarray
    assert got.dtype == np.float32
    assert_follows(got, convolution.create_convolutional_predictor(basis, x), 0)


def test_equals_nemos_in_trees(nemos_predictor):
    pytrees = pytest.importorskip("nemos.pytrees", reason="convolves NeMoS's trees")
    x, basis = rng.normal(size=(20, 2)), rng.normal(size=(3, 2))
    tree = {"b": [x, (x[:, 0],)], "a": None, "c": pytrees.FeaturePytree(left=x, right=x)}
    got, want = create_convolutional_predictor(basis, tree), nemos_predictor(basis, tree)
    assert type(got["c"]) is type(want["c"])
    assert_follows(got["b"][0], want["b"][0], 0)
    assert_follows(got["b"][1][0], want["b"][1][0], 0)
    assert_follows(got["c"]["left"], want["c"]["left"], 0)
    assert_follows(got["c"]["right"], want["c"]["right"], 0)


@pytest.mark.filterwarnings("ignore:Converting 'd'")
@pytest.mark.filterwarnings("ignore:.*shorter than")
@pytest.mark.parametrize("causality", CAUSALITIES)
@pytest.mark.parametrize("shape", [(), (2,), (2, 3)])
@pytest.mark.parametrize("type_", [float, int])
def test_equals_nemos_of_pynapple_objects(nemos_predictor, nap, causality, shape, type_):
    times = np.r_[0:20.0, 30:33.0, 40:61.0, 70.0]
    # One empty, one shorter than the window, one of a single sample.
    epochs = nap.IntervalSet([0, 25, 30, 40, 69], [19, 27, 32.5, 60, 71])
    kind = (nap.Tsd, nap.TsdFrame, nap.TsdTensor)[len(shape)]
    samples = (rng.normal(size=(45, *shape)) * 9).astype(type_)
    x = kind(t=times, d=samples, time_support=epochs)
    basis = rng.normal(size=(5, 3))
    want = nemos_predictor(basis, x, causality)
    got = create_convolutional_predictor(basis, x, causality)
    assert type(got) is type(want)
    np.testing.assert_array_equal(got.t, want.t)
    np.testing.assert_array_equal(got.time_support.values, want.time_support.values)
    assert_follows(got, want, 0)
    plain = create_convolutional_predictor(basis, {"series": x, "array": x.values[:20]}, causality)
    assert_follows(plain["series"], want, 0)
    assert_follows(plain["array"], np.asarray(want)[:20], 0)


def test_epochs_are_kept_apart(nap):
    x = nap.Tsd(
        t=np.arange(40.0), d=rng.normal(size=40), time_support=nap.IntervalSet([0, 20], [15, 39])
    )
    basis = rng.normal(size=(5, 3))
    got = create_convolutional_predictor(basis, x)
    assert isinstance(got, nap.TsdFrame)
    assert_defined(np.asarray(got)[:16], basis, x.values[:16])
    assert_defined(np.asarray(got)[16:], basis, x.values[16:])


def test_times_without_data(nap):
    times = nap.Ts(t=np.arange(9.0))
    for series in (times, {"a": times}, nap.TsGroup({0: times})):
        with pytest.raises(TypeError, match="^time_series.*"):
            create_convolutional_predictor(np.ones((3, 2)), series)


def test_another_axis_of_a_pynapple_object_than_time(nap):
    epochs = nap.IntervalSet([0, 6], [4, 9])
    x = nap.TsdFrame(t=np.arange(10.0), d=rng.normal(size=(10, 7)), time_support=epochs)
    basis = rng.normal(size=(3, 2))
    got = create_convolutional_predictor(basis, x, axis=1)
    assert isinstance(got, nap.TsdTensor)
    assert_defined(got, basis, x.values, axis=1)


def test_out_of_a_pynapple_object(nap):
    x = nap.Tsd(t=np.arange(40.0), d=rng.normal(size=40))
    basis, out = rng.normal(size=(5, 3)), np.empty((40, 3))
    got = create_convolutional_predictor(basis, x, out=out)
    assert isinstance(got, nap.TsdFrame)
    assert_defined(out, basis, x.values)
    np.testing.assert_array_equal(got, out)


# Kernels.


def test_raised_cosines_by_hand():
    """The peaks lie where the formula has them, and the bumps add up to one between them."""
    one = RaisedCosineLog(4, 2001, width=2.0, time_scaling=1e-7, enforce_decay_to_zero=False)
    kernels = one.kernels()
    assert kernels.shape == (2001, 4)
    assert kernels.dtype == np.float64
    np.testing.assert_array_equal(kernels.argmax(axis=0), [0, 667, 1333, 2000])
    middle = kernels[667:1334].sum(axis=1)
    np.testing.assert_allclose(middle, 2.0, atol=1e-5)
    assert kernels.min() >= 0
    assert kernels.max() <= 1


def test_raised_cosines_decay_to_zero():
    kernels = RaisedCosineLog(5, 100).kernels()
    np.testing.assert_allclose(kernels[-1], 0.0, atol=1e-12)
    assert RaisedCosineLog(5, 100, enforce_decay_to_zero=False).kernels()[-1, -1] == 1.0


@pytest.mark.parametrize(
    ("n", "window", "options"),
    [
        (2, 1, {}),
        (2, 2, {}),
        (5, 100, {}),
        (12, 333, {"width": 1.5}),
        (12, 333, {"width": 4}),
        (5, 100, {"time_scaling": 0.5}),
        (5, 100, {"time_scaling": 3000.0}),
        (5, 100, {"enforce_decay_to_zero": False}),
        (12, 333, {"width": 2.5, "time_scaling": 10, "enforce_decay_to_zero": False}),
    ],
    ids=str,
)
def test_raised_cosines_equal_nemos(n, window, options):
    jax = pytest.importorskip("jax", reason="NeMoS needs JAX")
    basis = pytest.importorskip("nemos.basis", reason="compares with NeMoS")
    with jax.enable_x64(True):
        theirs = basis.RaisedCosineLogConv(n, window, **options)
        want = np.asarray(theirs._set_kernel().kernel_)
    assert want.dtype == np.float64
    np.testing.assert_allclose(
        RaisedCosineLog(n, window, **options).kernels(), want, rtol=0, atol=1e-10
    )


@pytest.mark.parametrize(
    ("type_", "arguments"),
    [
        (ValueError, {"n": 1, "window": 9}),
        (TypeError, {"n": 2.5, "window": 9}),
        (ValueError, {"n": 3, "window": 0}),
        (ValueError, {"n": 3, "window": 2.5}),
        (ValueError, {"n": 3, "window": 9, "width": 1}),
        (ValueError, {"n": 3, "window": 9, "width": 1.7}),
        (ValueError, {"n": 3, "window": 9, "width": np.nan}),
        (ValueError, {"n": 3, "window": 9, "time_scaling": 0}),
        (ValueError, {"n": 3, "window": 9, "time_scaling": -1.0}),
        (ValueError, {"n": 3, "window": 9, "time_scaling": np.inf}),
    ],
)
def test_wrong_arguments_of_raised_cosines(type_, arguments):
    with pytest.raises(type_):
        RaisedCosineLog(**arguments)
