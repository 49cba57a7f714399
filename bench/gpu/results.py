#!/usr/bin/env python3
"""Records of bench/gpu/run: what they are made of, and how they are kept, one JSON file a device and
day. Parts that ran in turn, or on another machine, are joined:

    bench/gpu/results.py FILE...     joins records into bench/results and renews its list
"""

import datetime
import json
import os
import platform
import re
import subprocess
import sys
from pathlib import Path

UNKNOWN = "unknown device"
QUERY = (
    "name", "driver_version", "compute_cap", "memory.total", "clocks.sm", "clocks.mem",
    "clocks.max.sm", "clocks.max.mem", "temperature.gpu", "power.draw", "power.limit", "pstate",
)  # fmt: skip


def said_by(*command: str, folder: Path | None = None) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, cwd=folder)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def built_from(built: Path, root: Path) -> dict:
    """What the programs were built from: as the folder says, or as git does."""
    told = built / "built.json"
    if told.exists():
        return json.loads(told.read_text())
    git = ("git", "-c", f"safe.directory={root}")
    commit = said_by(*git, "rev-parse", "--short", "HEAD", folder=root) or "unknown"
    if said_by(*git, "status", "--porcelain", "--", "io", "engine", "kernels", "bench/gpu",
               folder=root):  # fmt: skip
        commit += "-changed"
    return {"commit": commit}


def device(setting) -> dict:
    """As the driver reports it, before anything has run; the clocks are those of an idle device."""
    if setting.fake:
        return {"name": "fake device"}
    values = said_by("nvidia-smi", f"--id={setting.device}", f"--query-gpu={','.join(QUERY)}",
                     "--format=csv,noheader")  # fmt: skip
    told = dict(zip(QUERY, (value.strip() for value in values.split(",")))) if values else {}
    found = re.search(r"CUDA Version: *([\d.]+)", said_by("nvidia-smi"))
    if found:
        told["driver_cuda_version"] = found.group(1)
    return {"name": UNKNOWN} | told


def clocks(setting) -> dict:
    """As the driver reports them now."""
    now = device(setting)
    wanted = ("clocks.sm", "clocks.mem", "temperature.gpu", "power.draw", "pstate")
    return {key: now[key] for key in wanted if key in now}


def name_device(record: dict, backend: str, lines: list[str]) -> None:
    """Where nvidia-smi does not answer, the lines of `firbank backends` say what the device is."""
    if record["device"]["name"] != UNKNOWN:
        return
    for line in lines:
        found = re.match(rf"{re.escape(backend)} +CUDA [\d.]+, (.*\S) +yes$", line)
        if found:
            record["device"]["name"] = found.group(1)


def has_figures(part: dict) -> bool:
    """A part may fail in one program and have measured with another."""
    return any(run["figures"] for run in part["runs"])


def was_measured(record: dict) -> bool:
    return any(has_figures(part) for part in record["parts"].values())


def processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.machine()


def new_record(setting, root: Path) -> dict:
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d"),
        "device": device(setting),
        "host": {"processor": processor(), "cpus": os.cpu_count(), "kernel": platform.release()},
        "built": built_from(setting.built, root),
        "fake": setting.fake,
        "quick": setting.quick,
        "parts": {},
    }


def file_name(record: dict) -> str:
    device_name = re.sub(r"[^a-z0-9]+", "-", record["device"]["name"].lower()).strip("-")
    kind = ("fake-" if record["fake"] else "") + ("quick-" if record["quick"] else "")
    return f"{kind}gpu-{device_name}-{record['date']}.json"


def keep(record: dict, folder: Path) -> Path:
    """Writes the record. A part that was measured before gives way to one with figures; parts of
    another commit all do."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / file_name(record)
    if path.exists():
        before = json.loads(path.read_text())
        if before["built"] == record["built"]:
            better = {
                name: part
                for name, part in record["parts"].items()
                if has_figures(part) or name not in before["parts"]
            }
            record = before | record | {"parts": before["parts"] | better}
    path.write_text(json.dumps(record, indent=1) + "\n")
    return path


def main() -> None:
    import report

    folder = Path(__file__).resolve().parents[1] / "results"
    for name in sys.argv[1:]:
        record = json.loads(Path(name).read_text())
        if record["fake"] or record["quick"]:
            sys.exit(f"{name}: figures of the fake device or of tiny sizes are not kept")
        print(f"== wrote {keep(record, folder)}")
    report.write_list(folder)


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    main()
