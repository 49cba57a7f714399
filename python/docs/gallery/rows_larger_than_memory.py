"""A file of many rows, each with a kernel of its own: a loop over memory maps, and one call.

A recording of channels x samples as an .npy file, and the result as another one. The loop is what
one writes with SciPy; the call reads, computes and writes at the same time, within a memory
limit. At last the call is killed half way, as by a power failure, and made again.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from dataclasses import dataclass

import measure
import numpy as np


@dataclass(frozen=True)
class Case:
    channels: int
    samples: int
    taps: int
    memory_limit: str


def case_of(small: bool) -> Case:
    if small:
        return Case(8, 300_000, 200, "8MiB")
    return Case(48, 30_000_000, 2_000, "256MiB")


def prepare(case, folder):
    random = np.random.default_rng(1)
    shape = (case.channels, case.samples)
    x = np.lib.format.open_memmap(folder / "x.npy", "w+", np.float32, shape)
    noise = random.standard_normal(case.samples, dtype=np.float32)
    for channel, row in enumerate(x):
        row[:] = np.roll(noise, 1_000 * channel)
    x.flush()
    h = random.standard_normal((case.channels, case.taps)) / np.sqrt(case.taps)
    np.save(folder / "h.npy", h.astype(np.float32))


def loop_over_rows(case, folder):
    """Before."""
    from scipy.signal import oaconvolve

    h = np.load(folder / "h.npy")
    yield
    x = np.load(folder / "x.npy", mmap_mode="r")
    y = np.lib.format.open_memmap(folder / "loop.npy", "w+", np.float32, x.shape)
    for channel in range(case.channels):
        y[channel] = oaconvolve(x[channel], h[channel])[: case.samples]
    y.flush()
    yield


def with_firbank(case, folder):
    """After."""
    h = np.load(folder / "h.npy")
    path = folder / "firbank.npy"
    path.unlink(missing_ok=True)
    yield
    convolve_file(folder / "x.npy", h, path, case.memory_limit)
    yield


def convolve_file(x, h, out, memory_limit, progress=None):
    import firbank

    firbank.convolve(x, h, mode="causal", memory_limit=memory_limit, out=out, progress=progress)


def killed_half_way(case, folder):
    """After, with an accident: the same call twice, of which the first is killed."""
    h = np.load(folder / "h.npy")
    x, out = folder / "x.npy", folder / "resumed.npy"
    out.unlink(missing_ok=True)
    context = multiprocessing.get_context("spawn")
    done = context.Value("d", 0.0)
    victim = context.Process(target=be_killed, args=(x, h, out, case.memory_limit, done))
    seen = []
    yield
    victim.start()
    while victim.is_alive() and done.value < 0.5:
        time.sleep(0.002)
    at = done.value
    os.kill(victim.pid, signal.SIGKILL)
    victim.join()
    begin = time.perf_counter()
    convolve_file(x, h, out, case.memory_limit, lambda count, total: seen.append(count / total))
    yield {
        "done when it was killed": f"{at:.0%}",
        "done when the second call began": f"{seen[0]:.0%}",
        "second call": f"{time.perf_counter() - begin:.3g} s",
    }


def be_killed(x, h, out, memory_limit, done):
    """A call that tells how far it is, in a process that the caller will kill."""

    def tell(count, total):
        done.value = count / total
        if total < 10_000_000 and count >= total / 2:
            time.sleep(60)  # small files are finished before anybody can kill

    convolve_file(x, h, out, memory_limit, tell)


def main():
    measure.main(
        case_of,
        prepare,
        [
            measure.Way("loop", "SciPy, a loop over rows of memory maps", loop_over_rows),
            measure.Way("firbank", "firbank, from file to file", with_firbank),
            measure.Way("resumed", "firbank, killed half way and called again", killed_half_way),
        ],
        tolerance=1e-5,
        packages=("numpy", "scipy"),
        description=__doc__.splitlines()[0],
    )


if __name__ == "__main__":
    main()
