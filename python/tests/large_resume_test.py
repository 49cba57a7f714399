"""A large convolution that is killed, interrupted or fails goes on where it stopped."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest
from direct_sums import assert_convolved, assert_follows, direct_sums
from firbank import _journal, _zarr_array
from firbank import _options as options_module
from firbank._large import convolve_large
from large_support import needs, place, stored

# A job of 40 chunks that takes about two seconds. It says what progress says, and counts the
# convolutions that it does.
JOB = """
    import contextlib, sys, time
    from pathlib import Path
    import numpy as np
    from firbank import _journal, _options
    from firbank._large import convolve_large
    from large_support import place

    folder, sink, pause = Path(sys.argv[1]), sys.argv[2], float(sys.argv[3])
    _journal.SYNC_INTERVAL_S = 0.02
    real = _options.LargeOptions.convolve
    count = 0

    def counted(*arguments, **others):
        global count
        count += 1
        time.sleep(pause)
        return real(*arguments, **others)

    _options.LargeOptions.convolve = counted
    x = np.load(folder / "x.npy", mmap_mode="r")
    h = np.load(folder / "h.npy")

    def tell(done, total):
        print("done", done, total, flush=True)

    with place(sink, (4, 8000), np.float32, folder) as out:
        try:
            convolve_large(x, h, mode="same", out=out, progress=tell, batch_size_samples=200)
        except KeyboardInterrupt:
            print("interrupted", flush=True)
    print("computed", count, flush=True)
"""

CHUNKS = 40
SAMPLES = 4 * 8000


@pytest.fixture
def job(tmp_path):
    """A folder with x and h, and a function that starts the job in a process of its own."""
    rng = np.random.default_rng(11)
    np.save(tmp_path / "x.npy", rng.standard_normal((4, 8000)).astype(np.float32))
    np.save(tmp_path / "h.npy", rng.standard_normal(31).astype(np.float32))
    (tmp_path / "job.py").write_text(textwrap.dedent(JOB))
    path = os.pathsep.join([*sys.path, str(Path(__file__).parent)])

    def start(sink: str, pause_s: float = 0.02) -> subprocess.Popen:
        if sink.startswith("memmap") and not (tmp_path / "y.raw").exists():
            with place(sink, (4, 8000), np.float32, tmp_path):
                pass
        return subprocess.Popen(
            [sys.executable, tmp_path / "job.py", tmp_path, sink, str(pause_s)],
            env={**os.environ, "PYTHONPATH": path},
            stdout=subprocess.PIPE,
            text=True,
        )

    return tmp_path, start


def assert_whole(folder: Path, sink: str) -> None:
    """Check the result that the job left."""
    x, h = np.load(folder / "x.npy"), np.load(folder / "h.npy")
    assert_convolved(read_back(folder, sink), x, h, mode="same")


def read_back(folder: Path, sink: str) -> np.ndarray:
    if sink == "npy":
        return np.load(folder / "y.npy")
    if sink == "memmap":
        return np.fromfile(folder / "y.raw", np.float32).reshape(4, 8000)
    with place(sink, (4, 8000), np.float32, folder) as out:
        return out[...]


def recorded(folder: Path) -> int:
    (journal,) = folder.glob("*.firbank-journal")
    return journal.read_bytes().count(b"\n") - 1


@pytest.mark.parametrize(
    "sink",
    [
        "npy",
        pytest.param("hdf5", marks=pytest.mark.full),
        pytest.param("zarr 3", marks=pytest.mark.full),
    ],
)
def test_a_job_that_is_killed_again_and_again_gives_what_one_go_gives(job, sink):
    needs(sink)
    folder, start = job
    seed = random.randrange(2**32)
    print("seed", seed)
    chance = random.Random(seed)
    left = CHUNKS
    for _ in range(3):
        process = start(sink)
        told = process.stdout.readline().split()
        assert told == ["done", str((CHUNKS - left) * SAMPLES // CHUNKS), str(SAMPLES)]
        for _ in range(chance.randrange(2, 10)):
            process.stdout.readline()
        time.sleep(chance.uniform(0, 0.03))
        process.kill()
        process.wait()
        assert process.returncode == -signal.SIGKILL
        done = recorded(folder)
        assert CHUNKS - left <= done < CHUNKS
        left = CHUNKS - done
    assert left < CHUNKS
    process = start(sink, 0)
    output, _ = process.communicate(timeout=60)
    lines = output.splitlines()
    assert process.returncode == 0
    assert lines[0] == f"done {(CHUNKS - left) * SAMPLES // CHUNKS} {SAMPLES}"
    assert lines[-2] == f"done {SAMPLES} {SAMPLES}"
    assert lines[-1] == f"computed {left}"
    assert_whole(folder, sink)
    assert not list(folder.glob("*.firbank-journal"))


@pytest.mark.full
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("sink", ["npy", "memmap", "hdf5", "zarr 2", "zarr 3"])
def test_kills_at_any_moment(job, sink, seed):
    needs(sink)
    folder, start = job
    chance = random.Random(seed)
    process = start(sink)
    is_whole = False
    while chance.random() < 0.8 and process.returncode is None:
        process.stdout.readline()
        time.sleep(chance.uniform(0, 0.3))
        process.kill()
        process.communicate()
        assert process.returncode in (0, -signal.SIGKILL)
        is_whole = sink == "npy" and not list(folder.glob("*.firbank-journal"))
        if process.returncode and not is_whole:
            process = start(sink)
    process.communicate(timeout=60)
    assert process.returncode == 0 or is_whole
    assert_whole(folder, sink)


def test_ctrl_c_returns_soon_and_keeps_what_is_finished(job):
    folder, start = job
    process = start("npy", 0.05)
    for _ in range(6):
        process.stdout.readline()
    asked = time.monotonic()
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=10)
    assert time.monotonic() - asked < 2
    lines = output.splitlines()
    assert lines[-2] == "interrupted"
    count = int(lines[-1].split()[1])
    # The chunk in hand is lost, and every one before it is kept.
    assert recorded(folder) in (count - 1, count)
    kept = recorded(folder)
    output, _ = start("npy", 0).communicate(timeout=60)
    assert output.splitlines()[-1] == f"computed {CHUNKS - kept}"
    assert_whole(folder, "npy")


class StopAfter:
    """A progress that raises after some chunks."""

    def __init__(self, chunks: int) -> None:
        self.left = chunks

    def __call__(self, done: int, total: int) -> None:
        if self.left == 0:
            raise RuntimeError("stopped by the test")
        self.left -= 1


@pytest.fixture
def unfinished(tmp_path):
    """A result with 10 chunks, of which some are there, and the call that goes on with it."""
    x = np.random.default_rng(5).standard_normal((2, 1000)).astype(np.float32)
    np.save(tmp_path / "x.npy", x)
    told: list[tuple[int, int]] = []

    def call(h=(1, 2, 3), **others):
        arguments = {
            "mode": "causal",
            "out": tmp_path / "y.npy",
            "batch_size_samples": 100,
            "precision": "float32",
            "progress": lambda done, total: told.append((done, total)),
            **others,
        }
        return convolve_large(tmp_path / "x.npy", np.array(h, np.float32), **arguments)

    with pytest.raises(RuntimeError, match="stopped by the test"):
        call(progress=StopAfter(5))
    expected = direct_sums(x, np.array([1, 2, 3]), mode="causal")
    return tmp_path, call, told, expected


def test_a_call_that_failed_goes_on_and_says_so(unfinished):
    folder, call, told, expected = unfinished
    assert_follows(call(), expected)
    assert 0 < told[0][0] < 2000
    assert told[-1] == (2000, 2000)
    assert not (folder / "y.npy.firbank-journal").exists()


def test_the_limits_may_change_in_between(unfinished):
    _, call, told, expected = unfinished
    assert_follows(call(memory_limit="100 MB", threads=1), expected)
    assert told[0][0] > 0


def test_a_limit_too_small_for_the_chunks_that_were_begun(unfinished):
    _, call, _, _ = unfinished
    with pytest.raises(ValueError, match="was begun in chunks that need [0-9]+ bytes"):
        call(memory_limit=12_000)


@pytest.mark.parametrize(
    ("other", "what"),
    [
        ({"h": (1, 2, 4)}, "h"),
        ({"mode": "same"}, "mode"),
        ({"batch_size_samples": 50}, "batch_size_samples"),
        ({"precision": "float64"}, "precision, out"),
    ],
)
def test_another_call_is_told_whose_result_it_would_overwrite(unfinished, other, what):
    _, call, _, _ = unfinished
    with pytest.raises(ValueError, match=f"of another call, with other {what}; resume=False"):
        call(**other)
    assert call(resume=False, **other).shape == (2, 1000)


def test_a_changed_x_is_another_call(unfinished):
    folder, call, _, _ = unfinished
    np.save(folder / "x.npy", np.zeros((2, 1000), np.float32))
    with pytest.raises(ValueError, match="with other x;"):
        call()


@pytest.mark.parametrize("kind", ["array", "zarr 2", "hdf5"])
def test_an_x_that_changed_at_its_end_is_another_call(tmp_path, kind):
    x = np.zeros((4, 1000), np.float32)
    arguments = {"mode": "same", "out": tmp_path / "y.npy", "batch_size_samples": 100}
    with stored(kind, x, tmp_path) as before, pytest.raises(RuntimeError):
        convolve_large(before, [1.0, 2.0], progress=StopAfter(5), **arguments)
    x[-1, -1] = 1
    for old in tmp_path.glob("x.*"):
        old.rename(tmp_path / f"old {old.name}")
    with stored(kind, x, tmp_path) as after, pytest.raises(ValueError, match="with other x;"):
        convolve_large(after, [1.0, 2.0], **arguments)


def test_a_zarr_chunk_is_on_the_disk_before_the_journal_says_so(tmp_path, monkeypatch):
    needs("zarr 3")
    synced = []
    monkeypatch.setattr(_zarr_array, "sync_path", lambda path: synced.append(str(path)))
    record = _journal.Journal.record

    def counted_record(journal, checksums):
        chunks = [path for path in (tmp_path / "y.zarr" / "c").rglob("*") if path.is_file()]
        assert chunks and {str(chunk) for chunk in chunks} <= set(synced)
        return record(journal, checksums)

    monkeypatch.setattr(_journal.Journal, "record", counted_record)
    with place("zarr 3", (1000,), np.float32, tmp_path, (100,)) as out:
        x = np.ones(1000, np.float32)
        convolve_large(x, [1.0], precision="float32", out=out, batch_size_samples=100)


def test_a_finished_result_is_not_written_over_by_chance(unfinished):
    folder, call, told, expected = unfinished
    call()
    with pytest.raises(FileExistsError, match="resume=False writes over it"):
        call()
    assert_follows(np.load(folder / "y.npy"), expected)
    assert not (folder / "y.npy.firbank-journal").exists()
    told.clear()
    assert_follows(call(resume=False), expected)
    assert told[0] == (0, 2000)


def test_a_result_that_was_replaced_is_noticed(unfinished):
    folder, call, _, expected = unfinished
    np.save(folder / "y.npy", np.zeros((2, 1000), np.float32))
    with pytest.raises(ValueError, match="does not hold .* what its journal"):
        call()
    np.save(folder / "y.npy", np.zeros((2, 999), np.float32))
    with pytest.raises(ValueError, match=r"has shape \(2, 999\)"):
        call()
    (folder / "y.npy").unlink()
    assert_follows(call(), expected)


def begin(folder: Path, kind: str) -> int:
    """Leave a result of a kind unfinished, and return how many of its ten chunks are there."""
    x = np.random.default_rng(5).standard_normal((2, 1000)).astype(np.float32)
    with pytest.raises(RuntimeError, match="stopped by the test"):
        go_on(folder, kind, x, StopAfter(6))
    there = recorded(folder)
    assert 4 <= there < 10
    return there


def go_on(folder: Path, kind: str, x: np.ndarray | None = None, progress=None) -> None:
    if x is None:
        x = np.random.default_rng(5).standard_normal((2, 1000)).astype(np.float32)
    arguments = {"mode": "same", "batch_size_samples": 100, "progress": progress}
    with place(kind, (2, 1000), np.float32, folder, (2, 100)) as out:
        convolve_large(x, np.float32([1, 2, 3]), out=out, **arguments)


def change(folder: Path, kind: str, first: int, last: int) -> None:
    """Change some frames of an unfinished result."""
    with place(kind, (2, 1000), np.float32, folder, (2, 100)) as out:
        array = np.load(out, mmap_mode="r+") if kind == "npy" else out
        array[:, first:last] = 5


@pytest.mark.parametrize("kind", ["npy", "memmap", "hdf5", "zarr 3"])
@pytest.mark.parametrize("chunk", [0, 2])
def test_a_change_of_any_finished_chunk_is_noticed(tmp_path, kind, chunk):
    needs(kind)
    begin(tmp_path, kind)
    change(tmp_path, kind, 100 * chunk + 50, 100 * chunk + 51)
    message = rf"does not hold at \[0:2, {100 * chunk}:{100 * chunk + 100}\] what its journal"
    with pytest.raises(ValueError, match=message):
        go_on(tmp_path, kind)
    assert recorded(tmp_path) >= 4


@pytest.mark.parametrize("kind", ["npy", "memmap", "hdf5", "zarr 3"])
def test_what_a_journal_does_not_promise_may_be_anything(tmp_path, kind):
    """After a power failure the chunks that were not synced may hold whatever the disk had."""
    needs(kind)
    there = begin(tmp_path, kind)
    change(tmp_path, kind, 100 * there, 1000)
    go_on(tmp_path, kind)
    x = np.random.default_rng(5).standard_normal((2, 1000)).astype(np.float32)
    with place(kind, (2, 1000), np.float32, tmp_path, (2, 100)) as out:
        y = np.load(out) if kind == "npy" else np.array(out[...])
    assert_convolved(y, x, np.float32([1, 2, 3]), mode="same")


@pytest.mark.parametrize("kind", ["npy", "memmap", "zarr 3"])
def test_a_result_that_was_cut_is_noticed(tmp_path, kind):
    needs(kind)
    begin(tmp_path, kind)
    if kind == "zarr 3":
        (tmp_path / "y.zarr" / "c" / "0" / "1").unlink()
    else:
        (path,) = [path for path in tmp_path.iterdir() if path.name in ("y.npy", "y.raw")]
        size = path.stat().st_size
        os.truncate(path, 1000)
        if kind == "memmap":
            os.truncate(path, size)  # as who maps it again would
    with pytest.raises(ValueError, match="is cut short|does not hold at"):
        go_on(tmp_path, kind)


def test_a_finished_result_beside_an_unfinished_one_is_checked_too(tmp_path):
    x = np.random.default_rng(5).standard_normal((2, 1000)).astype(np.float32)
    h = [np.ones(3, np.float32), np.ones(5, np.float32)]
    out = [tmp_path / "a.npy", tmp_path / "b.npy"]
    arguments = {"mode": "same", "routing": "bank", "out": out, "batch_size_samples": 100}
    with pytest.raises(RuntimeError):
        convolve_large(x, h, progress=StopAfter(15), **arguments)
    np.load(tmp_path / "a.npy", mmap_mode="r+")[1, 3] = 9
    with pytest.raises(ValueError, match=r"a.npy' does not hold at \[0:2, 0:100\]"):
        convolve_large(x, h, **arguments)


@pytest.mark.parametrize("cut", [1, 5, 11, 12])
def test_a_line_that_was_cut_off_does_not_count(unfinished, cut):
    folder, call, told, expected = unfinished
    journal = folder / "y.npy.firbank-journal"
    whole = journal.read_bytes()
    lines = whole.count(b"\n") - 1
    journal.write_bytes(whole[:-cut])
    assert_follows(call(), expected)
    assert told[0][0] == (lines - (2 if cut > 11 else 1)) * 200


def test_a_journal_whose_beginning_is_lost_protects_the_result(unfinished):
    folder, call, _, _ = unfinished
    journal = folder / "y.npy.firbank-journal"
    journal.write_bytes(journal.read_bytes()[10:])
    with pytest.raises(FileExistsError):
        call()


def test_one_result_is_written_by_one_call_at_a_time(unfinished):
    folder, call, _, expected = unfinished
    held = _journal.Journal(str(folder / "y.npy.firbank-journal"))
    try:
        with pytest.raises(OSError, match="is being written by another call"):
            call()
    finally:
        held.close()
    assert_follows(call(), expected)


def test_the_journal_never_says_more_than_was_synced(tmp_path, monkeypatch):
    """Follow the order of system calls: data, sync, and only then the line."""
    events = []
    monkeypatch.setattr(_journal, "SYNC_INTERVAL_S", 0.0)
    pwrite, fsync, record = os.pwrite, os.fsync, _journal.Journal.record

    def counted_pwrite(descriptor, data, position):
        name = os.readlink(f"/proc/self/fd/{descriptor}")
        if name.endswith("y.npy"):
            events.append("data")
        return pwrite(descriptor, data, position)

    def counted_fsync(descriptor):
        if os.readlink(f"/proc/self/fd/{descriptor}").endswith("y.npy"):
            events.append("sync")
        return fsync(descriptor)

    def counted_record(journal, checksums):
        events.append(len(checksums))
        return record(journal, checksums)

    monkeypatch.setattr(os, "pwrite", counted_pwrite)
    monkeypatch.setattr(os, "fsync", counted_fsync)
    monkeypatch.setattr(_journal.Journal, "record", counted_record)
    x = np.random.default_rng(1).standard_normal(2000).astype(np.float32)
    convolve_large(x, [1.0, 2.0], out=tmp_path / "y.npy", batch_size_samples=100)
    written = recorded_chunks = synced = 0
    for event in events:
        if event == "data":
            written += 1
        elif event == "sync":
            synced = written
        else:
            recorded_chunks += event
            assert recorded_chunks <= synced
    assert recorded_chunks == 21


def test_a_job_in_memory_keeps_no_journal(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", np.ones(100))
    convolve_large("x.npy", [1.0, 1.0])
    assert os.listdir() == ["x.npy"]


def test_a_file_of_hdf5_that_holds_both_goes_on(tmp_path):
    h5py = pytest.importorskip("h5py", reason="h5py is not installed")
    x = np.random.default_rng(5).standard_normal((2, 1000)).astype(np.float32)
    for progress in (StopAfter(5), None):
        with h5py.File(tmp_path / "both.h5", "a") as file:
            if "x" not in file:
                file["x"] = x
            y = file.require_dataset("y", (2, 1000), np.float32)
            arguments = {"mode": "same", "out": y, "batch_size_samples": 100}
            if progress:
                with pytest.raises(RuntimeError):
                    convolve_large(file["x"], np.ones(9, "f4"), progress=progress, **arguments)
                continue
            told: list[int] = []

            def tell(done: int, total: int, told: list[int] = told) -> None:
                told.append(done)

            convolve_large(file["x"], np.ones(9, "f4"), progress=tell, **arguments)
            assert told[0] > 0
            assert_convolved(y[...], x, np.ones(9), mode="same")


def test_kernels_of_different_sizes_go_on_with_the_one_that_was_cut_off(tmp_path):
    x = np.random.default_rng(5).standard_normal((2, 1000)).astype(np.float32)
    h = [np.ones(3, np.float32), np.ones(5, np.float32)]
    out = [tmp_path / "a.npy", tmp_path / "b.npy"]
    arguments = {"mode": "same", "routing": "bank", "out": out, "batch_size_samples": 100}
    with pytest.raises(RuntimeError):
        convolve_large(x, h, progress=StopAfter(15), **arguments)
    calls = []
    real = options_module.LargeOptions.convolve

    def counted(self, *others, **named):
        calls.append(1)
        return real(self, *others, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(options_module.LargeOptions, "convolve", counted)
        got = convolve_large(x, h, **arguments)
    assert 0 < len(calls) < 10
    assert_convolved(list(got), x, h, mode="same", routing="bank")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.npy", "b.npy"]


def test_the_journal_can_be_read_by_a_person(unfinished):
    folder, _, _, _ = unfinished
    first = (folder / "y.npy.firbank-journal").read_text().splitlines()[0]
    header = json.loads(first)
    assert header["job"]["x"]["path"] == str(folder / "x.npy")
    assert header["grid"]["frames"] == 100


def test_a_memmap_keeps_its_journal_by_its_own_name(tmp_path):
    with stored("array", np.ones((2, 500), np.float32), tmp_path) as x:
        for kind, name in (("memmap", "y.raw.firbank-journal"), ("memmap view", "y.raw.")):
            with place(kind, (2, 500), np.float32, tmp_path) as out:
                with pytest.raises(RuntimeError):
                    convolve_large(
                        x,
                        np.ones(3, np.float32),
                        mode="same",
                        out=out,
                        batch_size_samples=50,
                        progress=StopAfter(4),
                    )
                (journal,) = tmp_path.glob("*journal")
                assert journal.name.startswith(name)
                convolve_large(
                    x, np.ones(3, np.float32), mode="same", out=out, batch_size_samples=50
                )
