"""The benchmark against other libraries: its reference, arithmetic, tables and workers."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

HERE = Path(__file__).resolve().parents[2] / "bench" / "python"
if not HERE.is_dir():
    pytest.skip("the benchmark is not part of this distribution", allow_module_level=True)
pytest.importorskip("tqdm", reason="the benchmark shows its progress with tqdm")
sys.path.insert(0, str(HERE))

import compare  # noqa: E402
import figures  # noqa: E402
import memory  # noqa: E402
import peers  # noqa: E402
import reference  # noqa: E402
import report  # noqa: E402
import rows  # noqa: E402
import workers  # noqa: E402

LIBRARIES = {"nemos": "nemos", "numba": "numba", "torch": "torch", "scipy": "scipy"}


# The reference


@given(
    st.integers(1, 40), st.integers(1, 12), st.integers(1, 4), st.data(), st.integers(0, 2**32 - 1)
)
@settings(deadline=None, max_examples=200, print_blob=True)
def test_direct_is_the_definition(frames, taps, signals, data, seed):
    random = np.random.default_rng(seed)
    x = random.standard_normal((signals, frames))
    h = random.standard_normal((signals, taps))
    last = frames + taps - 1
    first = data.draw(st.integers(0, last - 1))
    end = data.draw(st.integers(first + 1, last))
    right = [
        sum(
            h[s, k] * x[s, n - k]
            for s in range(signals)
            for k in range(taps)
            if 0 <= n - k < frames
        )
        for n in range(first, end)
    ]
    np.testing.assert_allclose(reference.direct(x, h, first, end), right, rtol=0, atol=1e-12)


@given(st.integers(0, 1000), st.integers(1, 5000), st.integers(1, 2000))
@settings(deadline=None, max_examples=200, print_blob=True)
def test_stretches_lie_inside_and_reach_both_ends(first, count, taps):
    end = first + count
    found = reference.stretches(first, end, taps)
    assert all(first <= begin < stop <= end for begin, stop in found)
    assert found[0][0] == first
    assert found[-1][1] == end


def bank(dtype=np.float32) -> tuple[rows.Row, np.ndarray, np.ndarray, np.ndarray]:
    row = rows.Row("bank", "", "bank", 3, 900, (50,) * 4)
    x, h = row.signals(np.dtype(dtype)), row.kernels(np.dtype(dtype))
    right = [[np.convolve(a, b) for b in h.astype(float)] for a in x.astype(float)]
    return row, x, h, np.array(right)


def test_a_right_result_is_right():
    row, x, h, right = bank()
    assert reference.error(row, x, h, lambda c, k: right[c, k], 0, "full") < 1e-15


def test_a_valid_result_is_compared_where_it_lies():
    row, x, h, right = bank()
    inside = right[:, :, 49:900]
    assert reference.error(row, x, h, lambda c, k: inside[c, k], 49, "valid") < 1e-15


@pytest.mark.parametrize("frame", [0, 49, 475, 948])
def test_one_wrong_frame_is_found(frame):
    row, x, h, right = bank()
    right[1, 2, frame] += 1
    wrong = reference.error(row, x, h, lambda c, k: right[c, k], 0, "full")
    assert wrong > reference.LARGEST_ERROR["single"]


def test_a_frame_late_is_wrong():
    row, x, h, right = bank()
    late = np.roll(right, 1, axis=-1)
    assert reference.error(row, x, h, lambda c, k: late[c, k], 0, "full") > 0.1


def test_nan_is_not_right():
    row, x, h, right = bank()
    right[0, 0, 0] = np.nan
    wrong = reference.error(row, x, h, lambda c, k: right[c, k], 0, "full")
    assert not wrong <= reference.LARGEST_ERROR["single"]


def test_missing_frames_are_told():
    row, x, h, right = bank()
    with pytest.raises(reference.WrongShape, match="needs frames 0 to 948"):
        reference.error(row, x, h, lambda c, k: right[c, k, :-1], 0, "full")
    with pytest.raises(reference.WrongShape, match="shape"):
        reference.error(row, x, h, lambda c, k: right[c, k][None], 0, "full")


# The workloads


@pytest.mark.parametrize("name", list(rows.quick_rows()))
def test_reduced_workloads_have_the_shapes_of_the_whole(name):
    whole, quick = rows.rows()[name], rows.quick_rows()[name]
    assert whole.kind == quick.kind
    assert whole.one_kernel == quick.one_kernel
    assert quick.frames <= whole.frames
    x, h = quick.signals(np.dtype(np.float32)), quick.kernels(np.dtype(np.float32))
    for channel, k in quick.looked_at():
        signals, kernels = quick.parts(x, h, channel, k)
        assert signals.ndim == kernels.ndim == 2
        assert len(signals) == len(kernels)


def test_noise_is_the_same_every_time():
    row = rows.quick_rows()["bank"]
    np.testing.assert_array_equal(
        row.signals(np.dtype(np.float64)), row.signals(np.dtype(np.float64))
    )


def test_powers_are_powers():
    row = rows.rows()["powers"]
    assert [len(x) for x in row.signals(np.dtype(np.float32))] == [4**i for i in range(9)]
    assert [len(h) for h in row.kernels(np.dtype(np.float32))] == [2**i for i in range(9)]


# Those that compile, or load for seconds, have their turn with the long tests.
SLOW = ("torch", "numba", "nemos")


@pytest.mark.parametrize(
    "peer",
    [
        pytest.param(name, marks=pytest.mark.full if name in SLOW else ())
        for name in peers.NAMES
        if name != "firbank"
    ],
)
@pytest.mark.parametrize("name", ["rows", "bank", "ragged", "long", "video", "overhead", "powers"])
def test_every_way_is_right(peer, name):
    pytest.importorskip(
        LIBRARIES.get(peer, "threadpoolctl"),
        reason=f"{peer} is compared only where it is installed",
    )
    small = {
        "rows": {"channels": 3, "frames": 700, "taps": (200,) * 3},
        "bank": {"channels": 2, "frames": 600},
        "ragged": {"frames": 900, "taps": (100, 200, 500)},
        "long": {"frames": 3000},
        "overhead": {"frames": 400},
        "video": {"frames": 64},
        "powers": {},
    }[name]
    row = rows.replace(rows.quick_rows()[name], **small)
    x, h = row.signals(np.dtype(np.float32)), row.kernels(np.dtype(np.float32))
    for way, chosen in peers.load(peer).ways(row, x, h, 2).items():
        pick = partial(chosen.samples, chosen.run())
        wrong = reference.error(row, x, h, pick, chosen.offset, chosen.extent)
        assert wrong <= reference.LARGEST_ERROR["single"], way


# What is made of times


def test_spread():
    assert figures.spread([3.0, 1.0, 2.0]) == {"median": 2.0, "least": 1.0, "most": 3.0}


def test_ratios_are_of_neighbours():
    # The machine is half as fast in the second round; the ratio does not see it.
    assert figures.ratios([2.0, 4.0], [1.0, 2.0, 5.0]) == [2.0, 2.0]


@given(st.integers(1, 10**8), st.integers(1, 10**5))
@settings(deadline=None, max_examples=100, print_blob=True)
def test_parts_end_with_the_whole(whole, least):
    parts = figures.parts(whole, least)
    assert parts == sorted(set(parts))
    assert parts[-1] == whole
    assert parts[0] >= min(least, whole)


def test_scaled_is_proportional():
    assert figures.scaled(0.5, 1000, 64_000) == 32.0
    assert figures.scaled(0.5, 1000, 1000) == 0.5


def test_what_takes_too_long_is_not_tried():
    assert figures.worth_more({}, 1000, limit=1, best=float("inf"))
    assert figures.worth_more({100: 0.09}, 1000, limit=1, best=0.0009)
    assert not figures.worth_more({100: 0.11}, 1000, limit=1, best=0.0011)


def test_what_is_far_behind_is_not_tried():
    assert figures.worth_more({100: 0.7}, 200, limit=9, best=0.001)
    assert not figures.worth_more({100: 0.9}, 200, limit=9, best=0.001)


def test_what_is_far_behind_and_cheap_is_tried():
    assert figures.worth_more({100: 0.4}, 200, limit=9, best=0.0001)


def test_finalists_are_near_the_fastest():
    times = {"slow": 5.0, "near": 1.9, "fastest": 1.0, "nearer": 1.2, "late": 1.99}
    assert figures.finalists(times) == ["fastest", "nearer", "near"]


def test_long_runs_are_in_fewer_rounds():
    assert figures.rounds(1, wanted=5, limit=30) == 5
    assert figures.rounds(6, wanted=5, limit=30) == 3
    assert figures.rounds(6, wanted=2, limit=30) == 2


def test_rows_of_two_runs_are_joined_in_order():
    before = [{"name": "rows", "run": 1}, {"name": "video", "run": 1}]
    now = [{"name": "bank", "run": 2}, {"name": "video", "run": 2}]
    assert compare.joined(before, now) == [
        {"name": "rows", "run": 1},
        {"name": "bank", "run": 2},
        {"name": "video", "run": 2},
    ]


# Tables


def timed(seconds: float, ratio: float | None = None, **more) -> dict:
    spread = {"median": seconds, "least": seconds, "most": seconds}
    peer = {
        "ways": {}, "way": "a way", "wall": spread, "cpu": spread, "warm_up_seconds": 0.0,
        "error": 1e-7, "versions": {"thing": "1.0"}, "scaled_from": None, "out_of_memory": False,
    }  # fmt: skip
    if ratio:
        both = {"median": ratio, "least": ratio, "most": ratio}
        peer |= {"ratio": both, "cpu_ratio": both}
    return peer | more


def record() -> dict:
    failed = {"failed": "memory", "message": "MemoryError: 51 GB"}
    return {
        "environment": {
            "date": "2026-01-31T00:00:00+00:00", "commit": "abcdef0", "processor": "a processor",
            "cores": 2, "memory_bytes": 2**34, "kernel": "Linux 6", "python": "3.11", "threads": 2,
            "precision": "single", "load": [0.1, 0.2, 0.3],
        },
        "quick": False,
        "rows": [
            {
                "name": "bank",
                "title": "a bank",
                "limit_seconds": 6,
                "peers": {
                    "firbank": timed(0.5),
                    "numpy": timed(2.0, 4.0),
                    "scipy": timed(1.0, 2.0, scaled_from=0.125),
                    "torch": {"ways": {"conv1d": failed}},
                    "numba": {"ways": {"loop": {"failed": "wrong", "message": "error 1e-1"}}},
                    "nemos": {"ways": {}},
                },
            }
        ],
    }  # fmt: skip


def test_the_best_of_the_others_counts():
    table = report.main_table(record())
    cells = [cell.strip() for cell in table[-1].strip("|").split("|")]
    assert cells == [
        "bank", "500 ms", "2 s", "1 s (s)", "out of memory", "wrong", "-", "SciPy", "**2.00**",
        "2.00, 2.00",
    ]  # fmt: skip


def test_a_wrong_firbank_is_told():
    figures_of_run = record()
    assert not report.wrong(figures_of_run)
    figures_of_run["rows"][0]["peers"]["firbank"] = {"ways": {}}
    assert report.wrong(figures_of_run)


def test_report_is_written(tmp_path):
    pytest.importorskip("matplotlib", reason="the chart is drawn with matplotlib")
    report.write(tmp_path, json.loads(json.dumps(record())))
    text = (tmp_path / "README.md").read_text()
    assert "bank, PyTorch, conv1d: out of memory (MemoryError: 51 GB)" in text
    assert "as a run of all takes over 6 s." in text, "as the row was measured"
    assert "![" in text
    assert (tmp_path / "ratios.png").stat().st_size > 1000


def test_seconds_have_fitting_units():
    shown = [report.seconds(value) for value in (12.34, 0.01234, 1.234e-5, 1.2e-8)]
    assert shown == ["12.3 s", "12.3 ms", "12.3 us", "12 ns"]


# Workers


@pytest.fixture
def numpy_worker():
    pytest.importorskip("threadpoolctl", reason="NumPy's part limits the BLAS's threads with it")
    worker = workers.Worker("numpy", 1, "single")
    yield worker
    worker.close()


def state(process: int) -> str:
    return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0]


def test_worker_times_and_stands_still(numpy_worker):
    command = {"row": "overhead", "quick": True, "precision": "single"}
    assert numpy_worker.ask(60, do="open", **command) == {}
    assert "np.convolve" in numpy_worker.ask(60, do="ways", frames=10_000)["ways"]
    timing = {"frames": 10_000, "way": "np.convolve", "seconds": 0.01, "once": 1}
    answer = numpy_worker.ask(60, do="time", memory=2**30, **timing)
    assert answer["error"] < 1e-6
    assert answer["type"] == "float32"
    assert answer["runs"] * answer["wall"] >= 0.01
    for _ in range(100):
        if state(numpy_worker.process.pid) == "T":
            break
        threading.Event().wait(0.01)
    assert state(numpy_worker.process.pid) == "T"
    assert "error" not in numpy_worker.ask(60, do="time", memory=2**30, **timing)


def test_worker_without_memory_says_so(numpy_worker):
    numpy_worker.ask(60, do="open", row="long", quick=True, precision="single")
    way = numpy_worker.ask(60, do="ways", frames=40_000)["ways"][0]
    timing = {"frames": 40_000, "way": way, "seconds": 0.01, "once": 1}
    assert numpy_worker.ask(60, do="time", memory=0, **timing)["failed"] in ("memory", "error")
    assert "wall" in numpy_worker.ask(60, do="time", memory=2**30, **timing)


def test_worker_that_dies_is_told(numpy_worker):
    numpy_worker.ask(60, do="versions")
    numpy_worker.process.kill()
    with pytest.raises(workers.Died, match="ended with -9"):
        numpy_worker.ask(60, do="versions")


# Memory


def test_watch_sees_memory_that_is_gone_again():
    code = (
        "import sys\nprint(1, flush=True); sys.stdin.readline()\n"
        "a = bytearray(200 << 20)\na[::4096] = b'x' * len(a[::4096])\n"
        "import time; time.sleep(0.1); del a\nprint(2, flush=True); sys.stdin.readline()"
    )
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", code], **pipes) as process:
        process.stdout.readline()
        before = memory.private_bytes(process.pid)
        look = memory.Watch(process.pid)
        look.start()
        process.stdin.write("\n")
        process.stdin.flush()
        process.stdout.readline()
        look.end.set()
        look.join()
        after = memory.private_bytes(process.pid)
        process.stdin.write("\n")
    assert 200 << 20 <= look.most - before < 230 << 20
    assert after - before < 20 << 20


def test_a_case_counts_its_bytes():
    case = memory.Case(1000, 64, 100, 200_000)
    assert case.x_bytes == 800_000_000
    assert case.out_bytes == 4 * 1000 * 64 * 200_099


def test_place_of_result(tmp_path):
    small, huge = memory.Case(2, 2, 10, 100), memory.Case(10**6, 10**3, 10, 10**6)
    assert memory.place_of_result(small, tmp_path, 2**30) == "memory"
    assert memory.place_of_result(huge, tmp_path, 2**30) == "chunks"


@pytest.mark.parametrize("place", ["memory", "disk", "chunks"])
def test_a_run_is_watched(place, tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "place_of_result", lambda *_: place)
    result = memory.watch("firbank", memory.Case(3, 2, 10, 2000), tmp_path)
    assert "failed" not in result
    assert result["out"] == place
    assert result["limit"] == 2 << 30
    assert result["seconds"] > 0
    assert result["working_bytes"] < 200 << 20
    assert list(tmp_path.iterdir()) == []


def test_failures_are_told_once():
    said = {"failed": "Error: dispatching: dispatching: no 51 GB", "allowed_bytes": 3 << 29}
    assert memory.failure(said) == ("failed with 1.5 GiB to itself (Error; dispatching; no 51 GB)")


@pytest.mark.full
def test_the_whole_with_tiny_sizes(tmp_path):
    """Every row and library that is installed, as --quick runs them; a minute or two."""
    for name in ("matplotlib", "scipy"):
        pytest.importorskip(name, reason=f"the benchmark needs {name}")
    command = [sys.executable, "-B", str(HERE / "compare.py"), "--quick", "--out", str(tmp_path)]
    subprocess.run([*command, "--peer", "numpy", "--peer", "scipy"], check=True, timeout=280)
    figures_of_run = json.loads((tmp_path / "figures.json").read_text())
    for row in figures_of_run["rows"]:
        for peer in row["peers"].values():
            assert report.timed(peer), (row["name"], peer)
