#!/usr/bin/env python3
"""Turns one folder of benchmark results into a README of tables: medians, with where and when.

    bench/summarise.py bench/results/2026-01-31-abcdef0
"""

import json
import platform
import re
import sys
from pathlib import Path


def processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def natural(name: str) -> list:
    """Orders block:32 before block:1024; the runs themselves come in random order."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)]


def medians(path: Path) -> tuple[dict, list[dict]]:
    report = json.loads(path.read_text())
    rows = [row for row in report["benchmarks"] if row.get("aggregate_name") == "median"]
    return report["context"], sorted(rows, key=lambda row: natural(row["run_name"]))


def scaled(value: float) -> str:
    for factor, unit in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= factor:
            return f"{value / factor:.1f} {unit}"
    return f"{value:.1f}"


def fft_table(rows: list[dict]) -> list[str]:
    """Sizes down, transforms across, in G flops/s."""
    table: dict[int, dict[str, float]] = {}
    for row in rows:
        name, size = row["run_name"].rsplit("/size:", 1)
        table.setdefault(int(size), {})[name] = row["flops"] / 1e9
    names = sorted({name for sizes in table.values() for name in sizes})
    lines = ["| size | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for size in sorted(table):
        cells = (f"{table[size][n]:.0f}" if n in table[size] else "" for n in names)
        lines.append(f"| {size} | " + " | ".join(cells) + " |")
    return lines


def plain_table(rows: list[dict]) -> list[str]:
    lines = ["| case | CPU time | rates | |", "|---|---|---|---|"]
    for row in rows:
        rates = ", ".join(
            f"{key} {scaled(row[key])}"
            for key in ("x_realtime", "core_percent", "items_per_second", "bytes_per_second")
            if key in row
        )
        lines.append(
            f"| {row['run_name']} | {row['cpu_time']:.0f} {row['time_unit']} | {rates} "
            f"| {row.get('label', '')} |"
        )
    return lines


def main() -> None:
    folder = Path(sys.argv[1])
    parts = []
    context: dict = {}
    for name, title, table in (
        ("real_fft", "Real transforms, G flops/s (2.5 N log2 N)", fft_table),
        ("spectral_mac", "Spectral multiply-accumulate, complex products a second", plain_table),
        ("direct_fir", "Direct form, multiply-adds a second", plain_table),
        ("block_queue", "Rings", plain_table),
        ("broadcast_queue", "The ring of several readers", plain_table),
        ("sample_conversion", "Samples between their forms", plain_table),
        ("wire_parser", "Packets", plain_table),
        ("engine", "One call of process", plain_table),
        ("stages", "The stages round the bank, at 30 kHz", plain_table),
    ):
        path = folder / f"{name}.json"
        if not path.exists():
            continue
        context, rows = medians(path)
        if rows:
            parts += ["", f"## {title}", "", *table(rows)]
    load = ", ".join(f"{value:.2f}" for value in context.get("load_avg", []))
    head = [
        f"# {folder.name}",
        "",
        f"{processor()}, {context.get('num_cpus')} CPUs at {context.get('mhz_per_cpu')} MHz as the "
        f"system tells, {context.get('date')}, load {load or 'unknown'}. Medians of three runs in "
        "random order; CPU time.",
    ]
    (folder / "README.md").write_text("\n".join(head + parts) + "\n")
    print(f"== wrote {folder}/README.md")


if __name__ == "__main__":
    main()
