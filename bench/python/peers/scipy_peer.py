"""SciPy: its convolutions, of whole arrays with the FFT's own threads or by pieces in threads."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import scipy.fft
from rows import Row
from scipy.signal import convolve, correlate, fftconvolve, oaconvolve, upfirdn

from peers.way import Way, by_both, by_channel, by_kernel, the_only

VERSIONS = ("scipy", "numpy")
BOTH = {"oaconvolve": oaconvolve, "fftconvolve": fftconvolve}


def ways(row: Row, x, h, threads: int) -> dict[str, Way]:
    pool = ThreadPoolExecutor(threads)

    def by_fft_threads(job: Callable) -> Callable:
        def run():
            with scipy.fft.set_workers(threads):
                return job()

        return run

    def spread(job: Callable, *over) -> Callable:
        return lambda: list(pool.map(job, *over))

    found = {}
    if row.kind == "video":
        valid = {"offset": row.taps[0] - 1, "extent": "valid"}
        for name, way in BOTH.items():
            found[f"{name} along the frames, sum of pixels"] = Way(
                by_fft_threads(lambda f=way: f(x, h, mode="valid", axes=0).sum(axis=(1, 2))),
                the_only,
                **valid,
            )
            found[f"{name} in three dimensions, valid"] = Way(
                by_fft_threads(lambda f=way: f(x, h[:, ::-1, ::-1], mode="valid")[:, 0, 0]),
                the_only,
                **valid,
            )
        for method in ("direct", "fft"):
            found[f"correlate, valid, {method}"] = Way(
                by_fft_threads(lambda m=method: correlate(x, h[::-1], "valid", m)[:, 0, 0]),
                the_only,
                **valid,
            )
    elif row.kind in ("one", "powers"):
        calls = {
            "convolve": convolve,
            "convolve, direct": lambda a, b: convolve(a, b, method="direct"),
            "upfirdn": lambda a, b: upfirdn(b, a),
            **BOTH,
        }
        for name, call in calls.items():
            if row.kind == "one":
                found[name] = Way(lambda f=call: f(x, h), the_only)
            else:
                found[name] = Way(
                    lambda f=call: [f(a, b) for a, b in zip(x, h, strict=True)], by_kernel
                )
    elif row.kind == "rows":
        own = [h] * len(x) if row.one_kernel else list(h)
        at_once = h[None] if row.one_kernel else h
        for name, way in BOTH.items():
            found[f"{name}, all rows at once"] = Way(
                by_fft_threads(lambda f=way: f(x, at_once, axes=1)), by_channel
            )
            found[f"{name}, row by row, threads"] = Way(spread(way, list(x), own), by_channel)
        if row.taps[0] <= 1000:
            found["upfirdn, row by row, threads"] = Way(
                spread(lambda a, b: upfirdn(b, a), list(x), own), by_channel
            )
    elif row.kind == "bank":
        for name, way in BOTH.items():
            found[f"{name}, all at once"] = Way(
                by_fft_threads(lambda f=way: f(x[:, None], h[None], axes=2)), by_both
            )
            found[f"{name}, channel by channel, threads"] = Way(
                spread(lambda a, f=way: f(a[None], h, axes=1), list(x)), by_both
            )
        found["oaconvolve, pair by pair, threads"] = Way(
            spread(lambda a: [oaconvolve(a, b) for b in h], list(x)), by_both
        )
        found["upfirdn, pair by pair, threads"] = Way(
            spread(lambda a: [upfirdn(b, a) for b in h], list(x)), by_both
        )
    else:

        def padded(way):
            kernels = np.zeros((len(h), max(map(len, h))), x.dtype)
            for k, taps in enumerate(h):
                kernels[k, : len(taps)] = taps
            y = way(x[None], kernels, axes=1)
            return [y[k, : len(x) + len(taps) - 1] for k, taps in enumerate(h)]

        for name, way in BOTH.items():
            found[f"{name}, kernel by kernel"] = Way(
                lambda f=way: [f(x, taps) for taps in h], by_kernel
            )
            found[f"{name}, kernel by kernel, threads"] = Way(
                spread(lambda taps, f=way: f(x, taps), h), by_kernel
            )
            found[f"{name}, kernels padded, all at once"] = Way(
                by_fft_threads(lambda f=way: padded(f)), by_kernel
            )
    return found
