"""The directive ``gallery-results``: the committed figures of a program of the gallery, as a table.

    ```{gallery-results} kernel_sizes
    ```

reads ``gallery/results/kernel_sizes.json``, so that no figure is copied by hand. The role
``gallery-figure`` puts the time and the memory of one way into a sentence::

    {gallery-figure}`kernel_sizes numba`

and ``gallery-machines`` the machines and days of some programs.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.docutils import SphinxDirective, SphinxRole

GALLERY = Path(__file__).resolve().parents[1] / "gallery"
sys.path.insert(0, str(GALLERY))

import measure  # noqa: E402  (it lies with the programs)


class GalleryResults(SphinxDirective):
    """A table of the ways, what each told besides, and the circumstances."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        record = _record(self.arguments[0], self.env)
        facts = [
            f"{way['title']}, in the last turn: {name}: {fact}."
            for way in record["ways"]
            for name, fact in way["facts"].items()
        ]
        circumstances = nodes.paragraph(text=_circumstances(record))
        circumstances["classes"].append("gallery-circumstances")
        found = [_table(measure.rows_of_table(record))]
        if facts:
            items = [nodes.list_item("", nodes.paragraph(text=fact)) for fact in facts]
            found.append(nodes.bullet_list("", *items))
        return [*found, circumstances]


class GalleryFigure(SphinxRole):
    """Time and peak memory of a way, or why there are none."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        program, name = self.text.split()
        record = _record(program, self.env)
        (way,) = (way for way in record["ways"] if way["name"] == name)
        text = way["failed"] or (
            f"{way['median_seconds']:.3g} s, {measure.readable_bytes(way['median_peak_bytes'])}"
        )
        return [nodes.Text(text)], []


class GalleryMachines(SphinxRole):
    """On what and when some programs were measured."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        places = []
        for program in self.text.split():
            about = _record(program, self.env)["environment"]
            place = f"{about['processor']}, {about['cores']} cores, on {about['date'][:10]}"
            if place not in places:
                places.append(place)
        return [nodes.Text("; ".join(places))], []


def _record(program: str, env: BuildEnvironment) -> dict[str, Any]:
    path = GALLERY / "results" / f"{program}.json"
    env.note_dependency(str(path))
    return json.loads(path.read_text())


def _table(rows: list[list[str]]) -> nodes.table:
    group = nodes.tgroup(cols=len(rows[0]))
    group += [nodes.colspec(colwidth=1) for _ in rows[0]]
    lines = [
        nodes.row("", *(nodes.entry("", nodes.paragraph(text=cell)) for cell in row))
        for row in rows
    ]
    group += [nodes.thead("", lines[0]), nodes.tbody("", *lines[1:])]
    return nodes.table("", group)


def _circumstances(record: dict[str, Any]) -> str:
    about = record["environment"]
    case = ", ".join(f"{name} {_readable(value)}" for name, value in record["case"].items())
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    loads = [f"{about[when][0]:.1f}" for when in ("load_before", "load_after")]
    turns = max((len(way["seconds"]) for way in record["ways"]), default=0)
    return (
        f"Medians of {turns} turns on {about['date'][:10]}, commit {about['commit']}. "
        f"{about['processor']}, {about['cores']} cores, "
        f"{measure.readable_bytes(about['memory_bytes'])}, which others used as well: the load was "
        f"{loads[0]} at the beginning and {loads[1]} at the end. {versions}. The case: {case}."
    )


def _readable(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("gallery-results", GalleryResults)
    app.add_role("gallery-figure", GalleryFigure())
    app.add_role("gallery-machines", GalleryMachines())
    return {"parallel_read_safe": True}
