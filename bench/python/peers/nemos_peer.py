"""NeMoS: create_convolutional_predictor, which puts every kernel on every channel.

Its result has the frames whose kernel lies inside the signal, and NaN around them. A causal
predictor would be shifted in addition, which loses the last of them. x and the result stay in
JAX's arrays, as within a model of NeMoS.
"""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
from nemos.convolve import create_convolutional_predictor
from rows import Row

from peers.way import Way

VERSIONS = ("nemos", "jax", "jaxlib", "numpy")


def ways(row: Row, x, h, threads: int) -> dict[str, Way]:
    if row.kind not in ("bank", "one") and not (row.kind == "rows" and row.one_kernel):
        return {}
    if row.taps[0] < 2:
        return {}  # it refuses kernels of one tap
    series = jnp.asarray(np.atleast_2d(x).T)
    basis = jnp.asarray(np.atleast_2d(h).T)
    taps, frames = basis.shape[0], len(series)

    def predictor(**batches):
        return create_convolutional_predictor(
            basis, series, predictor_causality="acausal", shift=False, **batches
        ).block_until_ready()

    def pick(result, channel: int, k: int):
        before = (taps - 1) // 2  # NaN on both sides
        return result[before : before + frames - taps + 1, channel, k]

    batches = {
        "create_convolutional_predictor": {},
        "create_convolutional_predictor, 1 channel a batch": {"batch_size_channels": 1},
        "create_convolutional_predictor, 16,384 samples a batch": {"batch_size_samples": 16_384},
    }
    if row.kind == "one":
        batches = {"create_convolutional_predictor": {}}
    return {
        name: Way(lambda b=sizes: predictor(**b), pick, offset=taps - 1, extent="valid")
        for name, sizes in batches.items()
    }
