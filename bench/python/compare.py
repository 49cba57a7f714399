#!/usr/bin/env python3
"""Measures firbank in Python against other libraries, in turns within one run.

bench/python/run prepares the interpreter and calls this; bench/README.md says what figures mean.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path

import environment
import figures
import memory
import peers
import report
import rows
from reference import LARGEST_ERROR
from rows import Row
from tqdm import tqdm
from workers import RESERVE, Died, Worker, available_memory

LEAST_SECONDS = 0.3  # a turn; short runs are repeated
QUICK_SECONDS = 0.02
PATIENCE = 300  # seconds for an answer, beside what runs may take


@dataclass
class Options:
    quick: bool
    precision: str
    threads: int
    limit: float
    rounds: int
    peers: list[str]


@dataclass
class Trial:
    """What one way of a library took when it was tried, and up to how many frames it got."""

    tried: dict[int, float] = field(default_factory=dict)  # seconds by number of frames
    error: float | None = None
    type: str | None = None
    first: float | None = None
    failed: str | None = None  # 'memory', 'wrong', 'shape', 'error', 'died'
    message: str | None = None

    @property
    def frames(self) -> int:
        return max(self.tried)

    def right(self) -> bool:
        return bool(self.tried) and self.failed in (None, "memory", "died")

    def seconds(self, whole: int) -> float:
        return figures.scaled(self.tried[self.frames], self.frames, whole)

    def describe(self, whole: int) -> dict:
        said = {"error": self.error, "type": self.type, "failed": self.failed}
        if self.message:
            said["message"] = self.message
        if self.tried:
            said |= {
                "seconds": self.seconds(whole),
                "frames": self.frames,
                "first_run_seconds": self.first,
                "seconds_by_frames": self.tried,
            }
        return said


class Contestant:
    """A library on one workload: its worker, its ways, and the times of the best by round."""

    def __init__(self, peer: str, row: Row, options: Options, workers: dict[str, Worker]):
        self.peer, self.row, self.options, self.workers = peer, row, options, workers
        self.opened = False
        self.trials: dict[str, Trial] = {}
        self.turns: dict[str, list[dict]] = {}  # of each way that takes part in the rounds
        self.failed: str | None = None
        self.versions: dict[str, str] = {}

    def ask(self, **command) -> dict:
        """An answer of the worker; one that died is replaced, so that other ways get a turn."""
        try:
            if self.peer not in self.workers:
                self.workers[self.peer] = Worker(
                    self.peer, self.options.threads, self.options.precision
                )
            if not self.opened:
                self.workers[self.peer].ask(
                    PATIENCE,
                    do="open",
                    row=self.row.name,
                    quick=self.options.quick,
                    precision=self.options.precision,
                )
                self.opened = True
            patience = PATIENCE + 20 * self.options.limit
            return self.workers[self.peer].ask(patience, **command)
        except Died as death:
            del self.workers[self.peer]
            self.opened = False
            return {"failed": "died", "message": str(death)}

    def time(self, way: str, frames: int) -> dict:
        return self.ask(
            do="time",
            frames=frames,
            way=way,
            seconds=QUICK_SECONDS if self.options.quick else LEAST_SECONDS,
            once=self.options.limit / 3,
            memory=max(available_memory() - RESERVE, RESERVE),
        )

    def try_ways(self) -> None:
        """Finds the fastest way, by ever larger parts of the frames."""
        whole = self.row.frames
        answer = self.ask(do="versions")
        self.versions = answer.get("versions", {})
        shorten = self.row.can_shorten and not self.options.quick
        sizes = figures.parts(whole, self.row.least_frames) if shorten else [whole]
        answer = answer if "failed" in answer else self.ask(do="ways", frames=sizes[0])
        if "failed" in answer:
            self.failed = answer["message"]
            return
        self.trials = {way: Trial() for way in answer["ways"]}
        for frames in sizes:
            best = min(
                (trial.tried[trial.frames] / trial.frames for trial in self.usable()),
                default=float("inf"),
            )
            for way, trial in self.trials.items():
                if trial.failed or not figures.worth_more(
                    trial.tried, frames, self.options.limit, best
                ):
                    continue
                self.record(trial, frames, self.time(way, frames))
        # A way that had no memory for the whole counts only where no other got that far.
        right = {way: trial for way, trial in self.trials.items() if trial.right()}
        whole_way = {way: trial for way, trial in right.items() if not trial.failed} or right
        times = {way: trial.seconds(whole) for way, trial in whole_way.items()}
        if times:
            self.turns = {way: [] for way in figures.finalists(times)}

    def usable(self) -> list[Trial]:
        return [trial for trial in self.trials.values() if trial.right()]

    def record(self, trial: Trial, frames: int, answer: dict) -> None:
        if "failed" in answer:
            trial.failed, trial.message = answer["failed"], answer["message"]
            return
        trial.error, trial.type, trial.first = answer["error"], answer["type"], answer["first"]
        # A NaN compares false: what is not known to be small is wrong.
        if not trial.error <= LARGEST_ERROR[self.options.precision]:
            trial.failed, trial.message = "wrong", f"relative error {trial.error:.1e}"
        trial.tried[frames] = answer["least"]

    def take_turn(self, turn: int) -> None:
        for way, turns in self.turns.items():
            trial = self.trials[way]
            seconds = trial.tried[trial.frames]
            if turn >= figures.rounds(seconds, self.options.rounds, self.options.limit):
                continue
            answer = self.time(way, trial.frames)
            if "failed" in answer:
                self.failed = answer["message"]
            else:
                turns.append(answer)

    def way(self) -> str | None:
        """The way whose median over the rounds is least, or None where none came through all."""
        walls = {way: self.seconds(way, "wall") for way, turns in self.turns.items() if turns}
        most = max(map(len, walls.values()), default=0)
        through = {way: values for way, values in walls.items() if len(values) == most}
        return min(through, key=lambda way: statistics.median(through[way]), default=None)

    def seconds(self, way: str, clock: str) -> list[float]:
        """The times of a way by round, by the 'wall' clock or the processor's ('cpu')."""
        frames, whole = self.trials[way].frames, self.row.frames
        return [figures.scaled(turn[clock], frames, whole) for turn in self.turns[way]]

    def leave(self) -> None:
        """Makes room: the worker lives on, and the next workload finds what it has compiled."""
        if self.opened:
            self.ask(do="forget")

    def describe(self, firbank: Contestant | None) -> dict:
        whole = self.row.frames
        said: dict = {
            "versions": self.versions,
            "ways": {way: trial.describe(whole) for way, trial in self.trials.items()},
        }
        if self.failed:
            said["failed"] = self.failed
        way = self.way()
        if way is None:
            return said
        trial = self.trials[way]
        times = {clock: self.seconds(way, clock) for clock in ("wall", "cpu")}
        said |= {
            "way": way,
            "frames": trial.frames,
            "scaled_from": None if trial.frames == whole else trial.frames / whole,
            "out_of_memory": trial.failed is not None,
            "error": trial.error,
            # The first run beyond the others: compilation, and memory touched for the first time.
            "warm_up_seconds": max(0.0, trial.first - trial.tried[trial.frames]),
            "rounds_of_all_finalists": {
                finalist: self.seconds(finalist, "wall") for finalist in self.turns
            },
        }
        ours = firbank.way() if firbank is not None and firbank is not self else None
        for clock, values in times.items():
            said[clock] = figures.spread(values) | {"runs": values}
            if ours is not None:
                ratios = figures.ratios(values, firbank.seconds(ours, clock))
                said["ratio" if clock == "wall" else "cpu_ratio"] = figures.spread(ratios)
        return said


def measure(row: Row, options: Options, workers: dict[str, Worker], bar: tqdm) -> dict:
    """One workload: every library is tried, then all take turns."""
    contestants = [Contestant(peer, row, options, workers) for peer in options.peers]
    for contestant in contestants:
        bar.set_description(f"{row.name}: {peers.TITLES[contestant.peer]} tries")
        contestant.try_ways()
        bar.update()
    for turn in range(options.rounds):
        for contestant in contestants:
            bar.set_description(f"{row.name}: {peers.TITLES[contestant.peer]}, round {turn + 1}")
            contestant.take_turn(turn)
            bar.update()
    for contestant in contestants:
        contestant.leave()
    firbank = next((c for c in contestants if c.peer == "firbank"), None)
    return {
        "name": row.name,
        "title": row.title,
        "frames": row.frames,
        # Of the row: others of the record may come from another run.
        "limit_seconds": options.limit,
        "rounds": options.rounds,
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "load": os.getloadavg(),
        "peers": {c.peer: c.describe(firbank) for c in contestants},
    }


def arguments() -> argparse.Namespace:
    names = [*rows.rows(), "memory"]
    parser = argparse.ArgumentParser(prog="bench/python/run", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="tiny sizes; the figures mean nothing")
    parser.add_argument(
        "--row", action="append", choices=names, metavar="ROW", help=f"of {', '.join(names)}"
    )
    parser.add_argument(
        "--peer", action="append", choices=peers.NAMES, help="may be repeated; default: all"
    )
    parser.add_argument("--precision", choices=list(LARGEST_ERROR), default="single")
    parser.add_argument(
        "--threads", type=int, default=len(os.sched_getaffinity(0)), help="default: all cores"
    )
    parser.add_argument(
        "--limit", type=float, default=30, help="seconds a run; longer ones are scaled from a part"
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path, help="a folder other than bench/results/python-...")
    chosen = parser.parse_args()
    cores = len(os.sched_getaffinity(0))
    if not 1 <= chosen.threads <= cores:
        parser.error(f"--threads is {chosen.threads}; allowed: 1 to {cores}")
    if chosen.rounds < 1:
        parser.error(f"--rounds is {chosen.rounds}; allowed: 1 and more")
    return chosen


def folder(chosen: argparse.Namespace) -> Path:
    if chosen.out:
        return chosen.out
    if chosen.quick or chosen.peer:
        # Not the whole, and nothing that belongs on record.
        name = "quick" if chosen.quick else "some-peers"
        return environment.ROOT / "build/bench-python" / name
    day = time.strftime("%Y-%m-%d", time.gmtime())
    suffix = "" if chosen.precision == "single" else "-double"
    return environment.ROOT / f"bench/results/python-{day}-{environment.commit()}{suffix}"


def find(measured: list[dict], name: str) -> dict:
    return next(row for row in measured if row["name"] == name)


def joined(before: list[dict], now: list[dict]) -> list[dict]:
    """Rows of two runs in the order of all, the later ones where both have one."""
    by_name = {row["name"]: row for row in [*before, *now]}
    return [by_name[name] for name in rows.rows() if name in by_name]


def main() -> int:
    chosen = arguments()
    options = Options(
        quick=chosen.quick,
        precision=chosen.precision,
        threads=chosen.threads,
        limit=chosen.limit,
        rounds=2 if chosen.quick else chosen.rounds,
        peers=[peer for peer in peers.NAMES if not chosen.peer or peer in chosen.peer],
    )
    table = rows.quick_rows() if chosen.quick else rows.rows()
    wanted = [row for name, row in table.items() if not chosen.row or name in chosen.row]
    results = folder(chosen)
    results.mkdir(parents=True, exist_ok=True)
    load = os.getloadavg()[0]
    if load > 0.3 * options.threads:
        print(f"== the machine is not at rest (load {load:.1f}): the figures will be rough")
    record = {
        "environment": environment.describe(options.threads, options.precision),
        "quick": options.quick,
    }
    path = results / "figures.json"
    # Rows of an earlier run of this commit stay, so that a long run can be done in pieces.
    before = {} if options.quick or not path.exists() else json.loads(path.read_text())
    record["rows"] = before.get("rows", [])
    if "memory" in before:
        record["memory"] = before["memory"]
    workers: dict[str, Worker] = {}
    steps = len(wanted) * len(options.peers) * (1 + options.rounds)
    try:
        with tqdm(total=steps, disable=None) as bar:
            for row in wanted:
                record["rows"] = joined(record["rows"], [measure(row, options, workers, bar)])
                # Kept after every row, so that an interrupted run is not lost.
                path.write_text(json.dumps(record, indent=1) + "\n")
                bar.clear()
                print(report.line(find(record["rows"], row.name)), flush=True)
    except KeyboardInterrupt:
        report.write(results, record)
        print(f"== interrupted; {report.shown(results)} has the rows that were finished")
        return 130
    finally:
        for worker in workers.values():
            worker.close()
    if not chosen.row or "memory" in chosen.row:
        record["memory"] = memory.measure(options.peers, options.quick, print)
        path.write_text(json.dumps(record, indent=1) + "\n")
    print(*report.terminal_table(record), sep="\n")
    report.write(results, record)
    print(f"== wrote {report.shown(results)}")
    return 1 if report.wrong(record) else 0


if __name__ == "__main__":
    sys.exit(main())
