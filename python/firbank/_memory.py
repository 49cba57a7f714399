"""How much memory a call may use: reading limits, and a limit where none is given."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

_UNITS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}
_PATTERN = re.compile(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*([kmgt]?)(i?)(b?)\s*", re.IGNORECASE)

LARGEST_DEFAULT_BYTES = 1 << 30
_LEAST_DEFAULT_BYTES = 64 << 20


def memory_bytes(limit: int | float | str | None) -> int:
    """Return a memory limit in bytes.

    Parameters
    ----------
    limit : int, float, str or None
        Bytes, or a number with a unit: ``'500 MB'`` (decimal), ``'2GiB'``, ``'2G'`` (binary).
        None means `default_memory_bytes`.

    Raises
    ------
    TypeError
        If it is neither a whole number nor a string.
    ValueError
        If the string cannot be read, or the limit is not positive.

    Examples
    --------
    >>> memory_bytes("1.5 KiB"), memory_bytes("500 MB"), memory_bytes(4096)
    (1536, 500000000, 4096)
    """
    if limit is None:
        return default_memory_bytes()
    if isinstance(limit, str):
        match = _PATTERN.fullmatch(limit)
        if match is None:
            raise ValueError(
                f"memory_limit is {limit!r}; allowed: bytes, or a number with a unit such as "
                f"'500 MB' or '2GiB'"
            )
        number, prefix, binary, byte = match.groups()
        decimal = byte and not binary and prefix
        size = int(float(number) * (1000 if decimal else 1024) ** _UNITS[prefix.lower()])
    elif isinstance(limit, (int, float, np.integer, np.floating)) and not isinstance(limit, bool):
        size = (
            int(limit) if not isinstance(limit, (float, np.floating)) or np.isfinite(limit) else 0
        )
    else:
        raise TypeError(
            f"memory_limit is of type {type(limit).__name__}; allowed: a whole number of bytes, "
            f"or a string such as '2GiB'"
        )
    size = min(size, (1 << 63) - 1)
    if size <= 0:
        raise ValueError(f"memory_limit is {limit!r}; allowed: more than 0 bytes")
    return size


def default_memory_bytes() -> int:
    """Return a quarter of the memory that is available now, at least 64 MiB, at most 1 GiB."""
    return max(_LEAST_DEFAULT_BYTES, min(LARGEST_DEFAULT_BYTES, available_bytes() // 4))


def available_bytes() -> int:
    """Return how many bytes can still be allocated without swapping.

    Both what the kernel reports for the machine and the limit of the control group (version 2)
    of this process count, and what keeps pages of files is available. Where neither can be read,
    4 GiB are assumed.
    """
    sizes = []
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                sizes.append(int(line.split()[1]) * 1024)
    except OSError:
        pass
    try:
        own = Path("/proc/self/cgroup").read_text().rpartition("::")[2].strip().lstrip("/")
        sizes.append(available_in_group(Path("/sys/fs/cgroup", own)))
    except (OSError, ValueError):
        pass
    return min(sizes, default=4 << 30)


def available_in_group(group: Path) -> int:
    """Return how many bytes a control group has left below its limit.

    The pages of files that the system keeps count as left: they go when memory is wanted.

    Raises
    ------
    OSError, ValueError
        If the group's files cannot be read, or it has no limit.
    """
    most = int((group / "memory.max").read_text())
    used = int((group / "memory.current").read_text())
    for line in (group / "memory.stat").read_text().splitlines():
        name, _, size = line.partition(" ")
        if name in ("active_file", "inactive_file"):
            used -= int(size)
    return max(0, most - used)


def format_bytes(size: int) -> str:
    """Return a size for a message.

    Examples
    --------
    >>> format_bytes(999), format_bytes(3 << 19)
    ('999 bytes', '1.5 MiB')
    """
    for power, unit in ((3, "GiB"), (2, "MiB"), (1, "KiB")):
        if size >= 1024**power:
            return f"{size / 1024**power:.4g} {unit}"
    return f"{size} bytes"
