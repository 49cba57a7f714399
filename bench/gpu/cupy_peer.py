#!/usr/bin/env python3
"""CuPy's oaconvolve on one case: the output of one block, from its input and the history that the
filters reach back to. Prints figures as the other programs of bench/gpu do; exit 77 with a line when
CuPy is not there.

    bench/gpu/cupy_peer.py CASE [--seconds N] [--quick]
"""

import argparse
import json
import math
import sys
import time

CASES = {  # inputs, outputs, taps, block; as cases.hpp has them
    "G1": {False: (64, 64, 96_000, 128), True: (4, 4, 500, 32)},
    "G2": {False: (10_000, 10_000, 1_024, 32), True: (12, 12, 128, 32)},
    "G3": {False: (1, 10_000, 4_096, 256), True: (1, 12, 256, 64)},
}


def tell(**figure) -> None:
    print(json.dumps(figure), flush=True)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("case", choices=sorted(CASES))
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    try:
        import cupy
        import numpy
        from cupyx.scipy.signal import oaconvolve
    except ImportError as missing:
        print(f"no CuPy here: {missing}", file=sys.stderr)
        return 77
    inputs, outputs, taps, block = CASES[options.case][options.quick]
    matrix = options.case == "G1"
    random = numpy.random.default_rng(1)
    history = random.uniform(-1, 1, (inputs, taps - 1 + block)).astype(numpy.float32)
    shape = (outputs, inputs, taps) if matrix else (outputs, taps)
    filters = random.random(shape, dtype=numpy.float32) * 2 - 1
    filters /= math.sqrt(taps * (inputs if matrix else 1))
    device_filters = cupy.asarray(filters)

    def one_block():
        """From host memory to host memory."""
        x = cupy.asarray(history)
        if matrix:
            y = oaconvolve(x[None], device_filters, mode="valid", axes=-1).sum(axis=1)
        else:
            y = oaconvolve(cupy.broadcast_to(x, (outputs, x.shape[1])), device_filters,
                           mode="valid", axes=-1)
        return cupy.asnumpy(y)

    found = one_block()
    worst = 0.0
    for output in {0, outputs // 3, outputs - 1}:
        rows = range(inputs) if matrix else [output if inputs > 1 else 0]
        right = sum(
            numpy.convolve(history[row].astype(float),
                           (filters[output, row] if matrix else filters[output]).astype(float),
                           "valid")
            for row in rows
        )
        worst = max(worst, float(numpy.linalg.norm(found[output] - right) /
                                 numpy.linalg.norm(right)))
    tell(name="relative error", unit="ratio", value=worst)
    if not worst <= 1e-4:
        print(f"the outputs are wrong: relative error {worst}", file=sys.stderr)
        return 1

    took = []
    begin = time.perf_counter()
    while len(took) < 5 or time.perf_counter() - begin < options.seconds:
        submitted = time.perf_counter()
        one_block()
        took.append(1e6 * (time.perf_counter() - submitted))
        if time.perf_counter() - begin > 4 * options.seconds + 5:
            break
    took.sort()

    def quantile(share: float) -> float:
        return took[max(1, math.ceil(share * len(took))) - 1]

    tell(name="a call", unit="us", samples=len(took), median=quantile(0.5), p99=quantile(0.99),
         p999=quantile(0.999), max=took[-1])
    return 0


if __name__ == "__main__":
    sys.exit(main())
