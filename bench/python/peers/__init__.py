"""The libraries that are compared, a module each, each run in a process of its own.

A module has `VERSIONS`, the packages whose versions belong to its figures, and
`ways(row, x, h, threads)`, which gives the ways to compute a workload that a competent user of the
library would think of, by a short description. Everything that depends on x or h and is computed
belongs into `Way.run`; `ways` itself may only bring the arrays into the layout and type that the
library likes best.
"""

from __future__ import annotations

import importlib
from types import ModuleType

# In the order of their turns. firbank comes first: the ratios are to its run of the same round.
NAMES = ("firbank", "numpy", "scipy", "torch", "numba", "nemos")
TITLES = {
    "firbank": "firbank",
    "numpy": "NumPy",
    "scipy": "SciPy",
    "torch": "PyTorch",
    "numba": "Numba",
    "nemos": "NeMoS",
}


def load(name: str) -> ModuleType:
    return importlib.import_module(f"peers.{name}_peer")
