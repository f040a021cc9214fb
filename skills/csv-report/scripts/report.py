"""Groups CSV rows by a column and aggregates a number column."""

import argparse
import csv
import io
import sys
from decimal import Decimal, InvalidOperation


def number(text):
    try:
        value = Decimal(text.strip().replace(" ", ""))
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


def shown(value):
    text = f"{value:.4f}".rstrip("0").rstrip(".")
    return "0" if text in ("", "-0") else text


def row(name, values):
    mean = sum(values) / len(values)
    cells = [len(values), *map(shown, (sum(values), mean, min(values), max(values)))]
    return f"| {name} | " + " | ".join(map(str, cells)) + " |"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("file", help="a CSV file, or - for stdin")
    parser.add_argument("--by", help="column that groups")
    parser.add_argument("--value", help="column of numbers")
    parser.add_argument("--where", action="append", default=[], metavar="COLUMN=VALUE")
    options = parser.parse_args()
    if options.file == "-":
        text = sys.stdin.read()
    else:
        with open(options.file, encoding="utf-8-sig", newline="") as file:
            text = file.read()
    reader = csv.DictReader(io.StringIO(text))
    columns, rows = reader.fieldnames or [], list(reader)
    if not options.by or not options.value:
        for column in columns:
            print(f"{column}: {rows[0][column] if rows else ''}")
        return
    wanted = [one.partition("=") for one in options.where]
    for column in [options.by, options.value, *(one[0] for one in wanted)]:
        if column not in columns:
            parser.error(f"there is no column {column!r}; there are: {', '.join(columns)}")
    groups, left_out = {}, 0
    for one in rows:
        if any(one[column] != value for column, _, value in wanted):
            continue
        value = number(one[options.value] or "")
        if value is None:
            left_out += 1
        else:
            groups.setdefault(one[options.by], []).append(value)
    if not groups:
        sys.exit("no row is left to report on")
    print(f"| {options.by} | count | sum | mean | least | greatest |")
    print("|---|---|---|---|---|---|")
    for name in sorted(groups):
        print(row(name, groups[name]))
    print(row("all", [value for values in groups.values() for value in values]))
    if left_out:
        print(f"\n{left_out} rows without a number in {options.value} are left out.")


main()
