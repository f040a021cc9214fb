"""Counts levels and groups messages of a log."""

import argparse
import re
import sys
from collections import Counter

LEVEL = re.compile(r"\b(TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|CRITICAL|FATAL)\b", re.I)
TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?")
VARIABLE = re.compile(
    r"'[^']*'|\"[^\"]*\"|\b0x[0-9a-f]+\b|\b(?=[0-9a-f-]*\d)[0-9a-f-]{8,}\b|\d+", re.I
)


def level_of(line):
    found = LEVEL.search(line)
    name = found[1].upper() if found else "OTHER"
    return {"WARNING": "WARN", "FATAL": "CRITICAL"}.get(name, name)


def message_of(line):
    rest = TIME.sub("", line)
    found = LEVEL.search(rest)
    return (rest[found.end() :] if found else rest).strip(" \t:-[]|")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("file")
    parser.add_argument("--level", type=str.upper)
    parser.add_argument("--like", default="")
    parser.add_argument("--top", type=int, default=10)
    options = parser.parse_args()
    file = sys.stdin if options.file == "-" else open(options.file, errors="replace")
    levels, groups, total = Counter(), {}, 0
    for line in file:
        line = line.rstrip("\n")
        if not line.strip():
            continue
        total += 1
        level, message = level_of(line), message_of(line)
        levels[level] += 1
        if options.level not in (None, level) or options.like not in message:
            continue
        found = TIME.search(line)
        time = found[0] if found else f"line {total}"
        group = groups.setdefault((level, VARIABLE.sub("#", message)), [0, time, time, message])
        group[0] += 1
        group[2] = time
    print(f"{total} lines: " + ", ".join(f"{name} {count}" for name, count in levels.most_common()))
    ranked = sorted(groups.items(), key=lambda one: -one[1][0])
    for (level, pattern), (count, first, last, example) in ranked[: options.top]:
        print(f"{count} x {level} {pattern[:160]}")
        print(f"    first {first}, last {last}; such as: {example[:160]}")
    if len(ranked) > options.top:
        print(f"and {len(ranked) - options.top} more groups")


main()
