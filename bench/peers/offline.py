#!/usr/bin/env python3
"""Measures offline workloads: firbank and FFTW in a worker of their own, SciPy here, in turn.

    offline.py [--quick] WORKER DIR WORKLOAD...      writes DIR/WORKLOAD.json

Processor time of all threads. SciPy computes in single precision, each workload in every way that
its convolutions allow; the fastest of them in a first trial is the one that is measured.
"""

import argparse
import json
import statistics
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

import numpy as np
import scipy
from scipy.signal import fftconvolve, oaconvolve

FILTER_STREAMS = 0x10000
LARGEST_ERROR = 5e-6  # relative L2, of a peer that computes in single precision
LEAST_SECONDS = 0.3  # a measurement; short runs are repeated


def noise(stream: int, frames: int) -> np.ndarray:
    """The same noise as noise.hpp, bit for bit."""
    h = np.arange(frames, dtype=np.uint32) + np.uint32(stream * 0x9E3779B9 & 0xFFFFFFFF)
    h = (h ^ (h >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    h = (h ^ (h >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    h ^= h >> np.uint32(16)
    return h.view(np.int32).astype(np.float32) * np.float32(2.0**-31)


@dataclass
class Workload:
    title: str
    inputs: int
    frames: int
    taps: list[int]
    kernels: bool  # every filter on every input; else filter i on input i
    peers: dict[str, float]  # seconds that the peer is known to take
    target: float
    rounds: int = 5
    fftw: bool = False
    two_threads: bool = False


WORKLOADS = {
    "W6": Workload(
        "16 channels x 10,000,000, own 8,191 taps",
        16, 10_000_000, [8191] * 16, False, {"FFTW one FFT": 0.65, "SciPy": 3.4}, 1.5,
        fftw=True, two_threads=True,
    ),
    "W7a": Workload(
        "99 filters of 100..9,900 taps on 50,000 samples",
        1, 50_000, list(range(100, 10_000, 100)), True, {"SciPy": 0.12}, 5,
    ),
    "W7b": Workload(
        "1,000 rows x 100,000, own 200 taps",
        1000, 100_000, [200] * 1000, False, {"SciPy": 1.03}, 5,
    ),
    "W7c": Workload(
        "100 channels x 1,000,000, 8 kernels of 100 taps",
        100, 1_000_000, [100] * 8, True, {"SciPy": 20}, 5, rounds=3,
    ),
}  # fmt: skip


class SciPy:
    """One workload by SciPy. `run` returns a function from an output's index to its samples."""

    def __init__(self, workload: Workload):
        self.workload = workload
        self.x = np.stack([noise(c, workload.frames) for c in range(workload.inputs)])
        self.h = [noise(FILTER_STREAMS + f, taps) for f, taps in enumerate(workload.taps)]
        self.ways = self.kernel_ways() if workload.kernels else self.row_ways()
        self.name = min(self.ways, key=lambda way: self.measure(way)["cpu"])

    def kernel_ways(self) -> dict[str, Callable]:
        x, h = self.x, self.h
        padded = np.zeros((len(h), max(map(len, h))), np.float32)
        for f, taps in enumerate(h):
            padded[f, : len(taps)] = taps

        def one_by_one(convolve):
            out = [convolve(x[c], taps) for c in range(len(x)) for taps in h]
            return lambda o: out[o]

        def by_channel(convolve):
            out = [convolve(x[c][None, :], padded, axes=1) for c in range(len(x))]
            return lambda o: out[o // len(h)][o % len(h)]

        return both(one_by_one, "pair by pair") | both(by_channel, "all filters of an input")

    def row_ways(self) -> dict[str, Callable]:
        x, h = self.x, np.stack(self.h)

        def row_by_row(convolve):
            out = [convolve(row, taps) for row, taps in zip(x, h)]
            return lambda o: out[o]

        def at_once(convolve):
            out = convolve(x, h, axes=1)
            return lambda o: out[o]

        return both(row_by_row, "row by row") | both(at_once, "all rows at once")

    def measure(self, way: str | None = None) -> dict:
        run = self.ways[way or self.name]
        runs = 0
        begin = spent = time.process_time()
        while runs == 0 or spent - begin < LEAST_SECONDS:
            out = run()
            runs += 1
            spent = time.process_time()
        return {"cpu": (spent - begin) / runs, "error": self.error(out)}

    def error(self, out: Callable) -> float:
        """Relative L2 error against a direct convolution in double precision."""
        difference = power = 0.0
        filters = len(self.h)
        outputs = len(self.x) * filters if self.workload.kernels else len(self.x)
        for o in {0, outputs // 2, outputs - 1}:
            x = self.x[o // filters if self.workload.kernels else o]
            taps = self.h[o % filters if self.workload.kernels else o].astype(np.float64)
            got = out(o)
            last = len(x) + len(taps) - 1
            for first in {0, len(taps) - 100, len(x) // 2, last - 200}:
                first = max(first, 0)
                for n in range(first, min(first + 200, last)):
                    k = np.arange(max(0, n - len(x) + 1), min(len(taps), n + 1))
                    right = float(taps[k] @ x[n - k].astype(np.float64))
                    difference += (float(got[n]) - right) ** 2
                    power += right**2
        return (difference / power) ** 0.5


def both(way: Callable, text: str) -> dict[str, Callable]:
    return {
        f"oaconvolve, {text}": lambda: way(oaconvolve),
        f"fftconvolve, {text}": lambda: way(fftconvolve),
    }


class Worker:
    def __init__(self, program: str, name: str, quick: bool):
        command = [program, *(["--quick"] if quick else []), name]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def measure(self, what: str) -> dict:
        self.process.stdin.write(what + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"the worker ended with {self.process.wait()}")
        return json.loads(line)

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait()


def measure(name: str, worker: Worker, quick: bool) -> dict:
    workload = WORKLOADS[name]
    if quick:
        workload.frames //= 50
        workload.rounds = 1
    scipy_peer = SciPy(workload)
    peers = {"SciPy": scipy_peer.measure}
    if workload.fftw:
        peers["FFTW one FFT"] = lambda: worker.measure("fftw")
        worker.measure("fftw")  # plans
    worker.measure("firbank 1")
    ours, theirs, ratios = [], {}, {}
    for _ in range(workload.rounds):
        for peer, run in peers.items():
            ours.append(worker.measure("firbank 1"))
            theirs.setdefault(peer, []).append(run())
            ratios.setdefault(peer, []).append(theirs[peer][-1]["cpu"] / ours[-1]["cpu"])
    record = {
        "name": name,
        "title": workload.title,
        "offline": True,
        "target": workload.target,
        "seconds": statistics.median(run["cpu"] for run in ours),
        "error": max(run["error"] or float("inf") for run in ours),
        "plan": ours[-1]["plan"],
        "backend": ours[-1]["backend"],
        "floor": ours[-1]["floor"],
        "memory": ours[-1]["memory"],
        "peers": [
            {
                "name": peer,
                "detail": scipy_peer.name if peer == "SciPy" else runs[-1]["plan"],
                "known_seconds": workload.peers[peer],
                "seconds": statistics.median(run["cpu"] for run in runs),
                "error": max(run["error"] for run in runs),
                "ratio": statistics.median(ratios[peer]),
                "ratios": ratios[peer],
            }
            for peer, runs in theirs.items()
        ],
    }
    if workload.two_threads:
        # The least wall time of each: a second core is not always free.
        walls: dict[str, list[float]] = {"firbank 1": [], "firbank 2": []}
        for _ in range(workload.rounds):
            for what, seconds in walls.items():
                seconds.append(worker.measure(what)["wall"])
        machine = ours[-1]["machine_two_threads"]
        record["two_threads"] = {
            "ratio": min(walls["firbank 1"]) / min(walls["firbank 2"]),
            "machine_reads": machine["reads"],
            "machine_flops": machine["flops"],
        }
    return record


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="a fiftieth of the samples, once")
    parser.add_argument("worker")
    parser.add_argument("folder", type=Path)
    parser.add_argument("workload", nargs="+", choices=WORKLOADS, metavar="WORKLOAD")
    chosen = parser.parse_args()
    for name in chosen.workload:
        worker = Worker(chosen.worker, name, chosen.quick)
        record = measure(name, worker, chosen.quick)
        worker.close()
        record["scipy"] = f"SciPy {scipy.__version__}, NumPy {np.__version__}"
        (chosen.folder / f"{name}.json").write_text(json.dumps(record, indent=1) + "\n")
        print(f"{name}: firbank {record['seconds']:.4g} s of processor time ({record['plan']})")
        for peer in record["peers"]:
            print(
                f"  {peer['name']:<18} {peer['seconds']:>9.4g} s   firbank is "
                f"{peer['ratio']:.2f} times as fast   ({peer['detail']})",
                flush=True,
            )


if __name__ == "__main__":
    main()
