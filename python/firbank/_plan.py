"""What ``firbank.plan`` tells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

_METHODS = {
    "direct": "sums of products, without a transform",
    "frames": "sums of products over whole frames, whose channels lie side by side",
    "fft": "partitioned convolution by transforms",
    "none": "nothing to compute",
}


@dataclass(frozen=True)
class Plan:
    """How a convolution is computed; ``print`` it.

    Attributes
    ----------
    method : str
        'direct', 'frames', 'fft', or 'none' where there is nothing to compute.
    device : str
        The backend, such as 'cpu-avx512'.
    threads : int
        Threads that compute.
    batch_size_samples : int
        Output samples that one thread computes at once.
    batch_size_channels : int
        Of how many channels.
    batch_size_basis : int
        With how many kernels.
    tasks : int
        Pieces of work that the threads take in turn.
    memory_bytes : int
        Estimate of what is used besides x and the result, by all threads together.
    seconds : float
        Estimate of processor time, of a processor with AVX-512; it tells methods apart, no more.
    transform_samples : int
        Size of the transforms; 0 without any.
    partitions : int
        Parts that the longest kernel is cut into; 0 without transforms.
    result_shape : tuple of int, or list of them
        A list for kernels of several sizes.
    result_dtype : str
        Such as 'float32'.
    """

    method: str = "none"
    device: str = "cpu"
    threads: int = 1
    batch_size_samples: int = 0
    batch_size_channels: int = 0
    batch_size_basis: int = 0
    tasks: int = 0
    memory_bytes: int = 0
    seconds: float = 0.0
    transform_samples: int = 0
    partitions: int = 0
    result_shape: tuple[int, ...] | list[tuple[int, ...]] = ()
    result_dtype: str = ""

    @classmethod
    def of(cls, facts: dict[str, Any], shape, dtype: np.dtype, planes: int) -> Plan:
        """Put together what the engine tells and what is known of the result."""
        return cls(
            method=facts["method"],
            device=facts["device"],
            threads=facts["threads"],
            batch_size_samples=facts["samples_at_once"],
            batch_size_channels=facts["channels_at_once"],
            batch_size_basis=max(1, facts["outputs_at_once"] // planes),
            tasks=facts["tasks"],
            memory_bytes=facts["memory_bytes"],
            seconds=facts["seconds"],
            transform_samples=facts["transform_samples"],
            partitions=facts["partitions"],
            result_shape=shape,
            result_dtype=str(dtype),
        )

    def __str__(self) -> str:
        lines = [f"method      {self.method}: {_METHODS[self.method]}"]
        if self.method == "fft" and self.transform_samples:
            lines.append(
                f"transforms  of {self.transform_samples} samples; the longest kernel in "
                f"{self.partitions} part{'s' if self.partitions != 1 else ''}"
            )
        if self.method != "none":
            threads = "1 thread" if self.threads == 1 else f"{self.threads} threads"
            lines += [
                f"device      {self.device}, {threads}",
                f"at once     {self.batch_size_samples} samples of {self.batch_size_channels} "
                f"channels with {self.batch_size_basis} kernels, in {self.tasks} tasks",
                f"memory      {_readable(self.memory_bytes)} besides x and the result",
                f"time        about {self.seconds:.2g} s of processor time",
            ]
        return "\n".join([*lines, f"result      {self.result_dtype} {self.result_shape}"])


def _readable(size: float) -> str:
    for unit in ("B", "KiB", "MiB"):
        if size < 1024:
            return f"{size:.3g} {unit}"
        size /= 1024
    return f"{size:.3g} GiB"
