"""What ``firbank.plan`` tells."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ._memory import format_bytes

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
        Threads that compute, or that copy samples to a GPU and home.
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
                f"memory      {format_bytes(self.memory_bytes)} besides x and the result",
                f"time        about {self.seconds:.2g} s of processor time",
            ]
        return "\n".join([*lines, f"result      {self.result_dtype} {self.result_shape}"])


@dataclass(frozen=True)
class FilePlan:
    """How a convolution of files is cut into pieces and computed; ``print`` it.

    Of a call that begins anew: one that goes on has the pieces that it was begun with.

    Attributes
    ----------
    x, out : str
        What is read and written.
    chunks : int
        Pieces of the result, which are computed one after the other.
    batch_size_samples, batch_size_channels, batch_size_basis : int
        Samples of the result in a piece, its channels and kernels, but for the last ones.
    memory_bytes : int
        What is counted, of `memory_limit_bytes`: `moving_bytes` for pieces that are read and
        written meanwhile, `storage_bytes` for what the storage needs, and the rest for computing.
    bytes_read, bytes_written : int
        Samples that are read of x, each time that they are, and written.
    passes : float
        How often x is read: 1.05 if a twentieth of it is read twice.
    chunk : Plan
        How the largest piece is computed.
    result_shape : tuple of int, or list of them
        A list for kernels of several sizes, of which each has a file and pieces of its own: then
        `chunks`, `passes` and bytes are of all together, and all else of those that take the most
        memory.
    result_dtype : str
    """

    x: str
    out: str
    chunks: int
    batch_size_samples: int
    batch_size_channels: int
    batch_size_basis: int
    memory_bytes: int
    moving_bytes: int
    storage_bytes: int
    memory_limit_bytes: int
    bytes_read: int
    bytes_written: int
    passes: float
    chunk: Plan
    result_shape: tuple[int, ...] | list[tuple[int, ...]]
    result_dtype: str

    @classmethod
    def of_all(cls, plans: list[FilePlan]) -> FilePlan:
        """Put together the plans of several files that are written one after the other."""
        return replace(
            max(plans, key=lambda plan: plan.memory_bytes),
            out=f"{len(plans)} arrays",
            chunks=sum(plan.chunks for plan in plans),
            bytes_read=sum(plan.bytes_read for plan in plans),
            bytes_written=sum(plan.bytes_written for plan in plans),
            passes=sum(plan.passes for plan in plans),
            result_shape=[plan.result_shape for plan in plans],
        )

    def __str__(self) -> str:
        memory = [
            f"{format_bytes(self.memory_bytes)} of {format_bytes(self.memory_limit_bytes)}",
            f"{format_bytes(self.moving_bytes)} for pieces on their way",
            f"{format_bytes(self.storage_bytes)} for the storage",
            f"{format_bytes(self.chunk.memory_bytes)} for computing",
        ]
        lines = [
            f"pieces      {self.chunks}, of up to {self.batch_size_samples} samples of "
            f"{self.batch_size_channels} channels with {self.batch_size_basis} kernels",
            f"memory      {memory[0]}: {', '.join(memory[1:])}",
            f"read        {format_bytes(self.bytes_read)} of {self.x}, in {self.passes:.3g} passes",
            f"written     {format_bytes(self.bytes_written)} to {self.out}",
            "one piece:",
            *[f"  {line}" for line in str(self.chunk).splitlines()],
            f"result      {self.result_dtype} {self.result_shape}",
        ]
        return "\n".join(lines)
