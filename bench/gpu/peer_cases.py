"""What the Python peers of bench/gpu have in common: the cases, random samples and filters of them,
what outputs must be, and how figures are told.

A peer's `one_block` or `one_chunk` goes from host memory to host memory, `on_device` from device
memory to device memory.
"""

import argparse
import json
import math
import sys
import time
from dataclasses import dataclass
from typing import Callable

MISSING = 77  # exit status: the peer is not there


@dataclass(frozen=True)
class Case:
    """As cases.hpp has them. In a bank all inputs meet all filters; in rows each its own; in a
    matrix every output hears all inputs."""

    wiring: str
    inputs: int
    filters: int
    taps: int
    block: int = 0  # 0: a file
    shortest: int = 0  # 0: all filters have `taps`

    @property
    def outputs(self) -> int:
        if self.wiring == "matrix":
            return self.filters // self.inputs
        return self.inputs * self.filters if self.wiring == "bank" else self.inputs

    @property
    def is_file(self) -> bool:
        return self.block == 0


CASES = {  # as they are, and tiny
    "G1": (Case("matrix", 64, 64 * 64, 96_000, 128), Case("matrix", 4, 16, 500, 32)),
    "G2": (Case("rows", 10_000, 10_000, 1_024, 32), Case("rows", 12, 12, 128, 32)),
    "G3": (Case("bank", 1, 10_000, 4_096, 256), Case("bank", 1, 12, 256, 64)),
    "G4": (Case("bank", 1_000, 64, 1_000), Case("bank", 3, 4, 100)),
    "G5": (
        Case("rows", 10_000, 10_000, 20_000, shortest=200),
        Case("rows", 12, 12, 3_000, shortest=20),
    ),
}


def options(description: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name", metavar="CASE", choices=sorted(CASES))
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--quick", action="store_true")
    chosen = parser.parse_args()
    chosen.case = CASES[chosen.name][chosen.quick]
    return chosen


def tell(**figure) -> None:
    print(json.dumps(figure), flush=True)


def make_filters(numpy, case: Case):
    """[filter][tap], float32; shorter filters end in zeros. Of a matrix the filter from input i to
    output o is number o x inputs + i."""
    filters = numpy.random.default_rng(1).random((case.filters, case.taps), dtype=numpy.float32)
    filters *= 2
    filters -= 1
    filters /= math.sqrt(case.taps * (case.inputs if case.wiring == "matrix" else 1))
    if case.shortest:
        for row, one in enumerate(filters):
            spread = row * 7_919 % case.filters
            one[case.shortest + (case.taps - case.shortest) * spread // (case.filters - 1):] = 0
    return filters


def make_samples(numpy, case: Case, frames: int):
    """[input][frame], float32."""
    samples = numpy.random.default_rng(2).random((case.inputs, frames), dtype=numpy.float32)
    samples *= 2
    samples -= 1
    return samples


def error(numpy, case: Case, filters, samples, found) -> float:
    """Relative, L2, of a few outputs: found[output] is what a direct convolution gives wherever all
    of a filter meets `samples`; of long ones the first frames and the last."""
    worst = 0.0
    frames = samples.shape[1] - case.taps + 1
    checked = min(frames, 64)
    for output in sorted({0, case.outputs // 3, case.outputs - 1}):
        if case.wiring == "matrix":
            pairs = [(i, output * case.inputs + i) for i in range(case.inputs)]
        elif case.wiring == "bank":
            pairs = [divmod(output, case.filters)]
        else:
            pairs = [(output, output)]
        for first in {0, frames - checked}:
            part = slice(first, first + checked + case.taps - 1)
            right = sum(
                numpy.convolve(samples[i, part].astype(float), filters[f].astype(float), "valid")
                for i, f in pairs
            )
            wrong = found[output][first : first + checked] - right
            worst = max(worst, float(numpy.linalg.norm(wrong) / numpy.linalg.norm(right)))
    return worst


def tell_error(value: float) -> bool:
    """Whether it is small enough for anything to be measured."""
    tell(name="relative error", unit="ratio", value=value)
    if value <= 1e-4:
        return True
    print(f"the outputs are wrong: relative error {value}", file=sys.stderr)
    return False


def tell_calls(name: str, work: Callable[[], None], seconds: float) -> None:
    """Microseconds of each call of `work`, for about so many seconds."""
    took = []
    begin = time.perf_counter()
    while len(took) < 5 or time.perf_counter() - begin < seconds:
        submitted = time.perf_counter()
        work()
        took.append(1e6 * (time.perf_counter() - submitted))
        if time.perf_counter() - begin > 4 * seconds + 5:
            break
    took.sort()

    def quantile(share: float) -> float:
        return took[max(1, math.ceil(share * len(took))) - 1]

    tell(name=name, unit="us", samples=len(took), median=quantile(0.5), p99=quantile(0.99),
         p999=quantile(0.999), max=took[-1])  # fmt: skip


def rate(work: Callable[[int], None], finish: Callable[[], None], frames: int, seconds: float,
         most_queued: int = 8) -> float:  # fmt: skip
    """Frames a second when work(n) takes `frames` more and may only queue it, and finish() waits for
    all of it, after `most_queued` calls at the latest."""
    for number in range(2):
        work(number)
    finish()
    begin = time.perf_counter()
    calls = 0
    while calls < 3 or time.perf_counter() - begin < seconds:
        work(calls)
        calls += 1
        if calls % most_queued == 0:
            finish()
    finish()
    return calls * frames / (time.perf_counter() - begin)
