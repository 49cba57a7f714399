"""Numba: the direct form, compiled, vectorised and in parallel; a matrix product for video."""

from __future__ import annotations

import numpy as np
from numba import njit, prange, set_num_threads
from rows import Row

from peers.way import Way, by_both, by_channel, by_kernel, the_only

VERSIONS = ("numba", "llvmlite", "numpy")
BLOCK = 2048  # frames whose sums stay in the first-level cache
TOGETHER = 8  # taps that are applied in one turn over a block, so that sums are loaded less often


@njit(fastmath=True)
def add_taps(out, begin, end, x, h):
    """out[begin:end] of the full convolution of x with h; out is zero there."""
    taps, frames = len(h), len(x)
    inside_begin, inside_end = max(begin, taps - 1), min(end, frames)
    if inside_begin >= inside_end:
        inside_begin = inside_end = end
    for n in range(begin, inside_begin):
        total = out[n]
        for k in range(max(0, n - frames + 1), min(taps, n + 1)):
            total += h[k] * x[n - k]
        out[n] = total
    whole = taps - taps % TOGETHER
    count = inside_end - inside_begin
    sums = out[inside_begin:inside_end]
    for k in range(0, whole, TOGETHER):
        h0, h1, h2, h3 = h[k], h[k + 1], h[k + 2], h[k + 3]
        h4, h5, h6, h7 = h[k + 4], h[k + 5], h[k + 6], h[k + 7]
        part = x[inside_begin - k - 7 : inside_end - k]
        for n in range(count):
            sums[n] += (
                (h0 * part[n + 7] + h1 * part[n + 6]) + (h2 * part[n + 5] + h3 * part[n + 4])
            ) + ((h4 * part[n + 3] + h5 * part[n + 2]) + (h6 * part[n + 1] + h7 * part[n]))
    for k in range(whole, taps):
        part = x[inside_begin - k : inside_end - k]
        for n in range(count):
            sums[n] += h[k] * part[n]
    for n in range(inside_end, end):
        total = out[n]
        for k in range(max(0, n - frames + 1), min(taps, n + 1)):
            total += h[k] * x[n - k]
        out[n] = total


@njit(fastmath=True)
def one(x, h):
    out = np.zeros(len(x) + len(h) - 1, x.dtype)
    for begin in range(0, len(out), BLOCK):
        add_taps(out, begin, min(begin + BLOCK, len(out)), x, h)
    return out


@njit(fastmath=True, parallel=True)
def one_parallel(x, h):
    out = np.zeros(len(x) + len(h) - 1, x.dtype)
    for b in prange((len(out) + BLOCK - 1) // BLOCK):
        add_taps(out, b * BLOCK, min((b + 1) * BLOCK, len(out)), x, h)
    return out


@njit(fastmath=True, parallel=True)
def bank(x, h):
    """x (channels, frames) with h (kernels, taps): (channels, kernels, frames + taps - 1)."""
    length = x.shape[1] + h.shape[1] - 1
    out = np.empty((x.shape[0], h.shape[0], length), x.dtype)
    blocks = (length + BLOCK - 1) // BLOCK
    for i in prange(x.shape[0] * blocks):
        c, begin = i // blocks, i % blocks * BLOCK
        end = min(begin + BLOCK, length)
        for k in range(h.shape[0]):
            out[c, k, begin:end] = 0
            add_taps(out[c, k], begin, end, x[c], h[k])
    return out


@njit(fastmath=True, parallel=True)
def own(x, h):
    """x (channels, frames) with h (channels, taps) or (1, taps): (channels, frames + taps - 1)."""
    length = x.shape[1] + h.shape[1] - 1
    out = np.empty((x.shape[0], length), x.dtype)
    blocks = (length + BLOCK - 1) // BLOCK
    for i in prange(x.shape[0] * blocks):
        c, begin = i // blocks, i % blocks * BLOCK
        end = min(begin + BLOCK, length)
        out[c, begin:end] = 0
        add_taps(out[c], begin, end, x[c], h[c % h.shape[0]])
    return out


@njit(fastmath=True, parallel=True)
def ragged(x, h, taps):
    """x (frames,) with the first taps[k] of h (kernels, longest); results padded likewise."""
    out = np.zeros((h.shape[0], len(x) + h.shape[1] - 1), x.dtype)
    blocks = (out.shape[1] + BLOCK - 1) // BLOCK
    # Blocks vary slowest, so that each thread's share holds short and long kernels alike.
    for i in prange(blocks * h.shape[0]):
        k, begin = i % h.shape[0], i // h.shape[0] * BLOCK
        end = min(begin + BLOCK, len(x) + taps[k] - 1)
        if begin < end:
            add_taps(out[k], begin, end, x, h[k, : taps[k]])
    return out


@njit(fastmath=True, parallel=True)
def slide(x, h):
    """Valid frames of x (frames, pixels) with h (taps, pixels), as inner products."""
    count = x.shape[0] - h.shape[0] + 1
    out = np.zeros(count, x.dtype)
    for n in prange(count):
        total = out[n]
        for k in range(h.shape[0]):
            image, kernel = x[n + h.shape[0] - 1 - k], h[k]
            for p in range(x.shape[1]):
                total += kernel[p] * image[p]
        out[n] = total
    return out


@njit(fastmath=True)
def slide_by_product(x, h):
    products = np.dot(x, h.T)
    count = x.shape[0] - h.shape[0] + 1
    out = np.zeros(count, x.dtype)
    for n in range(count):
        for k in range(h.shape[0]):
            out[n] += products[n + h.shape[0] - 1 - k, k]
    return out


def ways(row: Row, x, h, threads: int) -> dict[str, Way]:
    set_num_threads(threads)
    if row.kind == "rows":
        return {"direct form, prange": Way(lambda: own(x, np.atleast_2d(h)), by_channel)}
    if row.kind == "bank":
        return {"direct form, prange": Way(lambda: bank(x, h), by_both)}
    if row.kind == "video":
        valid = {"offset": row.taps[0] - 1, "extent": "valid"}
        images, kernels = x.reshape(len(x), -1), h.reshape(len(h), -1)
        return {
            "inner products, prange": Way(lambda: slide(images, kernels), the_only, **valid),
            "matrix product, sums of diagonals": Way(
                lambda: slide_by_product(images, kernels), the_only, **valid
            ),
        }
    calls = {"direct form": one, "direct form, prange": one_parallel}
    if row.kind == "one":
        return {name: Way(lambda f=call: f(x, h), the_only) for name, call in calls.items()}
    if row.kind == "powers":
        return {
            name: Way(lambda f=call: [f(a, b) for a, b in zip(x, h, strict=True)], by_kernel)
            for name, call in calls.items()
        }

    taps = np.array([len(kernel) for kernel in h])

    def padded():
        kernels = np.zeros((len(h), taps.max()), x.dtype)
        for k, kernel in enumerate(h):
            kernels[k, : len(kernel)] = kernel
        y = ragged(x, kernels, taps)
        return [y[k, : len(x) + len(kernel) - 1] for k, kernel in enumerate(h)]

    return {
        "direct form, prange over kernels": Way(padded, by_kernel),
        "direct form, prange, kernel by kernel": Way(
            lambda: [one_parallel(x, kernel) for kernel in h], by_kernel
        ),
    }
