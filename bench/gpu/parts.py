"""The parts of bench/gpu/run: which programs each runs, for how long, and what they said."""

import datetime
import os
import re
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from programs import Clock, Setting, execute, failed, last_line, skipped, visible_device

HERE = Path(__file__).resolve().parent

# Seconds that each part may take; twenty-one minutes together.
PARTS = {
    "conformance": 170,
    "sanitizer": 190,
    "ceilings": 90,
    "G1": 230,
    "G2": 140,
    "G3": 120,
    "G4": 150,
    "G5": 180,
}
FILES = ("G4", "G5")  # the other cases are streams
# Those that run every backend, or the one that FIRBANK_TEST_BACKENDS names.
CONFORMANCE_TESTS = (
    "backend_conformance_test",
    "direct_conformance_test",
    "engine_swap_test",
    "engine_nonfinite_test",
    "engine_pipeline_test",
    "engine_contract_test",  # the longest
)
SANITIZERS = ("memcheck", "racecheck", "synccheck", "initcheck")
# What these watch: together nearly all kernels of float, and both ways to and from the device.
SANITIZED = (
    ("gpu_paced", "G1"),  # transforms, and sums in shares
    ("gpu_paced", "G2"),  # the direct form of rows
    ("gpu_paced", "G3", "--partitions", "256", "--spectra", "int16"),  # all in one kernel
    ("gpu_offline", "G4"),  # the direct form of a bank, and copies
    ("gpu_offline", "G5"),  # transforms that pass through memory
)


def conformance(setting: Setting, clock: Clock) -> Iterator[dict]:
    for name in CONFORMANCE_TESTS[:1] if setting.quick else CONFORMANCE_TESTS:
        run, said = execute([setting.program(name), "--gtest_brief=0"], setting, clock)
        counts = {
            word: int(found.group(1)) if found else 0
            for word in ("PASSED", "SKIPPED", "FAILED")
            for found in [re.search(rf"\[ +{word} +\] (\d+) tests?", said)]
        }
        for word, count in counts.items():
            run["figures"].append({"name": word.lower(), "unit": "tests", "value": count})
        if run["status"] == "failed":
            failed = re.findall(r"^\[  FAILED  \] (\w+[/.][^ ,]+)", said, re.MULTILINE)
            if failed:
                run["reason"] = "failed: " + ", ".join(dict.fromkeys(failed))
        elif run["status"] == "measured" and counts["PASSED"] == 0:
            run |= {"status": "skipped", "reason": "no test ran"}
        yield run


def find_sanitizer() -> str | None:
    folders = [os.environ.get("CUDA_HOME", "/usr/local/cuda"), "/usr/local/cuda"]
    places = [f"{folder}/{under}" for folder in folders for under in ("bin", "compute-sanitizer")]
    return shutil.which("compute-sanitizer", path=os.pathsep.join([os.environ["PATH"], *places]))


def sanitizer(setting: Setting, clock: Clock) -> Iterator[dict]:
    tool = find_sanitizer()
    if setting.fake or tool is None:
        reason = "the fake device is no GPU" if setting.fake else "no compute-sanitizer here"
        yield from (skipped(name, reason) for name in SANITIZERS)
        return
    for number, name in enumerate(SANITIZERS):
        # Later tools have the time that earlier ones have left.
        own = Clock(clock.left() / (len(SANITIZERS) - number))
        errors = 0
        cases = []
        run: dict = {}
        for program, *case in SANITIZED:
            # Every answer of CUDA's is looked at by the program itself: "not ready" is one of them,
            # which would count as an error here each time that the host asks.
            run, said = execute(
                [tool, "--tool", name, "--report-api-errors", "no", "--error-exitcode", "99",
                 setting.program(program), *case, "--backend", setting.backend,
                 "--quick", "--verify"],
                setting, own,
            )  # fmt: skip
            refused = re.search(
                r"^=+ *(.*(not supported|[Uu]nable to (attach|init|launch)).*)", said, re.MULTILINE
            )
            summary = re.search(r"(?:ERROR SUMMARY|RACECHECK SUMMARY): (\d+)", said)
            if summary:
                errors += int(summary.group(1))
            if refused and run["status"] == "failed":
                run |= {"status": "skipped", "reason": refused.group(1).strip()}
            elif run["status"] == "measured" and summary is None:
                run |= {"status": "failed", "reason": "it gave no summary"}
            elif errors:
                first = re.search(r"^=+ +(?!COMPUTE-SANITIZER)(\S.*)", said, re.MULTILINE)
                run |= {"status": "failed", "reason": first.group(1) if first else "errors found"}
            if run["status"] != "measured":
                run["reason"] = f"{' '.join(case)}: {run['reason']}"
                break
            cases.append(" ".join(case))
        run["program"] = name
        if run["status"] == "skipped" and not cases:
            yield skipped(name, run["reason"])
            continue
        run["figures"] = [
            {"name": "errors", "unit": "errors", "value": errors},
            {"name": "cases", "text": ", ".join(cases) or "none"},
        ]
        yield run


def ceilings(setting: Setting, clock: Clock) -> Iterator[dict]:
    if setting.fake:
        yield skipped("gpu_ceilings", "the fake device is no GPU")
        return
    command = [setting.program("gpu_ceilings")]
    command += ["--quick", "--seconds", "0.2"] if setting.quick else ["--seconds", "5"]
    # It uses device 0 of those that it sees.
    environment = setting.environment | {"CUDA_VISIBLE_DEVICES": visible_device(setting)}
    yield execute(command, setting, clock, environment)[0]


def cufft_folders() -> list[str]:
    """Where libcufft may lie: with CUDA, or in a Python package of NVIDIA's."""
    places = [Path(os.environ.get("CUDA_HOME", "/usr/local/cuda")), Path("/usr/local/cuda")]
    folders = [place / under for place in places for under in ("lib64", "lib")]
    for root in {Path(entry) for entry in sys.path if entry.endswith("-packages")}:
        folders += root.glob("nvidia/*/lib")
    return [str(folder) for folder in folders if any(folder.glob("libcufft.so.*"))]


def cufft_peer(case: str, setting: Setting, clock: Clock, common: list[str]) -> dict:
    if setting.fake:
        return skipped("gpu_cufft_peer", "the fake device is no GPU")
    program = setting.program("gpu_cufft_peer")
    if not program.exists():
        return skipped("gpu_cufft_peer", "it was not built: no cuFFT there")
    paths = [*cufft_folders(), os.environ.get("LD_LIBRARY_PATH", "")]
    environment = setting.environment | {
        "CUDA_VISIBLE_DEVICES": visible_device(setting),
        "LD_LIBRARY_PATH": os.pathsep.join(filter(None, paths)),
    }
    run, said = execute([program, case, *common], setting, clock, environment)
    if run["status"] == "failed" and "libcufft" in said:
        run |= {"status": "skipped", "reason": "no cuFFT library here: " + last_line(said)}
    return run


def python_peers(case: str, setting: Setting, clock: Clock) -> Iterator[dict]:
    for name in ("cupy", "torch"):
        if setting.fake:
            yield skipped(name, "the fake device is no GPU")
            continue
        options = ["--seconds", "0.2", "--quick"] if setting.quick else ["--seconds", "5"]
        run, _ = execute(
            [sys.executable, HERE / f"{name}_peer.py", case, *options], setting, clock,
            setting.environment | {"CUDA_VISIBLE_DEVICES": visible_device(setting)},
        )  # fmt: skip
        yield run | {"program": name}


# What else the engine is measured with, beside its own choice or what suits a case best.
STREAM_VARIANTS = {
    "uniform": {"G1": ["--partitions", "128"]},
    "int16": {"G1": ["--spectra", "int16"]},
    "hybrid": {"G1": ["--gpu-mode", "hybrid"]},
    "four threads": {"G2": ["--threads", "4"]},
    "16 bits": {"G2": ["--threads", "4", "--sixteen-bits"]},
}
FILE_VARIANTS = {
    "one thread": ["--threads", "1"],
    "whole": ["--gpu-mode", "whole"],
    "16 bits": ["--sixteen-bits"],
}


# Cases with enough samples for the host's own share of a call to matter.
HOST_SHARES = ("G2", "G3", "G4", "G5")


def host_share(case: str, setting: Setting, clock: Clock) -> dict:
    """What the engine spends on the host, beside a device that answers at once."""
    common = ["--seconds", "0.1", "--quick"] if setting.quick else ["--seconds", "3"]
    folder = setting.built / "idle_device"
    environment = setting.environment | {"FIRBANK_PLUGIN_DIR": str(folder)}
    run, _ = execute(
        [setting.program("gpu_host_share"), case, *common], setting, clock, environment
    )
    return run


def paced(case: str, setting: Setting, clock: Clock) -> Iterator[dict]:
    common = ["--seconds", "0.1", "--quick"] if setting.quick else ["--seconds", "12"]
    program = [setting.program("gpu_paced"), case, "--backend", setting.backend]
    yield execute([*program, *common], setting, clock)[0]
    yield cufft_peer(case, setting, clock, common)
    yield from python_peers(case, setting, clock)
    brief = common if setting.quick else ["--seconds", "5"]
    for name, options in STREAM_VARIANTS.items():
        if case in options:
            run, _ = execute([*program, *options[case], *brief], setting, clock)
            yield run | {"program": f"gpu_paced, {name}"}
    if case in HOST_SHARES:
        yield host_share(case, setting, clock)


def file(case: str, setting: Setting, clock: Clock) -> Iterator[dict]:
    """torch.fft is cuFFT, so there is no peer of our own on it."""
    common = ["--seconds", "0.1", "--quick"] if setting.quick else ["--seconds", "6"]
    program = [setting.program("gpu_offline"), case, "--backend", setting.backend]
    yield execute([*program, *common], setting, clock)[0]
    yield from python_peers(case, setting, clock)
    brief = common if setting.quick else ["--seconds", "3"]
    for name, options in FILE_VARIANTS.items():
        run, _ = execute([*program, *options, *brief], setting, clock)
        yield run | {"program": f"gpu_offline, {name}"}
    yield host_share(case, setting, clock)


def status_of(runs: list[dict]) -> str:
    states = {run["status"] for run in runs}
    for state in ("failed", "measured"):
        if state in states:
            return state
    return "skipped"


def run(part: str, setting: Setting) -> dict:
    clock = Clock(PARTS[part])
    begun = time.monotonic()
    work = {"conformance": conformance, "sanitizer": sanitizer, "ceilings": ceilings}.get(part)
    measure = file if part in FILES else paced
    runs = []
    try:
        for run in work(setting, clock) if work else measure(part, setting, clock):
            runs.append(run)
    except Exception as fault:  # of this script: what was measured until then counts all the same
        runs.append(failed("bench/gpu/run", f"{type(fault).__name__}: {fault}"))
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "seconds": round(time.monotonic() - begun, 1),
        "status": status_of(runs),
        "runs": runs,
    }
