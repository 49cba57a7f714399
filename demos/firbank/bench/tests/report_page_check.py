#!/usr/bin/env python3
"""The page of every kind of report, in a browser and on paper.

    report_page_check.py BUILD_DIR              of invented reports, and of spoiled ones; leaves
                                                screenshots and PDFs in BUILD_DIR/screenshots
    report_page_check.py BUILD_DIR REPORT...    of these alone

Prints what it saw; ends with 1 when something is not as it should be. "skipped: " and why stands for
all of it where there is no browser.
"""

import contextlib
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time

import made_up_reports

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "..")
sys.path.insert(0, os.path.join(ROOT, "tests", "live"))
import browser  # noqa: E402

PAPER = {"A4": (21.0, 29.7), "Letter": (21.59, 27.94)}
MOST_SHEETS = {"latency": 5}
MOST_OTHER_SHEETS = 3


def expect(holds, what):
    if not holds:
        sys.exit(f"FAILED: {what}")


# ---- what has to be drawn ----------------------------------------------------------------------

# Elements of the charts by selector; those of the legends are no part of them.
STAGES = ("wait", "ingest", "to_device", "compute", "from_device", "publish")


def latency_marks(report):
    runs = [run for run in report["runs"].values() if run]
    stages = [name for name in STAGES if any(run["times"][name] is not None for run in runs)]
    bars = sum(run["times"][name] is not None for run in runs for name in STAGES)
    outlines = 2 * len(runs) + bars  # histogram and percentiles, and the stages
    return {
        ".sheet svg": 5,
        ".sheet path.mark.bad": len(report["runs"]["engine"]["misses"]["list"]),
        ".sheet path.deadline": 4,
        ".sheet rect.bar": bars,
        ".sheet path.area": 1 + len(stages),
        ".sheet path.curve": outlines + 2 * len(runs),
    }


def capacity_marks(report):
    found = [row for row in report["frontier"] if row["products_per_frame"]]
    least = min(row["products_per_frame"] for row in found)
    steps = [
        step
        for row in found
        for step in row["steps"]
        if row["products_per_frame"] * step["value"] / row["capacity"] >= least / 16
    ]
    best = [row["best_backend"] for row in report["crossover"] or []]
    return {
        ".sheet svg": 1,
        ".sheet path.mark.small": len(steps),
        ".sheet path.mark.bad": sum(not step["in_time"] for step in steps),
        ".sheet path.mark:not(.small)": len(found),
        ".sheet path.curve": len({row["backend"] for row in found}),
        ".sheet path.crossing": sum(one != other for one, other in zip(best, best[1:])),
    }


def slopes(reads):
    """How many bandwidths are apart by enough to have a line each."""
    count, last = 0, float("inf")
    for one in sorted(reads, key=lambda one: one["bytes"]):
        if one["bytes_per_s"] < last / 1.35:
            count, last = count + 1, one["bytes_per_s"]
    return min(count, 5)


def throughput_marks(report):
    return {
        ".sheet svg": 1,
        ".sheet path.mark": len(report["rows"]),
        ".sheet path.roof:not(.slope)": 1,
        ".sheet path.slope": slopes(report["ceilings"]["reads"]),
        "tbody tr": 2 * len(report["rows"]) + len(report["ceilings"]["reads"]),
    }


def loopback_marks(report):
    told = report["claimed"]["input_s"] is not None
    return {
        ".sheet svg": 3,
        ".sheet path.mark": len(report["response"]) + len(report["repeats"]),
        ".sheet path.peak": 1,
        ".sheet rect.bar": 3 if told else 1,
    }


def compare_marks(report):
    others = len(report["setting"]["programs"]) - 1
    return {
        ".sheet svg": 2 if report["rounds"] else 1,
        ".sheet path.mark": others * len(report["rounds"]) + len(report["results"]),
        ".sheet path.interval": len(report["results"]),
    }


def doctor_marks(report):
    trials = sum(bool(reading["trial"]) for reading in report["readings"])
    return {
        ".sheet svg": 1,
        ".sheet path.mark": 2 * trials,
        "td.words.bad": sum(reading["state"] == "costs" for reading in report["readings"]),
    }


MARKS = {
    "latency": latency_marks,
    "capacity": capacity_marks,
    "throughput": throughput_marks,
    "loopback": loopback_marks,
    "compare": compare_marks,
    "doctor": doctor_marks,
}

# ---- how it has to look ------------------------------------------------------------------------

# Words over words in a chart, words that leave their chart, and what is wider than the page; tables in
# a .scroll may be.
FAULTS_OF_LAYOUT = """
  const faults = [];
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth > width) faults.push("the page is wider than the screen");
  for (const svg of document.querySelectorAll(".sheet svg")) {
    const chart = svg.getAttribute("aria-label");
    const sheet = svg.getBoundingClientRect();
    const boxes = [...svg.querySelectorAll("text")].map((text) =>
      ({ words: text.textContent, box: text.getBoundingClientRect() }));
    boxes.forEach(({ words, box }, n) => {
      if (box.left < sheet.left - 2 || box.right > sheet.right + 2 || box.top < sheet.top - 4 ||
          box.bottom > sheet.bottom + 4) faults.push(`${chart}: "${words}" is outside of the chart`);
      for (const other of boxes.slice(n + 1)) {
        const across = Math.min(box.right, other.box.right) - Math.max(box.left, other.box.left);
        const down = Math.min(box.bottom, other.box.bottom) - Math.max(box.top, other.box.top);
        if (across > 1 && down > 3) faults.push(`${chart}: "${words}" is over "${other.words}"`);
      }
    });
  }
  for (const element of document.querySelectorAll("body *:not(svg *)")) {
    const box = element.getBoundingClientRect();
    if (box.right > width + 1 && !element.closest(".scroll")) {
      faults.push(`<${element.localName} class="${element.className}"> leaves the screen`);
    }
  }
  return faults;
"""


def expect_no_complaints(page, where):
    complaints = page.log()
    expect(not complaints, f"{where}: the page complains: {complaints}")


def look(page, url, name, report, screenshots, way):
    kind = report["schema"].split(".")[2]
    page.open(url)
    expect_no_complaints(page, f"{name}, {way}")
    for selector, wanted in MARKS[kind](report).items():
        seen = page.run("return document.querySelectorAll(arguments[0]).length", selector)
        expect(seen == wanted, f"{name}, {way}: {seen} of {selector}, and not {wanted}")
    missing = page.run("return [...document.querySelectorAll('.missing')].map((p) => p.textContent)")
    expect(not missing, f"{name}, {way}: {missing}")
    faults = page.run(FAULTS_OF_LAYOUT)
    expect(not faults, f"{name}, {way}: {'; '.join(faults[:5])}")
    if screenshots:
        page.screenshot(f"{screenshots}/report-{name}-{way}.png", whole_page=True)


def sheets_of(pdf):
    return len(re.findall(rb"/Type\s*/Page\b", pdf))


def put_on_paper(page, url, name, report, screenshots):
    kind = report["schema"].split(".")[2]
    for paper, size in PAPER.items():
        page.open(url)
        page.run(
            """window.addEventListener("beforeprint", () => {
                 window.widths = [...document.querySelectorAll(".sheet svg")]
                   .map((svg) => svg.viewBox.baseVal.width);
               });"""
        )
        pdf = page.print(*size)
        sheets = sheets_of(pdf)
        expect(1 <= sheets <= MOST_SHEETS.get(kind, MOST_OTHER_SHEETS), f"{name}: {sheets} sheets of {paper}")
        widths = page.run("return window.widths")
        expect(widths and set(widths) <= {330, 680}, f"{name}: not drawn for paper: {widths}")
        with open(f"{screenshots}/report-{name}-{paper}.pdf", "wb") as file:
            file.write(pdf)


# ---- reports that are not as they should be ----------------------------------------------------

ODD_VALUES = (
    None, True, -1, 0, 1e-300, 1e300, -1e300, "NaN", "", "x" * 3000, "</script><b>", [], {}, [[]],
    [None, "NaN", {}], {"a": {"b": [1]}}, [[1, "two"], [3]],
)  # fmt: skip


def places_in(value, path=()):
    """Every place in a report, as a list of keys; of long lists only the first few."""
    yield path
    if isinstance(value, dict):
        for key, below in value.items():
            yield from places_in(below, (*path, key))
    elif isinstance(value, list):
        for n, below in enumerate(value[:3]):
            yield from places_in(below, (*path, n))


def spoiled(draw, report):
    """A copy in which some values are others, or are not there."""
    copy = json.loads(json.dumps(report))
    for _ in range(draw.choice((1, 1, 2, 5))):
        path = draw.choice([path for path in places_in(copy) if path and path != ("schema",)])
        parent = copy
        for key in path[:-1]:
            parent = parent[key]
        if draw.random() < 0.3:
            del parent[path[-1]]
        else:
            parent[path[-1]] = draw.choice(ODD_VALUES)
    return copy


# Shows one report after another on the same page, and returns what went wrong.
SHOW_EACH = """
  const faults = [];
  for (const [n, report] of arguments[0].entries()) {
    for (const id of ["head", "body", "foot"]) document.getElementById(id).replaceChildren();
    charts.length = 0;
    cuts.clear();
    try {
      showReport(report);
    } catch (problem) {
      faults.push([n, String(problem.stack)]);
      continue;
    }
    const words = document.body.innerText.replaceAll('"NaN"', "").replace(/\\bNaN\\b(?=[,;\\n]|$)/g, "");
    for (const bad of ["undefined", "[object", "Infinity"]) {
      if (words.includes(bad)) faults.push([n, `"${bad}" is on the page`]);
    }
    for (const shape of document.querySelectorAll("svg *")) {
      for (const { name, value } of shape.attributes) {
        if (name !== "aria-label" && /NaN|Infinity|undefined/.test(value)) {
          faults.push([n, `<${shape.localName} ${name}="${value.slice(0, 80)}">`]);
        }
      }
    }
    if (document.documentElement.scrollWidth > document.documentElement.clientWidth) {
      faults.push([n, "wider than the screen"]);
    }
  }
  return faults;
"""


def try_odd_ones(page, url, reports, seed):
    draw = random.Random(seed)
    page.open(url)
    shown = 0
    for name in ("latency-clean", "capacity", "throughput", "loopback", "compare", "doctor"):
        for _ in range(5):
            some = [spoiled(draw, reports[name]) for _ in range(20)]
            faults = page.run(SHOW_EACH, some)
            shown += len(some)
            for n, fault in faults[:1]:
                expect(False, f"{name}, spoiled (seed {seed}): {fault}\n{json.dumps(some[n])[:3000]}")
    expect_no_complaints(page, "spoiled reports")
    return shown


def huge_report(reports):
    """As much as a file of tens of megabytes could hold."""
    report = json.loads(json.dumps(reports["loopback"]))
    report["response"] = [{"lag_frames": n, "value": 0.5} for n in range(300_000)]
    report["repeats"] *= 3000
    report["environment"]["list"] = list(range(100_000))
    return report


def try_a_huge_one(page, reports, folder, build):
    begun = time.monotonic()
    page.open(make_page(build, folder, "huge", huge_report(reports)))
    page.wait_until("document.getElementById('body').textContent.includes('are shown')")
    took = time.monotonic() - begun
    expect(took < 20, f"a huge report took {took:.1f} s")
    return took


# ---- all of it -----------------------------------------------------------------------------------


def make_page(build, folder, name, report):
    path = os.path.join(folder, name)
    with open(path + ".json", "w", encoding="utf-8") as file:
        json.dump(report, file)
    subprocess.run(
        [build + "/bin/firbank", "bench", "show", path + ".json", "--html", path + ".html"],
        check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    return "file://" + path + ".html"


def main():
    build = os.path.abspath(sys.argv[1])
    why_not = browser.missing()
    if why_not:
        print(f"skipped: {why_not}")
        return
    screenshots = build + "/screenshots"
    os.makedirs(screenshots, exist_ok=True)
    reports = made_up_reports.all_reports()
    shown = dict(reports)
    if len(sys.argv) > 2:
        shown = {}
        for path in sys.argv[2:]:
            with open(path, encoding="utf-8") as file:
                shown[os.path.basename(path).removesuffix(".json")] = json.load(file)
    with (
        tempfile.TemporaryDirectory() as folder,
        contextlib.closing(browser.Browser(1200, 900, folder + "/desk")) as desk,
        contextlib.closing(browser.Browser(390, 844, folder + "/phone", True)) as phone,
    ):
        for name, report in shown.items():
            url = make_page(build, folder, name, report)
            desk.prefer("light")
            look(desk, url, name, report, screenshots, "desk")
            put_on_paper(desk, url, name, report, screenshots)
            desk.prefer("dark")
            look(desk, url, name, report, screenshots, "dark")
            look(phone, url, name, report, screenshots, "phone")
        print(f"{len(shown)} reports are shown as they should be, on a desk, a phone and paper;")
        if len(sys.argv) == 2:
            odd = try_odd_ones(desk, url, reports, 20261122)
            took = try_a_huge_one(desk, reports, folder, build)
            print(f"{odd} spoiled ones break nothing, and a huge one takes {took:.1f} s;")
    print(f"screenshots are in {screenshots}")


main()
