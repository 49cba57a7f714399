"""The arguments of a large convolution that all its parts share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ._plan import Plan
from ._progress import ProgressCallable


@dataclass(frozen=True)
class LargeOptions:
    """The arguments of `convolve_large` but for the arrays; sizes are checked, None is no limit."""

    axis: int
    mode: str
    routing: str
    limit_bytes: int
    device: str
    precision: str | None
    progress: ProgressCallable | bool | None
    most_samples: int | None
    most_channels: int | None
    most_kernels: int | None
    threads: int | None
    method: str
    resume: bool

    def result_dtype(self, x: np.dtype, h: np.dtype) -> np.dtype:
        """Return the dtype of the result, by asking for the smallest one there is."""
        from ._convolve import convolve

        return convolve(np.zeros((1, 1), x), np.zeros(1, h), precision=self.precision).dtype

    def plan(self, window: np.ndarray, h: np.ndarray, memory_limit: int, axis: int) -> Plan:
        """Return how `convolve` would compute a window."""
        from ._convolve import plan

        return plan(window, h, **self._arguments(), memory_limit=memory_limit, axis=axis)

    def convolve(
        self,
        window: np.ndarray,
        h: np.ndarray | list[np.ndarray],
        out: np.ndarray | None,
        memory_limit: int,
        **others: Any,
    ) -> Any:
        """Convolve a window that is in memory, mode 'valid', with the other arguments as given."""
        from ._convolve import convolve

        arguments = self._arguments() | others
        return convolve(window, h, out=out, memory_limit=memory_limit, **arguments)

    def _arguments(self) -> dict[str, Any]:
        return {
            "mode": "valid",
            "routing": self.routing,
            "device": self.device,
            "precision": self.precision,
            "threads": self.threads,
            "method": self.method,
        }
