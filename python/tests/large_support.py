"""What the tests of large convolutions share: sources and sinks of every kind."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

SOURCES = ("array", "npy", "npy fortran", "memmap", "memmap view", "hdf5", "zarr 2", "zarr 3")
SINKS = ("none", "array", "npy", "memmap", "memmap view", "hdf5", "zarr 2", "zarr 3")


def needs(kind: str) -> None:
    """Skip the test if the package for a kind of storage is not installed."""
    if kind == "hdf5":
        pytest.importorskip("h5py", reason="h5py is not installed")
    if kind.startswith("zarr"):
        # The package of version 2 knows the format of version 2 alone; that of version 3 both.
        pytest.importorskip("zarr", kind[-1], reason=f"zarr {kind[-1]} is not installed")


@contextmanager
def stored(
    kind: str,
    x: np.ndarray,
    folder: Path,
    chunk: tuple[int, ...] | None = None,
    packing: str | None = "gzip",
):
    """Give `x` as a kind of source; of HDF5 and Zarr the file that is there, if there is one."""
    needs(kind)
    if kind == "array":
        yield x
    elif kind.startswith("npy"):
        path = folder / "x.npy"
        np.save(path, np.asfortranarray(x) if kind == "npy fortran" else np.ascontiguousarray(x))
        yield path
    elif kind.startswith("memmap"):
        yield mapped(kind, folder / "x.raw", x.shape, x.dtype, x)
    elif kind == "hdf5":
        import h5py

        if not (folder / "x.h5").exists():
            with h5py.File(folder / "x.h5", "w") as file:
                file.create_dataset("group/x", data=x, chunks=chunk, **hdf5_packing(chunk, packing))
        with h5py.File(folder / "x.h5", "r") as file:
            yield file["group/x"]
    else:
        is_new = not (folder / "x.zarr").exists()
        array = zarr_array(kind, folder / "x.zarr", x.shape, x.dtype, chunk, packing)
        if is_new:
            array[...] = x
        yield array


@contextmanager
def place(
    kind: str,
    shape: tuple[int, ...],
    dtype: np.dtype,
    folder: Path,
    chunk: tuple[int, ...] | None = None,
    packing: str | None = None,
):
    """Give an `out` of a kind, new or the one that is there."""
    needs(kind)
    if kind == "none":
        yield None
    elif kind == "array":
        yield np.full(shape, 7, dtype)
    elif kind == "npy":
        yield folder / "y.npy"
    elif kind == "memmap" and (folder / "y.raw").exists():
        yield np.memmap(folder / "y.raw", dtype, "r+", shape=shape)
    elif kind.startswith("memmap"):
        yield mapped(kind, folder / "y.raw", shape, dtype, 7)
    elif kind == "hdf5":
        import h5py

        with h5py.File(folder / "y.h5", "a") as file:
            how = hdf5_packing(chunk, packing)
            yield file.require_dataset("y", shape, dtype, exact=True, chunks=chunk, **how)
    else:
        yield zarr_array(kind, folder / "y.zarr", shape, dtype, chunk, packing or "gzip")


def mapped(kind, path, shape, dtype, values):
    """Return a memmap, or a view into the middle of a larger one."""
    if kind == "memmap":
        array = np.memmap(path, dtype, "w+", shape=shape)
        array[...] = values
        array.flush()
        return array
    larger = np.memmap(path, dtype, "w+", offset=100, shape=tuple(2 * s + 3 for s in shape))
    larger[...] = 9
    view = larger[tuple(slice(2 * s, 0, -2) for s in shape)]
    view[...] = values
    return view


def hdf5_packing(chunk, packing):
    """Return h5py's arguments for what it can pack with."""
    return {"compression": "gzip", "compression_opts": 1} if chunk and packing == "gzip" else {}


def zarr_array(kind, path, shape, dtype, chunk, packing="zstd"):
    """Return a new array of format 2 or 3, packed by a compressor or None, or the one that is
    there. Of "sharded", chunks lie in shards, eight along the first axis."""
    import zarr

    if path.exists():
        return zarr.open_array(path, mode="r+")
    shards = None
    chunk = chunk or tuple(max(1, s // 2) for s in shape)
    is_old = zarr.__version__.startswith("2.")
    if packing == "sharded":
        if is_old:
            pytest.skip("zarr 2 has no shards")
        shards, packing = chunk, "zstd"
        chunk = (chunk[0] // 8, *chunk[1:])
    name = packing and packing.capitalize()
    if kind == "zarr 2":
        numcodecs = pytest.importorskip("numcodecs", reason="numcodecs is not installed")
        how = packing and getattr(numcodecs, "GZip" if name == "Gzip" else name)()
    else:
        how = packing and getattr(zarr.codecs, f"{name}Codec")()
    if is_old:
        return zarr.open_array(
            path, mode="w", shape=shape, dtype=dtype, chunks=chunk, compressor=how
        )
    return zarr.create_array(
        path,
        shape=shape,
        dtype=dtype,
        chunks=chunk,
        shards=shards,
        compressors=how,
        zarr_format=int(kind[-1]),
    )
