"""Puts the newest of bench/results/python-* where a page says ``<!-- newest benchmark -->``."""

from __future__ import annotations

import os
from pathlib import Path

from sphinx.application import Sphinx

MARK = "<!-- newest benchmark -->"
RESULTS = Path(__file__).resolve().parents[3] / "bench" / "results"


def insert(app: Sphinx, page: str, source: list[str]) -> None:
    if MARK in source[0]:
        folder = Path(app.env.doc2path(page)).parent
        source[0] = source[0].replace(MARK, text_for(folder))


def text_for(folder: Path) -> str:
    """The lines of MyST that show it on a page in `folder`."""
    found = sorted(RESULTS.glob("python-*/README.md"))  # their names begin with the date
    if not found:
        return "No figures of it lie in `bench/results/` yet."
    path = os.path.relpath(found[-1], folder)
    lines = [
        f"```{{include}} {path}",
        ":relative-images:",
        ":relative-docs: .",
        ":heading-offset: 2",
    ]
    return "\n".join([*lines, "```"])


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("source-read", insert)
    return {"parallel_read_safe": True}
