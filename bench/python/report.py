#!/usr/bin/env python3
"""Turns the figures of a run into tables and a chart.

Of a folder that has figures.json it makes README.md and ratios.png anew:

    bench/python/report.py bench/results/python-2026-01-31-abcdef0
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import environment
import memory
import peers

OTHERS = [name for name in peers.NAMES if name != "firbank"]
WRONG = ("wrong", "shape")


def shown(path: Path) -> str:
    """A path as it is told: within the repository where it lies there."""
    path = path.resolve()
    return str(
        path.relative_to(environment.ROOT) if path.is_relative_to(environment.ROOT) else path
    )


def seconds(value: float) -> str:
    for unit, scale in (("s", 1.0), ("ms", 1e3), ("us", 1e6)):
        if value * scale >= 1:
            return f"{value * scale:.3g} {unit}"
    return f"{value * 1e9:.3g} ns"


def timed(peer: dict) -> bool:
    return "wall" in peer


def marks(peer: dict) -> str:
    """What has to be said of a time: taken of a part, since the whole took too long or too much."""
    if peer.get("out_of_memory"):
        return " (m)"
    return " (s)" if peer.get("scaled_from") else ""


def why_not(peer: dict) -> str:
    """Why a library has no time: it has no way, is wrong, or failed."""
    kinds = [way["failed"] for way in peer["ways"].values() if way.get("failed")]
    if any(kind in WRONG for kind in kinds):
        return "wrong"
    if "memory" in kinds:
        return "out of memory"
    if kinds or "failed" in peer:
        return "failed"
    return "-"


def cell(peer: dict | None) -> str:
    if peer is None:
        return ""
    return seconds(peer["wall"]["median"]) + marks(peer) if timed(peer) else why_not(peer)


def best_other(row: dict) -> str | None:
    """The library besides firbank with the least time, or None if none has one."""
    times = {
        name: peer["wall"]["median"]
        for name, peer in row["peers"].items()
        if name != "firbank" and timed(peer)
    }
    return min(times, key=times.get, default=None)


def ratio_cells(row: dict) -> list[str]:
    best = best_other(row)
    if best is None:
        return ["", "", ""]
    ratio = row["peers"][best].get("ratio")
    if ratio is None:
        return [peers.TITLES[best], "", ""]
    return [
        peers.TITLES[best],
        f"**{ratio['median']:.2f}**",
        f"{ratio['least']:.2f}, {ratio['most']:.2f}",
    ]


def line(row: dict) -> str:
    cells = [f"{peers.TITLES[name]} {cell(peer)}" for name, peer in row["peers"].items()]
    best = best_other(row)
    ratio = row["peers"][best].get("ratio") if best else None
    if ratio:
        cells.append(f"firbank is {ratio['median']:.2f} times as fast as {peers.TITLES[best]}")
    return f"{row['name']}: " + "; ".join(cells)


def main_table(record: dict) -> list[str]:
    names = [name for name in OTHERS if any(name in row["peers"] for row in record["rows"])]
    head = ["row", "firbank", *(peers.TITLES[name] for name in names)]
    head += ["best of them", "ratio", "least, most"]
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for row in record["rows"]:
        cells = [row["name"], cell(row["peers"].get("firbank"))]
        cells += [cell(row["peers"].get(name)) for name in names]
        lines.append("| " + " | ".join(cells + ratio_cells(row)) + " |")
    return lines


def terminal_table(record: dict) -> list[str]:
    """The same, in columns as wide as they need to be."""
    table = [
        [part.strip() for part in text.strip("|").split("|")]
        for text in main_table(record)
        if not text.startswith("|---")
    ]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return [
        "  ".join(text.ljust(width) for text, width in zip(cells, widths, strict=True)).rstrip()
        for cells in table
    ]


def peer_table(record: dict) -> list[str]:
    lines = [
        "| row | | fastest way | wall time | least, most | processor time | warm-up | ratio "
        "| by processor time | error |",
        "|---" * 10 + "|",
    ]
    for row in record["rows"]:
        for name, peer in row["peers"].items():
            if not timed(peer):
                continue
            wall, cpu = peer["wall"], peer["cpu"]
            ratio = peer.get("ratio")
            cells = [
                row["name"],
                peers.TITLES[name],
                peer["way"],
                seconds(wall["median"]) + marks(peer),
                f"{seconds(wall['least'])}, {seconds(wall['most'])}",
                seconds(cpu["median"]),
                seconds(peer["warm_up_seconds"]),
                f"{ratio['median']:.2f}" if ratio else "",
                f"{peer['cpu_ratio']['median']:.2f}" if ratio else "",
                f"{peer['error']:.1e}",
            ]
            lines.append("| " + " | ".join(cells) + " |")
    return lines


def remarks(record: dict) -> list[str]:
    """What failed, was wrong, or ran out of memory, way by way."""
    found = []
    for row in record["rows"]:
        for name, peer in row["peers"].items():
            if "failed" in peer:
                found.append(f"- {row['name']}, {peers.TITLES[name]}: {peer['failed']}")
            for way, figures in peer["ways"].items():
                if figures.get("failed"):
                    kind = {"memory": "out of memory", "died": "the process ended"}.get(
                        figures["failed"], figures["failed"]
                    )
                    found.append(
                        f"- {row['name']}, {peers.TITLES[name]}, {way}: {kind}"
                        f" ({figures['message']})"
                    )
    return found


def memory_table(record: dict) -> list[str]:
    lines = [
        "| channels x kernels x samples | | limit | beside x and the result | the result is in "
        "| time |",
        "|---" * 6 + "|",
    ]
    for result in record["memory"]:
        case = "{channels:,} x {kernels} x {frames:,}".format(**result)
        took = "" if "failed" in result else f"{result['working_bytes'] / 2**20:,.0f} MiB"
        end = memory.failure(result) if "failed" in result else seconds(result["seconds"])
        limit = f"{result['limit'] / 2**30:g} GiB" if result["limit"] else "none"
        place = {"chunks": "pieces, consumed in turn"}.get(result["out"], result["out"])
        title = peers.TITLES[result["who"]]
        lines.append(f"| {case} | {title} | {limit} | {took} | {place} | {end} |")
    return lines


def head(record: dict, title: str) -> list[str]:
    machine = record["environment"]
    versions: dict[str, str] = {}
    for row in record["rows"]:
        for peer in row["peers"].values():
            versions |= peer.get("versions", {})
    listed = ", ".join(f"{name} {version}" for name, version in sorted(versions.items()))
    load = ", ".join(f"{value:.2f}" for value in machine["load"])
    limits = sorted({row["limit_seconds"] for row in record["rows"]})
    limit = " or ".join(f"{seconds:g} s" for seconds in limits) or "the limit"
    return [
        f"# {title}",
        "",
        f"{machine['processor']}, {machine['cores']} CPUs, "
        f"{machine['memory_bytes'] / 2**30:.0f} GiB, {machine['kernel']}, {machine['date']}, "
        f"commit {machine['commit']}, load {load}. {machine['threads']} threads for all, "
        f"{machine['precision']} precision. Python {machine['python']}, {listed}.",
        "",
        "Wall time, medians of rounds in which all take turns; the ratio is the best other "
        "library's time over firbank's of the same round. (s): scaled from a part of the samples, "
        f"as a run of all takes over {limit}. (m): likewise, as memory "
        "does not suffice for all. More in bench/README.md.",
        "",
        *(f"- {row['name']}: {row['title']}" for row in record["rows"]),
        "",
    ]


def has_ratios(record: dict) -> bool:
    return any("ratio" in peer for row in record["rows"] for peer in row["peers"].values())


def chart(record: dict, path: Path) -> None:
    """Bars of all ratios, on a logarithmic axis; the line at 1 is firbank."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    rows = [row for row in record["rows"] if any("ratio" in p for p in row["peers"].values())]
    shown_peers = [n for n in OTHERS if any("ratio" in row["peers"].get(n, {}) for row in rows)]
    height = 0.8 / len(shown_peers)
    figure, axes = pyplot.subplots(figsize=(9, 1.2 + 0.15 * len(rows) * (len(shown_peers) + 1)))
    colours = dict(zip(OTHERS, pyplot.get_cmap("tab10").colors, strict=False))
    for i, name in enumerate(shown_peers):
        places, values, errors = [], [], [[], []]
        for r, row in enumerate(rows):
            ratio = row["peers"].get(name, {}).get("ratio")
            if ratio:
                places.append(r + (i + 0.5) * height - 0.4)
                values.append(ratio["median"])
                errors[0].append(ratio["median"] - ratio["least"])
                errors[1].append(ratio["most"] - ratio["median"])
        axes.barh(
            places,
            [value - 1 for value in values],
            height,
            left=1,
            xerr=errors,
            color=colours[name],
            error_kw={"elinewidth": 0.8, "ecolor": "0.3"},
            label=peers.TITLES[name],
        )
        for place, value, more in zip(places, values, errors[1], strict=True):
            end = max(value + more, 1)
            axes.text(end * 1.05, place, f"{value:.3g}", va="center", fontsize=6)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter("{x:g}")
    axes.margins(x=0.12, y=0.01)
    axes.axvline(1, color="black", linewidth=1)
    axes.set_yticks(range(len(rows)), [row["name"] for row in rows])
    axes.invert_yaxis()
    axes.set_xlabel("time over firbank's; right of 1, firbank is faster (median, least to most)")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, ncols=len(shown_peers), loc="lower left", bbox_to_anchor=(0, 1))
    figure.savefig(path, dpi=120, bbox_inches="tight")
    pyplot.close(figure)


def wrong(record: dict) -> bool:
    """Whether firbank itself gave a wrong result, or none."""
    return any(
        "firbank" in row["peers"] and not timed(row["peers"]["firbank"]) for row in record["rows"]
    ) or any(r["who"] == "firbank" and "failed" in r for r in record.get("memory", []))


def write(folder: Path, record: dict) -> None:
    lines = head(record, folder.name)
    if record["quick"]:
        lines += ["**Tiny sizes, to try the programs out: the figures mean nothing.**", ""]
    lines += main_table(record)
    if has_ratios(record):
        chart(record, folder / "ratios.png")
        lines += ["", "![Time of each library over firbank's](ratios.png)"]
    lines += ["", "## All libraries", "", *peer_table(record)]
    if record.get("memory"):
        lines += ["", "## Memory", "", *memory_table(record)]
    if found := remarks(record):
        lines += ["", "## What failed", "", *found]
    (folder / "README.md").write_text("\n".join(lines) + "\n")


def main() -> None:
    folder = Path(sys.argv[1])
    record = json.loads((folder / "figures.json").read_text())
    write(folder, record)
    print(*terminal_table(record), sep="\n")


if __name__ == "__main__":
    main()
