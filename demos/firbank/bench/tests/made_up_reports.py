#!/usr/bin/env python3
"""Reports of every kind, to try the page and the schema on. Their figures are invented: nothing was
measured.

    made_up_reports.py FOLDER    writes KIND.json, and variants such as latency-clean.json
"""

import json
import math
import os
import random
import sys

STAGES = ("wait", "ingest", "to_device", "compute", "from_device", "publish")
CAUSES = ("computing", "yielding", "interrupted", "woken_late", "behind")
PERIOD_NS = 1e9 * 64 / 48000


def common(kind):
    """What every report has."""
    return {
        "schema": f"firbank.bench.{kind}.1",
        "date": "2026-11-22T10:00:00Z",
        "program": {
            "version": "0.0.0",
            "commit": "made up",
            "compiler": "none",
            "flags": "-O3",
            "build_type": "Release",
            "assertions": False,
        },
        "environment": {
            "processor": "a made-up processor: none of these figures was measured",
            "cores": 8,
            "allowed_cores": 8,
            "governor": "performance",
            "kernel": "6.1.0",
            "hypervisor": None,
            "memory_bytes": 16 * 2**30,
            "load": [0.2, 0.3, 0.3],
        },
    }


def verdict(usable, *reasons):
    return {"usable": usable, "reasons": list(reasons)}


def headline(name, value, unit, better):
    return {"name": name, "value": value, "unit": unit, "better": better}


# ---- latency -----------------------------------------------------------------------------------


def rounded_up(ns):
    """The upper end of the bin that holds a time, as a histogram of 128 bins an octave has it."""
    if ns < 128:
        return float(math.ceil(ns))
    step = 2.0 ** (math.floor(math.log2(ns)) - 7)
    return math.ceil(ns / step) * step


def summary(times):
    ordered = sorted(times)
    histogram = {}
    for ns in ordered:
        upper = rounded_up(ns)
        histogram[upper] = histogram.get(upper, 0) + 1

    def quantile(share):
        few = len(ordered) * (1 - share) < 10
        return None if few else ordered[min(len(ordered) - 1, int(share * len(ordered)))]

    return {
        "count": len(ordered),
        "mean_ns": sum(ordered) / len(ordered),
        "p50_ns": quantile(0.5),
        "p90_ns": quantile(0.9),
        "p99_ns": quantile(0.99),
        "p99_9_ns": quantile(0.999),
        "p99_99_ns": quantile(0.9999),
        "max_ns": ordered[-1],
        "histogram": [[upper, n] for upper, n in histogram.items()],
    }


def block_times(draw, works, device):
    """The stages of one block, and whether it missed: (stages, cause or None)."""
    stages = {"wait": draw.lognormvariate(math.log(3500), 0.35)}
    if not works:
        return stages, None
    stages["ingest"] = draw.lognormvariate(math.log(900), 0.1)
    if device:
        stages["to_device"] = draw.lognormvariate(math.log(9000), 0.2)
        stages["from_device"] = draw.lognormvariate(math.log(11000), 0.2)
    stages["compute"] = draw.lognormvariate(math.log(310e3), 0.06)
    stages["publish"] = draw.lognormvariate(math.log(700), 0.12)
    return stages, None


def run_of(draw, works, blocks, misses, device=False):
    times = {name: [] for name in STAGES}
    times.update({name: [] for name in ("wake_up", "work", "processor", "end_to_end")})
    missed = []
    series = []
    span = max(1, blocks // 500)
    for block in range(blocks):
        stages, _ = block_times(draw, works, device)
        if draw.random() < 0.004:
            stages["wait"] += draw.paretovariate(1.3) * 9e3
        cause = None
        if works and draw.random() < misses:
            cause = draw.choice(CAUSES)
            late = PERIOD_NS * draw.uniform(1.02, 3)
            stages["wait" if cause in ("woken_late", "behind") else "compute"] += late
        work = sum(ns for name, ns in stages.items() if name != "wait")
        whole = stages["wait"] + work
        for name, ns in stages.items():
            times[name].append(ns)
        times["wake_up"].append(stages["wait"])
        times["end_to_end"].append(whole)
        if works:
            times["work"].append(work)
            times["processor"].append(work * 0.995)
        at_s = 2 * block * PERIOD_NS / 1e9
        if cause:
            missed.append(
                {"block": block, "at_s": at_s, "end_to_end_ns": whole, "cause": cause}
            )
        if block % span == span - 1:
            recent = sorted(times["end_to_end"][-span:])
            series.append({"at_s": at_s, "p50_ns": recent[span // 2], "max_ns": recent[-1]})
    return {
        "blocks": blocks,
        "seconds": blocks * PERIOD_NS / 1e9,
        "overloaded": False,
        "times": {name: summary(values) if values else None for name, values in times.items()},
        "misses": {
            "count": len(missed),
            "causes": {cause: sum(m["cause"] == cause for m in missed) for cause in CAUSES},
            "list": missed,
            "list_is_complete": True,
        },
        "series": series,
    }


def segments_of(runs, seconds):
    segments = []
    begin = 0.0
    while begin < runs["engine"]["seconds"] * 2:
        for run in ("engine", "empty"):
            if not runs[run]:
                continue
            times = runs[run]["times"]["end_to_end"]
            segments.append(
                {
                    "run": run,
                    "begin_s": begin,
                    "blocks": int(seconds * 1e9 / PERIOD_NS),
                    "p50_ns": times["p50_ns"],
                    "p99_ns": times["p99_ns"],
                    "max_ns": times["max_ns"] / 2,
                    "misses": 0,
                }
            )
            begin += seconds
    return segments


def latency(seed, blocks=20000, misses=0.0012, empty=True, usable=True, device=False):
    draw = random.Random(seed)
    runs = {
        "engine": run_of(draw, True, blocks, misses, device),
        "empty": run_of(draw, False, blocks, 0) if empty else None,
    }
    reasons = () if usable else ("another program took 31% of the processor",
                                 "the empty loop itself missed 7 deadlines")  # fmt: skip
    return common("latency") | {
        "setting": {
            "inputs": 64, "outputs": 64, "filters": 64, "taps": 4096, "routing": "rows",
            "block_frames": 64, "sample_rate_hz": 48000, "precision": "float",
            "backend": "cuda" if device else "cpu", "instruction_set": "avx2", "threads": 1,
            "drive": "process", "depth_blocks": 1 if device else 0, "spectra": "full",
            "gpu_mode": "whole" if device else None, "plan": "64 x 8, 512 x 7",
        },
        "timing": {
            "clock": "CLOCK_MONOTONIC", "clock_source": "tsc", "clock_resolution_ns": 1,
            "clock_read_ns": 24.1, "histogram_error": 0.0078, "period_ns": PERIOD_NS,
            "deadline_ns": PERIOD_NS, "warm_up_blocks": 750, "segment_seconds": 2.0,
            "spin_ns": 0,
            "grants": [
                {"what": "timer slack of 1 ns", "granted": True, "why_not": ""},
                {"what": "SCHED_FIFO, priority 70", "granted": False,
                 "why_not": "no right to it (ulimit -r, CAP_SYS_NICE)"},
            ],
        },
        "runs": runs,
        "segments": segments_of(runs, 2.0),
        "verdict": verdict(usable, *reasons),
        "headline": headline("99th percentile, end to end",
                             runs["engine"]["times"]["end_to_end"]["p99_ns"], "ns", "less"),
    }  # fmt: skip


# ---- capacity ----------------------------------------------------------------------------------


def steps_of(draw, capacity, deadline_us):
    steps = []
    value = max(1, capacity // 8)
    while value <= capacity * 1.25:
        share = 0.97 * value / max(1, capacity)
        p99 = deadline_us * share * draw.uniform(0.97, 1.03)
        steps.append(
            {"value": value, "blocks": 1500, "mean_us": p99 * 0.93, "p99_us": p99,
             "clock_p99_us": p99 * 1.02, "in_time": p99 <= deadline_us}
        )  # fmt: skip
        value = max(value + 1, int(value * 1.2))
    return steps


def capacity(seed, backends=("cpu-avx2", "cuda"), blocks=(16, 32, 64, 128, 256, 512, 1024, 2048)):
    draw = random.Random(seed)
    taps = 4096
    frontier = []
    for backend in backends:
        for block in blocks:
            per_block = 260 * math.log2(block) - 700
            if backend == "cuda":
                per_block = 12 * block**0.95
            found = max(1, int(per_block * draw.uniform(0.95, 1.05)))
            deadline_us = 1e6 * block / 48000
            frontier.append(
                {"backend": backend, "block_frames": block, "deadline_us": deadline_us,
                 "capacity": found, "products_per_frame": found * taps,
                 "at_limit": backend == "cuda" and block == 2048,
                 "steps": steps_of(draw, found, deadline_us)}
            )  # fmt: skip
    crossover = None
    if len(backends) > 1:
        found = {(row["backend"], row["block_frames"]): row["capacity"] for row in frontier}
        crossover = [{"block_frames": block, "best_backend":
                      max(backends, key=lambda name, block=block: found[name, block])}
                     for block in blocks]  # fmt: skip
    best = max(row["capacity"] for row in frontier if row["block_frames"] == blocks[0])
    return common("capacity") | {
        "setting": {
            "varied": "channels", "channels": None, "filters": None, "taps": taps,
            "routing": "rows", "sample_rate_hz": 48000, "threads": 1, "quantile": 0.99,
            "counted": "processor time",
        },
        "frontier": frontier,
        "crossover": crossover,
        "verdict": verdict(True),
        "headline": headline(f"channels at blocks of {blocks[0]}", best, "channels", "more"),
    }  # fmt: skip


# ---- throughput --------------------------------------------------------------------------------

ROWS = (
    ("stereo reverb of 10 s", 2, 2, 480000, 64, 1.9, 42e9),
    ("384 x 512 rows", 384, 384, 512, 32, 1.1, 21e9),
    ("16 x 16 matrix", 16, 256, 8192, 128, 3.6, 61e9),
    ("1,000 filters on one channel", 1, 1000, 4096, 256, 0.9, 14e9),
    ("one channel, 2,048 taps", 1, 1, 2048, 64, 7.5, 33e9),
    ("file, stereo, 8,191 taps", 2, 2, 8191, 8192, 6.8, 79e9),
)


def throughput():
    peak = 118e9
    reads = [(2**14, 310e9), (2**16, 300e9), (2**18, 120e9), (2**20, 105e9), (2**22, 48e9),
             (2**24, 40e9), (2**26, 17e9), (2**28, 15e9)]  # fmt: skip
    rows = []
    for name, channels, filters, taps, block, intensity, rate in ROWS:
        bandwidth = dict(reads)[2**22]
        roof = min(peak, intensity * bandwidth)
        rows.append(
            {
                "name": name,
                "setting": {
                    "inputs": channels, "outputs": max(channels, min(filters, 1000)),
                    "filters": filters, "taps": taps, "routing": "rows", "block_frames": block,
                    "goal": "offline" if block == 8192 else "live", "precision": "float",
                },
                "backend": "cpu-avx2",
                "plan": f"{block} x 8, {8 * block} x 7",
                "frames": 480000,
                "processor_s": 2.17,
                "clock_s": 2.19,
                "spread": 0.018,
                "sample_taps_per_s": rate * taps / 60,
                "times_realtime": rate / 1e9 * 3.1,
                "flops_per_frame": 5400.0 * channels,
                "bytes_per_frame": 5400.0 * channels / intensity,
                "flops_per_byte": intensity,
                "flops_per_s": rate,
                "bytes_per_s": rate / intensity,
                "roof_flops_per_s": roof,
                "share_of_peak": rate / peak,
                "share_of_bandwidth": rate / intensity / bandwidth,
                "bound_by": "arithmetic" if intensity > 6 else "reads",
            }  # fmt: skip
        )
    return common("throughput") | {
        "ceilings": {
            "instruction_set": "avx2",
            "peak_flops_per_s": peak,
            "reads": [{"bytes": size, "bytes_per_s": rate} for size, rate in reads],
        },
        "rows": rows,
        "verdict": verdict(True, "the spread of the repeats is 1.8%"),
        "headline": headline("stereo reverb, times real time", 130.0, "x", "more"),
    }


# ---- loopback ----------------------------------------------------------------------------------


def loopback(seed, claims=True):
    draw = random.Random(seed)
    trip = 1061.37
    repeats = [
        {"at_s": 1.4 * n, "frames": trip + draw.gauss(0, 0.004), "peak_to_noise_db": 61 + draw.random()}
        for n in range(12)
    ]

    def response(lag):
        ideal = math.sin(math.pi * lag) / (math.pi * lag)
        return ideal * math.exp(-((lag / 9) ** 2)) + draw.gauss(0, 0.004)

    claimed = {"input_s": 0.0107, "output_s": 0.0102, "total_frames": 1003.2}
    if not claims:
        claimed = {"input_s": None, "output_s": None, "total_frames": None}
    return common("loopback") | {
        "setting": {
            "input_device": "a made-up device", "output_device": "a made-up device",
            "sample_rate_hz": 48000, "block_frames": 256, "sequence_order": 15,
            "sequence_frames": 32767, "repeats": 12, "level_dbfs": -20.0, "input_channel": 1,
            "output_channel": 1, "extra_delay_frames": 0.0,
        },
        "round_trip": {"frames": trip, "seconds": trip / 48000, "spread_frames": 0.011,
                       "peak_to_noise_db": 61.4, "polarity": 1},
        "claimed": claimed,
        "repeats": repeats,
        "response": [{"lag_frames": n - trip, "value": response(n - trip)}
                     for n in range(1045, 1078)],
        "glitches": 0,
        "verdict": verdict(True),
        "headline": headline("round trip", 1e9 * trip / 48000, "ns", "less"),
    }  # fmt: skip


# ---- compare, doctor ---------------------------------------------------------------------------


def compare(seed):
    draw = random.Random(seed)
    rounds = []
    for _ in range(24):
        machine = draw.lognormvariate(0, 0.05)
        rounds.append([machine * change * draw.lognormvariate(math.log(352e3), 0.008)
                       for change in (1.0, 1.027, 1.001)])  # fmt: skip
    return common("compare") | {
        "setting": {"programs": ["firbank-0.1", "firbank-new", "firbank-other"],
                    "arguments": ["latency", "--seconds", "2"], "rounds": 24, "confidence": 0.95},
        "figure": {"name": "99th percentile, end to end", "unit": "ns", "better": "less"},
        "rounds": rounds,
        "results": [
            {"program": "firbank-new", "baseline": "firbank-0.1", "ratio": 1.0271, "low": 1.0223,
             "high": 1.0316, "verdict": "slower"},
            {"program": "firbank-other", "baseline": "firbank-0.1", "ratio": 1.0008,
             "low": 0.9962, "high": 1.0049, "verdict": "no difference shown"},
        ],
        "verdict": verdict(True),
        "headline": headline("firbank-new against firbank-0.1", 1.0271, "ratio", "less"),
    }  # fmt: skip


def compared_reports():
    def result(figure, ratio, verdict):
        return {"figure": figure, "program": "tuesday.json", "baseline": "monday.json",
                "ratio": ratio, "low": ratio - 0.01, "high": ratio + 0.012, "verdict": verdict}  # fmt: skip

    return common("compare") | {
        "setting": {"mode": "reports", "programs": ["monday.json", "tuesday.json"], "arguments": [],
                    "rounds": 0, "confidence": 0.99},
        "figure": {"name": "processor time, p50", "unit": "ns", "better": "less"},
        "rounds": [],
        "results": [result("processor time, p50", 1.034, "slower"),
                    result("end to end, p50", 1.002, "no difference shown"),
                    result("end to end, p99", 0.95, "faster")],
        "verdict": verdict(True),
        "headline": headline("processor time, p50", 1.034, "ratio", "less"),
    }  # fmt: skip


def doctor():
    def reading(name, title, what, state, advice="", trial=None):
        return {"name": name, "title": title, "reading": what, "state": state, "advice": advice,
                "trial": trial}  # fmt: skip

    def trial(what, before, after, quantile="p99"):
        return {"what": what, "unit": "ns", "as_it_is": before, "changed": after,
                "quantile": quantile}  # fmt: skip

    return common("doctor") | {
        "readings": [
            reading("sched_fifo", "Real-time scheduling", "no right to it", "costs",
                    "ulimit -r 70, or CAP_SYS_NICE: a program that does not end holds a processor",
                    trial("wake-up", 61000.0, 8200.0)),
            reading("idle", "Idle states", "C6 is allowed, 133 us to leave it", "costs",
                    "hold /dev/cpu_dma_latency at 0: more power is used",
                    trial("wake-up", 61000.0, 31000.0)),
            reading("memlock", "Memory lock", "unlimited", "good", "",
                    trial("first touch", 1100.0, 85.0, "p50")),
            reading("governor", "Frequency governor", "it cannot be read here", "unknown"),
            reading("gpu", "GPU", "there is none", "absent"),
        ],
        "verdict": verdict(True),
        "headline": headline("readings that cost latency", 2, "readings", "less"),
    }  # fmt: skip


def all_reports():
    clean = latency(2, blocks=3000, misses=0, empty=False)
    return {
        "latency": latency(1),
        "latency-clean": clean,
        "latency-noisy": latency(3, blocks=6000, misses=0.01, usable=False),
        "latency-device": latency(4, blocks=4000, device=True),
        "capacity": capacity(5),
        "capacity-one": capacity(6, backends=("cpu-avx2",), blocks=(64, 256)),
        "throughput": throughput(),
        "loopback": loopback(7),
        "loopback-unclaimed": loopback(8, claims=False),
        "compare": compare(9),
        "compare-reports": compared_reports(),
        "doctor": doctor(),
    }


def main():
    folder = sys.argv[1]
    os.makedirs(folder, exist_ok=True)
    for name, report in all_reports().items():
        with open(os.path.join(folder, name + ".json"), "w", encoding="utf-8") as file:
            json.dump(report, file)


if __name__ == "__main__":
    main()
