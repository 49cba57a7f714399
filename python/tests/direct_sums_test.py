"""The sums and the comparison that the other tests rest on."""

from __future__ import annotations

import numpy as np
import pytest
from direct_sums import assert_convolved, assert_follows, direct_sums

X = np.array([[1.0, 2.0, 3.0], [0.0, 1.0, 0.0]])
H = np.array([[1.0, 10.0], [100.0, 1000.0]])


@pytest.mark.parametrize(
    ("mode", "frames"),
    [
        ("full", [1, 12, 23, 30]),
        ("same", [1, 12, 23]),
        ("causal", [1, 12, 23]),
        ("valid", [12, 23]),
    ],
)
def test_the_modes_by_hand(mode, frames):
    assert direct_sums(X[0], H[0], mode=mode).tolist() == frames


def test_the_centre_of_three_taps_is_the_second():
    assert direct_sums(X[0], np.array([1.0, 10.0, 100.0]), mode="same").tolist() == [12, 123, 230]


def test_the_routings_by_hand():
    one, other = [1, 12, 23, 30], [0, 100, 1000, 0]
    assert direct_sums(X, H).tolist() == [one, other]
    assert direct_sums(X.T, H.T, axis=0).T.tolist() == [one, other]
    assert direct_sums(X, H, routing="matrix").tolist() == [1, 112, 1023, 30]
    assert direct_sums(X, H, routing="bank")[..., 0].tolist() == [one, [0, 1, 10, 0]]
    ragged = direct_sums(X[0], [[1.0], [1.0, 10.0]], routing="bank")
    assert [y.tolist() for y in ragged] == [[1, 2, 3], one]


def test_a_zero_tap_hears_a_nan():
    x = np.array([1.0, np.inf, 1.0, 1.0])
    np.testing.assert_array_equal(direct_sums(x, np.array([1.0, 0.0])), [1, np.nan, np.nan, 1, 0])


@pytest.mark.parametrize(("dtype", "limit"), [("f4", 1e-6), ("f8", 1e-13), ("c8", 1e-6)])
def test_the_limit_is_that_of_the_type_and_of_each_channel(dtype, limit):
    expected = np.ones((2, 100), np.longdouble) * [[1], [1000]]
    for share, passes in ((0.8, True), (1.2, False)):
        wrong = expected.copy()
        wrong[0, :] += share * limit * np.array([1, -1] * 50)
        if passes:
            assert_follows(wrong.astype(dtype), expected)
        else:
            with pytest.raises(AssertionError, match=r"channel \(0,\): the error is 1.[12]"):
                assert_follows(wrong.astype(dtype), expected)


def test_a_nan_too_many_and_one_too_few_fail():
    for wrong in ([1.0, np.nan, 3.0], [1.0, 2.0, 3.0]):
        with pytest.raises(AssertionError):
            assert_follows(np.array(wrong), np.array([np.nan, 2.0, 3.0]))


def test_a_shape_that_would_broadcast_fails():
    with pytest.raises(AssertionError):
        assert_follows(np.ones((1, 3)), np.ones((2, 3)))


def test_sums_that_cancel_are_measured_by_their_products():
    x, h = np.array([1e6, -1e6, 1.0]), np.ones(3)
    assert_convolved(np.array([1.05], np.float32), x, h, mode="valid")
    with pytest.raises(AssertionError):
        assert_convolved(np.array([3.0], np.float32), x, h, mode="valid")
    with pytest.raises(AssertionError):
        assert_follows(np.array([1.05], np.float32), direct_sums(x, h, mode="valid"))
