#!/usr/bin/env python3
"""A page of its own about a run of demos/probe/check: traces, raster, latency and losses.

    page.py FOLDER PAGE.html
"""
import html
import json
import sys
from pathlib import Path

import numpy as np

RATE_HZ = 30_000
WIDTH = 1100
LEFT = 60

STYLE = """
body{font:15px/1.5 system-ui,sans-serif;margin:24px auto;max-width:1200px;padding:0 16px;
 color:#1b1f24;background:#fff}
h1{font-size:22px;margin:0 0 4px}h2{font-size:16px;margin:28px 0 6px}
table{border-collapse:collapse}td{padding:2px 18px 2px 0}td+td{text-align:right}
svg{width:100%;height:auto;background:#f6f8fa;border:1px solid #d0d7de}
text{font:11px system-ui,sans-serif;fill:#57606a}
.trace{fill:none;stroke:#1f6feb;stroke-width:.7}.spike{fill:#2da44e}.event{fill:none;stroke:#cf222e}
.dots{stroke:#1b1f24;stroke-width:1}.loss{fill:#cf222e;fill-opacity:.35}
"""


def svg(height, parts):
    return f'<svg viewBox="0 0 {WIDTH} {height}" role="img">{"".join(parts)}</svg>'


def axis(begin, end, height):
    """Labels in seconds along the lower edge."""
    parts = []
    for i in range(6):
        x = LEFT + (WIDTH - LEFT - 50) * i / 5
        parts.append(f'<text x="{x:.0f}" y="{height - 4}">{begin + (end - begin) * i / 5:.3f} s</text>')
    return parts


def traces(rows, spikes, events):
    if len(rows) == 0:
        return "<p>The stream was too short for them.</p>"
    frames, samples = rows[:, 0], rows[:, 1:]
    channels = samples.shape[1]
    step = 26
    height = channels * step + 40
    begin, end = frames[0], frames[-1]
    x_of = lambda frame: LEFT + (frame - begin) / (end - begin) * (WIDTH - LEFT - 10)
    scale = 0.75 * step / max(np.percentile(np.abs(samples), 99.9), 1e-9)
    parts = []
    for c in range(channels):
        y = 16 + (c + 0.5) * step
        points = " ".join(f"{x_of(f):.1f},{y - v * scale:.1f}" for f, v in zip(frames, samples[:, c]))
        parts.append(f'<polyline class="trace" points="{points}"/><text x="4" y="{y:.0f}">ch {c}</text>')
        for frame, channel in spikes:
            if channel == c and begin <= frame <= end:
                parts.append(f'<circle class="spike" cx="{x_of(frame):.1f}" cy="{y + 10:.1f}" r="2.5"/>')
        for frame, _, channel, _ in events:
            if channel == c and begin <= frame <= end:
                parts.append(f'<circle class="event" cx="{x_of(frame):.1f}" cy="{y + 10:.1f}" r="5"/>')
    return svg(height, parts + axis(begin / RATE_HZ, end / RATE_HZ, height))


def raster(events, losses, begin, end, channels):
    height = 420
    x_of = lambda frame: LEFT + (frame / RATE_HZ - begin) / (end - begin) * (WIDTH - LEFT - 10)
    parts = []
    for first, frames in losses:
        if begin * RATE_HZ <= first + frames and first <= end * RATE_HZ:
            left = x_of(max(first, begin * RATE_HZ))
            width = max(x_of(min(first + frames, end * RATE_HZ)) - left, 1.5)
            parts.append(f'<rect class="loss" x="{left:.1f}" y="6" width="{width:.1f}" height="390"/>')
    dots = "".join(
        f"M{x_of(frame):.1f} {8 + channel / channels * 384:.0f}h1"
        for frame, _, channel, _ in events
        if begin * RATE_HZ <= frame < end * RATE_HZ
    )
    parts.append(f'<path class="dots" d="{dots}"/>')
    parts.append('<text x="4" y="16">channel 0</text>')
    parts.append(f'<text x="4" y="392">{channels - 1}</text>')
    return svg(height, parts + axis(begin, end, height))


def main(folder, page):
    report = json.loads((folder / "report.json").read_text())
    spikes = np.load(folder / "spikes.npy")
    events = np.load(folder / "events.npy")
    losses = np.load(folder / "losses.npy").reshape(-1, 2)
    rows = np.load(folder / "traces.npy")
    if len(rows):
        # Events are told where the input had them; the filtered samples come the delay later.
        rows[:, 0] -= report["events"]["delay_frames"]
        near = lambda table: table[(table[:, 0] >= rows[0, 0]) & (table[:, 0] <= rows[-1, 0])]
        marked = traces(rows, near(spikes), near(events))
    else:
        marked = traces(rows, spikes, events)
    source, latency = report["input"], report["latency_ms"]
    channels = int(spikes[:, 1].max()) + 1
    seconds = source["frames"] / RATE_HZ
    facts = [
        ("packets, frames", f'{source["packets"]:,}, {source["frames"]:,}'),
        ("spikes sent", f"{len(spikes):,}"),
        ("events found", f"{len(events):,}"),
        ("gaps injected, reported", f'{len(losses):,}, {len(report["losses"]):,}'),
        ("frames injected as lost, reported", f'{int(losses[:, 1].sum()):,}, {source["gap_frames"]:,}'),
        ("latency from packet to event: median", f'{latency["median"]:.2f} ms'),
        ("99%, worst", f'{latency["p99"]:.2f} ms, {latency["max"]:.2f} ms'),
    ]
    table = "".join(f"<tr><td>{html.escape(k)}</td><td>{html.escape(v)}</td></tr>" for k, v in facts)
    last = min(max(seconds, 1.0), 4.0)
    listed = ", ".join(f'{loss["frames"]} from {loss["first_frame"]}' for loss in report["losses"][:40])
    more = " ..." if len(report["losses"]) > 40 else ""
    page.write_text(
        f"""<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<title>firbank: a simulated probe</title><style>{STYLE}</style></head><body>
<h1>A simulated probe of {channels} channels</h1>
<p>300 to 6000 Hz, common median reference, falling below -4.2 times the noise;
{html.escape(report["engine"]["backend"])}.</p>
<table>{table}</table>
<h2>Traces: filtered; <span style="color:#2da44e">&#9679;</span> a spike that was sent,
<span style="color:#cf222e">&#9675;</span> an event that was found</h2>{marked}
<h2>Raster: events of all channels; red where packets were lost</h2>
{raster(events, losses, 0, last, channels)}
<h2>Losses, frames</h2><p>{listed or "none"}{more}</p>
</body></html>
""",
        encoding="utf-8",
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
