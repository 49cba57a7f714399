"""NumPy with the BLAS that its wheels bring: np.convolve, np.fft in blocks, matrix products.

np.convolve, np.fft and matrix products let go of the interpreter's lock, so threads over the
channels are what a user would take to keep all cores busy.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.lib.stride_tricks import as_strided
from rows import Row
from threadpoolctl import threadpool_limits

from peers.way import Way, by_both, by_channel, by_kernel, the_only

VERSIONS = ("numpy", "threadpoolctl")


def fft_blocks(x: np.ndarray, h: np.ndarray) -> np.ndarray:
    """Overlap-add: x (frames,) with h (kernels, taps), in transforms of about eight times the taps.

    Returns (kernels, frames + taps - 1).
    """
    frames, taps = len(x), h.shape[1]
    size = max(256, 1 << (8 * taps - 1).bit_length())
    block = size - taps + 1
    count = -(-(frames + taps - 1) // block)
    padded = np.zeros(count * block, x.dtype)
    padded[:frames] = x
    spectra = np.fft.rfft(padded.reshape(count, block), size)
    y = np.fft.irfft(spectra * np.fft.rfft(h, size)[:, None], size)
    out = np.ascontiguousarray(y[:, :, :block])
    out[:, 1:, : taps - 1] += y[:, :-1, block:]
    return out.reshape(len(h), -1)[:, : frames + taps - 1]


def toeplitz(h: np.ndarray, block: int) -> np.ndarray:
    """(kernels, block, block + taps - 1), whose row i is the kernel, i places late."""
    kernels, taps = h.shape
    padded = np.pad(h, ((0, 0), (0, block)))
    # Rows that are one shorter than what is repeated begin one place earlier in it each time.
    repeated = np.tile(padded, block)[:, : block * (block + taps - 1)]
    return repeated.reshape(kernels, block, block + taps - 1)


def matrix_blocks(x: np.ndarray, h: np.ndarray) -> np.ndarray:
    """Overlap-add by one product with Toeplitz matrices: x (frames,) with h (kernels, taps).

    Returns (kernels, frames + taps - 1).
    """
    frames, (kernels, taps) = len(x), h.shape
    block = max(64, taps)
    count = -(-(frames + taps - 1) // block)
    padded = np.zeros(count * block, x.dtype)
    padded[:frames] = x
    shifted = toeplitz(h, block).transpose(1, 0, 2).reshape(block, -1)
    y = padded.reshape(count, block) @ shifted
    y = y.reshape(count, kernels, -1).transpose(1, 0, 2)
    out = np.ascontiguousarray(y[:, :, :block])
    out[:, 1:, : taps - 1] += y[:, :-1, block:]
    return out.reshape(kernels, -1)[:, : frames + taps - 1]


def diagonals_strided(x: np.ndarray, h: np.ndarray) -> np.ndarray:
    """Products of all frames with all images of the kernel, summed along their diagonals."""
    frames, taps = len(x), len(h)
    products = x.reshape(frames, -1) @ h[::-1].reshape(taps, -1).T
    row, item = products.strides
    return as_strided(products, (frames - taps + 1, taps), (row, row + item)).sum(axis=1)


def diagonals_sliced(x: np.ndarray, h: np.ndarray) -> np.ndarray:
    """The same with the products the other way round, so that sums run along memory."""
    frames, taps = len(x), len(h)
    products = h[::-1].reshape(taps, -1) @ x.reshape(frames, -1).T
    count = frames - taps + 1
    out = products[0, :count].copy()
    for k in range(1, taps):
        out += products[k, k : k + count]
    return out


def over_windows(x: np.ndarray, h: np.ndarray) -> np.ndarray:
    """The textbook's way: an inner product of the kernel with every window."""
    taps = len(h)
    flat, kernel = x.reshape(len(x), -1), h[::-1].reshape(-1)
    pixels = flat.shape[1]
    windows = as_strided(
        flat, (len(x) - taps + 1, taps * pixels), (flat.strides[0], flat.strides[1])
    )
    return windows @ kernel


def ways(row: Row, x, h, threads: int) -> dict[str, Way]:
    if row.kind == "video":
        taps = row.taps[0]
        return {
            name: Way(lambda f=function: f(x, h), the_only, offset=taps - 1, extent="valid")
            for name, function in {
                "matrix product, sums of diagonals by strides": diagonals_strided,
                "matrix product, sums of diagonals by slices": diagonals_sliced,
                "windows times kernel": over_windows,
            }.items()
        }
    if row.kind == "one":
        found = {"np.convolve": Way(lambda: np.convolve(x, h), the_only)}
        if row.taps[0] > 32:
            found["rfft in blocks"] = Way(lambda: fft_blocks(x, h[None])[0], the_only)
            found["matrix products"] = Way(lambda: matrix_blocks(x, h[None])[0], the_only)
        return found
    if row.kind == "powers":

        def each():
            return [np.convolve(a, b) for a, b in zip(x, h, strict=True)]

        def fitting():
            return [
                np.convolve(a, b) if len(b) < 64 else matrix_blocks(a, b[None])[0]
                for a, b in zip(x, h, strict=True)
            ]

        return {
            "np.convolve": Way(each, by_kernel),
            "np.convolve, matrix products from 64 taps on": Way(fitting, by_kernel),
        }

    pool = ThreadPoolExecutor(threads)

    def spread(job: Callable, *over) -> Callable[[], list]:
        """The jobs by threads, each with a BLAS of one."""

        def run():
            with threadpool_limits(1, "blas"):
                return list(pool.map(job, *over))

        return run

    if row.kind == "rows":
        own = [h] * len(x) if row.one_kernel else list(h)
        single = [kernel[None] for kernel in own]
        long = row.taps[0] > 1000
        found = {
            "np.convolve, row by row, threads": Way(spread(np.convolve, list(x), own), by_channel),
            "rfft in blocks, row by row, threads": Way(
                spread(lambda a, b: fft_blocks(a, b)[0], list(x), single), by_channel
            ),
        }
        if not long:
            found["np.convolve, row by row"] = Way(
                lambda: [np.convolve(a, b) for a, b in zip(x, own, strict=True)], by_channel
            )
            found["matrix products, row by row, threads"] = Way(
                spread(lambda a, b: matrix_blocks(a, b)[0], list(x), single), by_channel
            )
        return found
    if row.kind == "bank":
        return {
            "np.convolve, pair by pair, threads": Way(
                spread(lambda a: [np.convolve(a, b) for b in h], list(x)), by_both
            ),
            "rfft in blocks, channel by channel, threads": Way(
                spread(lambda a: fft_blocks(a, h), list(x)), by_both
            ),
            "matrix products, channel by channel, threads": Way(
                spread(lambda a: matrix_blocks(a, h), list(x)), by_both
            ),
            "matrix products, channel by channel": Way(
                lambda: [matrix_blocks(a, h) for a in x], by_both
            ),
        }
    return {
        "np.convolve, kernel by kernel, threads": Way(
            spread(lambda b: np.convolve(x, b), h), by_kernel
        ),
        "rfft in blocks, kernel by kernel, threads": Way(
            spread(lambda b: fft_blocks(x, b[None])[0], h), by_kernel
        ),
    }
