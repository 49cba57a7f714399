#!/usr/bin/env python3
"""Turns the figures of one run of bench/acquisition/run into a README.

    bench/acquisition/report.py bench/results/acquisition-2026-01-31-abcdef0
"""

import json
import os
import platform
import statistics
import sys
from datetime import datetime, timezone
from pathlib import Path


def processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def share(rows: list[dict]) -> str:
    shares = [row["cpu_share"] for row in rows]
    return f"{100 * statistics.median(shares) / 2:.1f}% ({100 * min(shares) / 2:.1f} to {100 * max(shares) / 2:.1f})"


def main() -> None:
    folder = Path(sys.argv[1])
    rows = [json.loads(line) for line in (folder / "figures.jsonl").read_text().splitlines()]
    paced = [row for row in rows if row["way"] != "flat"]
    flat = [row for row in rows if row["way"] == "flat"]
    load = ", ".join(f"{value:.2f}" for value in os.getloadavg())
    now = datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
    lines = [
        f"# {folder.name}",
        "",
        f"{processor()}, {os.cpu_count()} CPUs, {now}, load {load}, {rows[0]['backend']}. What filters"
        " cost an acquisition program by the C API: int16 in, interleaved, float32 out, at the pace"
        " of the stream; processor time of all threads and of the system on their behalf, of two"
        " cores, for the time that the stream lasts, median (least to most) of the runs. A stream of"
        " which one thread does not keep up loses frames in the pipeline and falls behind in process.",
        "",
        "| stream | way, threads | of two cores | target | worst wait | frames lost | relative error |",
        "|---|---|---|---|---|---|---|",
    ]
    targets = {384: 15, 4096: 60}
    for key in sorted({(row["channels"], row["way"], row["threads"]) for row in paced}):
        these = [row for row in paced if (row["channels"], row["way"], row["threads"]) == key]
        one = these[0]
        lines.append(
            f"| {one['channels']} channels x {one['taps']} taps, {one['rate_hz'] / 1e3:g} kHz, blocks"
            f" of {one['block']} | {one['way']}, {one['threads']} | {share(these)} | {targets.get(one['channels'], '')}% |"
            f" {statistics.median(row['worst_wait_us'] for row in these) / 1e3:.2f} ms |"
            f" {sum(row['gap_frames'] for row in these)} |"
            f" {max(row['relative_error'] for row in these):.1e} |"
        )
    lines += [
        "",
        "Worst wait: from the time at which a packet is complete to the end of its answer, the"
        " scheduler's lateness included. Process: `firbank_process` in one thread; pipeline:"
        " `firbank_push` and `firbank_pull` in two, beside the library's own.",
        "",
    ]
    for row in paced:
        if row["way"] == "process":
            lines.append(
                f"Memory of {row['channels']} channels of {row['taps']} taps: "
                f"{row['bytes_per_channel'] / 1e3:.1f} kB a channel."
            )
            if row["channels"] == 4096:
                break
    for row in flat:
        lines.append(
            f"Over {row['frames']:,} frames of {row['channels']} channels, as fast as they go "
            f"({100 * row['cpu_share'] / 2:.1f}% of two cores at the stream's pace), what is resident"
            f" grew by {row['growth_bytes'] / 1e3:.0f} kB after the first tenth, and the last block's"
            f" relative error is {row['relative_error']:.1e}."
        )
    text = "\n".join(lines) + "\n"
    (folder / "README.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
