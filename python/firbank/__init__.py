"""firbank: many FIR filters at once, offline, larger than memory, and live."""

from ._convolve import convolve, plan
from ._plan import Plan

__all__ = ["Plan", "convolve", "plan"]
