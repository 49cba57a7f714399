"""How much memory a large filter bank takes beside x and its result: firbank, and NeMoS."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from workers import RESERVE, available_memory

HERE = Path(__file__).resolve().parent
BUILD = HERE.parents[1] / "build"
LOOKS_A_SECOND = 200
LEAST_FREE_DISK = 20 << 30  # bytes that stay free when a result is written to disk
LONGEST_SECONDS = 3600


@dataclass(frozen=True)
class Case:
    """A bank: every channel with every kernel, in single precision."""

    channels: int
    kernels: int
    taps: int
    frames: int

    @property
    def x_bytes(self) -> int:
        return 4 * self.channels * self.frames

    @property
    def out_bytes(self) -> int:
        return 4 * self.channels * self.kernels * (self.frames + self.taps - 1)


LIMIT = 2 << 30  # '2GiB'
CASES = (Case(100, 8, 100, 50_000), Case(200, 16, 100, 100_000), Case(1000, 64, 100, 200_000))
QUICK_CASES = (Case(5, 4, 100, 4000),)


def private_bytes(process: int) -> int:
    """Resident memory of a process that is not of files: a result that is a file is left out."""
    try:
        for line in Path(f"/proc/{process}/status").read_text().splitlines():
            if line.startswith("RssAnon"):
                return int(line.split()[1]) * 1024
    except (FileNotFoundError, ProcessLookupError):
        pass
    return 0


class Watch(threading.Thread):
    """The most private memory that a process has, looked at many times a second."""

    def __init__(self, process: int):
        super().__init__(daemon=True)
        self.process, self.most = process, 0
        self.end = threading.Event()

    def run(self) -> None:
        while not self.end.wait(1 / LOOKS_A_SECOND):
            self.most = max(self.most, private_bytes(self.process))


def place_of_result(case: Case, folder: Path, memory_bytes: int) -> str:
    """Where firbank's result goes: memory if small, else disk if there is room, else pieces."""
    if case.out_bytes < memory_bytes // 4:
        return "memory"
    if shutil.disk_usage(folder).free > case.out_bytes + LEAST_FREE_DISK:
        return "disk"
    return "chunks"


def watch(who: str, case: Case, folder: Path) -> dict:
    """Runs one library on one case; see `measure` for what it gives."""
    available = available_memory()
    out = place_of_result(case, folder, available) if who == "firbank" else "memory"
    allowed = available - case.x_bytes - RESERVE
    # A map of a file counts as mapped, though it takes no memory of its own.
    allowed += case.out_bytes if out == "disk" else 0
    said = asdict(case) | {"who": who, "out": out, "limit": LIMIT if who == "firbank" else None}
    question = said | {"folder": str(folder), "allowed_bytes": allowed}
    environment = os.environ | {"JAX_PLATFORMS": "cpu"}
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [sys.executable, "-B", HERE / "memory_case.py", json.dumps(question)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            env=environment,
            text=True,
        )
        look = Watch(process.pid)
        timer = threading.Timer(LONGEST_SECONDS, process.kill)
        try:
            timer.start()
            begun = process.stdout.readline()
            before = private_bytes(process.pid)
            if begun:
                look.start()
                process.stdin.write("\n")
                process.stdin.flush()
                end = process.stdout.readline()
            look.end.set()
        finally:
            timer.cancel()
            process.kill()
            process.wait()
        log.seek(0)
        words = log.read().decode(errors="replace").strip().split("\n")[-1][:300]
    if not begun:
        return said | {"failed": f"did not start: {words}"}
    said |= {"x_bytes": case.x_bytes, "out_bytes": case.out_bytes, "allowed_bytes": allowed}
    answer = json.loads(end) if end else {"failed": f"ended with {process.returncode}: {words}"}
    grown = max(look.most - before, 0)
    # firbank's result was there before; NeMoS makes its own, which is not held against it.
    mine = case.out_bytes if who == "nemos" and "seconds" in answer else 0
    return said | answer | {"grown_bytes": grown, "working_bytes": max(grown - mine, 0)}


def measure(chosen: list[str], quick: bool, say: Callable[[str], None]) -> list[dict]:
    """Runs every case.

    Returns
    -------
    list of dict
        The case, `who`, where the result went (`out`), the `limit` given to firbank, `grown_bytes`:
        the most private memory beyond what there was when x was ready, `working_bytes`: the same
        without the result, `seconds`, or `failed`.
    """
    results = []
    BUILD.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=BUILD) as folder:
        for case in QUICK_CASES if quick else CASES:
            for who in ("firbank", "nemos"):
                if who in chosen:
                    results.append(watch(who, case, Path(folder)))
                    say(describe(results[-1]))
    return results


def failure(result: dict) -> str:
    """What a library said when it gave up, and what it might have had."""
    # JAX repeats itself once for every function that the failure went through.
    words = "; ".join(dict.fromkeys(result["failed"].split(": ")))
    if "allowed_bytes" not in result:
        return f"failed ({words})"
    return f"failed with {result['allowed_bytes'] / 2**30:.1f} GiB to itself ({words})"


def describe(result: dict) -> str:
    case = "{channels} x {kernels} x {frames:,}".format(**result)
    if "failed" in result:
        return f"memory, {case}: {result['who']} {failure(result)}"
    return (
        f"memory, {case}: {result['who']} took {result['working_bytes'] / 2**20:,.0f} MiB "
        f"beside x and its result, {result['seconds']:.3g} s"
    )
