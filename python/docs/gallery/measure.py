"""Before and after: each way in a process of its own, timed, its memory watched, answers compared.

A way is a generator of two yields. What it does before the first is preparation, between the two is
measured, and after the second it keeps its result for the comparison, as ``NAME.npy`` in its
folder. The second may give a dictionary of what else should be told:

    def loop(case, folder):
        x = np.load(folder / "x.npy")
        yield
        y = [np.convolve(row, case.kernel) for row in x]
        yield
        np.save(folder / "loop.npy", y)

Memory is the private one of the process (RssAnon of Linux), as more than there was at the first
yield: pages of files do not count, since the system takes them back when it needs them, and the
libraries that were loaded do not count either. A result that lies in memory does.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import multiprocessing
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"
LOOKS_A_SECOND = 100
PART = 1 << 22  # elements that are compared at a time


@dataclass(frozen=True)
class Way:
    """One way to the answer.

    Attributes
    ----------
    name : str
        Of the generator's result, ``NAME.npy``, and in the JSON.
    title : str
        For people.
    run : callable
        The generator, of a case and a folder; at the top level of the program.
    is_bounded : bool
        Whether it has to do with the program's budget of memory, if there is one.
    """

    name: str
    title: str
    run: Callable[[Any, Path], Iterator[Any]]
    is_bounded: bool = True


class GaveUp(Exception):
    """What a way raises that has no answer; the message is told."""


@dataclass
class Measured:
    """What was measured of one way, an element for each turn."""

    name: str
    title: str
    seconds: list[float] = field(default_factory=list)
    peak_bytes: list[int] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    failed: str | None = None
    failed_seconds: float | None = None
    largest_difference: float | None = None  # from the first way that has an answer

    @property
    def median_seconds(self) -> float | None:
        return statistics.median(self.seconds) if self.seconds else None

    @property
    def median_peak_bytes(self) -> float | None:
        return statistics.median(self.peak_bytes) if self.peak_bytes else None


def main(
    case_of: Callable[[bool], Any],
    prepare: Callable[[Any, Path], None],
    ways: Sequence[Way],
    *,
    tolerance: float,
    packages: Sequence[str],
    description: str,
    budget_of: Callable[[Any], int] | None = None,
) -> None:
    """Be the program: parse the arguments, measure, compare, tell.

    Parameters
    ----------
    case_of : callable
        Makes the case, a dataclass, from whether it is to be a small one.
    prepare : callable
        Writes what all ways read into a folder.
    ways : sequence of Way
        In the order of the table; the first answer is the one the others are compared with.
    tolerance : float
        How far answers may be apart, as a part of the largest value.
    packages : sequence of str
        Whose versions belong to the figures.
    description : str
        For ``--help``.
    budget_of : callable, optional
        Gives the bytes of private memory, by the case, beyond which the system refuses more to a
        way while it is measured: a smaller machine.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument(
        "--small", action="store_true", help="a quick try, whose figures say little"
    )
    parser.add_argument("--repeat", type=int, default=3, help="turns, of which the median is told")
    parser.add_argument("--json", type=Path, help="where to write what was measured")
    parser.add_argument("--folder", type=Path, help="for temporary files; the system's by default")
    arguments = parser.parse_args()

    case = case_of(arguments.small)
    budget = None if budget_of is None else budget_of(case)
    load_before = os.getloadavg()
    folder = Path(tempfile.mkdtemp(dir=arguments.folder, prefix="firbank-gallery-"))
    try:
        prepare(case, folder)
        measured = [Measured(way.name, way.title) for way in ways]
        for turn in range(arguments.repeat):
            for way, its in zip(ways, measured, strict=True):
                if its.failed is None:
                    print(f"turn {turn + 1} of {arguments.repeat}: {way.title}", file=sys.stderr)
                    _measure_once(way, case, folder, budget if way.is_bounded else None, its)
        _compare(measured, folder)
    finally:
        shutil.rmtree(folder)

    record = {
        "program": Path(sys.argv[0]).stem,
        "small": arguments.small,
        "case": asdict(case),
        "environment": _environment(packages, load_before),
        "ways": [
            asdict(its)
            | {"median_seconds": its.median_seconds, "median_peak_bytes": its.median_peak_bytes}
            for its in measured
        ],
    }
    print(text_table(record))
    if arguments.json:
        arguments.json.write_text(json.dumps(record, indent=2) + "\n")
    wrong = [its.title for its in measured if (its.largest_difference or 0) > tolerance]
    if wrong:
        sys.exit(f"these answers are more than {tolerance:g} apart from the first: {wrong}")


def rows_of_table(record: dict[str, Any]) -> list[list[str]]:
    """The table of a record, with its head: what the program prints and the page shows."""
    rows = [["way", "time", "peak memory", "difference"]]
    for way in record["ways"]:
        if way["failed"]:
            after = f"{way['failed_seconds']:.3g} s: " if way["failed_seconds"] else ""
            rows.append([way["title"], after + way["failed"], "", ""])
            continue
        apart = way["largest_difference"]
        rows.append(
            [
                way["title"],
                f"{way['median_seconds']:.3g} s ({min(way['seconds']):.2g} to "
                f"{max(way['seconds']):.2g})",
                readable_bytes(way["median_peak_bytes"]),
                "" if apart is None else "none" if apart == 0 else f"{apart:.1e}",
            ]
        )
    return rows


def text_table(record: dict[str, Any]) -> str:
    """The same, in columns as wide as they need to be, with what each way told besides."""
    rows = rows_of_table(record)
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    for way in record["ways"]:
        lines += [f"{way['title']}: {name}: {fact}" for name, fact in way["facts"].items()]
    return "\n".join(lines)


def readable_bytes(size: float) -> str:
    for unit in ("B", "KiB", "MiB"):
        if size < 1024:
            return f"{size:.3g} {unit}"
        size /= 1024
    return f"{size:.3g} GiB"


def _measure_once(way: Way, case: Any, folder: Path, budget: int | None, its: Measured) -> None:
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_child, args=(way, case, folder, budget, there))
    process.start()
    there.close()
    try:
        here.recv()  # it has prepared
        watch = _Watch(process.pid)
        watch.start()
        here.send("go")
        answer = here.recv()
        peak = watch.stop()
        here.send("keep")
        process.join()
    except (EOFError, BrokenPipeError):
        process.join()
        its.failed = f"killed with {-process.exitcode}" if process.exitcode < 0 else "failed"
        return
    if "failed" in answer:
        its.failed, its.failed_seconds = answer["failed"], answer["seconds"]
    elif process.exitcode != 0:
        its.failed = "failed after it was measured"
    else:
        its.seconds.append(answer["seconds"])
        its.peak_bytes.append(peak)
        its.facts = answer["facts"]


def _child(way: Way, case: Any, folder: Path, budget: int | None, parent: Any) -> None:
    steps = way.run(case, folder)
    next(steps)
    parent.send("ready")
    parent.recv()
    if budget is not None:
        resource.setrlimit(resource.RLIMIT_DATA, (budget, resource.RLIM_INFINITY))
    begin = time.perf_counter()
    try:
        told = next(steps)
        answer = {"facts": told or {}}
    except Exception as failure:
        answer = {"failed": _described(failure)}
    answer["seconds"] = time.perf_counter() - begin
    resource.setrlimit(resource.RLIMIT_DATA, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    parent.send(answer)
    parent.recv()
    if "failed" not in answer:
        next(steps, None)


def _described(failure: Exception) -> str:
    if isinstance(failure, GaveUp):
        return str(failure)
    return "out of memory" if is_out_of_memory(failure) else repr(failure)


def is_out_of_memory(failure: BaseException) -> bool:
    """Whether a library means that; JAX has no exception of its own for it."""
    text = str(failure).lower()
    return isinstance(failure, MemoryError) or "out of memory" in text or "exhausted" in text


class _Watch(threading.Thread):
    """The most private memory of a process beyond what it had when the watch began."""

    def __init__(self, process: int) -> None:
        super().__init__(daemon=True)
        self._status = Path(f"/proc/{process}/status")
        self._before = self._most = self._look()
        self._end = threading.Event()

    def run(self) -> None:
        while not self._end.wait(1 / LOOKS_A_SECOND):
            self._most = max(self._most, self._look())

    def stop(self) -> int:
        self._most = max(self._most, self._look())
        self._end.set()
        self.join()
        return self._most - self._before

    def _look(self) -> int:
        for line in self._status.read_text().splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) * 1024
        return 0


def _compare(measured: list[Measured], folder: Path) -> None:
    """Compare all answers with the first that there is, place by place, NaN by NaN."""
    answers = [its for its in measured if its.seconds]
    if not answers:
        return
    first = np.load(folder / f"{answers[0].name}.npy", mmap_mode="r").reshape(-1)
    for its in answers[1:]:
        other = np.load(folder / f"{its.name}.npy", mmap_mode="r").reshape(-1)
        if other.shape != first.shape:
            raise ValueError(f"{its.title} gives {other.size} values, {first.size} are right")
        largest = most = 0.0
        for start in range(0, first.size, PART):
            a = first[start : start + PART].astype(np.float64)
            b = other[start : start + PART].astype(np.float64)
            if (np.isnan(a) != np.isnan(b)).any():
                raise ValueError(f"{its.title} has NaN elsewhere than {answers[0].title}")
            apart = np.abs(a - b)
            largest = max(largest, float(np.nanmax(apart, initial=0.0)))
            most = max(most, float(np.nanmax(np.abs(a), initial=0.0)))
        its.largest_difference = largest / most


def _environment(packages: Sequence[str], load_before: tuple[float, ...]) -> dict[str, Any]:
    return {
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "commit": _commit(),
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "kernel": f"{platform.system()} {platform.release()}",
        "versions": {"python": platform.python_version()}
        | {name: importlib.metadata.version(name) for name in packages},
        "load_before": load_before,
        "load_after": os.getloadavg(),
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def _commit() -> str:
    """The commit of the repository, marked where the package or the programs differ from it."""

    def git(*words: str) -> str:
        command = ["git", "-c", f"safe.directory={HERE.parents[2]}", "-C", HERE, *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    try:
        root = git("rev-parse", "--show-toplevel")
        changed = git(
            "status", "--porcelain", "--", *(f"{root}/{part}" for part in ("engine", "kernels",
            "python/src", "python/firbank")), *(str(path) for path in HERE.glob("*.py")),
        )  # fmt: skip
        return git("rev-parse", "--short", "HEAD") + ("-changed" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
