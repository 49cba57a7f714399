#!/usr/bin/python3
"""Draws what demos/ecg made of the recording: ten seconds of it with the beats, all intervals, and what
a lost packet does.

    draw.py FOLDER PICTURE.png

FOLDER has trace.f32 and beats.txt, and trace-lost.f32 and beats-lost.txt of a run with a loss. A beat
that is wide at half of its height begins in a ventricle, outside the heart's conduction system: where
it comes early and is followed by a pause, the intervals have a dip and a peak.
"""

import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from recording import RATE_HZ, millivolts, read_beats, read_trace

# Okabe and Ito's colours, told apart by every kind of colour vision.
BLUE, ORANGE, GREEN, YELLOW = "#0072B2", "#D55E00", "#007A59", "#F0E442"
GREY, BLACK = "#8a8a8a", "#000000"

FIRST_SECOND = 237  # of the ten that are shown
WIDE_MS = 60
LONGEST_MS = 1450  # that the intervals' axis shows


def widths_ms(trace, beats):
    """Width of each beat at half of its height above the median of 0.6 s around it."""
    widths = []
    for beat in beats:
        begin = max(0, beat - RATE_HZ // 20)
        top = begin + np.argmax(trace[begin : beat + RATE_HZ // 20 + 1])
        around = trace[max(0, top - 3 * RATE_HZ // 10) : top + 3 * RATE_HZ // 10]
        is_low = trace < (trace[top] + np.median(around)) / 2
        left = top - np.argmax(is_low[top::-1])
        right = top + np.argmax(is_low[top:])
        widths.append(1000 * (right - left) / RATE_HZ)
    return np.array(widths)


def mark_beats(axes, trace, beats, is_wide, shown):
    for select, color, marker in ((~is_wide, BLUE, "v"), (is_wide, ORANGE, "D")):
        marked = beats[select & shown]
        axes.plot(marked / RATE_HZ, trace[marked] + 0.3, marker, color=color, markersize=7)


def draw_seconds(raw_axes, trace_axes, recording, trace, beats, is_wide):
    times = np.arange(len(recording)) / RATE_HZ
    shown = (times >= FIRST_SECOND) & (times < FIRST_SECOND + 10)
    raw_axes.plot(times[shown], recording[shown], color=GREY, linewidth=1)
    raw_axes.set_title("as it was recorded: MIT-BIH Arrhythmia Database, record 208 (Moody and Mark 2001; "
                       "PhysioNet)", loc="left", fontsize=11)
    trace_axes.plot(times[shown], trace[shown], color=BLACK, linewidth=1)
    trace_axes.set_title("0.5 to 40 Hz, with linear phase, its delay taken off", loc="left", fontsize=11)
    mark_beats(trace_axes, trace, beats, is_wide, shown[beats])
    for axes in (raw_axes, trace_axes):
        axes.set_ylabel("lead MLII (mV)")
        axes.set_xlim(FIRST_SECOND, FIRST_SECOND + 10)
    trace_axes.set_xticks(range(FIRST_SECOND, FIRST_SECOND + 11))
    trace_axes.set_ylim(top=trace[shown].max() + 0.7)
    trace_axes.set_xlabel("time (s)")


def draw_intervals(axes, beats, intervals, is_wide):
    times = beats / RATE_HZ
    axes.axvspan(FIRST_SECOND, FIRST_SECOND + 10, color=YELLOW, alpha=0.4, linewidth=0)
    axes.plot(times, np.where(intervals > LONGEST_MS, np.nan, intervals), color="#cccccc", linewidth=0.8)
    for select, color, marker, label in (
        (~is_wide, BLUE, "v", "narrow beats"),
        (is_wide, ORANGE, "D", f"wide ones: over {WIDE_MS} ms at half of their height"),
    ):
        axes.plot(times[select], intervals[select], marker, color=color, markersize=4,
                  label=f"{np.count_nonzero(select)} {label}")
    for time, interval in zip(times, intervals):
        if interval > LONGEST_MS:
            axes.annotate(f"{interval / 1000:.1f} s", (time, LONGEST_MS), (time, LONGEST_MS - 180),
                          ha="center", arrowprops={"arrowstyle": "->"}, fontsize=10)
    axes.set_title("intervals between beats, at the second beat (arrows: while the baseline runs away)",
                   loc="left", fontsize=11)
    axes.set_xlim(0, 300)
    axes.set_ylim(200, LONGEST_MS)
    axes.set_xlabel("time (s); yellow: the ten seconds above")
    axes.set_ylabel("RR interval (ms)")
    axes.legend(loc="lower right", ncols=2, framealpha=0.9)


def draw_loss(axes, trace, beats, unknown, is_wide):
    """The stretch in the middle of which a packet is lost."""
    begin, end = unknown[len(unknown) // 2]
    axes.axvspan(begin / RATE_HZ, end / RATE_HZ, color=GREEN, alpha=0.25, linewidth=0)
    first, last = begin - RATE_HZ, end + RATE_HZ
    axes.plot(np.arange(first, last) / RATE_HZ, trace[first:last], color=BLACK, linewidth=1)
    mark_beats(axes, trace, beats, is_wide, (beats >= first) & (beats < last))
    axes.text((begin + end) / 2 / RATE_HZ, 0.97, "not\nknown", ha="center", va="top", color=GREEN,
              transform=axes.get_xaxis_transform())
    axes.set_title("a packet of 33 ms is lost", loc="left", fontsize=11)
    axes.set_xlim(first / RATE_HZ, (last - 1) / RATE_HZ)
    axes.set_ylim(top=trace[first:last].max() + 0.9)
    axes.set_xlabel("time (s)")
    axes.set_ylabel("lead MLII (mV)")


def draw_disagreements(path, recording, beats, others, frames):
    """Three seconds round each of the frames: the program's beats below, the others above."""
    rows = max(1, -(-len(frames) // 2))
    figure, grid = plt.subplots(rows, 2, figsize=(14, 2.6 * rows), layout="constrained", squeeze=False)
    for axes, frame in zip(grid.flat, frames):
        shown = np.arange(max(0, frame - 540), min(len(recording), frame + 540))
        axes.plot(shown / RATE_HZ, recording[shown], color=GREY, linewidth=1)
        for found, color, marker, level in ((others, ORANGE, "v", 1), (beats, BLUE, "^", 0)):
            found = found[(found >= shown[0]) & (found <= shown[-1])]
            edge = (recording[shown].max() + 0.3) if level else (recording[shown].min() - 0.3)
            axes.plot(found / RATE_HZ, np.full(len(found), edge), marker, color=color, markersize=7)
        axes.axvline(frame / RATE_HZ, color=BLACK, linewidth=0.6, linestyle=":")
        axes.set_title(f"{frame / RATE_HZ:.2f} s", loc="left", fontsize=10)
        axes.set_ylabel("mV")
    figure.suptitle("Beats that only one detector has: above SciPy's, below the program's")
    figure.savefig(path, dpi=90)


def main(folder, path):
    recording, trace = millivolts(), read_trace(folder / "trace.f32")
    beats, intervals, _ = read_beats(folder / "beats.txt")
    is_wide = widths_ms(trace, beats) > WIDE_MS
    plt.rcParams.update({"font.size": 11, "axes.grid": True, "grid.color": "#dddddd"})
    figure = plt.figure(figsize=(13, 10), layout="constrained")
    grid = figure.add_gridspec(3, 2, height_ratios=(2, 2, 3), width_ratios=(3, 1))
    trace_axes = figure.add_subplot(grid[1, :])
    raw_axes = figure.add_subplot(grid[0, :], sharex=trace_axes)
    raw_axes.tick_params(labelbottom=False)
    figure.suptitle("An electrocardiogram, filtered and its beats found with firbank, in packets of 33 ms",
                    fontsize=15)
    draw_seconds(raw_axes, trace_axes, recording, trace, beats, is_wide)
    draw_intervals(figure.add_subplot(grid[2, 0]), beats, intervals, is_wide)
    trace = read_trace(folder / "trace-lost.f32")
    beats, _, unknown = read_beats(folder / "beats-lost.txt")
    is_wide = widths_ms(trace, beats) > WIDE_MS
    draw_loss(figure.add_subplot(grid[2, 1]), trace, beats, unknown, is_wide)
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), sys.argv[2])
