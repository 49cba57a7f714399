"""The parent's side of the workers: a process a library, of which one runs at a time."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
)
RESERVE = 1 << 30  # bytes that no run may take, for everything else on the machine


def available_memory() -> int:
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable"):
            return int(line.split()[1]) * 1024
    raise OSError("/proc/meminfo has no line MemAvailable")


class Died(Exception):
    """The worker ended without an answer, or had to be ended."""


class Worker:
    """A library in a process of its own, which is stopped while it has nothing to do.

    Runtimes of OpenMP and of JAX keep threads that spin for a while after their work; stopped, they
    take nothing from whoever has its turn.
    """

    def __init__(self, peer: str, threads: int, precision: str):
        self.peer = peer
        environment = os.environ | dict.fromkeys(THREADS, str(threads))
        environment |= {"JAX_PLATFORMS": "cpu", "JAX_ENABLE_X64": str(int(precision == "double"))}
        cores = sorted(os.sched_getaffinity(0))[:threads]
        self.log = tempfile.TemporaryFile()  # noqa: SIM115
        self.process = subprocess.Popen(
            [sys.executable, "-B", HERE / "serve.py", peer, str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            env=environment,
            # What has no thread count of its own, JAX above all, takes the cores that it may use.
            preexec_fn=lambda: os.sched_setaffinity(0, cores),
        )
        self.stopped = False

    def ask(self, patience: float, /, **command) -> dict:
        """Sends a command and waits for its answer; raises Died if none comes in time."""
        self._resume()
        try:
            self.process.stdin.write(json.dumps(command).encode() + b"\n")
            self.process.stdin.flush()
            ready, _, _ = select.select([self.process.stdout], [], [], patience)
            line = self.process.stdout.readline() if ready else b""
        except BrokenPipeError:
            line, ready = b"", True
        if not line:
            self.close()
            raise Died(self._last_words() if ready else f"no answer within {patience:.0f} s")
        self.process.send_signal(signal.SIGSTOP)
        self.stopped = True
        return json.loads(line)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()

    def _resume(self) -> None:
        if self.stopped:
            self.process.send_signal(signal.SIGCONT)
            self.stopped = False

    def _last_words(self) -> str:
        self.log.seek(0)
        lines = self.log.read().decode(errors="replace").strip().split("\n")
        return f"ended with {self.process.returncode}: {lines[-1][:300]}"
