"""The file behind a numpy.memmap, also behind a view of one, and its samples in memory.

Who touches the pages of a mapping dies by SIGBUS where its file has shrunk meanwhile. So nothing
here does: what a call needs of a mapped file is read from that file.
"""

from __future__ import annotations

import mmap
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from ._file_array import FileArray

_BOUNCE_BYTES = 1 << 20  # for samples that lie scattered in a file

# Where files that are mapped were found: path, device and inode. Looking takes milliseconds.
_found: WeakKeyDictionary[mmap.mmap, tuple[str, int, int]] = WeakKeyDictionary()


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


def in_memory(array: np.ndarray, label: str) -> np.ndarray:
    """Return `array`, or if a file is mapped there, what the file holds.

    Parameters
    ----------
    array : numpy.ndarray
        What is not mapped is given back as it is. What is mapped is read, all of it.
    label : str
        What messages call it.

    Raises
    ------
    OSError
        If the file cannot be read, or has become shorter than `array`.
    """
    mapping = None if array.base is None else find_mapping(array)
    if mapping is None:
        return array
    if mapping.path is None:
        mapping.check_size(label)
        return np.array(array)
    shape = array.shape or (1,)
    result = np.empty_like(array, shape=shape, subok=False)
    descriptor = os.open(mapping.path, os.O_RDONLY)
    try:
        FileArray(
            descriptor,
            f"{label} {mapping.path!r}",
            mapping.offset_bytes,
            shape,
            array.strides or (array.itemsize,),
            array.dtype,
            time_axis=shape.index(max(shape)),
            bounce_bytes=_BOUNCE_BYTES,
        ).read(tuple(slice(0, size) for size in shape), result)
    finally:
        os.close(descriptor)
    return result.reshape(array.shape)


def find_mapping(array: np.ndarray) -> Mapping | None:
    """Return the mapping that an array is a view of; None if there is none, or no element."""
    owner: Any = array
    while type(owner) is np.ndarray:
        owner = owner.base
    mapped = None
    while owner is not None and not isinstance(owner, mmap.mmap):
        if isinstance(owner, np.memmap):
            mapped = owner
        owner = owner.obj if isinstance(owner, memoryview) else getattr(owner, "base", None)
    if owner is None or mapped is None or array.size == 0:
        return None
    first_page = mapped.offset - mapped.offset % mmap.ALLOCATIONGRANULARITY
    address = np.frombuffer(owner, np.uint8).ctypes.data
    start = array.__array_interface__["data"][0] - address + first_page
    path = None
    if mapped.mode != "c" and mapped.filename is not None:
        path = _known_path_of(owner, address, mapped.filename)
    return Mapping(path, start, owner, first_page)


def find_file(array: np.ndarray) -> tuple[str, int] | None:
    """Return the path of the file whose bytes an array shows, and where its first element lies.

    It finds what `find_mapping` does, and on Linux also files that others have mapped, such as
    tensors of PyTorch. None if there is none, or it is mapped in private.
    """
    mapping = find_mapping(array)
    if mapping is not None:
        return None if mapping.path is None else (mapping.path, mapping.offset_bytes)
    owner: Any = array
    while isinstance(owner, np.ndarray):
        if owner.flags.owndata:
            return None
        owner = owner.base
    if array.size == 0:
        return None
    address = array.__array_interface__["data"][0]
    try:
        path, is_shared, byte = _mapped_at(address) or ("", False, 0)
    except OSError:
        return None
    return (path, byte) if is_shared else None


def is_mapped(thing: object) -> bool:
    """Tell whether something is an array that is a view of a mapped file."""
    base = getattr(thing, "base", None)
    return base is not None and isinstance(thing, np.ndarray) and find_mapping(thing) is not None


def _known_path_of(
    pages: mmap.mmap, address: int, remembered: str | os.PathLike[str]
) -> str | None:
    """Return the path of a mapped file; the one that was found before, if the file is there."""
    path, *found = _found.get(pages, (None,))
    if path is not None and _is_file(path, found):
        return path
    path = _path_of(address, remembered)
    if path is not None:
        state = os.stat(path)
        _found[pages] = path, state.st_dev, state.st_ino
    return path


def _is_file(path: str, device_and_inode: list[int]) -> bool:
    try:
        state = os.stat(path)
    except OSError:
        return False
    return [state.st_dev, state.st_ino] == device_and_inode


def _path_of(address: int, remembered: str | os.PathLike[str]) -> str | None:
    """Return the present path of what is mapped at an address.

    The name that the array remembers may belong to another file by now. Linux tells the truth in
    /proc/self/maps; elsewhere the memory of the array is all there is.
    """
    try:
        found = _mapped_at(address)
    except OSError:
        return os.fspath(remembered) if os.path.exists(remembered) else None
    return None if found is None else found[0]


def _mapped_at(address: int) -> tuple[str, bool, int] | None:
    """Return which file is mapped at an address, whether it is shared, and the byte it has there.

    Raises
    ------
    OSError
        If the system does not tell.
    """
    with Path("/proc/self/maps").open() as lines:
        for line in lines:
            fields = line.split(maxsplit=5)
            first, _, last = fields[0].partition("-")
            if int(first, 16) <= address < int(last, 16):
                path = fields[5].rstrip("\n") if len(fields) > 5 else ""
                byte = address - int(first, 16) + int(fields[2], 16)
                return (path, fields[1].endswith("s"), byte) if os.path.isfile(path) else None
    return None
