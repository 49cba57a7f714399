"""Every example of the documentation runs: docstrings, pages, the README and the gallery."""

from __future__ import annotations

import doctest
import importlib
import importlib.util
import json
import os
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import firbank
import pytest

PYTHON = Path(__file__).resolve().parents[1]
DOCS = PYTHON / "docs"
PAGES = [PYTHON / "README.md", *sorted(DOCS.glob("*.md"))]
PROGRAMS = {  # and what must be installed for each
    "half_precision_chunks": ["scipy"],
    "kernel_sizes": ["numba", "scipy"],
    "nemos_predictor": ["nemos", "jax"],
    "rows_larger_than_memory": ["scipy"],
}
OPTIONAL = ("dask", "h5py", "scipy", "zarr")
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE | doctest.IGNORE_EXCEPTION_DETAIL
FENCE = re.compile(r"^```(python|pycon)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

TWO_ANSWERS = """
import sys
from dataclasses import dataclass

sys.path.insert(0, {gallery!r})
import measure
import numpy as np


@dataclass(frozen=True)
class Case:
    value: float


def right(case, folder):
    yield
    yield
    np.save(folder / "right.npy", [case.value])


def wrong(case, folder):
    yield
    yield
    np.save(folder / "wrong.npy", [1.01 * case.value])


if __name__ == "__main__":
    measure.main(
        lambda small: Case(5.0),
        lambda case, folder: None,
        [measure.Way("right", "one", right), measure.Way("wrong", "the other", wrong)],
        tolerance=1e-3,
        packages=["numpy"],
        description="",
    )
"""


def module_names() -> list[str]:
    found = pkgutil.walk_packages(firbank.__path__, "firbank.")
    return ["firbank", *sorted(info.name for info in found if info.name != "firbank._core")]


def has_example(name: str) -> bool:
    spec = importlib.util.find_spec(name)
    return spec is not None and ">>>" in Path(spec.origin).read_text()


def run_doctest(test: doctest.DocTest, options: int) -> None:
    said: list[str] = []
    result = doctest.DocTestRunner(optionflags=options).run(
        test, out=said.append, clear_globs=False
    )
    assert result.attempted > 0, f"{test.name} has no example"
    assert result.failed == 0, "".join(said)


@pytest.mark.parametrize("name", [name for name in module_names() if has_example(name)])
def test_examples_of_docstrings(name, tmp_path, monkeypatch):
    if name == "firbank.dask":
        pytest.importorskip("dask.array", reason="dask is not installed")
    monkeypatch.chdir(tmp_path)
    module = importlib.import_module(name)
    tests = [test for test in doctest.DocTestFinder().find(module) if test.examples]
    assert tests
    for test in tests:
        run_doctest(test, 0)


@pytest.mark.parametrize("name", firbank.__all__)
def test_public_names_have_docstrings(name):
    what = getattr(firbank, name)
    assert what.__doc__
    public = [each for each in vars(what) if not each.startswith("_")] if name[0].isupper() else []
    methods = [each for each in public if callable(getattr(what, each))]
    assert [each for each in methods if not getattr(what, each).__doc__] == []


def blocks_of(page: Path) -> list[tuple[str, str, int]]:
    """Language, text and line of each example."""
    text = page.read_text()
    return [
        (found[1], found[2], text.count("\n", 0, found.start()) + 1)
        for found in FENCE.finditer(text)
    ]


@pytest.mark.parametrize("page", [page for page in PAGES if blocks_of(page)], ids=lambda p: p.stem)
def test_examples_of_pages(page, tmp_path, monkeypatch):
    """The examples of a page run one after another, in a folder of their own."""
    blocks = blocks_of(page)
    for package in OPTIONAL:
        if any(
            re.search(rf"^import (?:firbank\.)?{package}\b", text, re.M) for _, text, _ in blocks
        ):
            pytest.importorskip(package, reason=f"{package} is not installed")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "__example__"}
    for language, text, line in blocks:
        if language == "pycon":
            test = doctest.DocTestParser().get_doctest(text, names, page.name, str(page), line)
            run_doctest(test, OPTIONS & ~doctest.IGNORE_EXCEPTION_DETAIL)
            names.update(test.globs)
        else:
            exec(compile("\n" * line + text, str(page), "exec"), names)


@pytest.mark.parametrize("program", PROGRAMS)
def test_gallery(program, tmp_path):
    """Each program runs at small size, and all its ways give the same answer."""
    for package in PROGRAMS[program]:
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed")
    record = tmp_path / "record.json"
    command = [sys.executable, DOCS / "gallery" / f"{program}.py", "--small", "--repeat", "1"]
    done = subprocess.run(
        [*command, "--json", record, "--folder", tmp_path],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    ways = json.loads(record.read_text())["ways"]
    assert [way["failed"] for way in ways] == [None] * len(ways)
    assert all(way["largest_difference"] is not None for way in ways[1:])
    assert not list(tmp_path.glob("firbank-gallery-*"))


def test_gallery_notices_a_wrong_answer(tmp_path):
    """A way whose answer is another one fails the program."""
    program = tmp_path / "wrong.py"
    program.write_text(TWO_ANSWERS.format(gallery=str(DOCS / "gallery")))
    done = subprocess.run(
        [sys.executable, program, "--repeat", "1"], capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "apart from the first: ['the other']" in done.stderr


@pytest.mark.parametrize("program", PROGRAMS)
def test_committed_figures_are_of_full_size(program):
    record = json.loads((DOCS / "gallery" / "results" / f"{program}.json").read_text())
    assert record["program"] == program
    assert not record["small"]
    assert not record["environment"]["commit"].endswith("-changed")
    assert any(way["seconds"] for way in record["ways"] if way["name"] == "firbank")


@pytest.mark.full
def test_pages_are_built_without_a_warning(tmp_path):
    for package in ("sphinx", "furo", "myst_parser"):
        pytest.importorskip(package, reason=f"{package} is not installed")
    pytest.importorskip("dask.array", reason="dask is not installed")
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", "-W", "-q", "-b", "html", DOCS, tmp_path / "html"],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    reference = (tmp_path / "html" / "reference.html").read_text()
    for name in firbank.__all__:
        assert f'id="firbank.{name}"' in reference
