"""A worker: one library in a process of its own, which computes and times what it is told to.

    serve.py PEER THREADS

It reads one JSON object a line and answers each with one. The memory of a run is limited to what
the parent says, so that a library that wants too much fails instead of the machine.

    {"do": "open", "row": NAME, "quick": BOOL, "precision": "single" | "double"}
        makes the signals and kernels of a workload -> {}
    {"do": "forget"}
        lets go of them -> {}
    {"do": "ways", "frames": N}
        -> {"ways": [NAME, ...]}
    {"do": "time", "frames": N, "way": NAME, "seconds": LEAST, "once": S, "memory": BYTES}
        runs it, again and again until LEAST seconds are over; the first time it also says how
        long the first run took and how wrong its result is, and leaves it at that if it took over
        S seconds
        -> {"wall": S, "least": S, "cpu": S, "runs": N} and {"first": S, "error": E, "type": DTYPE}
    {"do": "versions"} -> {"versions": {...}}

Where it fails: {"failed": "memory" | "shape" | "error", "message": TEXT}.
"""

from __future__ import annotations

import ctypes
import gc
import importlib.metadata
import json
import os
import resource
import signal
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import peers
import reference
import rows

TYPES = {"single": np.dtype(np.float32), "double": np.dtype(np.float64)}
PR_SET_PDEATHSIG = 1
SETTLING_SECONDS = 0.05  # of runs before those that count


def mapped_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


def limit_memory(more_bytes: int) -> None:
    """Lets the process map so much more than it has mapped by now."""
    resource.setrlimit(resource.RLIMIT_AS, (mapped_bytes() + more_bytes, resource.RLIM_INFINITY))


def out_of_memory(failure: BaseException) -> bool:
    """Whether a library's exception says so; PyTorch and JAX have none of a type of its own."""
    text = str(failure).lower()
    signs = ("out of memory", "can't allocate memory", "resource_exhausted", "cannot allocate")
    return isinstance(failure, MemoryError) or any(sign in text for sign in signs)


def version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed, from a folder"


class Server:
    def __init__(self, name: str, threads: int):
        self.module = peers.load(name)
        self.threads = threads
        self.forget()

    def open(self, row: str, quick: bool, precision: str) -> dict:
        self.forget()
        self.row = (rows.quick_rows() if quick else rows.rows())[row]
        self.x = self.row.signals(TYPES[precision])
        self.h = self.row.kernels(TYPES[precision])
        return {}

    def forget(self) -> dict:
        self.row: rows.Row | None = None
        self.x = self.h = None
        self.ways_of: dict[int, Any] = {}
        self.checked: set[tuple[int, str]] = set()  # what has run once, by frames and way
        gc.collect()
        return {}

    def made(self, frames: int) -> tuple[Any, Any, dict]:
        """The workload with so many frames: what was made last is kept, and nothing else."""
        if frames not in self.ways_of:
            self.ways_of.clear()
            gc.collect()
            row = self.row.shortened(frames)
            x = self.row.cut(self.x, frames)
            self.ways_of[frames] = row, x, self.module.ways(row, x, self.h, self.threads)
        return self.ways_of[frames]

    def ways(self, frames: int) -> dict:
        return {"ways": list(self.made(frames)[2])}

    def time(self, frames: int, way: str, seconds: float, once: float, memory: int) -> dict:
        limit_memory(memory)
        row, x, ways = self.made(frames)
        chosen = ways[way]
        figures: dict[str, Any] = {}
        if (frames, way) not in self.checked:
            cpu_begin, begin = time.process_time(), time.perf_counter()
            result = chosen.run()
            figures["first"] = time.perf_counter() - begin
            cpu = time.process_time() - cpu_begin
            types = set()

            def pick(channel: int, k: int) -> np.ndarray:
                samples = chosen.samples(result, channel, k)
                types.add(str(samples.dtype))
                return samples

            figures["error"] = reference.error(row, x, self.h, pick, chosen.offset, chosen.extent)
            figures["type"] = " ".join(sorted(types))
            self.checked.add((frames, way))
            del result
            if figures["first"] > once:
                once_only = dict.fromkeys(("wall", "least"), figures["first"])
                return figures | once_only | {"cpu": cpu, "runs": 1}
        # Threads that were stopped wake up on whatever core there is, and spin for each other there
        # until the scheduler has spread them.
        # And memory that others gave back meanwhile has to be found again: a virtual machine's host
        # may have taken it, and takes seconds to back gigabytes, whoever asks for them first.
        begin = time.perf_counter()
        while True:
            chosen.run()
            if time.perf_counter() - begin >= SETTLING_SECONDS:
                break
        wall = cpu = 0.0
        least = float("inf")
        runs, together = 0, 1
        while runs == 0 or wall < seconds:
            cpu_begin, begin = time.process_time(), time.perf_counter()
            for _ in range(together):
                result = chosen.run()
            end, cpu_end = time.perf_counter(), time.process_time()
            wall += end - begin
            least = min(least, (end - begin) / together)
            cpu += cpu_end - cpu_begin
            runs += together
            # Freed outside the time that counts, except where many small ones make up a turn.
            del result
            if end - begin < seconds / 100:
                together *= 4
        return figures | {"wall": wall / runs, "least": least, "cpu": cpu / runs, "runs": runs}

    def versions(self) -> dict:
        return {"versions": {name: version(name) for name in self.module.VERSIONS}}

    def answer(self, command: dict) -> dict:
        try:
            return getattr(self, command.pop("do"))(**command)
        except reference.WrongShape as failure:
            return {"failed": "shape", "message": str(failure)}
        except Exception as failure:
            kind = "memory" if out_of_memory(failure) else "error"
            message = str(failure).strip().split("\n")[0][:300]
            return {"failed": kind, "message": f"{type(failure).__name__}: {message}"}
        finally:
            resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY,) * 2)
            gc.collect()


def main() -> None:
    # A worker that waits is stopped; it must not stay so when its parent is gone.
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    # What libraries print goes to stderr; the parent's pipe is for answers alone.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    server = Server(sys.argv[1], int(sys.argv[2]))
    for line in sys.stdin:
        print(json.dumps(server.answer(json.loads(line))), file=answers, flush=True)


if __name__ == "__main__":
    main()
