"""What bench/gpu/run prints of a part, and the list of all GPU figures in bench/results/README.md."""

import json
import math
from pathlib import Path
from typing import Callable

from parts import CONFORMANCE_TESTS, FILES, SANITIZERS

OUTPUT_BYTES = {"G3": 10_000 * 256 * 4}  # of a block, float


def figure(record: dict, part: str, program: str, name: str, field: str = "value"):
    """None when it was not measured."""
    for run in record["parts"].get(part, {}).get("runs", []):
        if run["program"] == program:
            for one in run["figures"]:
                if one["name"] == name:
                    return one.get(field)
    return None


def of(part: str, program: str, name: str, field: str = "value") -> Callable:
    return lambda record: figure(record, part, program, name, field)


def ceiling(name: str, field: str = "value") -> Callable:
    return of("ceilings", "gpu_ceilings", name, field)


def over(above: Callable, below: Callable, scale: float = 1) -> Callable:
    """A ratio of two figures, both of one record."""

    def ratio(record: dict):
        a, b = above(record), below(record)
        return scale * a / b if a is not None and b else None

    return ratio


def back_to_back(part: str, program: str = "gpu_paced") -> Callable:
    """The shortest time in which blocks follow each other, in microseconds."""

    def shortest(record: dict):
        times = [
            figure(record, part, program, name)
            for name in ("process, back to back", "pipeline of depth 2, back to back")
        ]
        times = [time for time in times if time is not None]
        return min(times) if times else None

    return shortest


def read_rate(part: str) -> Callable:
    """GB/s: the fewest bytes that a block has to read, over the time in which blocks follow."""
    return over(of(part, "gpu_paced", "floor of bytes read a block"), back_to_back(part), 1e-3)


def derived(part: str) -> list[tuple[str, str, Callable]]:
    """Figures of a case that follow from several measured ones: name, unit, value."""
    return derived_of_file(part) if part in FILES else derived_of_stream(part)


def derived_of_file(part: str) -> list[tuple[str, str, Callable]]:
    ours = of(part, "gpu_offline", "rate")
    home = over(of(part, "gpu_offline", "home"), ceiling("device to host"), 100)
    both = over(of(part, "gpu_offline", "both ways, together"), ceiling("both ways at once, together"), 100)
    rows = [
        ("share of the device-to-host ceiling", "%", home),
        ("share of the ceiling both ways", "%", both),
        ("copies by several threads over those by one", "x", over(ours, of(part, "gpu_offline, one thread", "rate"))),
        ("throughput mode over whole mode", "x", over(ours, of(part, "gpu_offline, whole", "rate"))),
        ("samples of 16 bits over those of 32", "x", over(of(part, "gpu_offline, 16 bits", "rate"), ours)),
    ]  # fmt: skip
    for peer, what in (("cupy", "CuPy's oaconvolve"), ("torch", "torch.fft")):
        rows.append((f"ours over {what}, both from host to host", "x", over(ours, of(part, peer, "rate"))))
        rows.append((f"ours from host to host over {what} on the device", "x", over(ours, of(part, peer, "rate on the device"))))  # fmt: skip
    return rows


def derived_of_stream(part: str) -> list[tuple[str, str, Callable]]:
    ours = of(part, "gpu_paced", "process", "median")
    rows = [
        ("block, back to back (at least the time the device is busy)", "us", back_to_back(part)),
        ("rate of the fewest bytes to read", "GB/s", read_rate(part)),
        ("share of the read ceiling", "%", over(read_rate(part), ceiling("read of device memory"), 100)),
        ("cuFFT engine over ours, p50 of process", "x", over(of(part, "gpu_cufft_peer", "process", "median"), ours)),
        ("cuFFT engine over ours, device time a block", "x", over(of(part, "gpu_cufft_peer", "device time", "median"), back_to_back(part))),
        ("CuPy oaconvolve over ours, p50", "x", over(of(part, "cupy", "a call", "median"), ours)),
        ("torch.fft over ours, p50", "x", over(of(part, "torch", "a call", "median"), ours)),
    ]  # fmt: skip
    if part == "G1":
        ours = back_to_back(part)
        for variant, what in (("uniform", "partitions of 128 alone"), ("int16", "spectra of 16 bits")):
            other = back_to_back(part, f"gpu_paced, {variant}")
            rows.append((f"{what}, back to back", "us", other))
            rows.append((f"{what} over ours, back to back", "x", over(other, ours)))
        for share, field in (("p50", "median"), ("p99.9", "p999")):
            rows.append((f"hybrid mode, submit to output, {share}", "us",
                         of(part, "gpu_paced, hybrid", "process", field)))  # fmt: skip
    if part == "G2":
        for variant, what in (("four threads", "copies by four threads"), ("16 bits", "copies by four threads, samples of 16 bits")):
            for share, field in (("p50", "median"), ("p99.9", "p999")):
                rows.append((f"{what}, submit to output, {share}", "us",
                             of(part, f"gpu_paced, {variant}", "process", field)))  # fmt: skip
    if part in OUTPUT_BYTES:
        home = over(lambda record: OUTPUT_BYTES[part] * 1e-3, back_to_back(part))
        rows.append(("rate of output brought home", "GB/s", home))
        rows.append(("share of the device-to-host ceiling", "%", over(home, ceiling("device to host"), 100)))  # fmt: skip
    return rows


def number(value: float) -> str:
    if not math.isfinite(value):
        return str(value)
    if value == int(value) and abs(value) < 1e7:
        return str(int(value))
    if abs(value) >= 1e7 or abs(value) < 1e-3:
        return f"{value:.3g}"
    return f"{value:.1f}" if abs(value) >= 100 else f"{value:.3g}"


def row(name: str, text: str) -> None:
    print(f"  {name:58} {text}", flush=True)


def print_part(part: str, record: dict) -> None:
    """The table of a part, as far as it was measured."""
    if record["fake"]:
        print("  ON THE TESTS' FAKE DEVICE: these times say nothing about a GPU")
    if record["quick"]:
        print("  tiny sizes: these times say nothing about the case")
    told = record["parts"][part]
    for run in told["runs"]:
        if len(told["runs"]) > 1 or run["status"] != "measured":
            reason = f": {run['reason']}" if run["reason"] else ""
            print(f" {run['program']}: {run['status']}{reason}")
        for line in run.get("said", "").splitlines()[-12:]:
            print(f"    | {line}")
        for one in run["figures"]:
            if "text" in one:
                row(one["name"], one["text"])
            elif "median" in one:
                times = " / ".join(number(one[key]) for key in ("median", "p99", "p999", "max"))
                row(one["name"], f"{times} {one['unit']} (p50/p99/p99.9/max of {one['samples']})")
            else:
                row(one["name"], f"{number(one['value'])} {one['unit']}")
    if part.startswith("G") and not record["fake"]:
        for name, unit, value in derived(part):
            found = value(record)
            if found is not None:
                row(name, f"{number(found)} {unit}")
    print(f"  {told['status']}, {told['seconds']} s", flush=True)


def payload_crossover(way: str) -> Callable:
    """The smallest payload that the copy engine moves sooner than a kernel does."""

    def find(record: dict):
        sizes = ("4 KiB", "16 KiB", "64 KiB", "256 KiB", "1280 KiB", "10240 KiB")
        measured = False
        for size in sizes:
            engine = ceiling(f"{size} {way}, copy engine", "median")(record)
            kernel = ceiling(f"{size} {way}, zero-copy", "median")(record)
            if engine is None or kernel is None:
                continue
            measured = True
            if engine < kernel:
                return size
        return "none of those measured" if measured else None

    return find


def tests_of(name: str) -> Callable:
    def count(record: dict):
        passed = figure(record, "conformance", name, "passed")
        failed = figure(record, "conformance", name, "failed")
        if passed is None or passed + failed == 0:
            runs = record["parts"].get("conformance", {}).get("runs", [])
            return next((f"failed: {run['reason']}" for run in runs
                         if run["program"] == name and run["status"] == "failed"), None)  # fmt: skip
        return f"{passed} passed, {failed} failed"

    return count


def errors_of(tool: str) -> Callable:
    def count(record: dict):
        for run in record["parts"].get("sanitizer", {}).get("runs", []):
            if run["program"] == tool and run["status"] != "skipped":
                errors = figure(record, "sanitizer", tool, "errors")
                return f"{errors} errors" if run["status"] == "measured" else run["reason"]
        return None

    return count


# GPU figures of files, and what is wanted of them.
FILE_TARGETS = {
    "G4": {
        "all of the file, host to host (at least the device's own time)": "on the device 150 ms or less",
        "ours over torch.fft, both from host to host": "8 or more",
    },
    "G5": {
        "share of the ceiling both ways": "90 % or more",
        "ours over CuPy's oaconvolve, both from host to host": "5 or more",
        "ours over torch.fft, both from host to host": "4 or more",
    },
}


def listed_of_file(part: str) -> list[tuple[str, str, Callable, str]]:
    told = (
        ("all of the file, host to host (at least the device's own time)", "all of the file at this rate", "s"),
        ("rate", "rate", "frames/s"),
        ("samples x taps", "samples x taps", "1/s"),
        ("to the device", "to the device", "GB/s"),
        ("home", "home", "GB/s"),
        ("plan's memory", "plan, memory", "GB"),
        ("bytes read a call, over their floor", "bytes read over their floor", ""),
        ("threads that copy", "threads", ""),
        ("host's processor time a call", "host, processor time a call", "us"),
    )  # fmt: skip
    rows = [("relative error, L2, against double", of(part, "gpu_offline", "relative error"), "")]
    rows += [(name, of(part, "gpu_offline", figure_name), unit) for name, figure_name, unit in told]
    rows += [(name, value, unit) for name, unit, value in derived(part)]
    targets = FILE_TARGETS[part] | {"relative error, L2, against double": "1e-6 or less"}
    return [(name, targets.get(name, ""), value, unit) for name, value, unit in rows]


def listed() -> list[tuple[str, list[tuple[str, str, Callable, str]]]]:
    """All figures, by section: name, target, where it is found, unit."""
    trips = [
        (f"{trip}, every {pace}, {share}", "", ceiling(f"{trip}, every {pace}", field), "us")
        for trip in (
            "launch to synchronised stream", "launch to flag", "graph of 1 kernel to flag",
            "graph of 8 kernels to flag", "graph of 8 kernels, 6 of them side by side, to flag",
            "doorbell of a running kernel to flag",
        )
        for pace in ("1 ms", "2.7 ms")
        for share, field in (("p50", "median"), ("p99.9", "p999"))
    ]  # fmt: skip
    ceilings = [
        (name, "", ceiling(name), "GB/s")
        for name in (
            "copy within device memory, read and written", "read of device memory",
            "read of level-2 cache", "host to device", "device to host",
            "both ways at once, together",
        )
    ]  # fmt: skip
    crossings = [
        (f"smallest payload {way} that the copy engine moves sooner", "", payload_crossover(way), "")
        for way in ("to the device", "to the host")
    ]

    latencies = {"G1": ("25", "60"), "G2": ("60", "150"), "G3": (None, None)}
    cases = []
    for part, (p50, p999) in latencies.items():
        rows = [("relative error, L2, against double", "1e-6 or less",
                 of(part, "gpu_paced", "relative error"), "")]  # fmt: skip
        for program in ("process", "pipeline"):
            for share, field, target in (("p50", "median", p50), ("p99.9", "p999", p999)):
                wanted = f"{target} us or less" if target else ""
                rows.append((f"{program}, submit to output, {share}", wanted,
                             of(part, "gpu_paced", program, field), "us"))  # fmt: skip
        rows.append(("bytes read a block, over their floor", "",
                     of(part, "gpu_paced", "bytes read over their floor"), ""))  # fmt: skip
        targets = {
            "share of the read ceiling": "85 % or more" if part == "G1" else "",
            "share of the device-to-host ceiling": "85 % or more",
        }
        if part == "G1":
            targets["block, back to back (at least the time the device is busy)"] = "60 us or less"
            targets["partitions of 128 alone over ours, back to back"] = "10 or more"
        rows += [(name, targets.get(name, ""), value, unit) for name, unit, value in derived(part)]
        cases.append((part, rows))

    cases += [(part, listed_of_file(part)) for part in FILES]

    checks = [(name, "all pass", tests_of(name), "") for name in CONFORMANCE_TESTS]
    checks += [(f"compute-sanitizer {tool}", "0 errors", errors_of(tool), "") for tool in SANITIZERS]
    return [("Proof on the device", checks), ("Ceilings", ceilings + crossings + trips), *cases]


HEAD = """# Results

Folders `DATE-COMMIT` hold what `bench/run` measured on processors, folders `peers-DATE-COMMIT` what
`bench/peers/run` did beside zita-convolver, FFTW and SciPy; `attempts.md` says what was tried for the
rows near their targets; folders `acquisition-DATE-COMMIT` what `bench/acquisition/run` did by the C API;
folders `laboratory-DATE-COMMIT` reports of `firbank bench`. Files `gpu-DEVICE-DATE.json` hold what
`bench/gpu/run` measured on GPUs; the list below is made from them, the newest that has a figure. A figure
is measured on a device or it is unmeasured: none is estimated, and none is of the tests' fake device.

G1: 64 x 64 matrix of 96,000 taps, 48 kHz, block 128. G2: 10,000 channels of 1,024 taps each, 30 kHz,
block 32. G3: 1 input, 10,000 filters of 4,096 taps, 48 kHz, block 256. G4: a file of 1,000 channels,
each through the same 64 filters of 1,000 taps. G5: a file of 10,000 rows, each through a filter of its
own of 200 to 20,000 taps. Files have 1,000,000 frames, of which a stretch goes through, from host memory
to host memory; torch.fft and CuPy do as well, and once more without the copies, "on the device".
"""


def describe(value, unit: str) -> str:
    if isinstance(value, str):
        return value
    return f"{number(value)} {unit}".strip()


def write_list(folder: Path) -> None:
    """Renews folder/README.md."""
    records = [json.loads(path.read_text()) for path in folder.glob("gpu-*.json")]
    records = [record for record in records if not (record["fake"] or record["quick"])]
    records.sort(key=lambda record: record["date"], reverse=True)
    lines = [HEAD.rstrip()]
    for title, rows in listed():
        lines += ["", f"## {title}", "", "| figure | target | value | measured |", "|---|---|---|---|"]
        for name, target, find, unit in rows:
            value, where = "", "unmeasured"
            for record in records:
                found = find(record)
                if found is not None:
                    value = describe(found, unit)
                    where = (f"{record['device']['name']}, {record['date']}, "
                             f"{record['built']['commit']}")  # fmt: skip
                    break
            lines.append(f"| {name} | {target} | {value} | {where} |")
    path = folder / "README.md"
    path.write_text("\n".join(lines) + "\n")
    print(f"== wrote {path}")
