"""Zarr arrays are read and written in a loop of one thread, wherever they are called from."""

from __future__ import annotations

import asyncio
import threading

import numpy as np
import pytest
from firbank import convolve
from firbank._stores import call_parts, open_stored
from hypothesis import given
from hypothesis import strategies as st

zarr = pytest.importorskip("zarr", minversion="3", reason="zarr 3 is not installed")

H = np.float32([1, 2, 3])
X = np.random.default_rng(1).standard_normal((4, 1000)).astype(np.float32)


def arrays(store, chunks=(2, 300)):
    """Return X and a place for its result, in one store."""
    group = zarr.create_group(store)
    x = group.create_array("x", shape=X.shape, chunks=chunks, dtype="f4")
    x[...] = X
    return x, group.create_array("y", shape=X.shape, chunks=chunks, dtype="f4")


def check(x, y):
    convolve(x, H, mode="same", out=y, batch_size_samples=170)
    np.testing.assert_allclose(y[...], convolve(X, H, mode="same"), atol=1e-5)


def test_no_thread_stays_and_none_of_the_package_s_comes(tmp_path):
    x, y = arrays(tmp_path / "g.zarr")
    before = threading.active_count()
    check_names = []

    def tell(done, total):
        check_names.extend(thread.name for thread in threading.enumerate())

    convolve(x, H, mode="same", out=y, batch_size_samples=170, progress=tell)
    assert check_names.count("firbank-zarr") >= 2
    assert threading.active_count() == before


def test_within_a_running_loop_as_in_a_notebook(tmp_path):
    async def main():
        check(*arrays(tmp_path / "g.zarr"))

    asyncio.run(main())


@pytest.mark.parametrize("name", ["MemoryStore", "ZipStore", "WrapperStore"])
def test_stores_that_are_no_folder(tmp_path, name):
    store = zarr.storage.MemoryStore()
    if name == "ZipStore":
        # A zip file is only added to: each chunk is written once.
        store = zarr.storage.ZipStore(tmp_path / "g.zip", mode="w")
        x, y = arrays(store, (4, 250))
        convolve(x, H, mode="same", out=y, batch_size_samples=250)
        np.testing.assert_allclose(y[...], convolve(X, H, mode="same"), atol=1e-5)
        store.close()
        return
    if name == "WrapperStore":
        store = zarr.storage.WrapperStore(store)
    x, y = arrays(store)
    check(x, y)
    chunk_bytes = 64 << 10  # at least
    own_loop = open_stored("x", x).reading_bytes - (1 << 20) == 8 * chunk_bytes
    assert own_loop == (name == "MemoryStore")


def test_an_error_in_the_loop_comes_out_of_it(tmp_path):
    x, _ = arrays(tmp_path / "g.zarr")
    (tmp_path / "g.zarr" / "x" / "c" / "0" / "1").write_bytes(b"nonsense")
    with pytest.raises(OSError, match=r"x '.*g.zarr/x' cannot be read at \["):
        convolve(x, H)


@given(
    edges=st.lists(st.tuples(st.integers(0, 50), st.integers(1, 60)), min_size=1, max_size=3),
    chunk=st.lists(st.integers(1, 20), min_size=3, max_size=3),
    most=st.integers(1, 3000),
)
def test_parts_of_a_call_cover_the_region_and_touch_few_chunks(edges, chunk, most):
    region = tuple(slice(start, start + size) for start, size in edges)
    chunk = tuple(chunk[: len(region)])
    covered = np.zeros([part.stop for part in region], int)
    for part in call_parts(region, chunk, most):
        covered[part] += 1
        touched = [
            -(-one.stop // size) - one.start // size for one, size in zip(part, chunk, strict=True)
        ]
        assert np.prod(touched) == 1 or np.prod(touched) * np.prod(chunk) <= most
    assert (covered[region] == 1).all()
    assert covered.sum() == np.prod([size for _, size in edges])
