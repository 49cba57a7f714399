"""Parts of arrays in files, against NumPy's own indexing."""

from __future__ import annotations

import os
import tempfile

import numpy as np
import pytest
from firbank import _file_array
from firbank._file_array import FileArray, array_at, contiguous_strides
from firbank._mapping import find_mapping
from firbank._npy import read_npy_header
from hypothesis import given, settings
from hypothesis import strategies as st

try:
    from numpy.lib.array_utils import byte_bounds
except ImportError:  # NumPy 1
    from numpy import byte_bounds


@st.composite
def views(draw):
    """A region of a strided view of an array, the buffer it lies in, and how to copy it."""
    dimensions = draw(st.integers(1, 4))
    shape = [draw(st.integers(1, 12)) for _ in range(dimensions)]
    array = np.arange(np.prod(shape), dtype=draw(st.sampled_from(("<f4", ">f4", "<i2", "<c16"))))
    array = array.reshape(shape)
    view = array.transpose(draw(st.permutations(range(dimensions))))
    steps = [draw(st.sampled_from((1, 1, 2, 3, -1, -2))) for _ in range(dimensions)]
    view = view[tuple(slice(None, None, step) for step in steps)]
    region = []
    for size in view.shape:
        start = draw(st.integers(0, size - 1))
        region.append(slice(start, draw(st.integers(start + 1, size))))
    return array, view, tuple(region), draw(st.integers(1, 300)), draw(st.integers(0, 60))


def open_view(array, view, bounce, folder):
    """Write an array behind some other bytes, and return a view of it in the file."""
    path = os.path.join(folder, "a.raw")
    with open(path, "wb") as file:
        file.write(b"x" * 11)
        file.write(array.tobytes())
    descriptor = os.open(path, os.O_RDWR)
    begin = view.__array_interface__["data"][0] - array.__array_interface__["data"][0]
    where = (11 + begin, view.shape, view.strides, view.dtype)
    return descriptor, FileArray(descriptor, "x", *where, 0, bounce)


@given(views())
@settings(max_examples=150)
def test_a_region_is_read_as_numpy_indexes_it(case):
    array, view, region, bounce, gap = case
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(_file_array, "_LARGEST_GAP_BYTES", gap)
        descriptor, file = open_view(array, view, bounce, folder)
        expected = view[region]
        for into in (
            np.zeros(expected.shape, view.dtype),
            np.zeros(expected.shape, np.complex128, order="F"),
            np.zeros([2 * size for size in expected.shape], np.complex128)[
                tuple(slice(None, None, 2) for _ in expected.shape)
            ],
        ):
            file.read(region, into)
            np.testing.assert_array_equal(into, expected)
        os.close(descriptor)


@given(views())
@settings(max_examples=150)
def test_a_region_is_written_and_nothing_beside_it(case):
    array, view, region, bounce, gap = case
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(_file_array, "_LARGEST_GAP_BYTES", gap)
        descriptor, file = open_view(array, view, bounce, folder)
        values = np.full(view[region].shape, 99, view.dtype.newbyteorder("="))
        file.write(region, values)
        os.close(descriptor)
        view[region] = 99
        with open(os.path.join(folder, "a.raw"), "rb") as written:
            assert written.read() == b"x" * 11 + array.tobytes()


@given(views())
@settings(max_examples=100)
def test_the_bytes_of_a_view(case):
    array, view, region, _, _ = case
    begin = array.__array_interface__["data"][0]
    part = view[region]
    first, last = byte_bounds(part)
    offset = part.__array_interface__["data"][0] - begin
    place = array_at(offset, part.shape, part.strides, part.dtype)
    beginning = byte_bounds(array_at(0, (1,), (1,), np.dtype("u1")))[0]
    assert [end - beginning for end in byte_bounds(place)] == [first - begin, last - begin]


@given(views())
@settings(max_examples=60)
def test_the_place_of_a_view_of_a_mapping(case):
    array, _, region, _, _ = case
    with tempfile.NamedTemporaryFile() as file:
        file.write(b"x" * 5000)
        file.write(array.tobytes())
        file.flush()
        whole = np.memmap(file.name, array.dtype, "r", offset=5000, shape=array.shape)
        region = tuple(
            slice(0, size, step.step) for size, step in zip(array.shape, region, strict=True)
        )
        view = np.flip(whole[region].T)
        mapping = find_mapping(view)
        assert mapping is not None
        assert mapping.path == file.name
        begin = whole.__array_interface__["data"][0]
        own = view.__array_interface__["data"][0]
        assert mapping.offset_bytes == 5000 + own - begin


def test_few_channels_of_many_are_read_in_few_calls(tmp_path, monkeypatch):
    array = np.arange(400_000, dtype=np.int16).reshape(-1, 400)
    array.tofile(tmp_path / "a.raw")
    calls = []
    preadv = os.preadv

    def counted(*arguments):
        calls.append(arguments)
        return preadv(*arguments)

    monkeypatch.setattr(os, "preadv", counted)
    with open(tmp_path / "a.raw", "rb") as opened:
        strides = contiguous_strides(array.shape, 2, False)
        file = FileArray(opened.fileno(), "x", 0, array.shape, strides, array.dtype, 0, 1 << 20)
        into = np.empty((1000, 3), np.int16)
        file.read((slice(0, 1000), slice(5, 8)), into)
        np.testing.assert_array_equal(into, array[:, 5:8])
        assert len(calls) == 1
        # All channels lie side by side, and need no memory besides.
        whole = np.empty_like(array)
        file.read((slice(0, 1000), slice(0, 400)), whole)
        np.testing.assert_array_equal(whole, array)
        assert len(calls) == 2
        assert len(file._bounce) == 800_000 - 2 * (400 - 3)


def test_calls_that_move_less_than_they_were_asked_to_are_gone_on_with(tmp_path, monkeypatch):
    preadv, pwrite = os.preadv, os.pwrite
    monkeypatch.setattr(os, "preadv", lambda file, into, at: preadv(file, [into[0][:7]], at))
    monkeypatch.setattr(os, "pwrite", lambda file, data, at: pwrite(file, data[:7], at))
    values = np.arange(50, dtype=np.float32)
    descriptor = os.open(tmp_path / "a.raw", os.O_RDWR | os.O_CREAT)
    file = FileArray(descriptor, "x", 0, (50,), (4,), values.dtype, 0, 1000)
    file.write((slice(0, 50),), values)
    into = np.empty_like(values)
    file.read((slice(0, 50),), into)
    os.close(descriptor)
    np.testing.assert_array_equal(into, values)
    np.testing.assert_array_equal(np.fromfile(tmp_path / "a.raw", np.float32), values)


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
@pytest.mark.parametrize("order", ["C", "F"])
def test_headers_of_all_versions(tmp_path, version, order):
    array = np.asarray(np.ones((3, 4, 5), ">i4"), order=order)
    with open(tmp_path / "x.npy", "wb") as file:
        np.lib.format.write_array(file, array, version=version)
    with open(tmp_path / "x.npy", "rb") as file:
        header = read_npy_header(file, "x")
        assert (header.shape, header.dtype) == (array.shape, array.dtype)
        assert header.fortran_order == (order == "F")
        assert header.offset_bytes + header.data_bytes == os.stat(tmp_path / "x.npy").st_size


@given(st.binary(max_size=200), st.integers(0, 127))
@settings(max_examples=200)
def test_no_header_breaks_more_than_its_file(noise, place):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "x.npy")
        np.save(path, np.ones((3, 4)))
        with open(path, "r+b") as file:
            file.seek(place)
            file.write(noise)
        with open(path, "rb") as file:
            try:
                header = read_npy_header(file, "x")
            except ValueError as error:
                assert "\n" not in str(error)
            else:
                size = os.stat(path).st_size
                assert header.dtype.hasobject or size >= header.offset_bytes + header.data_bytes
