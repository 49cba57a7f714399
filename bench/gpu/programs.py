"""How bench/gpu/run runs a program: on which device, for how long, and what it said."""

import contextlib
import json
import os
import re
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

PLUGIN = "libfirbank_cuda.so"
# A test's, or compute-sanitizer's.
FIRST_FAILURE = re.compile(
    r"^.*: Failure$|^=+ (?:Invalid|Error|Uninitialized|Barrier).*$", re.MULTILINE
)
PATIENCE = 10  # seconds, with a process that was told to end


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


def excerpt(text: str) -> str:
    """The end of what a program said, and the first thing that it called a failure."""
    end = text[-4000:]
    first = FIRST_FAILURE.search(text)
    if first is None or first.start() >= len(text) - len(end):
        return end
    return text[first.start() : first.start() + 2000] + "\n[...]\n" + end


def skipped(program: str, reason: str) -> dict:
    return {"program": program, "status": "skipped", "reason": reason, "figures": []}


def failed(program: str, reason: str) -> dict:
    return {"program": program, "status": "failed", "reason": reason, "figures": []}


def end_session(process: subprocess.Popen) -> None:
    """Ends a process and what it has started, and waits a little for it to be gone."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=PATIENCE)


def text_of(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")


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
    # Files, as a pipe ends only with the last process that holds it, which may not let itself be
    # ended while the device hangs.
    with tempfile.TemporaryFile() as printed, tempfile.TemporaryFile() as complaints:
        try:
            # In a session of its own, so that what it starts ends with it.
            process = subprocess.Popen(
                [str(word) for word in command],
                env=environment or setting.environment,
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=complaints,
                start_new_session=True,
            )
        except OSError as missing:
            return failed(program, f"it cannot be run: {missing.strerror}"), ""
        late = False
        try:
            process.wait(timeout=clock.left())
        except subprocess.TimeoutExpired:
            late = True
        finally:
            end_session(process)
        out, error = text_of(printed), text_of(complaints)
    code = process.returncode
    if late:
        ended |= {"status": "failed", "reason": f"was ended after {time.monotonic() - begun:.0f} s"}
    elif code == 77:
        ended |= {"status": "skipped", "reason": last_line(error)}
    elif code < 0:
        ended |= {"status": "failed", "reason": f"was ended by {signal.Signals(-code).name}"}
    elif code != 0:
        ended |= {"status": "failed", "reason": last_line(error or out)}
    if ended["status"] == "failed":
        ended["said"] = excerpt(out + error)
    ended["figures"] = figures_in(out)
    ended["seconds"] = round(time.monotonic() - begun, 1)
    return ended, out + error


def backend_lines(setting: Setting) -> list[str]:
    """What the program says of GPUs, such as why it sees none."""
    run, said = execute([setting.program("firbank"), "backends"], setting, Clock(60))
    if run["status"] == "failed":
        return [f"firbank backends: {run['reason']}"]
    return [line for line in said.splitlines() if line.startswith("cuda")]


def visible_device(setting: Setting) -> str:
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    return visible.split(",")[setting.device] if visible else str(setting.device)
