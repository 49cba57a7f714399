"""Puts the newest of bench/results/python-* where a page says ``<!-- newest benchmark -->``."""

from __future__ import annotations

import json
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
    found = newest()
    if not found:
        return "No figures of it lie in `bench/results/` yet."
    return "\n\n".join(include(os.path.relpath(result / "README.md", folder)) for result in found)


def newest() -> list[Path]:
    """The newest result, and those before it that have rows which no newer one has."""
    dated = []
    for figures in RESULTS.glob("python-*/figures.json"):
        record = json.loads(figures.read_text())
        rows = {row["name"] for row in record["rows"]}
        dated.append((record["environment"]["date"], figures.parent, rows))
    shown: set[str] = set()
    found = []
    for _, result, rows in sorted(dated, reverse=True):
        if not rows <= shown:
            found.append(result)
            shown |= rows
    return found


def include(path: str) -> str:
    """The lines of MyST for one result."""
    lines = [
        f"```{{include}} {path}",
        ":relative-images:",
        ":relative-docs: .",
        ":heading-offset: 2",
        "```",
    ]
    return "\n".join(lines)


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("source-read", insert)
    return {"parallel_read_safe": True}
