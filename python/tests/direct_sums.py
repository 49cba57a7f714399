"""What results are compared with: sums written out in a higher precision, and the error promised.

The promise is that of the C++ tests: in every channel of the result, the norm of the error is at
most 1e-6 (float32) or 1e-13 (float64) of the norm of what a direct convolution gives.
"""

from __future__ import annotations

import numpy as np

# By the size of a real number in bytes. Results of float16 are rounded to it once, at the end.
LIMITS = {2: 2.0**-11 + 1e-6, 4: 1e-6, 8: 1e-13}


def window(mode: str, samples: int, taps: int) -> slice:
    """Return the frames of 'full' that a mode shows."""
    first, count = {
        "full": (0, samples + taps - 1),
        "same": ((taps - 1) // 2, samples),
        "valid": (taps - 1, samples - taps + 1),
        "causal": (0, samples),
    }[mode]
    return slice(first, first + count)


def direct_sums(x, h, axis=-1, mode="full", routing="rows", real=np.longdouble):
    """Return what firbank.convolve promises, kernel by kernel, in the precision `real`.

    Frames that hear a sample which is not finite, through any tap, are NaN.
    """
    kernels = [*h] if isinstance(h, list) else [h]
    is_complex = any(map(np.iscomplexobj, [x, *kernels]))
    wide = np.result_type(real, np.complex64) if is_complex else np.dtype(real)
    x = np.asarray(x)
    is_bad = ~np.isfinite(x)
    if is_bad.any():
        clean = direct_sums(np.where(is_bad, 0, x), h, axis, mode, routing, real)
        ones = [np.ones(np.shape(kernel)) for kernel in kernels]
        spoiled = direct_sums(is_bad, ones if isinstance(h, list) else ones[0], axis, mode, routing)
        if isinstance(clean, list):
            pairs = zip(clean, spoiled, strict=True)
            return [np.where(bad > 0.5, np.nan, good) for good, bad in pairs]
        return np.where(spoiled > 0.5, np.nan, clean)
    axis %= x.ndim
    rows = np.moveaxis(x, axis, -1).astype(wide)
    samples = rows.shape[-1]

    def one(row, kernel):
        kernel = np.asarray(kernel, wide)
        return np.convolve(row, kernel)[window(mode, samples, kernel.size)]

    if routing == "bank":
        h = h if isinstance(h, list) else np.atleast_2d(h)
        each = [np.moveaxis(np.apply_along_axis(one, -1, rows, kernel), -1, axis) for kernel in h]
        return each if len({len(kernel) for kernel in h}) > 1 else np.stack(each, -1)
    if routing == "matrix":
        many = h if h.ndim > x.ndim else h[np.newaxis]
        own = np.moveaxis(many, axis + 1, -1)
        sums = [
            sum(one(rows[at], kernels[at]) for at in np.ndindex(rows.shape[:-1])) for kernels in own
        ]
        return np.stack(sums, -1) if h.ndim > x.ndim else sums[0]
    own = h if h.ndim == 1 else np.moveaxis(h, axis, -1)
    own = np.broadcast_to(own, (*rows.shape[:-1], own.shape[-1]))
    each = [one(rows[at], own[at]) for at in np.ndindex(rows.shape[:-1])]
    return np.moveaxis(np.reshape(each, (*rows.shape[:-1], -1)), -1, axis)


def squared(signal):
    """Return the squares of the absolute values."""
    return np.abs(np.asarray(signal, complex)) ** 2


def norms(signal, axis=-1):
    """Return the norm of every channel."""
    return np.sqrt(np.sum(np.abs(signal) ** 2, axis))


def assert_follows(result, expected, axis=-1, size=0.0, dtype=None):
    """Check the promised error channel by channel, and NaN in the same frames.

    A channel whose expected norm is below `size` is compared with that: what it would be had its
    sums not cancelled. The limit is that of the result's type, or of a `dtype` that is narrower.
    """
    result, expected = np.asarray(result), np.asarray(expected)
    assert result.shape == expected.shape
    bad = np.isnan(expected)
    np.testing.assert_array_equal(np.isnan(result), bad)
    limit = LIMITS[np.zeros(0, dtype or result.dtype).real.itemsize]
    wide = np.result_type(expected, result)
    error = norms(np.where(bad, 0, result.astype(wide) - expected), axis)
    allowed = limit * np.maximum(norms(np.where(bad, 0, expected), axis), size)
    if (error <= allowed).all():
        return
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(error > allowed, error / allowed, 0)
    worst = np.unravel_index(np.argmax(ratio), np.shape(ratio))
    raise AssertionError(
        f"channel {tuple(map(int, worst))}: the error is {ratio[worst]:.3g} times the {limit:.2g} "
        f"that is allowed, {error[worst]:.3g}"
    )


def assert_convolved(result, x, h, axis=-1, mode="full", routing="rows", transformed=False):
    """Check a result of firbank.convolve against direct sums.

    Sums of random signs have about the norm that their products have; where less is left of
    them they have cancelled, and the products count. Transforms, where they are asked for rather
    than chosen, round with all that they sum, shown or not.
    """
    first = result[0] if isinstance(result, list) else result
    real = np.longdouble if first.real.itemsize == 8 else np.float64
    expected = direct_sums(x, h, axis, mode, routing, real)
    shown = "full" if transformed else mode
    squares = list(map(squared, h)) if isinstance(h, list) else squared(h)
    x = squared(np.where(np.isfinite(x), x, 0))
    power = direct_sums(x, squares, axis, shown, routing, np.float64)
    time = 0 if routing == "matrix" else axis % np.ndim(x)
    if not isinstance(result, list):
        result, expected, power = [result], [expected], [power]
    for got, want, products in zip(result, expected, power, strict=True):
        assert_follows(got, want, time, np.sqrt(products.sum(time)))
