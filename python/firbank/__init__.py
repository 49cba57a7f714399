"""firbank: many FIR filters at once, offline, larger than memory, and live."""

from ._convolve import convolve, plan
from ._core import __version__
from ._plan import Plan
from .bank import Bank
from .stream import Stream, StreamStats

__all__ = ["Bank", "Plan", "Stream", "StreamStats", "__version__", "convolve", "plan"]
