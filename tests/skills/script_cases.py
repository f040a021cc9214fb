"""What the scripts of the shipped skills print, worked out without them."""

from __future__ import annotations

CSV = "kind,price\na,1.5\nb,2\na,2.5\nb,x\n"
LOG = """2024-05-01T10:00:00Z INFO start
2024-05-01T10:00:05Z ERROR timeout after 30 s for job 17
2024-05-01T10:02:05Z ERROR timeout after 31 s for job 18
2024-05-01T10:03:00Z WARN disk at 91 %
"""
RECORDS = '{"data": [{"id": 1, "who": {"name": "A"}, "n": [1, 2]}, {"id": 2, "who": {}, "n": []}]}'
CHANGES = "feat(cli): add export\nfix: no crash\nfix!: drop old flag\nsomething else\n"
# (script, arguments, stdin, what it prints; a list of parts of it)
CASES = {
    "report": (
        "csv-report/scripts/report.py",
        ["-", "--by", "kind", "--value", "price"],
        CSV,
        ["| a | 2 | 4 | 2 | 1.5 | 2.5 |", "| all | 3 | 6 | 2 | 1.5 | 2.5 |", "1 rows without"],
    ),
    "report columns": ("csv-report/scripts/report.py", ["-"], CSV, "kind: a\nprice: 1.5"),
    "report where": (
        "csv-report/scripts/report.py",
        ["-", "--by", "kind", "--value", "price", "--where", "kind=b"],
        CSV,
        ["| all | 1 | 2 | 2 | 2 | 2 |"],
    ),
    "fahrenheit": ("unit-conversion-sheet/scripts/convert.py", ["-40", "degF", "degC"], "", "-40"),
    "atmosphere": ("unit-conversion-sheet/scripts/convert.py", ["1", "atm", "bar"], "", "1.01325"),
    "sheet": (
        "unit-conversion-sheet/scripts/convert.py",
        ["1", "nmi"],
        "",
        ["1852 m", "1.852 km", "1 nmi"],
    ),
    "difference": ("unit-conversion-sheet/scripts/convert.py", ["10", "dK", "ddegF"], "", "18"),
    "triage": (
        "log-triage/scripts/triage.py",
        ["-", "--level", "error"],
        LOG,
        [
            "4 lines: ERROR 2, INFO 1, WARN 1",
            "2 x ERROR timeout after # s for job #",
            "first 2024-05-01T10:00:05Z, last 2024-05-01T10:02:05Z",
        ],
    ),
    "annuity": (
        "financial-schedule/scripts/schedule.py",
        ["1000", "12", "12", "--period", "1"],
        "",
        ["1;88.85;10.00;78.85;921.15"],
    ),
    "annuity ends at zero": (
        "financial-schedule/scripts/schedule.py",
        ["1000", "12", "12", "--period", "12"],
        "",
        [";0.00"],
    ),
    "linear": (
        "financial-schedule/scripts/schedule.py",
        ["1200", "12", "12", "--kind", "linear", "--total"],
        "",
        "78.00",
    ),
    "no interest": ("financial-schedule/scripts/schedule.py", ["100", "0", "3"], "", ["3;33.34;0"]),
    "pick": (
        "json-reshape/scripts/reshape.py",
        ["-", "--records", "data", "--pick", "who=who.name", "--pick", "n=n.*", "--default", "?"],
        RECORDS,
        '{"who": "A", "n": [1, 2]}\n{"who": "?", "n": []}',
    ),
    "pick as csv": (
        "json-reshape/scripts/reshape.py",
        ["-", "--records", "data", "--pick", "id=id", "--csv"],
        RECORDS,
        "id\n1\n2",
    ),
    "paths": (
        "json-reshape/scripts/reshape.py",
        ["-", "--records", "data", "--paths"],
        RECORDS,
        'id: 1\nwho.name: "A"\nn.0: 1',
    ),
    "notes": (
        "release-notes/scripts/notes.py",
        ["-", "--version", "1.4.2"],
        CHANGES,
        ["## 2.0.0", "### Breaking\n\n- drop old flag", "- cli: add export", "- something else"],
    ),
    "next": (
        "release-notes/scripts/notes.py",
        ["-", "--version", "v0.4.2", "--next"],
        CHANGES,
        "0.5.0",
    ),
    "polygon": (
        "geometry-checks/scripts/polygon.py",
        ["0,0", "4,0", "4,3", "0,3", "0,0"],
        "",
        "area: 12\nperimeter: 14\ncentroid: 2,1.5\norientation: counterclockwise\n"
        "convex: yes\nsimple: yes",
    ),
    "crossing": (
        "geometry-checks/scripts/polygon.py",
        ["0,0", "4,4", "4,0", "0,2", "--only", "simple"],
        "",
        "no",
    ),
    "edge": (
        "geometry-checks/scripts/polygon.py",
        ["0,0", "4,0", "4,4", "--inside", "2,2"],
        "",
        "on the edge",
    ),
    "plan": (
        "subnet-plan/scripts/plan.py",
        ["10.0.0.0/24", "lab=20", "office=100", "link=2"],
        "",
        "name;subnet;first;last;usable\n"
        "office;10.0.0.0/25;10.0.0.1;10.0.0.126;126\n"
        "lab;10.0.0.128/27;10.0.0.129;10.0.0.158;30\n"
        "link;10.0.0.160/30;10.0.0.161;10.0.0.162;2\n"
        "free;10.0.0.164/30\nfree;10.0.0.168/29\nfree;10.0.0.176/28\nfree;10.0.0.192/26",
    ),
}

WRONG = {
    "no column": (
        "csv-report/scripts/report.py",
        ["-", "--by", "x", "--value", "y"],
        "no column 'x'",
    ),
    "kinds": (
        "unit-conversion-sheet/scripts/convert.py",
        ["1", "m", "kg"],
        "m is length, kg is mass",
    ),
    "too many": ("subnet-plan/scripts/plan.py", ["10.0.0.0/30", "a=9"], "12 more than 10.0.0.0/30"),
    "no area": ("geometry-checks/scripts/polygon.py", ["0,0", "1,1", "2,2"], "lie on one line"),
    "no version": ("release-notes/scripts/notes.py", ["-", "--version", "one"], "is no version"),
    "no number": (
        "financial-schedule/scripts/schedule.py",
        ["x", "1", "1"],
        "must be plain numbers",
    ),
    "no json": ("json-reshape/scripts/reshape.py", ["-"], "neither JSON nor JSON lines"),
}
