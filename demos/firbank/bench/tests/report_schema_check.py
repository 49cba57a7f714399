#!/usr/bin/env python3
"""Whether reports are as demos/firbank/bench/report/report.schema.json says.

    report_schema_check.py FILE...       checks these, such as what the commands wrote
    report_schema_check.py --made-up     checks invented reports of every kind, and that each of them
                                         is refused when it is spoiled

Ends with 1, and a line for each fault. "skipped: " and why stands for all of it where there is no
jsonschema for Python.
"""

import copy
import json
import os
import sys

import made_up_reports

SCHEMA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "report", "report.schema.json")


def validator():
    import jsonschema

    with open(SCHEMA, encoding="utf-8") as file:
        schema = json.load(file)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def refuse_constant(name):
    raise ValueError(f"{name} is no JSON")


def faults_of(schema, report):
    """A line for each."""
    return [
        f"{error.json_path}: {error.message[:200]}"
        for error in sorted(schema.iter_errors(report), key=lambda error: error.json_path)
    ]


# What spoils a report: a change to it, and the place that has to be named.
def without(*path):
    def change(report):
        del place(report, path[:-1])[path[-1]]

    return change, name_of(path[:-1])


def instead(value, *path):
    def change(report):
        parent = place(report, path[:-1])
        parent[path[-1]]  # it has to be there
        parent[path[-1]] = value

    return change, name_of(path)


def name_of(path):
    """As jsonschema has it: $.rows[0].name."""
    return "$" + "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path)


def place(report, path):
    for key in path:
        report = report[key]
    return report


SPOILED = {
    "latency": [
        without("headline"),
        without("runs", "engine", "times", "compute"),
        without("timing", "deadline_ns"),
        instead(None, "runs", "engine"),
        instead(-1, "runs", "engine", "times", "end_to_end", "p50_ns"),
        instead("NaN", "runs", "engine", "times", "end_to_end", "max_ns"),
        instead("bored", "runs", "engine", "misses", "list", 0, "cause"),
        instead([[1, 0]], "runs", "engine", "times", "work", "histogram"),
        instead("yesterday", "date"),
        instead("perhaps", "verdict", "usable"),
        instead("firbank.bench.latency.2", "schema"),
    ],
    "capacity": [
        without("crossover"),
        instead(0, "frontier", 0, "block_frames"),
        instead("yes", "frontier", 0, "steps", 0, "in_time"),
        instead("inputs", "setting", "varied"),
    ],
    "throughput": [
        without("rows", 0, "share_of_peak"),
        instead(-1, "ceilings", "peak_flops_per_s"),
        instead("memory", "rows", 0, "bound_by"),
    ],
    "loopback": [
        without("claimed", "total_frames"),
        instead(0, "round_trip", "polarity"),
        instead(-1, "claimed", "input_s"),
    ],
    "compare": [
        without("figure", "better"),
        instead("perhaps", "results", 0, "verdict"),
        instead(["one"], "setting", "programs"),
    ],
    "doctor": [
        without("readings", 0, "advice"),
        instead("bad", "readings", 0, "state"),
        instead([], "readings"),
    ],
}


def check_made_up(schema):
    reports = made_up_reports.all_reports()
    bad = [f"{name}: {fault}" for name, report in reports.items() for fault in faults_of(schema, report)]
    spoiled = 0
    for kind, changes in SPOILED.items():
        for number, (change, named) in enumerate(changes, 1):
            report = copy.deepcopy(reports[kind])
            change(report)
            faults = faults_of(schema, report)
            spoiled += 1
            if not any(fault.startswith(named) for fault in faults):
                bad.append(f"{kind}: spoiled in way {number}, and not refused: {faults}")
    print(f"{len(reports)} made-up reports checked, {spoiled} spoiled ones to be refused")
    return bad


def check_files(schema, paths):
    bad = []
    for path in paths:
        try:
            with open(path, encoding="utf-8") as file:
                report = json.load(file, parse_constant=refuse_constant)
        except (OSError, ValueError) as error:
            bad.append(f"{path}: {error}")
            continue
        faults = faults_of(schema, report)
        bad += [f"{path}: {fault}" for fault in faults]
        if not faults:
            print(f"{path}: {report['schema']}")
    return bad


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    try:
        schema = validator()
    except ImportError:
        print("skipped: jsonschema is not installed (Debian: python3-jsonschema)")
        return
    made_up = sys.argv[1:] == ["--made-up"]
    bad = check_made_up(schema) if made_up else check_files(schema, sys.argv[1:])
    for line in bad:
        print(f"FAILED: {line}")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
