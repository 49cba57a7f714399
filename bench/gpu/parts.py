"""The parts of bench/gpu/run: which programs each runs, for how long, and what they said."""

import datetime
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent

# Seconds that each part may take.
PARTS = {
    "conformance": 240,
    "sanitizer": 260,
    "ceilings": 120,
    "G1": 240,
    "G2": 160,
    "G3": 160,
}
# Those that run every backend, or the one that FIRBANK_TEST_BACKENDS names.
CONFORMANCE_TESTS = (
    "backend_conformance_test",
    "engine_swap_test",
    "engine_nonfinite_test",
    "engine_pipeline_test",
    "engine_contract_test",  # the longest
)
SANITIZERS = ("memcheck", "racecheck", "synccheck", "initcheck")
PLUGIN = "libfirbank_cuda.so"


@dataclass
class Setting:
    """What is measured, and on what."""

    built: Path
    plugin_dir: Path | None
    device: int
    quick: bool
    fake: bool = field(init=False)
    environment: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        folder = (self.plugin_dir or self.built / "lib").resolve()
        plugin = folder / PLUGIN
        # Only the tests' device has this entry.
        self.fake = plugin.exists() and b"firbank_fake_device_control" in plugin.read_bytes()
        self.environment = os.environ | {
            "FIRBANK_PLUGIN_DIR": str(folder),
            "FIRBANK_TEST_BACKENDS": self.backend,
        }

    @property
    def backend(self) -> str:
        return f"cuda:{self.device}"

    def program(self, name: str) -> Path:
        return self.built / "bin" / name


class Clock:
    """The time that is left of a part."""

    def __init__(self, seconds: float) -> None:
        self.end = time.monotonic() + seconds

    def left(self) -> float:
        return self.end - time.monotonic()


def figures_in(text: str) -> list[dict]:
    """The lines that are figures; a line that was cut off is none."""
    found = []
    for line in text.splitlines():
        if line.startswith("{"):
            try:
                found.append(json.loads(line))
            except json.JSONDecodeError:
                pass
    return found


def last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing"


def skipped(program: str, reason: str) -> dict:
    return {"program": program, "status": "skipped", "reason": reason, "figures": []}


def execute(
    command: list, setting: Setting, clock: Clock, environment: dict[str, str] | None = None
) -> tuple[dict, str]:
    """Runs a program to its end or the part's; what it has told so far counts in any case. Returns
    the run and all that was printed."""
    program = Path(command[0]).name
    if clock.left() <= 0:
        return skipped(program, "the part's time was used up"), ""
    begun = time.monotonic()
    ended = {"program": program, "status": "measured", "reason": "", "figures": []}
    try:
        # In a session of its own, so that what it starts ends with it.
        process = subprocess.Popen(
            [str(word) for word in command],
            env=environment or setting.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        )
    except OSError as missing:
        reason = f"it cannot be run: {missing.strerror}"
        return ended | {"status": "failed", "reason": reason}, ""
    late = False
    try:
        out, error = process.communicate(timeout=clock.left())
    except subprocess.TimeoutExpired:
        late = True
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    if late:
        out, error = process.communicate()
    code = process.returncode
    if late:
        ended |= {"status": "failed", "reason": f"was ended after {time.monotonic() - begun:.0f} s"}
    elif code == 77:
        ended |= {"status": "skipped", "reason": last_line(error)}
    elif code != 0:
        ended |= {"status": "failed", "reason": last_line(error or out)}
    if ended["status"] == "failed":
        ended["said"] = (out + error)[-4000:]
    ended["figures"] = figures_in(out)
    ended["seconds"] = round(time.monotonic() - begun, 1)
    return ended, out + error


def backend_lines(setting: Setting) -> list[str]:
    """What the program says of GPUs, such as why it sees none."""
    run, said = execute([setting.program("firbank"), "backends"], setting, Clock(60))
    if run["status"] == "failed":
        return [f"firbank backends: {run['reason']}"]
    return [line for line in said.splitlines() if line.startswith("cuda")]


def conformance(setting: Setting, clock: Clock) -> list[dict]:
    runs = []
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
        runs.append(run)
    return runs


def find_sanitizer() -> str | None:
    folders = [os.environ.get("CUDA_HOME", "/usr/local/cuda"), "/usr/local/cuda"]
    places = [f"{folder}/{under}" for folder in folders for under in ("bin", "compute-sanitizer")]
    return shutil.which("compute-sanitizer", path=os.pathsep.join([os.environ["PATH"], *places]))


def sanitizer(setting: Setting, clock: Clock) -> list[dict]:
    tool = find_sanitizer()
    if setting.fake or tool is None:
        reason = "the fake device is no GPU" if setting.fake else "no compute-sanitizer here"
        return [skipped(name, reason) for name in SANITIZERS]
    runs = []
    for number, name in enumerate(SANITIZERS):
        # Later tools have the time that earlier ones have left.
        own = Clock(clock.left() / (len(SANITIZERS) - number))
        errors = 0
        cases = []
        run: dict = {}
        for case in ("G1", "G2", "G3"):
            run, said = execute(
                [tool, "--tool", name, "--error-exitcode", "99", setting.program("gpu_paced"),
                 case, "--backend", setting.backend, "--quick", "--verify"],
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
                run["reason"] = f"{case}: {run['reason']}"
                break
            cases.append(case)
        run["program"] = name
        if run["status"] == "skipped":
            runs.append(skipped(name, run["reason"]))
            continue
        run["figures"] = [
            {"name": "errors", "unit": "errors", "value": errors},
            {"name": "cases", "text": " ".join(cases) or "none"},
        ]
        runs.append(run)
    return runs


def ceilings(setting: Setting, clock: Clock) -> list[dict]:
    if setting.fake:
        return [skipped("gpu_ceilings", "the fake device is no GPU")]
    command = [setting.program("gpu_ceilings")]
    command += ["--quick", "--seconds", "0.2"] if setting.quick else ["--seconds", "5"]
    # It uses device 0 of those that it sees.
    environment = setting.environment | {"CUDA_VISIBLE_DEVICES": visible_device(setting)}
    return [execute(command, setting, clock, environment)[0]]


def visible_device(setting: Setting) -> str:
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    return visible.split(",")[setting.device] if visible else str(setting.device)


def cufft_folders() -> list[str]:
    """Where libcufft may lie: with CUDA, or in a Python package of NVIDIA's."""
    places = [Path(os.environ.get("CUDA_HOME", "/usr/local/cuda")), Path("/usr/local/cuda")]
    folders = [place / under for place in places for under in ("lib64", "lib")]
    for root in {Path(entry) for entry in sys.path if entry.endswith("-packages")}:
        folders += root.glob("nvidia/*/lib")
    return [str(folder) for folder in folders if any(folder.glob("libcufft.so.*"))]


def peers(case: str, setting: Setting, clock: Clock, common: list[str]) -> list[dict]:
    if setting.fake:
        return [skipped(name, "the fake device is no GPU") for name in ("gpu_cufft_peer", "cupy")]
    environment = setting.environment | {"CUDA_VISIBLE_DEVICES": visible_device(setting)}
    program = setting.program("gpu_cufft_peer")
    if program.exists():
        paths = [*cufft_folders(), os.environ.get("LD_LIBRARY_PATH", "")]
        with_cufft = environment | {"LD_LIBRARY_PATH": os.pathsep.join(filter(None, paths))}
        cufft, said = execute([program, case, *common], setting, clock, with_cufft)
        if cufft["status"] == "failed" and "libcufft" in said:
            cufft |= {"status": "skipped", "reason": "no cuFFT library here: " + last_line(said)}
    else:
        cufft = skipped("gpu_cufft_peer", "it was not built: no cuFFT there")
    quick = ["--quick"] if setting.quick else []
    seconds = "0.2" if setting.quick else "5"
    cupy, _ = execute(
        [sys.executable, HERE / "cupy_peer.py", case, "--seconds", seconds, *quick],
        setting, clock, environment,
    )  # fmt: skip
    cupy["program"] = "cupy"
    return [cufft, cupy]


# What else the engine is measured with, beside its own choice.
VARIANTS = {"uniform": {"G1": ["--partitions", "128"]}, "int16": {"G1": ["--spectra", "int16"]}}


def paced(case: str, setting: Setting, clock: Clock) -> list[dict]:
    common = ["--seconds", "0.1", "--quick"] if setting.quick else ["--seconds", "20"]
    program = [setting.program("gpu_paced"), case, "--backend", setting.backend]
    runs = [execute([*program, *common], setting, clock)[0]]
    runs += peers(case, setting, clock, common)
    brief = common if setting.quick else ["--seconds", "5"]
    for name, options in VARIANTS.items():
        if case in options:
            run, _ = execute([*program, *options[case], *brief], setting, clock)
            runs.append(run | {"program": f"gpu_paced, {name}"})
    return runs


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
    runs = work(setting, clock) if work else paced(part, setting, clock)
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "seconds": round(time.monotonic() - begun, 1),
        "status": status_of(runs),
        "runs": runs,
    }
