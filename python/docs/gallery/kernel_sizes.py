"""Ninety-nine kernel sizes on one signal: a parallel loop in Numba, and a ragged bank.

The question of somebody who tries moving windows of many sizes: 100, 200, ... 9,900 taps, each on
the same 50,000 samples. The loop does 25 thousand million products, which kernels share out among
the threads; a bank transforms the signal once for all of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import measure
import numpy as np


@dataclass(frozen=True)
class Case:
    samples: int
    sizes: int
    step: int  # kernels have step, 2 step, ... sizes * step taps


def case_of(small: bool) -> Case:
    return Case(2_000, 9, 20) if small else Case(50_000, 99, 100)


def prepare(case, folder):
    random = np.random.default_rng(1)
    np.save(folder / "x.npy", random.standard_normal(case.samples))


def load(case, folder):
    windows = [np.hanning(case.step * k + 2)[1:-1] for k in range(1, case.sizes + 1)]
    return np.load(folder / "x.npy"), [window / window.sum() for window in windows]


def with_numba(case, folder):
    """Before: the sum over taps, compiled, and the kernels shared out among the threads."""
    from numba import njit, prange
    from numba.typed import List

    @njit(parallel=True, fastmath=True)
    def convolve_all(x, kernels):
        results = [np.zeros(x.size + h.size - 1) for h in kernels]
        for k in prange(len(kernels)):
            h, y = kernels[np.int64(k)], results[np.int64(k)]
            for tap in range(h.size):
                for n in range(x.size):
                    y[tap + n] += h[tap] * x[n]
        return results

    x, kernels = load(case, folder)
    convolve_all(x, List(kernels[:2]))  # so that compiling is not measured
    yield
    results = convolve_all(x, List(kernels))
    yield
    np.save(folder / "numba.npy", np.concatenate(list(results)))


def with_scipy(case, folder):
    """The loop of somebody who knows overlap-add."""
    from scipy.signal import oaconvolve

    x, kernels = load(case, folder)
    yield
    results = [oaconvolve(x, h) for h in kernels]
    yield
    np.save(folder / "scipy.npy", np.concatenate(results))


def with_firbank(case, folder):
    """After: a list of kernels of any sizes is a bank."""
    import firbank

    x, kernels = load(case, folder)
    yield
    results = firbank.convolve(x, kernels, routing="bank")
    yield
    np.save(folder / "firbank.npy", np.concatenate(results))


def main():
    measure.main(
        case_of,
        prepare,
        [
            measure.Way("numba", "Numba, a parallel loop over the kernels", with_numba),
            measure.Way("scipy", "SciPy, oaconvolve for each kernel", with_scipy),
            measure.Way("firbank", "firbank, a ragged bank", with_firbank),
        ],
        tolerance=1e-10,
        packages=("numpy", "numba", "scipy"),
        description=__doc__.splitlines()[0],
    )


if __name__ == "__main__":
    main()
