"""The header of an .npy file, read without trust and written.

The format: numpy.org/doc/stable/reference/generated/numpy.lib.format.html.
"""

from __future__ import annotations

import ast
import os
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

_MAGIC = b"\x93NUMPY"
_LARGEST_HEADER_BYTES = 1 << 20


@dataclass(frozen=True)
class NpyHeader:
    """Where and how the array of an .npy file lies."""

    shape: tuple[int, ...]
    dtype: np.dtype
    fortran_order: bool
    offset_bytes: int

    @property
    def data_bytes(self) -> int:
        """Bytes that the samples take."""
        size = self.dtype.itemsize
        for count in self.shape:
            size *= count
        return size


def npy_path(role: str, path: str | os.PathLike[str]) -> str:
    """Return a path as text; ValueError if no file can have it."""
    text = os.fsdecode(path)
    if not text or "\0" in text:
        raise ValueError(f"{role} is {text!r}; allowed: the path of an .npy file")
    return text


def read_npy_header(file: BinaryIO, label: str) -> NpyHeader:
    """Read the header at the start of an open file.

    Parameters
    ----------
    file : binary file
    label : str
        What messages call it, such as ``"x 'day1.npy'"``.

    Raises
    ------
    ValueError
        If the file is no .npy file, its header is broken, or it is shorter than the header says.
    """
    start = file.read(8)
    if len(start) < 8 or start[:6] != _MAGIC:
        raise ValueError(f"{label} is no .npy file: it begins with {start[:6]!r}")
    major, minor = start[6], start[7]
    if major not in (1, 2, 3):
        raise ValueError(f"{label} has .npy version {major}.{minor}; allowed: 1.0, 2.0, 3.0")
    width = 2 if major == 1 else 4
    length = int.from_bytes(file.read(width), "little")
    text = file.read(min(length, _LARGEST_HEADER_BYTES))
    if length > _LARGEST_HEADER_BYTES or len(text) < length:
        raise ValueError(f"{label} has a broken .npy header: its length is given as {length}")
    try:
        fields = ast.literal_eval(text.decode("utf-8" if major == 3 else "latin-1").strip())
        shape, fortran = fields["shape"], fields["fortran_order"]
        dtype = np.dtype(np.lib.format.descr_to_dtype(fields["descr"]))
        if not isinstance(fortran, bool) or not isinstance(shape, tuple):
            raise ValueError("shape or order")
        if not all(isinstance(size, int) and size >= 0 for size in shape):
            raise ValueError("shape")
    except (
        ValueError,
        SyntaxError,
        TypeError,
        AttributeError,
        LookupError,
        RecursionError,
        MemoryError,
    ) as error:
        raise ValueError(f"{label} has a broken .npy header: {text[:80]!r}") from error
    header = NpyHeader(shape, dtype, fortran, 8 + width + length)
    there = os.fstat(file.fileno()).st_size - header.offset_bytes
    if not dtype.hasobject and there < header.data_bytes:
        raise ValueError(
            f"{label} is cut short: its header promises {header.data_bytes} bytes of samples, "
            f"{there} are there"
        )
    return header


def write_npy_header(file: BinaryIO, shape: tuple[int, ...], dtype: np.dtype) -> int:
    """Write the header of a C-ordered array, and return the byte where its samples begin."""
    np.lib.format.write_array_header_1_0(
        file,
        {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape},
    )
    return file.tell()
