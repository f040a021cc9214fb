"""Writes the domain's tasks: small repositories with a fault each, as archives, and checks that
the agent never sees. ``tests/test_tasks.py`` shows that the checks fail before the mend and pass
after it; what they expect comes from the standard library or from other code.

    python scripts/make_tasks.py
"""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "yunjue_code" / "tasks"


@dataclass(frozen=True)
class Fault:
    """A repository of one module, its tests, the mend, and what is checked unseen.

    Attributes:
        old, new: the mend: text of the module, and what replaces it.
    """

    name: str
    task: str
    module: str
    source: str
    test: str
    old: str
    new: str
    check: str


FAULTS = [
    Fault(
        "words",
        "count_words counts empty words when a text has double spaces. Mend it.",
        "words",
        'def count_words(text):\n    """How many words the text has."""\n'
        '    return len(text.split(" "))\n',
        'from words import count_words\n\n\ndef test_plain():\n    assert count_words("a b") == 2\n'
        '\n\ndef test_double():\n    assert count_words("a  b") == 2\n',
        'text.split(" ")',
        "text.split()",
        "import re\n\nfrom words import count_words\n\n\ndef test_all():\n"
        '    for text in ("", " ", "a\\tb", "one  two\\nthree ", "x"):\n'
        '        assert count_words(text) == len(re.findall(r"\\S+", text))\n',
    ),
    Fault(
        "leap",
        "is_leap is wrong for years such as 1900. Mend it.",
        "years",
        'def is_leap(year):\n    """Whether the year has 366 days."""\n    return year % 4 == 0\n',
        "from years import is_leap\n\n\ndef test_leap():\n    assert is_leap(2024)\n"
        "    assert not is_leap(1900)\n    assert is_leap(2000)\n",
        "return year % 4 == 0",
        "return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)",
        "import calendar\n\nfrom years import is_leap\n\n\ndef test_all():\n"
        "    for year in range(1600, 2500):\n"
        "        assert bool(is_leap(year)) == calendar.isleap(year)\n",
    ),
    Fault(
        "clamp",
        "clamp gives back the wrong bound. Mend it.",
        "bounds",
        'def clamp(value, low, high):\n    """The value, or the nearer bound."""\n'
        "    if value < low:\n        return high\n    if value > high:\n        return low\n"
        "    return value\n",
        "from bounds import clamp\n\n\ndef test_clamp():\n    assert clamp(5, 1, 3) == 3\n"
        "    assert clamp(0, 1, 3) == 1\n    assert clamp(2, 1, 3) == 2\n",
        "        return high\n    if value > high:\n        return low",
        "        return low\n    if value > high:\n        return high",
        "from bounds import clamp\n\n\ndef test_all():\n    for value in range(-9, 9):\n"
        "        assert clamp(value, -3, 4) == sorted((value, -3, 4))[1]\n",
    ),
    Fault(
        "median",
        "median is wrong for lists of even length: it should be the mean of the middle two.",
        "stats",
        'def median(values):\n    """The middle value."""\n    ordered = sorted(values)\n'
        "    return ordered[len(ordered) // 2]\n",
        "from stats import median\n\n\ndef test_odd():\n    assert median([3, 1, 2]) == 2\n"
        "\n\ndef test_even():\n    assert median([4, 1, 2, 3]) == 2.5\n",
        "    return ordered[len(ordered) // 2]",
        "    middle = len(ordered) // 2\n    if len(ordered) % 2:\n        return ordered[middle]\n"
        "    return (ordered[middle - 1] + ordered[middle]) / 2",
        "import statistics\n\nfrom stats import median\n\n\ndef test_all():\n"
        "    for count in range(1, 9):\n        values = [7 * n % 10 for n in range(count)]\n"
        "        assert median(values) == statistics.median(values)\n",
    ),
    Fault(
        "search",
        "find does not find the last value of a list. Mend the binary search.",
        "searching",
        'def find(values, wanted):\n    """The place of wanted in the sorted values, or -1."""\n'
        "    low, high = 0, len(values) - 1\n    while low < high:\n"
        "        middle = (low + high) // 2\n        if values[middle] == wanted:\n"
        "            return middle\n        if values[middle] < wanted:\n"
        "            low = middle + 1\n        else:\n            high = middle - 1\n    return -1\n",
        "from searching import find\n\n\ndef test_find():\n    assert find([1, 3, 5], 3) == 1\n"
        "    assert find([1, 3, 5], 5) == 2\n    assert find([1, 3, 5], 4) == -1\n",
        "while low < high:",
        "while low <= high:",
        "from searching import find\n\n\ndef test_all():\n    values = list(range(0, 40, 3))\n"
        "    for wanted in range(-2, 45):\n"
        "        known = values.index(wanted) if wanted in values else -1\n"
        "        assert find(values, wanted) == known\n",
    ),
    Fault(
        "roman",
        "to_roman writes 4 as IIII; it should be IV, and 9, 40, 90, 400 and 900 alike.",
        "numerals",
        'PARTS = [(1000, "M"), (500, "D"), (100, "C"), (50, "L"), (10, "X"), (5, "V"), (1, "I")]\n'
        '\n\ndef to_roman(number):\n    """The number in Roman numerals."""\n    text = ""\n'
        "    for value, letters in PARTS:\n        text += letters * (number // value)\n"
        "        number %= value\n    return text\n",
        'from numerals import to_roman\n\n\ndef test_roman():\n    assert to_roman(7) == "VII"\n'
        '    assert to_roman(4) == "IV"\n    assert to_roman(944) == "CMXLIV"\n',
        '[(1000, "M"), (500, "D"), (100, "C"), (50, "L"), (10, "X"), (5, "V"), (1, "I")]',
        '[\n    (1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"), (50, "L"),\n'
        '    (40, "XL"), (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"),\n]',
        "from numerals import to_roman\n\nVALUES = dict(I=1, V=5, X=10, L=50, C=100, D=500, M=1000)\n"
        "\n\ndef value(text):\n    numbers = [VALUES[letter] for letter in text] + [0]\n"
        "    return sum(-a if a < b else a for a, b in zip(numbers, numbers[1:], strict=False))\n"
        "\n\ndef test_all():\n    for number in range(1, 4000):\n"
        "        text = to_roman(number)\n        assert value(text) == number\n"
        "        assert not any(letter * 4 in text for letter in VALUES)\n",
    ),
    Fault(
        "slug",
        "slugify leaves several dashes in a row and at the ends. There should be one between words.",
        "slugs",
        'def slugify(text):\n    """The text in small letters and digits, with dashes."""\n'
        '    return "".join(c if c.isalnum() else "-" for c in text.lower())\n',
        'from slugs import slugify\n\n\ndef test_slug():\n    assert slugify("Big Day") == "big-day"\n'
        '    assert slugify("Oh, no!") == "oh-no"\n',
        '    return "".join(c if c.isalnum() else "-" for c in text.lower())',
        '    plain = "".join(c if c.isalnum() else " " for c in text.lower())\n'
        '    return "-".join(plain.split())',
        "import re\n\nfrom slugs import slugify\n\n\ndef test_all():\n"
        '    for text in ("A  b", "--x--", "1, 2; 3", "", "plain"):\n'
        '        assert slugify(text) == "-".join(re.findall("[a-z0-9]+", text.lower()))\n',
    ),
    Fault(
        "total",
        "total counts the header line of the table and fails. It should skip it.",
        "tables",
        'def total(text, column):\n    """The sum of a column, counted from 0, of CSV text with a '
        'header."""\n    lines = text.strip().splitlines()\n'
        '    return sum(float(line.split(",")[column]) for line in lines)\n',
        'from tables import total\n\n\ndef test_total():\n    assert total("a,b\\n1,2\\n3,4", 1) == 6\n',
        "text.strip().splitlines()",
        "text.strip().splitlines()[1:]",
        "import csv\nimport io\n\nfrom tables import total\n\n\ndef test_all():\n"
        '    text = "x,y,z\\n1,2.5,3\\n4,5,6\\n-1,0,9\\n"\n'
        "    rows = list(csv.DictReader(io.StringIO(text)))\n"
        '    for place, name in enumerate("xyz"):\n'
        "        assert total(text, place) == sum(float(row[name]) for row in rows)\n",
    ),
    Fault(
        "cache",
        "When the cache is full it drops the entry that was used last. It should drop the one "
        "that was not used for longest.",
        "caches",
        'class Cache:\n    """Keeps as many entries as its size, the lately used ones."""\n\n'
        "    def __init__(self, size):\n        self.size = size\n        self.entries = {}\n\n"
        "    def get(self, key):\n        value = self.entries.pop(key, None)\n"
        "        if value is not None:\n            self.entries[key] = value\n"
        "        return value\n\n    def put(self, key, value):\n"
        "        self.entries.pop(key, None)\n        if len(self.entries) >= self.size:\n"
        "            self.entries.popitem()\n        self.entries[key] = value\n",
        "from caches import Cache\n\n\ndef test_cache():\n    cache = Cache(2)\n"
        '    cache.put("a", 1)\n    cache.put("b", 2)\n    cache.get("a")\n    cache.put("c", 3)\n'
        '    assert cache.get("a") == 1\n    assert cache.get("b") is None\n',
        "self.entries.popitem()",
        "del self.entries[next(iter(self.entries))]",
        "from collections import OrderedDict\n\nfrom caches import Cache\n\n\ndef test_all():\n"
        "    cache, known = Cache(3), OrderedDict()\n    for turn in range(60):\n"
        "        key = turn * turn % 7\n        if turn % 3:\n            cache.put(key, turn + 1)\n"
        "            known[key] = turn + 1\n            known.move_to_end(key)\n"
        "            while len(known) > 3:\n                known.popitem(last=False)\n"
        "        else:\n            assert cache.get(key) == known.get(key)\n"
        "            if key in known:\n                known.move_to_end(key)\n",
    ),
    Fault(
        "duration",
        "seconds_of forgets the minutes of a duration such as 1h30m. Mend it.",
        "durations",
        "import re\n\n\n"
        'def seconds_of(text):\n    """The seconds of a duration such as 1h30m or 45s."""\n'
        '    found = re.fullmatch(r"(?:(\\d+)h)?(?:(\\d+)m)?(?:(\\d+)s)?", text)\n'
        "    hours, minutes, seconds = (int(part or 0) for part in found.groups())\n"
        "    return hours * 3600 + seconds\n",
        'from durations import seconds_of\n\n\ndef test_duration():\n    assert seconds_of("2h") == 7200\n'
        '    assert seconds_of("1h30m") == 5400\n    assert seconds_of("45s") == 45\n',
        "hours * 3600 + seconds",
        "hours * 3600 + minutes * 60 + seconds",
        "from datetime import timedelta\n\nfrom durations import seconds_of\n\n\ndef test_all():\n"
        "    for hours in range(3):\n        for minutes in range(0, 60, 7):\n"
        "            for seconds in (0, 1, 59):\n"
        "                known = timedelta(hours=hours, minutes=minutes, seconds=seconds)\n"
        '                text = f"{hours}h{minutes}m{seconds}s"\n'
        "                assert seconds_of(text) == known.total_seconds()\n",
    ),
]


def archive(files: dict[str, str]) -> bytes:
    """The same bytes for the same files."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as tar:
        for name, text in sorted(files.items()):
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))
    return gzip.compress(raw.getvalue(), mtime=0)


def main() -> None:
    for folder in ("files", "checks"):
        (FOLDER / folder).mkdir(parents=True, exist_ok=True)
    rows = []
    for fault in FAULTS:
        files = {
            f"{fault.module}.py": fault.source,
            f"test_{fault.module}.py": fault.test,
            "README.md": f"# {fault.module}\n\nOne module and its tests; run pytest.\n",
        }
        (FOLDER / "files" / f"{fault.name}.tar.gz").write_bytes(archive(files))
        check = f"checks/check_{fault.name}.py"
        (FOLDER / check).write_text(fault.check, "utf-8")
        rows.append(
            {
                "id": fault.name,
                "task": f"{fault.task} The function is in {fault.module}.py.",
                "files": [f"files/{fault.name}.tar.gz"],
                "check": check,
            }
        )
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (FOLDER / "tasks.jsonl").write_text(text, "utf-8")
    print(f"{len(rows)} tasks")


if __name__ == "__main__":
    main()
