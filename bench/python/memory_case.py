"""One run whose memory the parent watches: channels x frames of noise through a bank of kernels.

    memory_case.py JSON     {"who", "channels", "kernels", "taps", "frames", "limit", "out",
                             "folder", "allowed_bytes"}

It says {"begin": true} when x is there and nothing has been computed, and at the end
{"seconds": S} or {"failed": TEXT}.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import tempfile
import time

import numpy as np
from serve import limit_memory

CHUNK_BYTES = 1 << 30  # of the result, where it is consumed piece by piece


def firbank_run(case: dict, x: np.ndarray, h: np.ndarray):
    import firbank

    shape = (len(x), x.shape[1] + h.shape[1] - 1, len(h))
    limit = case["limit"]
    if case["out"] == "chunks":
        step = max(1, CHUNK_BYTES * len(x) // (4 * int(np.prod(shape))))
        out = np.zeros((min(step, len(x)), *shape[1:]), np.float32)
        out.fill(0)

        def run():
            for first in range(0, len(x), len(out)):
                part = x[first : first + len(out)]
                firbank.convolve(part, h, routing="bank", memory_limit=limit, out=out[: len(part)])

        return run
    if case["out"] == "disk":
        with tempfile.NamedTemporaryFile(dir=case["folder"]) as file:
            out = np.memmap(file.name, np.float32, "w+", shape=shape)
    else:
        out = np.empty(shape, np.float32)
        out.fill(0)
    return lambda: firbank.convolve(x, h, routing="bank", memory_limit=limit, out=out)


def nemos_run(case: dict, x: np.ndarray, h: np.ndarray):
    import jax.numpy as jnp
    from nemos.convolve import create_convolutional_predictor

    series, basis = jnp.asarray(x.T), jnp.asarray(h.T)
    series.block_until_ready()
    return lambda: create_convolutional_predictor(basis, series).block_until_ready()


def main() -> None:
    case = json.loads(sys.argv[1])
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    random = np.random.default_rng(1)
    x = random.standard_normal((case["channels"], case["frames"]), dtype=np.float32)
    h = random.standard_normal((case["kernels"], case["taps"]), dtype=np.float32)
    prepare = {"firbank": firbank_run, "nemos": nemos_run}[case["who"]]
    run = prepare(case, x, h)
    del x
    limit_memory(case["allowed_bytes"])
    print(json.dumps({"begin": True}), file=answers, flush=True)
    sys.stdin.readline()  # until the parent has looked
    begin = time.perf_counter()
    try:
        result = run()
        said = {"seconds": time.perf_counter() - begin}
    except Exception as failure:
        result = None
        said = {"failed": f"{type(failure).__name__}: {str(failure).strip()[:300]}"}
    resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY,) * 2)
    print(json.dumps(said), file=answers, flush=True)
    sys.stdin.readline()
    del result


if __name__ == "__main__":
    main()
