"""firbank.Bank: what it keeps, what it refuses, and its updates."""

from __future__ import annotations

import copy
import doctest
import pickle
import threading

import firbank
import firbank.bank
import numpy as np
import pytest
from direct_sums import assert_convolved
from firbank import Bank
from hypothesis import given, settings
from hypothesis import strategies as st


def test_examples_run():
    failed, attempted = doctest.testmod(firbank.bank)
    assert attempted > 0 and failed == 0


@settings(max_examples=50)
@given(
    sizes=st.lists(st.integers(1, 50), min_size=1, max_size=6),
    seed=st.integers(0, 2**32 - 1),
    dtype=st.sampled_from(["float32", "float64"]),
)
def test_keeps_kernels_of_any_sizes(sizes, seed, dtype):
    rng = np.random.default_rng(seed)
    kernels = [rng.standard_normal(size).astype(dtype) for size in sizes]
    bank = Bank(kernels)
    assert (len(bank), bank.taps, bank.longest) == (len(sizes), tuple(sizes), max(sizes))
    assert (bank.dtype, bank.version, bank.max_taps) == (np.dtype(dtype), 0, max(sizes))
    for index, kernel in enumerate(kernels):
        np.testing.assert_array_equal(bank[index], kernel)
        np.testing.assert_array_equal(bank[index - len(sizes)], kernel)
    for kept, kernel in zip(bank, kernels, strict=True):
        np.testing.assert_array_equal(kept, kernel)


@pytest.mark.parametrize(
    ("kernels", "taps", "dtype"),
    [
        (np.ones((3, 4), np.float32), (4, 4, 4), "float32"),
        (np.ones(4, np.float32), (4,), "float32"),
        ([1, 2, 3], (3,), "float64"),
        ([0.5], (1,), "float64"),
        ([[1, 2], [3]], (2, 1), "float64"),
        (np.ones((2, 2), np.float16), (2, 2), "float32"),
        ([np.ones(2, np.int16), np.ones(2, np.float32)], (2, 2), "float32"),
        ([np.ones(2, np.int32), np.ones(2, np.float32)], (2, 2), "float64"),
        ([np.ones(2, np.float16), np.ones(1, np.float64)], (2, 1), "float64"),
        (np.ones((1, 2), bool), (2,), "float64"),
        (np.ones((4, 3)).T[::2], (4, 4), "float64"),
        (Bank([[1.0, 2.0]]), (2,), "float64"),
    ],
)
def test_shapes_and_types(kernels, taps, dtype):
    bank = Bank(kernels)
    assert bank.taps == taps
    assert bank.dtype == dtype


def test_precision_forces_the_type():
    assert Bank([[1.0 + 1e-12]], precision="float32")[0].dtype == np.float32
    assert Bank(np.ones((1, 2), np.float32), precision="float64").dtype == np.float64


def test_is_a_copy_that_nobody_can_write_to():
    kernels = np.ones((2, 3))
    bank = Bank(kernels)
    kernels[:] = 7
    bank[0][:] = 8
    next(iter(bank))[:] = 9
    np.testing.assert_array_equal(bank[0], [1, 1, 1])
    with pytest.raises(TypeError):
        bank[0] = [1.0]


def test_update_replaces_one_kernel():
    bank = Bank([[1.0, 2.0], [3.0]], max_taps=3)
    bank.update(-1, [4, 5, 6])
    assert bank.version == 1 and bank.taps == (2, 3)
    bank.update(0, np.float32([7]))
    assert bank.version == 2 and bank.taps == (1, 3) and bank.longest == 3
    np.testing.assert_array_equal(bank[0], [7])
    np.testing.assert_array_equal(bank[1], [4, 5, 6])
    assert bank._changes_since(1)[1].keys() == {0}
    assert bank._changes_since(0)[1].keys() == {0, 1}
    assert repr(bank) == "<Bank of 2 kernels, 1 to 3 taps, float64, v2>"


@pytest.mark.parametrize(
    ("kernels", "error", "words"),
    [
        ([], ValueError, ["0 kernels"]),
        (np.ones((0, 3)), ValueError, ["0 kernels"]),
        (np.ones((2, 0)), ValueError, ["kernels[0]", "(0,)"]),
        ([[1.0], []], ValueError, ["kernels[1]", "(0,)"]),
        (np.ones((2, 2, 2)), ValueError, ["3 dimensions"]),
        (np.float64(3), ValueError, ["0 dimensions"]),
        ([[1.0], [[1.0]]], ValueError, ["kernels[1]", "(1, 1)"]),
        ([[1.0], [1j]], TypeError, ["kernels[1]", "complex128", "real"]),
        ([["a"]], TypeError, ["kernels[0]"]),
        ([[None]], TypeError, ["kernels[0]", "object"]),
        (np.ma.array([1.0, 2.0], mask=[0, 1]), TypeError, ["kernels is a masked array"]),
        ([[1.0], [0.0, np.nan]], ValueError, ["kernels[1]", "[1] is nan"]),
        ([[np.inf]], ValueError, ["kernels[0]", "[0] is inf"]),
    ],
)
def test_refuses(kernels, error, words):
    with pytest.raises(error) as refusal:
        Bank(kernels)
    message = str(refusal.value)
    assert "\n" not in message
    for word in words:
        assert word in message


def test_refuses_arguments():
    with pytest.raises(ValueError, match=r"precision is 'float16'; allowed: 'float32'"):
        Bank([1.0], precision="float16")
    with pytest.raises(ValueError, match=r"max_taps is 1; allowed: whole numbers from 2 on"):
        Bank([1.0, 2.0], max_taps=1)
    with pytest.raises(ValueError, match=r"^kernels\[0\] has a tap of 1e\+300; allowed in float32"):
        Bank([[1e300]], precision="float32")


def test_refuses_updates_and_stays_as_it_was():
    bank = Bank([[1.0, 2.0], [3.0]])
    for index in (2, -3):
        with pytest.raises(IndexError, match=rf"index is {index}; allowed: -2 to 1"):
            bank.update(index, [1.0])
        with pytest.raises(IndexError, match=rf"index is {index}; allowed: -2 to 1"):
            bank[index]
    with pytest.raises(TypeError):
        bank.update(0.5, [1.0])
    with pytest.raises(ValueError, match=r"bank\[1\] has 3 taps; allowed: up to 2, max_taps"):
        bank.update(1, [1.0, 2.0, 3.0])
    with pytest.raises(TypeError, match=r"complex128"):
        bank.update(1, [1j])
    with pytest.raises(
        ValueError, match=r"^kernel for bank\[1\]\[0\] is nan; allowed: finite taps"
    ):
        bank.update(1, [np.nan])
    with pytest.raises(ValueError, match=r"shape \(0,\)"):
        bank.update(1, [])
    assert bank.version == 0 and bank.taps == (2, 1)


@pytest.mark.parametrize(
    "duplicate", [copy.copy, copy.deepcopy, lambda b: pickle.loads(pickle.dumps(b))]
)
def test_copies_go_their_own_way(duplicate):
    bank = Bank([[1.0, 2.0], [3.0]], max_taps=4)
    bank.update(1, [4.0])
    other = duplicate(bank)
    assert (other.version, other.max_taps, other.dtype) == (1, 4, bank.dtype)
    other.update(1, [5.0])
    np.testing.assert_array_equal(bank[1], [4.0])
    np.testing.assert_array_equal(other[1], [5.0])
    with pytest.raises(ValueError, match="read-only"):
        other._snapshot()[1][0][0] = 1


def test_updates_from_many_threads_all_count():
    bank = Bank(np.zeros((4, 8)))

    def work(index):
        for value in range(250):
            bank.update(index, np.full(8, value))

    threads = [threading.Thread(target=work, args=(index,)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert bank.version == 1000
    for index in range(4):
        np.testing.assert_array_equal(bank[index], np.full(8, 249))


def test_takes_kernels_of_other_libraries():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    bank = Bank(torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
    assert bank.dtype == np.float32 and bank.taps == (2, 2)
    bank.update(0, torch.tensor([5.0]))
    np.testing.assert_array_equal(bank[0], [5.0])
    with pytest.raises(TypeError, match=r"kernels\[0\] is a torch.Tensor that cannot be read"):
        Bank([torch.tensor([1.0], requires_grad=True)])


def test_is_part_of_the_package():
    assert firbank.Bank is Bank


@settings(max_examples=30)
@given(
    seed=st.integers(0, 2**32 - 1),
    method=st.sampled_from(["auto", "direct", "fft"]),
    threads=st.sampled_from([None, 1, 3]),
    basis=st.sampled_from([None, 1, 2]),
)
def test_convolutions_of_a_bank_follow_its_updates(seed, method, threads, basis):
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 300, rng.integers(1, 6))
    bank = Bank([rng.standard_normal(size) for size in sizes], max_taps=300)
    inputs = [rng.standard_normal((2, 1200)), rng.standard_normal((2, 1200)).T]
    how = {"method": method, "threads": threads, "batch_size_basis": basis}
    for _ in range(6):
        x = inputs[rng.integers(0, 2)]
        axis = int(x.shape[0] == 2)
        got = bank.convolve(x, axis, "causal", **how)
        assert_convolved(got, x, list(bank), axis, "causal", "bank", method == "fft")
        index = int(rng.integers(0, len(bank)))
        size = bank.taps[index] if rng.random() < 0.7 else int(rng.integers(1, 300))
        bank.update(index, rng.standard_normal(size))


def test_one_update_costs_the_transform_of_one_kernel():
    counted = []

    class Counting:
        def __init__(self, convolver):
            self._convolver = convolver

        def __getattr__(self, name):
            return getattr(self._convolver, name)

        def replace(self, index):
            counted.append(index)
            self._convolver.replace(index)

    bank = Bank(np.random.default_rng(1).standard_normal((5, 700)))
    x = np.ones((1, 20_000))
    bank.convolve(x)
    kept = bank._convolvers._kept
    (key, (convolver, version)) = next(iter(kept.items()))
    kept[key] = (Counting(convolver), version)
    bank.convolve(x)
    assert counted == []
    bank.update(3, np.ones(700))
    bank.convolve(x)
    assert counted == [3]
    bank.update(1, np.ones(700))
    bank.convolve(x)
    assert counted == [3, 1]


def test_keeps_what_the_last_four_kinds_of_call_made():
    bank = Bank(np.random.default_rng(1).standard_normal((2, 50)))

    def kept():
        return {id(convolver) for convolver, _ in bank._convolvers._kept.values()}

    for samples in (100, 200, 300, 400, 500, 600):
        bank.convolve(np.ones(samples))
    before = kept()
    assert len(before) == 4
    for samples in (300, 600, 400, 500):
        bank.convolve(np.ones(samples))
    assert kept() == before
    bank.convolve(np.ones(200))
    assert len(kept() & before) == 3 and len(kept()) == 4


def test_keeps_nothing_within_a_limit_of_memory():
    bank = Bank(np.ones((2, 50)))
    bank.convolve(np.ones(500), memory_limit="1GiB")
    assert not bank._convolvers._kept


def test_many_threads_convolve_with_one_bank():
    rng = np.random.default_rng(2)
    bank = Bank(rng.standard_normal((3, 200)))
    xs = rng.standard_normal((6, 5000))
    results = [None] * len(xs)

    def work(i):
        for _ in range(10):
            results[i] = bank.convolve(xs[i])

    threads = [threading.Thread(target=work, args=(i,)) for i in range(len(xs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for got, x in zip(results, xs, strict=True):
        assert_convolved(got, x, list(bank), routing="bank")


def test_a_convolution_that_began_before_updates_hears_none_of_them():
    """What it would find kept is newer than the kernels that it took."""
    bank = Bank(np.random.default_rng(5).standard_normal((3, 300)))
    x = np.random.default_rng(6).standard_normal(20_000)
    bank.convolve(x, method="fft")
    old = bank._snapshot()
    bank.update(1, np.ones(300))
    bank.convolve(x, method="fft")
    bank.update(0, np.ones(300))
    newest, bank._snapshot = bank._snapshot, lambda: old
    assert_convolved(bank.convolve(x, method="fft"), x, old[1], routing="bank")
    bank._snapshot = newest
    assert_convolved(bank.convolve(x, method="fft"), x, list(bank), routing="bank")


def test_a_bank_serves_all_routings():
    x = np.random.default_rng(3).standard_normal((2, 100))
    both = np.random.default_rng(4).standard_normal((2, 7))
    bank = Bank(both)
    np.testing.assert_array_equal(firbank.convolve(x, bank), firbank.convolve(x, both))
    np.testing.assert_array_equal(
        firbank.convolve(x, bank, routing="matrix"), firbank.convolve(x, both, routing="matrix")
    )
    assert firbank.plan(x, bank, routing="bank").result_shape == (2, 106, 2)
    with pytest.raises(ValueError, match="Bank of kernels of several sizes"):
        firbank.convolve(x, Bank([[1.0], [1.0, 2.0]]))
