#!/usr/bin/env python3
"""Makes the table of a folder that bench/peers/run has filled: prints it, and writes its README.

    bench/peers/report.py bench/results/peers-2026-01-31-abcdef0
"""

import json
import os
import sys
import time
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from summarise import natural, processor  # noqa: E402

LARGEST_ERROR = 5e-6  # relative L2 against double precision
SLOWEST_PEER = 0.7  # of the figure that the peer is known to reach
WORST_OVER_MEAN = 2.0
TWO_THREADS = 1.7


def rows_of(record: dict) -> list[dict]:
    """The rows of a workload; an offline one is a row. Rates are per second, larger is better."""
    rows = [record] if record.get("offline") else record["rows"]
    for row in rows:
        row["workload"] = record["name"]
        for rated in (row, *row["peers"]):
            rated["rate"] = 1 / rated["seconds"] if "seconds" in rated else rated["x_realtime"]
        for peer in row["peers"]:
            if "known_seconds" in peer:
                peer["known"] = 1 / peer["known_seconds"]
        row["best"] = min(row["peers"], key=lambda peer: peer["ratio"])
        known = [peer["known"] for peer in row["peers"] if "known" in peer]
        row["known"] = max(known) if known else row["peer_figure"]
    return rows


def figure(row: dict, rate: float) -> str:
    return f"{1 / rate:.3g} s" if row.get("offline") else f"{rate:.4g}"


def verdict(row: dict) -> str:
    # A NaN compares false: what is not known to be small is wrong.
    wrong = [
        who["name"] if who is not row else "firbank"
        for who in (row, *row["peers"])
        if who["error"] is None or not who["error"] <= LARGEST_ERROR
    ]
    if wrong:
        return f"**failed**: wrong output of {', '.join(wrong)}"
    best = max(row["peers"], key=lambda peer: peer["rate"])
    if best["rate"] < SLOWEST_PEER * row["known"]:
        return (
            f"**void**: the best peer reaches {figure(row, best['rate'])} here, "
            f"and is known to reach {figure(row, row['known'])}"
        )
    ratio = row["best"]["ratio"]
    if ratio < 1:
        return "**behind**"
    return "met" if ratio >= row["target"] else f"short, {ratio / row['target']:.0%} of it"


def binds(floor: dict) -> str:
    read, flop = floor["read_share"], floor["flop_share"]
    return f"{max(read, flop):.0%} {'reads' if read > flop else 'arithmetic'}"


def label(row: dict) -> str:
    return row["workload"] + (f" {row['block_frames']}" if "block_frames" in row else "")


def main_table(rows: list[dict]) -> list[str]:
    lines = [
        "| row | firbank | best peer | | ratio | target | | mean call, us | worst call, us "
        "| worst / mean | floor |",
        "|---" * 11 + "|",
    ]
    for row in rows:
        calls = ["", "", ""]
        if "phases" in row:
            phases = row["phases"]
            shape = phases["worst_us"] / phases["mean_us"]
            over = "" if shape <= WORST_OVER_MEAN else " **over 2**"
            calls = [f"{phases['mean_us']:.4g}", f"{phases['worst_us']:.4g}", f"{shape:.2f}{over}"]
        cells = [
            label(row), figure(row, row["rate"]), row["best"]["name"],
            figure(row, row["best"]["rate"]), f"**{row['best']['ratio']:.2f}**",
            f"{row['target']:g}", verdict(row), *calls, binds(row["floor"]),
        ]  # fmt: skip
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def peer_table(rows: list[dict]) -> list[str]:
    lines = [
        "| row | peer | figure | firbank's ratio | lowest, highest | error | options |",
        "|---" * 7 + "|",
    ]
    for row in rows:
        lines.append(
            f"| {label(row)} | firbank | {figure(row, row['rate'])} | | | {row['error']:.1e} "
            f"| {row['backend']}, {row['plan']} |"
        )
        for peer in row["peers"]:
            spread = f"{min(peer['ratios']):.2f}, {max(peer['ratios']):.2f}"
            lines.append(
                f"| | {peer['name']} | {figure(row, peer['rate'])} | {peer['ratio']:.2f} "
                f"| {spread} | {peer['error']:.1e} | {peer['detail']} |"
            )
    return lines


def floor_table(rows: list[dict]) -> list[str]:
    lines = [
        "| row | bytes read | of the bandwidth | nominal flops | of the peak |",
        "|---" * 5 + "|",
    ]
    for row in rows:
        floor = row["floor"]
        scale = 1 if row.get("offline") else row["x_realtime"]
        unit = "" if row.get("offline") else "/s"
        reading = floor.get("bytes", floor.get("bytes_per_second", 0)) * scale
        flops = floor.get("flops", floor.get("flops_per_second", 0)) * scale
        lines.append(
            f"| {label(row)} | {reading / 1e9:.3g} GB{unit} | {floor['read_share']:.0%} "
            f"| {flops / 1e9:.3g} G{unit} | {floor['flop_share']:.0%} |"
        )
    return lines


def two_thread_table(rows: list[dict]) -> list[str]:
    lines = [
        "| row | two threads, in times one | | the machine: reads | arithmetic |",
        "|---" * 5 + "|",
    ]
    for row in rows:
        if "two_threads" not in row:
            continue
        two = row["two_threads"]
        if two["ratio"] >= TWO_THREADS:
            outcome = "met"
        elif min(two["machine_reads"], two["machine_flops"]) < TWO_THREADS:
            outcome = "the machine does not allow 1.7"
        else:
            outcome = "short of 1.7"
        lines.append(
            f"| {label(row)} | {two['ratio']:.2f} | {outcome} | {two['machine_reads']:.2f} "
            f"| {two['machine_flops']:.2f} |"
        )
    return lines if len(lines) > 2 else []


def memory_table(rows: list[dict]) -> list[str]:
    lines = [
        "| row | the plan's bytes | limit | | growth of resident memory |",
        "|---" * 5 + "|",
    ]
    for row in rows:
        memory = row["memory"]
        within = memory["plan_bytes"] <= memory["limit_bytes"]
        growth = memory.get("resident_growth")
        lines.append(
            f"| {label(row)} | {memory['plan_bytes'] / 1e6:.2f} MB "
            f"| {memory['limit_bytes'] / 1e6:.2f} MB | {'met' if within else '**over**'} "
            f"| {'' if growth is None else f'{growth / 1e6:.2f} MB'} |"
        )
    return lines


def machine_table(machine: dict) -> list[str]:
    lines = [
        f"One core: {machine['peak_flops'] / 1e9:.0f} GFLOP/s in single precision; two together "
        f"{machine['two_threads_flops']:.2f} times that.",
        "",
        "| read in turn | one core, GB/s | two together, in times one |",
        "|---|---|---|",
    ]
    for read in machine["reads"]:
        lines.append(
            f"| {read['bytes'] / 1024:.0f} KiB | {read['bytes_per_second'] / 1e9:.0f} "
            f"| {read['two_threads']:.2f} |"
        )
    return lines


def titles(records: list[dict]) -> list[str]:
    return [f"- {record['name']}: {record['title']}" for record in records]


def main() -> int:
    folder = Path(sys.argv[1])
    paths = sorted(folder.glob("W*.json"), key=lambda path: natural(path.name))
    records = [json.loads(path.read_text()) for path in paths]
    rows = [row for record in records for row in rows_of(record)]
    load = ", ".join(f"{value:.2f}" for value in os.getloadavg())
    head = [
        f"# {folder.name}",
        "",
        f"{processor()}, {os.cpu_count()} CPUs, {time.strftime('%Y-%m-%d %H:%M', time.gmtime())} "
        f"UTC, load {load}. Streams in times real time per core, by processor time of all threads; "
        "offline in seconds of processor time. What the columns mean: bench/README.md.",
        "",
        *titles(records),
        "",
    ]
    table = main_table(rows)
    parts = [*head, *table, "", "## All peers", "", *peer_table(rows)]
    parts += ["", "## The floor", "", *floor_table(rows)]
    if two := two_thread_table(rows):
        parts += ["", "## Two threads", "", *two]
    parts += ["", "## Memory", "", *memory_table(rows)]
    machine = folder / "machine.json"
    if machine.exists():
        parts += ["", "## The machine", "", *machine_table(json.loads(machine.read_text()))]
    (folder / "README.md").write_text("\n".join(parts) + "\n")
    print(*table, sep="\n")
    print(f"== wrote {folder}/README.md")
    return 1 if any("**failed**" in verdict(row) for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
