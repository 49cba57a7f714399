#!/usr/bin/env python3
"""bench/gpu/run where there is no GPU: stand-ins for its programs and for compute-sanitizer do what
those might do on a device. What one of them does wrong must cost nothing of what others have told.
"""

import dataclasses
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path
from unittest import mock

sys.dont_write_bytecode = True
ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "bench" / "gpu"))

import parts  # noqa: E402
import programs  # noqa: E402

FIGURE = '{"name": "a", "unit": "us", "value": 1}'


class StandIns(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        (self.folder / "bin").mkdir()
        (self.folder / "lib").mkdir()
        (self.folder / "lib" / programs.PLUGIN).write_text("not the fake device's")
        self.setting = programs.Setting(self.folder, None, 0, quick=True)

    def program(self, name: str, *lines: str, folder: str = "bin") -> Path:
        path = self.folder / folder / name
        path.write_text("\n".join(("#!/bin/sh", *lines)) + "\n")
        path.chmod(0o755)
        return path

    def told(self, run: dict) -> list[str]:
        return [figure["name"] for figure in run["figures"]]


class Execute(StandIns):
    def test_ends_what_takes_too_long_and_keeps_what_it_has_told(self):
        path = self.program("slow", f"echo '{FIGURE}'", "sleep 20")
        begun = time.monotonic()
        run, _ = programs.execute([path], self.setting, programs.Clock(0.5))
        self.assertLess(time.monotonic() - begun, 5)
        self.assertEqual(run["status"], "failed")
        self.assertIn("was ended after", run["reason"])
        self.assertEqual(self.told(run), ["a"])

    def test_does_not_wait_for_what_has_left_the_session(self):
        path = self.program("parent", f"echo '{FIGURE}'", "setsid sleep 8 &", "sleep 20")
        begun = time.monotonic()
        run, _ = programs.execute([path], self.setting, programs.Clock(0.5))
        self.assertLess(time.monotonic() - begun, 5)
        self.assertEqual(self.told(run), ["a"])

    def test_ends_what_a_program_leaves_behind(self):
        left = self.folder / "left"
        path = self.program("parent", f"(sleep 2; touch {left}) &", f"echo '{FIGURE}'")
        run, _ = programs.execute([path], self.setting, programs.Clock(10))
        self.assertEqual(run["status"], "measured")
        time.sleep(3)
        self.assertFalse(left.exists())

    def test_keeps_the_first_failure_and_the_end(self):
        lines = ["echo 'a_test.cpp:7: Failure'", "echo 'it is 3'"]
        lines += ["for i in $(seq 2000); do echo '[       OK ] another'; done"]
        lines += ["echo 'b_test.cpp:9: Failure'", "exit 1"]
        run, _ = programs.execute([self.program("p", *lines)], self.setting, programs.Clock(20))
        self.assertTrue(run["said"].startswith("a_test.cpp:7: Failure\nit is 3"))
        self.assertTrue(run["said"].endswith("b_test.cpp:9: Failure\n"))
        self.assertLess(len(run["said"]), 7000)

    def test_says_nothing_twice(self):
        path = self.program("p", "echo 'a_test.cpp:7: Failure'", "exit 1")
        run, _ = programs.execute([path], self.setting, programs.Clock(20))
        self.assertEqual(run["said"], "a_test.cpp:7: Failure\n")


class Parts(StandIns):
    def test_take_as_long_as_is_written(self):
        table = (ROOT / "bench" / "README.md").read_text()
        told = re.findall(r"^\| `(\w+)` \|.*\| (\d+) s \|$", table, re.MULTILINE)
        self.assertEqual({name: int(seconds) for name, seconds in told}, parts.PARTS)

    def test_a_fault_of_the_script_keeps_what_came_before(self):
        run = {"program": "p", "status": "measured", "reason": "", "figures": []}
        said = "[  PASSED  ] 3 tests."
        with mock.patch.object(parts, "execute", side_effect=[(run, said), OSError("no room")]):
            part = parts.run("conformance", dataclasses.replace(self.setting, quick=False))
        self.assertEqual([run["status"] for run in part["runs"]], ["measured", "failed"])
        self.assertIn("no room", part["runs"][1]["reason"])
        self.assertEqual(part["status"], "failed")

    def test_a_figure_that_is_no_number_costs_no_other_part(self):
        # Without nvidia-smi the program says what the device is.
        (self.folder / "tools").mkdir()
        self.program("nvidia-smi", "exit 9", folder="tools")
        self.program("firbank", "echo 'cuda:0     CUDA 9.0, NVIDIA H200 yes'")
        nan = '{"name": "relative error", "unit": "ratio", "value": NaN}'
        self.program("gpu_paced", f"echo '{nan}'", "exit 1")
        self.program("gpu_ceilings", f"echo '{FIGURE}'")
        out = self.folder / "out"
        done = subprocess.run(
            [ROOT / "bench/gpu/run", "--built", self.folder, "--quick", "--out", out,
             "G1", "ceilings"],
            capture_output=True, text=True, timeout=100,
            env=os.environ | {"PATH": f"{self.folder}/tools{os.pathsep}{os.environ['PATH']}"},
        )  # fmt: skip
        (path,) = out.iterdir()
        self.assertTrue(path.name.startswith("quick-gpu-nvidia-h200-"), path.name)
        record = json.loads(path.read_text())
        self.assertEqual(record["parts"]["G1"]["status"], "failed")
        self.assertEqual(record["parts"]["ceilings"]["status"], "measured", done.stderr)
        self.assertEqual(done.returncode, 1)


class Sanitizer(StandIns):
    def run_with(self, *lines: str) -> list[dict]:
        """With a compute-sanitizer of these lines, in which $tool is which."""
        (self.folder / "tools").mkdir()
        self.program("compute-sanitizer", "tool=$2", *lines, folder="tools")
        for name in ("gpu_paced", "gpu_offline"):
            self.program(name)
        path = os.pathsep.join([str(self.folder / "tools"), os.environ["PATH"]])
        with mock.patch.dict(os.environ, PATH=path):
            return parts.run("sanitizer", self.setting)["runs"]

    def test_watches_all_cases_with_every_tool(self):
        runs = self.run_with(
            # Or "not ready", which the host asks for, would be an error.
            'case "$*" in *"--report-api-errors no"*) ;; *) exit 1;; esac',
            "[ $tool = racecheck ] && word=RACECHECK || word=ERROR",
            'echo "========= $word SUMMARY: 0 errors"',
        )
        self.assertEqual([run["program"] for run in runs], list(parts.SANITIZERS))
        for run in runs:
            self.assertEqual(run["status"], "measured", run)
            cases = next(figure["text"] for figure in run["figures"] if figure["name"] == "cases")
            self.assertEqual(len(cases.split(", ")), len(parts.SANITIZED))

    def test_tells_what_a_tool_has_found(self):
        runs = self.run_with(
            "if [ $tool = racecheck ]; then",
            '  echo "========= COMPUTE-SANITIZER"',
            '  echo "========= Error: Race reported between Read and Write"',
            '  echo "========= RACECHECK SUMMARY: 2 hazards displayed (2 errors, 0 warnings)"',
            "  exit 99",
            "fi",
            'echo "========= ERROR SUMMARY: 0 errors"',
        )
        by_tool = {run["program"]: run for run in runs}
        self.assertEqual(by_tool["racecheck"]["status"], "failed")
        self.assertIn("G1: Error: Race reported", by_tool["racecheck"]["reason"])
        self.assertEqual(by_tool["racecheck"]["figures"][0]["value"], 2)
        for other in set(parts.SANITIZERS) - {"racecheck"}:
            self.assertEqual(by_tool[other]["status"], "measured")

    def test_a_device_that_is_not_supported_is_skipped(self):
        runs = self.run_with('echo "========= Error: Device not supported"', "exit 1")
        self.assertEqual({run["status"] for run in runs}, {"skipped"})


if __name__ == "__main__":
    unittest.main()
