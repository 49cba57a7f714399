"""firbank itself: the plain call, without anything that only its makers would know."""

from __future__ import annotations

import os
from functools import partial

import firbank
from rows import Row

from peers.way import Way, by_channel, by_kernel, kernels_last, the_only

VERSIONS = ("firbank", "numpy")


def ways(row: Row, x, h, threads: int) -> dict[str, Way]:
    # As many threads as there are processors is what it takes by itself.
    is_usual = threads == os.cpu_count()
    convolve = firbank.convolve if is_usual else partial(firbank.convolve, threads=threads)
    if row.kind == "rows":
        return {"convolve": Way(lambda: convolve(x, h), by_channel)}
    if row.kind == "bank":
        return {"convolve, bank": Way(lambda: convolve(x, h, routing="bank"), kernels_last)}
    if row.kind == "ragged":
        return {"convolve, bank": Way(lambda: convolve(x, h, routing="bank"), by_kernel)}
    if row.kind == "powers":
        run = lambda: [convolve(a, b) for a, b in zip(x, h, strict=True)]  # noqa: E731
        return {"convolve": Way(run, by_kernel)}
    if row.kind == "video":

        def slide():
            return convolve(x, h, axis=0, routing="matrix", mode="valid")

        return {"convolve, matrix": Way(slide, the_only, offset=row.taps[0] - 1, extent="valid")}
    return {"convolve": Way(lambda: convolve(x, h), the_only)}
