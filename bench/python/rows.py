"""The workloads: their shapes, their noise, and which parts of their results are looked at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

Kind = Literal["rows", "bank", "ragged", "one", "powers", "video"]
Kernels = np.ndarray | list[np.ndarray]

SEED = 20_240_601
PIXELS = (32, 32)


@dataclass(frozen=True)
class Row:
    """A workload. Signals and kernels, by its kind:

    ========  =====================  ===========================  ===========================
    kind      x                      h                            the result, by (channel, k)
    ========  =====================  ===========================  ===========================
    rows      (channels, frames)     (channels, taps) or (taps,)  channel with its kernel, 0
    bank      (channels, frames)     (kernels, taps)              channel with kernel k
    ragged    (frames,)              list of 1-D kernels          0, kernel k
    one       (frames,)              (taps,)                      0, 0
    powers    list of 1-D signals    list of 1-D kernels          0, signal k with kernel k
    video     (frames, 32, 32)       (taps, 32, 32)               0, 0: the sum of all pixels
    ========  =====================  ===========================  ===========================

    All results are whole ("full"), but for video, where the kernel stays inside ("valid").
    """

    name: str
    title: str
    kind: Kind
    channels: int
    frames: int
    taps: tuple[int, ...]
    one_kernel: bool = False

    def shortened(self, frames: int) -> Row:
        return replace(self, frames=frames)

    @property
    def can_shorten(self) -> bool:
        """Whether a part of the frames stands for all; not where each signal has a size."""
        return self.kind != "powers"

    @property
    def least_frames(self) -> int:
        """Frames below which the time is no longer about proportional to them."""
        return min(self.frames, 4 * max(self.taps))

    def signals(self, dtype: np.dtype) -> np.ndarray | list[np.ndarray]:
        """The noise to filter, the same in every process."""
        random = np.random.default_rng(SEED)
        if self.kind == "powers":
            return [noise(random, (4**i,), dtype) for i in range(len(self.taps))]
        if self.kind == "video":
            return noise(random, (self.frames, *PIXELS), dtype)
        if self.kind in ("ragged", "one"):
            return noise(random, (self.frames,), dtype)
        return noise(random, (self.channels, self.frames), dtype)

    def kernels(self, dtype: np.dtype) -> Kernels:
        random = np.random.default_rng(SEED + 1)
        if self.kind in ("ragged", "powers"):
            return [noise(random, (taps,), dtype) for taps in self.taps]
        taps = self.taps[0]
        if self.kind == "video":
            return noise(random, (taps, *PIXELS), dtype)
        if self.kind == "one" or self.one_kernel:
            return noise(random, (taps,), dtype)
        return noise(random, (len(self.taps), taps), dtype)

    def cut(self, x: np.ndarray, frames: int) -> np.ndarray:
        """The first frames of x, in memory of their own."""
        if not self.can_shorten or frames == self.frames:
            return x
        return np.ascontiguousarray(x[:frames] if self.kind == "video" else x[..., :frames])

    def looked_at(self) -> Iterator[tuple[int, int]]:
        """The (channel, kernel) of the results that are compared with the reference."""
        kernels = len(self.taps) if self.kind in ("bank", "ragged", "powers") else 1
        channels = self.channels if self.kind in ("rows", "bank") else 1
        for channel in sorted({0, channels // 2, channels - 1}):
            if self.kind == "powers":
                yield from ((channel, k) for k in range(kernels))
            else:
                yield from ((channel, k) for k in sorted({0, kernels // 2, kernels - 1}))

    def parts(self, x, h, channel: int, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Signals and kernels, (n, frames) and (n, taps): a result is their convolutions' sum."""
        if self.kind == "rows":
            return x[channel][None], (h if self.one_kernel else h[channel])[None]
        if self.kind == "bank":
            return x[channel][None], h[k][None]
        if self.kind == "ragged":
            return x[None], h[k][None]
        if self.kind == "powers":
            return x[k][None], h[k][None]
        if self.kind == "video":
            return x.reshape(len(x), -1).T, h.reshape(len(h), -1).T
        return x[None], h[None]

    @property
    def only_valid(self) -> bool:
        """Whether only frames are asked for whose kernel lies inside the signal."""
        return self.kind == "video"


def counted(count: int, thing: str) -> str:
    return f"{count:,} {thing}{'' if count == 1 else 's'}"


def noise(random: np.random.Generator, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    return random.standard_normal(shape, dtype=dtype)


def rows() -> dict[str, Row]:
    """All workloads by name, in the order in which they are run."""
    many = [
        Row("rows", "1,000 rows x 100,000 samples, each with its own 200 taps",
            "rows", 1000, 100_000, (200,) * 1000),
        Row("bank", "100 channels x 1,000,000 samples, each with 8 kernels of 100 taps",
            "bank", 100, 1_000_000, (100,) * 8),
        Row("ragged", "one signal of 50,000 samples with 99 kernels of 100, 200, ..., 9,900 taps",
            "ragged", 1, 50_000, tuple(range(100, 10_000, 100))),
        Row("long", "16 channels x 10,000,000 samples with one kernel of 8,191 taps",
            "rows", 16, 10_000_000, (8191,), one_kernel=True),
        Row("long-own", "16 channels x 10,000,000 samples, each with its own 8,191 taps",
            "rows", 16, 10_000_000, (8191,) * 16),
        Row("video", "1,024 frames of 32 x 32 pixels with one kernel of 32 x 32 x 32",
            "video", 1, 1024, (32,)),
        Row("overhead", "10,000 samples with 5 taps", "one", 1, 10_000, (5,)),
        Row("powers", "4^i samples with 2^i taps, i = 0 to 8, one after the other",
            "powers", 1, 4**8, tuple(2**i for i in range(9))),
    ]  # fmt: skip
    for i in range(9):
        title = f"{counted(4**i, 'sample')} with {counted(2**i, 'tap')}"
        many.append(Row(f"powers-{i}", title, "one", 1, 4**i, (2**i,)))
    return {row.name: row for row in many}


def quick_rows() -> dict[str, Row]:
    """The same workloads, so small that all take about a minute; their figures mean nothing."""
    small = {
        "rows": {"channels": 20, "frames": 4000, "taps": (200,) * 20},
        "bank": {"channels": 4, "frames": 8000},
        "ragged": {"frames": 3000, "taps": tuple(range(100, 900, 100))},
        "long": {"channels": 2, "frames": 40_000, "taps": (1023,)},
        "long-own": {"channels": 2, "frames": 40_000, "taps": (1023,) * 2},
        "video": {"frames": 128},
        "powers": {"frames": 4**4, "taps": tuple(2**i for i in range(5))},
    }
    return {
        name: replace(row, title=row.title + " (reduced)", **small[name]) if name in small else row
        for name, row in rows().items()
        if name not in {"powers-1", "powers-2", "powers-3", "powers-5", "powers-6", "powers-7"}
    }
