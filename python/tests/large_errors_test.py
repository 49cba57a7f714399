"""What goes wrong with a large convolution is one clear line, and leaves nothing half done."""

from __future__ import annotations

import errno
import gc
import os
import re
import resource
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import firbank
import numpy as np
import pytest
from direct_sums import assert_convolved
from firbank._large import convolve_large
from large_support import mapped, needs, place, zarr_array

H = np.ones(4, np.float32)


@pytest.fixture
def x_path(tmp_path):
    np.save(tmp_path / "x.npy", np.ones((2, 1000), np.float32))
    return tmp_path / "x.npy"


def raises(kind, match, *arguments, **others):
    """Check the type and the text of an error, and that it is one line."""
    with pytest.raises(kind, match=match) as caught:
        convolve_large(*arguments, **others)
    assert "\n" not in str(caught.value)
    return caught.value


class Shrink:
    """A progress that cuts a file short once some samples are done."""

    def __init__(self, path: Path, size: int) -> None:
        self.path, self.size = path, size

    def __call__(self, done: int, total: int) -> None:
        if done:
            os.truncate(self.path, self.size)


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="reads Linux's list of open files")
@pytest.mark.parametrize("kind", ["none", "npy", "memmap"])
def test_no_file_stays_open(x_path, tmp_path, kind):
    def stop(done, total):
        if done:
            raise KeyError

    cut = {"mode": "same", "batch_size_samples": 100}
    with place(kind, (2, 1000), np.float32, tmp_path) as out:
        with pytest.raises(KeyError):
            convolve_large(x_path, H, out=out, progress=stop, **cut)
        y = convolve_large(x_path, H, out=out, **cut)
    assert y[0, 500] == 4
    del out, y  # mappings, which keep their files
    assert open_files(tmp_path) == []


def open_files(folder: Path) -> list[str]:
    gc.collect()
    files = [os.path.realpath(f"/proc/self/fd/{number}") for number in os.listdir("/proc/self/fd")]
    return [file for file in files if file.startswith(str(folder))]


def test_an_npy_file_that_shrinks_while_it_is_read(x_path):
    message = r"x '.*x.npy' ends at byte 5000, but frames \d+ to \d+ need bytes \d+ to \d+"
    raises(OSError, message, x_path, H, batch_size_samples=100, progress=Shrink(x_path, 5000))


def test_a_mapping_that_shrinks_while_it_is_read(tmp_path):
    x = mapped("memmap", tmp_path / "x.raw", (50_000,), np.float32, 1)
    shrink = Shrink(tmp_path / "x.raw", 100_000)
    raises(OSError, "has shrunk", x, H, batch_size_samples=5000, progress=shrink)


def test_a_mapping_without_a_name_that_shrinks(tmp_path):
    x = mapped("memmap", tmp_path / "x.raw", (50_000,), np.float32, 1)
    descriptor = os.open(tmp_path / "x.raw", os.O_RDWR)
    (tmp_path / "x.raw").unlink()
    y = convolve_large(x, H, batch_size_samples=5000)
    assert y[100] == 4
    os.ftruncate(descriptor, 100_000)
    os.close(descriptor)
    raises(OSError, "ends at byte 100000.*has shrunk", x, H, batch_size_samples=5000)


def test_a_mapping_whose_name_belongs_to_another_file_now(tmp_path):
    x = mapped("memmap", tmp_path / "x.raw", (1000,), np.float32, 1)
    np.full(1000, 5, np.float32).tofile(tmp_path / "new.raw")
    os.replace(tmp_path / "new.raw", tmp_path / "x.raw")
    assert convolve_large(x, H, mode="valid").max() == 4


def test_a_private_mapping_shows_what_was_changed_in_it(tmp_path):
    mapped("memmap", tmp_path / "x.raw", (1000,), np.float32, 1)
    x = np.memmap(tmp_path / "x.raw", np.float32, "c", shape=(1000,))
    x[:] = 2
    assert convolve_large(x, H, mode="valid").max() == 8


def test_an_hdf5_file_that_shrinks(tmp_path):
    h5py = pytest.importorskip("h5py", reason="h5py is not installed")
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["x"] = np.ones(200_000, np.float32)
    with h5py.File(tmp_path / "x.h5", "r") as file:
        shrink = Shrink(tmp_path / "x.h5", 300_000)
        raises(
            OSError,
            r"x '.*x.h5:/x' cannot be read at \[\d+:\d+\]",
            file["x"],
            H,
            batch_size_samples=5000,
            progress=shrink,
        )


def test_a_zarr_chunk_that_is_broken(tmp_path):
    needs("zarr 2")
    x = zarr_array("zarr 2", tmp_path / "x.zarr", (1000,), np.float32, (100,))
    x[:] = np.arange(1000)
    (tmp_path / "x.zarr" / "7").write_bytes(b"nonsense")
    raises(OSError, r"x '.*x.zarr' cannot be read at \[", x, H, batch_size_samples=100)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is no .npy file"),
        (b"RIFF1234WAVE", "is no .npy file: it begins with b'RIFF12'"),
        (b"\x93NUMPY\x09\x00", "version 9.0"),
        (b"\x93NUMPY\x01\x00\xff\xff{", "broken .npy header"),
        (b"\x93NUMPY\x02\x00\xff\xff\xff\xff{", "broken .npy header"),
        (b"\x93NUMPY\x01\x00\x04\x00{'a'", "broken .npy header"),
        (b"\x93NUMPY\x01\x00\x03\x00{ }", "broken .npy header"),
        (
            b"\x93NUMPY\x01\x00\x38\x00{'descr':'<f4','fortran_order':False,'shape':(-1,2)}   \n",
            "broken .npy header",
        ),
        (
            b"\x93NUMPY\x01\x00\x38\x00{'descr':'<f4','fortran_order':False,'shape':(9,)}     \n",
            "is cut short: its header promises 36 bytes of samples, 0 are there",
        ),
    ],
)
def test_a_file_that_is_no_whole_npy_file(tmp_path, content, message):
    (tmp_path / "x.npy").write_bytes(content)
    raises(ValueError, message, tmp_path / "x.npy", H)


def test_a_file_that_is_not_there(tmp_path):
    raises(FileNotFoundError, "x.npy", tmp_path / "x.npy", H)


def test_samples_that_are_no_numbers(tmp_path):
    np.save(tmp_path / "o.npy", np.array([{}, 1], object), allow_pickle=True)
    raises(TypeError, "dtype object", tmp_path / "o.npy", H)
    np.save(tmp_path / "s.npy", np.zeros(3, [("a", "f4"), ("b", "i2")]))
    raises(TypeError, "has dtype .*allowed", tmp_path / "s.npy", H)
    np.save(tmp_path / "t.npy", np.array(["a", "b"]))
    raises(TypeError, "dtype <U1", tmp_path / "t.npy", H)


@pytest.mark.parametrize(
    ("h", "routing"),
    [
        (np.ones((3, 4)), "rows"),
        (np.ones((1, 1, 4)), "rows"),
        (np.ones((1, 1, 4)), "bank"),
        (np.ones(4), "matrix"),
        (np.ones((3, 4)), "matrix"),
        ([1, np.nan], "rows"),
        ([[1, 2], [np.inf]], "bank"),
        ([[1, 2], [[1]]], "bank"),
        ([], "rows"),
        ([], "bank"),
        (["a"], "rows"),
    ],
)
def test_kernels_are_refused_as_they_are_for_arrays(x_path, h, routing):
    x = np.load(x_path)
    messages = set()
    for source in (x, x_path, iter([x])):
        with pytest.raises((ValueError, TypeError), match=r"^h.*allowed") as caught:
            y = firbank.convolve(source, h, routing=routing)
            next(y)  # of an iterator nothing is known before
        messages.add(str(caught.value))
    assert len(messages) == 1


@pytest.mark.parametrize(
    ("h", "others", "message"),
    [
        (
            np.ones(1001),
            {"mode": "valid"},
            "h has 1001 taps and x 1000 samples; allowed with mode 'valid'",
        ),
        (H, {"mode": "fully"}, "mode is 'fully'; allowed: 'full', 'same', 'valid', 'causal'"),
        (H, {"routing": "all"}, "routing is 'all'; allowed: 'rows', 'bank', 'matrix'"),
        (H, {"axis": 2}, "axis is 2; allowed for x of 2 dimensions: -2 to 1"),
        (
            H,
            {"batch_size_samples": 0},
            "batch_size_samples is 0; allowed: whole numbers from 1 on, or None",
        ),
        (H, {"memory_limit": "much"}, "memory_limit is 'much'; allowed"),
        (H, {"memory_limit": 0}, "memory_limit is 0; allowed: more than 0 bytes"),
    ],
)
def test_arguments_that_do_not_suit(x_path, h, others, message):
    raises(ValueError, message, x_path, h, **others)


@pytest.mark.parametrize(
    ("h", "others", "message"),
    [
        (H, {"batch_size_channels": 1.5}, "batch_size_channels is 1.5"),
        (H, {"memory_limit": [1]}, "memory_limit is of type list"),
        (H, {"progress": 3}, "progress is 3"),
        (H, {"out": 3}, "out is of type int"),
    ],
)
def test_arguments_of_the_wrong_type(x_path, h, others, message):
    raises(TypeError, message, x_path, h, **others)


def test_a_limit_in_which_nothing_fits_names_the_least_that_does(x_path):
    error = raises(ValueError, "needs at least [0-9]+ bytes", x_path, H, memory_limit=100)
    least = int(re.search("at least ([0-9]+) bytes, for 1003 frames", str(error))[1])
    raises(ValueError, "at least", x_path, H, memory_limit=least - 1)
    assert convolve_large(x_path, H, memory_limit=least, mode="valid").max() == 4


def test_a_result_too_large_for_memory(tmp_path):
    with open(tmp_path / "x.npy", "wb") as file:
        np.lib.format.write_array_header_1_0(
            file, {"descr": "<f4", "fortran_order": False, "shape": (1 << 38,)}
        )
        file.truncate(file.tell() + (4 << 38))
    raises(
        MemoryError, "the result of shape .* takes 1024 GiB .* out can be", tmp_path / "x.npy", H
    )


def test_an_out_that_does_not_suit(x_path, tmp_path):
    shape = (2, 1003)
    wrong = mapped("memmap", tmp_path / "w.raw", (2, 1000), np.float32, 7)
    raises(ValueError, r"has shape \(2, 1000\); allowed: \(2, 1003\)", x_path, H, out=wrong)
    wrong = mapped("memmap", tmp_path / "w.raw", shape, np.float64, 7)
    raises(TypeError, "has dtype float64; allowed: float32", x_path, H, out=wrong)
    assert (wrong == 7).all()
    closed = np.memmap(tmp_path / "w.raw", np.float32, "r", shape=shape)
    raises(ValueError, "is read-only", x_path, H, out=closed)
    missing = tmp_path / "none" / "y.npy"
    raises(FileNotFoundError, "of out cannot be opened: No such file", x_path, H, out=missing)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["w.raw", "x.npy"]


def test_an_out_of_several_elements_in_one_place(x_path, tmp_path):
    one = mapped("memmap", tmp_path / "w.raw", (1, 1000), np.float32, 7)
    out = np.lib.stride_tricks.as_strided(one, (2, 1000), (0, 4))
    raises(ValueError, "has several elements in one place", x_path, H, mode="same", out=out)
    assert (one == 7).all()


def test_datasets_that_do_not_suit(x_path, tmp_path):
    h5py = pytest.importorskip("h5py", reason="h5py is not installed")
    with h5py.File(tmp_path / "y.h5", "w") as file:
        file.create_dataset("y", (2, 1003), np.float32)
        file.create_dataset("z", (2, 1003), np.int16)
        raises(TypeError, r"out '.*y.h5:/z' has dtype int16", x_path, H, out=file["z"])
    with h5py.File(tmp_path / "y.h5", "r") as file:
        raises(ValueError, r"out '.*y.h5:/y' is read-only", x_path, H, out=file["y"])


def test_a_zarr_array_that_is_read_only(x_path, tmp_path):
    zarr = pytest.importorskip("zarr", reason="zarr is not installed")
    zarr_array("zarr 2", tmp_path / "y.zarr", (2, 1003), np.float32, (2, 100))
    closed = zarr.open_array(tmp_path / "y.zarr", mode="r")
    raises(ValueError, r"out '.*y.zarr' is read-only", x_path, H, out=closed)


def test_an_out_that_is_x(tmp_path, x_path):
    x = np.load(x_path)
    message = "overlaps x"
    for resume in (True, False):
        raises(ValueError, message, x_path, H, mode="same", out=str(x_path), resume=resume)
    os.symlink(x_path, tmp_path / "other.npy")
    raises(ValueError, message, x_path, H, mode="same", out=tmp_path / "other.npy", resume=False)
    one = np.load(x_path, mmap_mode="r+")
    other = np.load(x_path, mmap_mode="r+")
    raises(ValueError, message, one, H, mode="same", out=other)
    raises(ValueError, message, one[:, :600], H, mode="same", out=one[:, 400:])
    raises(ValueError, message, x_path, H, mode="same", out=one)
    np.testing.assert_array_equal(np.load(x_path), x)


def test_a_dataset_that_is_x_and_one_beside_it(tmp_path):
    h5py = pytest.importorskip("h5py", reason="h5py is not installed")
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["x"] = np.ones(100, np.float32)
        file["y"] = np.zeros(100, np.float32)
        raises(ValueError, "overlaps x", file["x"], H, mode="same", out=file["x"])
        convolve_large(file["x"], H, mode="same", out=file["y"])
        assert file["y"][50] == 4


def test_a_zarr_array_that_is_x_and_one_beside_it(tmp_path):
    zarr = pytest.importorskip("zarr", minversion="3", reason="zarr 3 is not installed")
    group = zarr.open_group(tmp_path / "g.zarr", mode="w")
    x = group.create_array("x", shape=(100,), chunks=(30,), dtype="f4")
    y = group.create_array("y", shape=(100,), chunks=(30,), dtype="f4")
    x[:] = 1
    raises(ValueError, "overlaps x", x, H, mode="same", out=x)
    raises(ValueError, "overlaps x", x, H, mode="same", out=zarr.open_array(x.store_path))
    convolve_large(x, H, mode="same", out=y)
    assert y[50] == 4


def test_two_parts_of_one_mapped_file_are_separate(tmp_path):
    whole = mapped("memmap", tmp_path / "w.raw", (2000,), np.float32, 1)
    convolve_large(whole[:1000], H, mode="same", out=whole[1000:])
    assert whole[1500] == 4
    assert whole[500] == 1


def test_a_disk_too_small_for_an_npy_file_is_found_at_once(small_disk):
    calls = []
    message = r"out '.*y.npy' needs .* on the disk, .* are free: No space left on device"
    error = raises(
        OSError,
        message,
        np.ones(500_000, np.float32),
        H,
        out=small_disk / "y.npy",
        progress=lambda *now: calls.append(now),
    )
    assert error.errno == errno.ENOSPC
    assert not calls
    assert not list(small_disk.iterdir())


@pytest.mark.parametrize("taken_as", ["memmap", "view", "reversed", "list"])
def test_a_sparse_mapping_on_a_disk_too_small(small_disk, taken_as):
    """Written through its pages, this would be SIGBUS."""
    x = np.ones(500_000, np.float32)
    mapping = np.memmap(small_disk / "y.raw", np.float32, "w+", shape=x.shape)
    view = np.asarray(mapping)
    with pytest.raises(OSError, match="No space left"):
        if taken_as == "list":
            out = [np.zeros_like(x), view]
            kernels = [np.ones(3, np.float32), np.ones(2, np.float32)]
            firbank.convolve(x, kernels, mode="same", routing="bank", out=out)
        else:
            out = {"memmap": mapping, "view": view, "reversed": view[::-1]}[taken_as]
            firbank.convolve(x, H, mode="same", out=out)
    left = {path.name for path in small_disk.iterdir()} - {"y.raw"}
    assert all(name.endswith("-journal") for name in left)


def test_a_mapping_without_a_name_to_write_to_that_has_shrunk(tmp_path):
    out = np.memmap(tmp_path / "y.raw", np.float32, "w+", shape=(50_000,))
    descriptor = os.open(tmp_path / "y.raw", os.O_RDWR)
    (tmp_path / "y.raw").unlink()
    os.ftruncate(descriptor, 100_000)
    os.close(descriptor)
    x = np.ones(50_000, np.float32)
    raises(OSError, "ends at byte 100000.*has shrunk", x, H, mode="same", out=np.asarray(out))


def test_a_zarr_array_that_fills_the_disk_goes_on_once_there_is_room(small_disk):
    zarr = pytest.importorskip("zarr", minversion="3", reason="zarr 3 is not installed")
    x = np.random.default_rng(1).standard_normal(400_000).astype(np.float32)
    out = zarr.create_array(
        small_disk / "y.zarr", shape=x.shape, chunks=(10_000,), dtype="f4", compressors=None
    )
    raises(
        OSError,
        r"out '.*y.zarr' cannot be written at \[.*No space left on device",
        x,
        H,
        mode="same",
        out=out,
        batch_size_samples=10_000,
    )
    subprocess.run(["mount", "-o", "remount,size=8m", small_disk], check=True, timeout=10)
    told = []
    convolve_large(
        x,
        H,
        mode="same",
        out=out,
        batch_size_samples=10_000,
        progress=lambda done, total: told.append(done),
    )
    assert told[0] >= 100_000
    assert_convolved(out[...], x, H, mode="same")


def test_an_hdf5_file_that_fills_the_disk(small_disk):
    """The HDF5 library cannot even close such a file, so this happens in a process of its own."""
    pytest.importorskip("h5py", reason="h5py is not installed")
    code = """
        import os, sys, h5py, numpy as np
        from firbank._large import convolve_large
        file = h5py.File(sys.argv[1], "w")
        out = file.create_dataset("y", (500_000,), "f4", chunks=(10_000,))
        try:
            convolve_large(np.ones(500_000, "f4"), np.ones(4, "f4"), mode="same", out=out,
                           batch_size_samples=10_000)
        except OSError as error:
            print(error, flush=True)
        os._exit(0)
    """
    done = run_python(code, small_disk / "y.h5")
    assert "y.h5:/y' cannot be written" in done.stdout
    assert "No space left on device" in done.stdout
    assert len(done.stdout.splitlines()) == 1


def test_a_limit_on_the_size_of_files(tmp_path):
    code = """
        import resource, sys, numpy as np
        from firbank._large import convolve_large
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
        try:
            convolve_large(np.ones(500_000, "f4"), np.ones(4, "f4"), out=sys.argv[1])
        except OSError as error:
            print(error)
    """
    assert resource.RLIMIT_FSIZE >= 0
    done = run_python(code, tmp_path / "y.npy")
    assert "File too large" in done.stdout
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written(tmp_path):
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    os.chmod(tmp_path, 0o500)
    raises(PermissionError, "y.npy", np.ones(10), H, out=tmp_path / "y.npy")


def test_an_empty_x(tmp_path):
    np.save(tmp_path / "x.npy", np.zeros((0, 5)))
    raises(ValueError, r"has shape \(0, 5\); allowed: nothing empty", tmp_path / "x.npy", H)


def test_an_error_of_the_caller_s_progress_comes_through(x_path, tmp_path):
    def fail(done: int, total: int) -> None:
        raise KeyError("mine")

    start = time.monotonic()
    raises(KeyError, "mine", x_path, H, out=tmp_path / "y.npy", progress=fail)
    assert time.monotonic() - start < 5


def run_python(code: str, *arguments: Path) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), *arguments],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("side", ["pwrite", "preadv"])
def test_no_thread_goes_on_after_a_second_interrupt(tmp_path, side):
    code = """
        import os, signal, sys, threading, time, numpy as np
        from firbank._large import convolve_large
        folder, side = sys.argv[1:]
        np.save(folder + "/x.npy", np.ones((2, 4000), "f4"))
        move = getattr(os, side)

        def interrupt():
            for _ in range(3):
                time.sleep(0.1)
                os.kill(os.getpid(), signal.SIGINT)

        killer = threading.Thread(target=interrupt)

        def move_slowly(*arguments):
            if threading.current_thread() is not threading.main_thread():
                if killer.ident is None:
                    killer.start()
                time.sleep(0.6)
            return move(*arguments)

        setattr(os, side, move_slowly)
        try:
            convolve_large(folder + "/x.npy", np.ones(3, "f4"), mode="same",
                           out=folder + "/y.npy", batch_size_samples=1000)
        except KeyboardInterrupt:
            left = [one.name for one in threading.enumerate() if one.name.startswith("firbank")]
            print("interrupted", left, flush=True)
        os._exit(0)
    """
    assert run_python(code, tmp_path, side).stdout == "interrupted []\n"


@pytest.mark.parametrize(
    "option", [{"method": "zz"}, {"device": "zz"}, {"threads": 0}, {"precision": "half"}]
)
def test_an_option_that_is_not_allowed_touches_nothing(tmp_path, option):
    np.save(tmp_path / "good.npy", np.arange(9.0))
    with pytest.raises(ValueError, match=next(iter(option))):
        firbank.convolve(
            np.ones(9), [1.0], mode="same", out=tmp_path / "good.npy", resume=False, **option
        )
    np.testing.assert_array_equal(np.load(tmp_path / "good.npy"), np.arange(9.0))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["good.npy"]


def test_kernels_of_several_sizes_want_places_of_their_own(tmp_path):
    np.save(tmp_path / "x.npy", np.ones(9))
    kernels = [np.ones(3), np.ones(2)]
    one = np.zeros(9)
    for out in ([one, one], [tmp_path / "y.npy", tmp_path / "." / "y.npy"]):
        with pytest.raises(ValueError, match=r"out\[1\] overlaps out\[0\]"):
            firbank.convolve(tmp_path / "x.npy", kernels, mode="same", routing="bank", out=out)
    assert not (tmp_path / "y.npy").exists()


def test_a_result_on_another_mapping_of_x(x_path, tmp_path):
    x = np.load(x_path)

    def again():
        return np.asarray(np.load(x_path, mmap_mode="r+"))

    sources = [x_path, again(), again()[:, ::-1], np.load(x_path, mmap_mode="r")]
    sources.append(np.from_dlpack(again()))  # of which NumPy does not know the mapping
    for source in sources:
        with pytest.raises(ValueError, match=r"out '.*x.npy' overlaps x"):
            firbank.convolve(source, H, mode="same", out=again()[::-1])
    kernels = again()[0, :50]
    with pytest.raises(ValueError, match=r"out '.*x.npy' overlaps h"):
        convolve_large(np.ones((2, 1000), np.float32), kernels, mode="same", out=again())
    np.testing.assert_array_equal(np.load(x_path), x)
    assert [path.name for path in tmp_path.iterdir()] == ["x.npy"]


def test_a_result_upon_its_kernel(x_path):
    buffer = np.ones((2, 1000), np.float32)
    for h in (buffer[0, :50], buffer[1, ::-1]):
        raises(ValueError, "out overlaps h", x_path, h, mode="same", out=buffer)
    kernels = [np.ones(2, np.float32), buffer[1, 50:53]]
    out = [np.zeros_like(buffer), buffer]
    message = r"out\[1\] overlaps h\[1\]"
    raises(ValueError, message, x_path, kernels, mode="same", routing="bank", out=out)
    assert (buffer == 1).all()


@pytest.mark.parametrize("resume", [True, False])
def test_kernels_of_several_sizes_want_files_of_their_own(x_path, tmp_path, resume):
    path = tmp_path / "y.npy"
    np.save(path, np.full((2, 1000), 7, np.float32))
    os.link(path, tmp_path / "hard.npy")

    def again():
        return np.load(path, mmap_mode="r+")

    for out in (
        [path, again()],
        [path, tmp_path / "hard.npy"],
        [np.asarray(again()), again()[:, ::-1]],
        [np.asarray(again()), np.load(tmp_path / "hard.npy", mmap_mode="r+")],
    ):
        kernels = [np.ones(3, np.float32), np.ones(2, np.float32)]
        with pytest.raises(ValueError, match=r"out\[1\] overlaps out\[0\]"):
            firbank.convolve(x_path, kernels, mode="same", routing="bank", out=out, resume=resume)
    assert (np.load(path) == 7).all()
    assert len(list(tmp_path.iterdir())) == 3


def test_kernels_of_several_sizes_want_datasets_of_their_own(x_path, tmp_path):
    kernels = [np.ones(3, np.float32), np.ones(2, np.float32)]
    h5py = pytest.importorskip("h5py", reason="h5py is not installed")
    message = r"out\[1\] overlaps out\[0\]"
    with h5py.File(tmp_path / "y.h5", "w") as file:
        file.create_dataset("y", (2, 1000), np.float32)
        out = [file["y"], file["y"]]
        raises(ValueError, message, x_path, kernels, mode="same", routing="bank", out=out)


def test_kernels_of_several_sizes_want_zarr_arrays_of_their_own(x_path, tmp_path):
    zarr = pytest.importorskip("zarr", reason="zarr is not installed")
    kernels = [np.ones(3, np.float32), np.ones(2, np.float32)]
    one = zarr_array("zarr 2", tmp_path / "y.zarr", (2, 1000), np.float32, (2, 100))
    out = [one, zarr.open_array(tmp_path / "y.zarr", mode="r+")]
    message = r"out\[1\] overlaps out\[0\]"
    raises(ValueError, message, x_path, kernels, mode="same", routing="bank", out=out)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.npy", "y.zarr"]


def test_columns_of_one_mapping_are_separate(tmp_path, x_path):
    whole = mapped("memmap", tmp_path / "w.raw", (2, 1000, 3), np.float32, 1)
    kernels = [np.ones(3, np.float32), np.ones(2, np.float32)]
    out = [np.asarray(whole)[..., 1], whole[..., 2]]
    firbank.convolve(whole[..., 0], kernels, mode="same", routing="bank", out=out)
    assert whole[0, 500].tolist() == [1, 3, 2]


def test_two_threads_write_columns_of_one_mapping(tmp_path, monkeypatch):
    read = os.preadv

    def read_slowly(*arguments):
        done = read(*arguments)
        time.sleep(0.002)
        return done

    monkeypatch.setattr(os, "preadv", read_slowly)
    size = 100_000
    y = np.memmap(tmp_path / "y.raw", np.float32, "w+", shape=(size, 2))
    x = np.arange(2 * size, dtype=np.float32).reshape(2, size)

    def work(column):
        out = y[:, column]
        firbank.convolve(x[column], H[:1], mode="same", out=out, batch_size_samples=5000)

    threads = [threading.Thread(target=work, args=(column,)) for column in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    np.testing.assert_array_equal(y, x.T)


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="reads Linux's list of open files")
@pytest.mark.parametrize("axis", ["time", None, 1.5])
def test_an_axis_that_is_no_number_leaves_no_file_open(x_path, axis):
    for x in (x_path, np.load(x_path, mmap_mode="r")):
        raises(TypeError, f"axis is {axis!r}; allowed: a whole number", x, H, axis=axis)
    del x
    assert open_files(x_path.parent) == []


@pytest.mark.parametrize("path", ["", "a\0b"])
def test_a_path_that_no_file_can_have(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for resume in (True, False):
        message = r"out is .*; allowed: the path of an .npy file"
        raises(ValueError, message, np.ones(9), H, out=path, resume=resume)
    raises(ValueError, r"x is .*; allowed: the path of an .npy file", path, H)
    assert not list(tmp_path.iterdir())


def test_hdf5_that_holds_no_samples(tmp_path):
    h5py = pytest.importorskip("h5py", reason="h5py is not installed")
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["none"] = h5py.Empty("f4")
        dataset = file.create_dataset("group/x", data=np.ones(9))
        check_no_samples(TypeError, "is of type File; allowed", file)
        check_no_samples(TypeError, "is of type Group; allowed", file["group"])
        check_no_samples(TypeError, "is the dataset '/none' without a shape", file["none"])
    check_no_samples(ValueError, "is a dataset of a closed HDF5 file; allowed", dataset)


def test_a_zarr_group(tmp_path):
    zarr = pytest.importorskip("zarr", reason="zarr is not installed")
    group = zarr.open_group(tmp_path / "x.zarr", mode="w")
    check_no_samples(TypeError, "is of type Group; allowed", group)


def check_no_samples(kind, message, thing):
    ones = np.ones(9)
    for x, out, name in ((thing, None, "x"), (ones, thing, "out")):
        with pytest.raises(kind, match=f"^{name} {message}"):
            firbank.convolve(x, H, mode="same", out=out)
    with pytest.raises((kind, TypeError), match=f"^out {message}|^out is .*allowed"):
        firbank.convolve(iter([ones]), H, mode="same", out=thing)


def test_what_is_no_file_is_left_alone():
    with pytest.raises(ValueError, match="out '/dev/null' is no file"):
        firbank.convolve(np.ones(9), np.ones(2), out="/dev/null", resume=False)
    assert Path("/dev/null").exists()
