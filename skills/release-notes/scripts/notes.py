"""Release notes and the next version from change subjects."""

import argparse
import re
import sys

LINE = re.compile(r"(?P<kind>[a-z]+)(?:\((?P<scope>[^)]*)\))?(?P<breaks>!)?:\s*(?P<text>.+)")
SECTIONS = {"feat": "Added", "fix": "Fixed", "perf": "Faster", "docs": "Documentation"}
ORDER = ("Breaking", "Added", "Fixed", "Faster", "Documentation", "Other")
VERSION = re.compile(r"v?(\d+)\.(\d+)\.(\d+)")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("file")
    parser.add_argument("--version", required=True, metavar="CURRENT")
    parser.add_argument("--next", action="store_true")
    options = parser.parse_args()
    found = VERSION.fullmatch(options.version)
    if not found:
        parser.error(f"{options.version!r} is no version such as 1.4.2")
    text = sys.stdin.read() if options.file == "-" else open(options.file).read()
    sections = {name: [] for name in ORDER}
    for line in text.splitlines():
        line = re.sub(r"^\s*(?:[-*]|[0-9a-f]{7,40})\s+", "", line).strip()
        if not line:
            continue
        parts = LINE.fullmatch(line)
        if not parts:
            sections["Other"].append(line)
            continue
        told = f"{parts['scope']}: {parts['text']}" if parts["scope"] else parts["text"]
        breaks = parts["breaks"] or "BREAKING CHANGE" in line
        sections["Breaking" if breaks else SECTIONS.get(parts["kind"], "Other")].append(told)
    if not any(sections.values()):
        sys.exit("there is no change in the list")
    major, minor, patch = map(int, found.groups())
    if sections["Breaking"] and major:
        version = f"{major + 1}.0.0"
    elif sections["Breaking"] or sections["Added"]:
        version = f"{major}.{minor + 1}.0"
    else:
        version = f"{major}.{minor}.{patch + 1}"
    if options.next:
        print(version)
        return
    print(f"## {version}")
    for name in ORDER:
        if sections[name]:
            print(f"\n### {name}\n")
            print("\n".join(f"- {one}" for one in sections[name]))


main()
