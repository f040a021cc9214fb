"""Picks fields of JSON records by dotted paths."""

import argparse
import csv
import json
import sys

MISSING = object()


def at(value, path):
    if not path:
        return value
    head, _, rest = path.partition(".")
    if head == "*" and isinstance(value, list):
        found = [at(item, rest) for item in value]
        return MISSING if MISSING in found else found
    if isinstance(value, list) and head.isdigit() and int(head) < len(value):
        return at(value[int(head)], rest)
    if isinstance(value, dict) and head in value:
        return at(value[head], rest)
    return MISSING


def leaves(value, path=""):
    if isinstance(value, dict) and value:
        for name, item in value.items():
            yield from leaves(item, f"{path}.{name}" if path else name)
    elif isinstance(value, list) and value:
        yield from leaves(value[0], f"{path}.0" if path else "0")
    else:
        yield path, value


def records_of(text, path):
    try:
        value = json.loads(text)
    except ValueError:
        try:
            value = [json.loads(line) for line in text.splitlines() if line.strip()]
        except ValueError as error:
            sys.exit(f"the file is neither JSON nor JSON lines: {error}")
    found = at(value, path)
    if found is MISSING:
        sys.exit(f"there is nothing at {path!r}")
    return found if isinstance(found, list) else [found]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("file")
    parser.add_argument("--records", default="")
    parser.add_argument("--paths", action="store_true")
    parser.add_argument("--pick", action="append", default=[], metavar="NEW=PATH")
    parser.add_argument("--default")
    parser.add_argument("--csv", action="store_true")
    options = parser.parse_args()
    if options.file == "-":
        text = sys.stdin.read()
    else:
        with open(options.file, encoding="utf-8-sig") as file:
            text = file.read()
    records = records_of(text, options.records)
    if options.paths or not options.pick:
        for path, value in leaves(records[0] if records else {}):
            print(f"{path}: {json.dumps(value, ensure_ascii=False)}")
        return
    picks = [one.partition("=")[::2] for one in options.pick]
    rows = []
    for number, record in enumerate(records):
        row = {name: at(record, path) for name, path in picks}
        for name, path in picks:
            if row[name] is MISSING:
                if options.default is None:
                    sys.exit(f"record {number} has nothing at {path!r}")
                row[name] = options.default
        rows.append(row)
    if options.csv:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow([name for name, _ in picks])
        for row in rows:
            cells = (json.dumps(v) if isinstance(v, (dict, list)) else v for v in row.values())
            writer.writerow(cells)
    else:
        for row in rows:
            print(json.dumps(row, ensure_ascii=False))


main()
