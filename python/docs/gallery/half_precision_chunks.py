"""Data kept in float16 and filtered chunk by chunk: the loop as one writes it, and an iterator.

This is what programs with CuPy do whose recordings fill the GPU's memory. CuPy's transforms are of
single precision at least, so each chunk is widened, convolved by overlap-add, its tail kept for the
next one, and rounded. SciPy stands in for CuPy: ``cupyx.scipy.signal.oaconvolve`` has the same
arguments, and the loop is the same.
"""

from __future__ import annotations

from dataclasses import dataclass

import measure
import numpy as np


@dataclass(frozen=True)
class Case:
    channels: int
    samples: int
    taps: int
    chunk: int


def case_of(small: bool) -> Case:
    return Case(4, 20_000, 100, 3_000) if small else Case(64, 2_000_000, 2_048, 65_536)


def prepare(case, folder):
    random = np.random.default_rng(1)
    shape = (case.channels, case.samples)
    x = np.lib.format.open_memmap(folder / "x.npy", "w+", np.float16, shape)
    for row in x:
        row[:] = random.standard_normal(case.samples, dtype=np.float32)
    h = random.standard_normal((case.channels, case.taps)) * np.hanning(case.taps)
    np.save(folder / "h.npy", (h / np.sqrt(case.taps)).astype(np.float16))


def load(folder):
    return np.load(folder / "x.npy"), np.load(folder / "h.npy")


def chunks_of(x, size):
    for first in range(0, x.shape[1], size):
        yield x[:, first : first + size]


def chunked_loop(case, folder):
    """Before."""
    from scipy.signal import oaconvolve

    x, h = load(folder)
    y = np.full(x.shape, np.nan, np.float16)  # filled, so that its memory is there before
    yield
    wide_h = h.astype(np.float32)
    tail = np.zeros((case.channels, case.taps - 1), np.float32)
    first = 0
    for chunk in chunks_of(x, case.chunk):
        full = oaconvolve(chunk.astype(np.float32), wide_h, axes=1)
        size = chunk.shape[1]
        full[:, : case.taps - 1] += tail
        tail = full[:, size:]
        y[:, first : first + size] = full[:, :size]
        first += size
    yield
    np.save(folder / "loop.npy", y)


def with_firbank(case, folder):
    """After: chunks in, chunks out, and the tails are the library's."""
    import firbank

    x, h = load(folder)
    y = np.full(x.shape, np.nan, np.float16)  # filled, so that its memory is there before
    yield
    first = 0
    for part in firbank.convolve(chunks_of(x, case.chunk), h, mode="causal"):
        y[:, first : first + part.shape[1]] = part
        first += part.shape[1]
    yield
    np.save(folder / "firbank.npy", y)


def main():
    measure.main(
        case_of,
        prepare,
        [
            measure.Way("loop", "SciPy, a loop over chunks", chunked_loop),
            measure.Way("firbank", "firbank, an iterator of chunks", with_firbank),
        ],
        tolerance=2e-3,  # the step of float16 near its largest values here
        packages=("numpy", "scipy"),
        description=__doc__.splitlines()[0],
    )


if __name__ == "__main__":
    main()
