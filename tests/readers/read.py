"""Reads reports in JSON, JUnit's XML and CSV with readers that are not the program's own.

usage: read.py SCHEMA DIRECTORY

Every report in the directory is read. What is wrong with one is printed, and the exit status is 1.
"""

import copy
import csv
import json
import pathlib
import sys

import jsonschema
import junitparser


def strict(schema):
    """The schema with no further fields: what is not in it is not documented."""
    schema = copy.deepcopy(schema)

    def close(node):
        if isinstance(node, dict):
            if "properties" in node:
                node.setdefault("additionalProperties", False)
            for value in node.values():
                close(value)
        elif isinstance(node, list):
            for value in node:
                close(value)

    close(schema)
    return schema


def read_json(path, validator):
    lines = path.read_text(encoding="utf-8").splitlines()
    yield from (error_at(path, error) for line in lines for error in validator.iter_errors(json.loads(line)))
    if not lines:
        yield f"{path.name}: no line"


def error_at(path, error):
    return f"{path.name}: {'/'.join(map(str, error.absolute_path))}: {error.message[:300]}"


def read_junit(path):
    targets = len(path.with_suffix(".json").read_text(encoding="utf-8").splitlines())
    report = junitparser.JUnitXml.fromfile(str(path))
    cases = [case for suite in report for case in suite]
    failed = sum(bool(case.result) for case in cases)
    if len(cases) != targets or report.tests != targets:
        yield f"{path.name}: {len(cases)} cases, {report.tests} counted, {targets} targets"
    if report.failures + report.errors != failed:
        yield f"{path.name}: {failed} failed, {report.failures} and {report.errors} counted"
    if len({(case.classname, case.name) for case in cases}) != len(cases):
        yield f"{path.name}: two cases of one name"


def read_csv(path):
    objects = [json.loads(line) for line in path.with_suffix(".json").read_text(encoding="utf-8").splitlines()]
    cut = [target["unfinished"] for target in objects if "unfinished" in target]
    objects = [target for target in objects if "unfinished" not in target]
    # JSON is written as the targets end, a table in the order of the file.
    objects.sort(key=lambda target: target["source"]["line"] or 0)
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, strict=True))
    for count, row in zip(cut, rows[len(objects):]):
        if (row["verdict"], row["title"]) != ("interrupted", f"{count} not finished"):
            yield f"{path.name}: {count} not finished, but {row}"
    if len(rows) != len(objects) + len(cut):
        yield f"{path.name}: {len(rows)} rows, {len(objects)} targets"
    for row, target in zip(rows, objects):
        if None in row or None in row.values():
            yield f"{path.name}: a row with more or fewer cells than columns: {row}"
        if (row["verdict"], row["exit_code"]) != (target["verdict"], str(target["exit_code"])):
            yield f"{path.name}: {row['verdict']} {row['exit_code']}, but in JSON {target['verdict']} {target['exit_code']}"
        if any(value in ("null", "None") for value in row.values()):
            yield f"{path.name}: null: {row}"
        leaf = [link["not_after"] for link in target["chain"] if link["role"] == "leaf"]
        if leaf and leaf[0] and row["not_after"] != leaf[0]:
            yield f"{path.name}: ends {row['not_after']}, the chain {leaf[0]}"


def main(schema, directory):
    schema = json.loads(pathlib.Path(schema).read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(strict(schema))
    wrong, read = [], 0
    for path in sorted(pathlib.Path(directory).iterdir()):
        reader = {".json": lambda path: read_json(path, validator), ".xml": read_junit, ".csv": read_csv}.get(path.suffix)
        if reader:
            read += 1
            wrong += reader(path)
    print("\n".join(wrong))
    print(f"{read} reports read")
    return bool(wrong) or not read


sys.exit(main(*sys.argv[1:]))
