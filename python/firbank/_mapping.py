"""The file behind a numpy.memmap, also behind a view of one."""

from __future__ import annotations

import mmap
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Mapping:
    """What a view of a mapping stands on.

    `path` is None where the mapped file has no name any more, or has it in private (mode 'c'):
    then only the mapping itself shows what the array holds.
    """

    path: str | None
    offset_bytes: int
    pages: mmap.mmap
    first_page_offset_bytes: int

    def check_size(self, label: str) -> None:
        """Raise OSError if the file has become shorter than the mapping; a read would be fatal."""
        try:
            size = self.pages.size()
        except (OSError, ValueError) as error:
            raise OSError(f"{label}: its mapping is closed ({error})") from error
        if size < self.first_page_offset_bytes + len(self.pages):
            raise OSError(
                f"{label} ends at byte {size}, but "
                f"{self.first_page_offset_bytes + len(self.pages)} were mapped: the file has shrunk"
            )


def find_mapping(array: np.ndarray) -> Mapping | None:
    """Return the mapping that an array is a view of, or None."""
    root = array
    while isinstance(root.base, np.ndarray):
        root = root.base
    pages = root.base
    if not isinstance(pages, mmap.mmap) or not isinstance(root, np.memmap):
        return None
    first_page = root.offset - root.offset % mmap.ALLOCATIONGRANULARITY
    address = np.frombuffer(pages, np.uint8).ctypes.data
    start = array.__array_interface__["data"][0] - address + first_page
    path = None if root.mode == "c" or root.filename is None else _path_of(address, root.filename)
    return Mapping(path, start, pages, first_page)


def _path_of(address: int, remembered: str | os.PathLike[str]) -> str | None:
    """Return the present path of what is mapped at an address.

    The name that the array remembers may belong to another file by now. Linux tells the truth in
    /proc/self/maps; elsewhere the memory of the array is all there is.
    """
    try:
        lines = Path("/proc/self/maps").read_text().splitlines()
    except OSError:
        return os.fspath(remembered) if os.path.exists(remembered) else None
    for line in lines:
        fields = line.split(maxsplit=5)
        first, _, last = fields[0].partition("-")
        if int(first, 16) <= address < int(last, 16):
            path = fields[5] if len(fields) > 5 else ""
            return path if os.path.isfile(path) else None
    return None
