"""firbank: many FIR filters at once, offline, larger than memory, and live."""

import importlib

from ._convolve import convolve, plan
from ._core import __version__
from ._plan import FilePlan, Plan
from .bank import Bank
from .stream import Stream, StreamStats

__all__ = ["Bank", "FilePlan", "Plan", "Stream", "StreamStats", "__version__", "convolve", "plan"]

_PARTS = ("dask", "nemos", "signal")


def __getattr__(name: str) -> object:
    """Import a part that has a namespace of its own when it is first asked for."""
    if name in _PARTS:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, *_PARTS])
