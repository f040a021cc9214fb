"""Writes and verifies manifests of checksums."""

import argparse
import hashlib
import os
import pathlib
import re
import sys

LINE = re.compile(r"([0-9a-fA-F]{32,128}) [ *](.+)")


def digest(path, algorithm):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()


def write(paths, algorithm):
    lines = [f"{digest(path, algorithm)}  {os.path.basename(path)}" for path in paths]
    lines.sort(key=lambda line: line.split("  ", 1)[1])
    text = "\n".join(lines) + "\n"
    print(text, end="")
    folder = pathlib.Path("outputs")
    folder.mkdir(exist_ok=True)
    (folder / f"{algorithm.upper()}SUMS").write_text(text)


def verify(manifest, paths, algorithm):
    files = {os.path.basename(path): path for path in paths}
    good, listed = True, set()
    for number, line in enumerate(pathlib.Path(manifest).read_text().splitlines(), 1):
        found = LINE.fullmatch(line)
        if not found:
            sys.exit(f"line {number} of the manifest is not DIGEST  NAME")
        name = os.path.basename(found[2])
        listed.add(name)
        if name not in files:
            print(f"{name}: MISSING")
            good = False
        elif digest(files[name], algorithm) == found[1].lower():
            print(f"{name}: OK")
        else:
            print(f"{name}: FAILED")
            good = False
    for name in sorted(set(files) - listed):
        print(f"{name}: not in the manifest")
    print("verified" if good else "not verified")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--algorithm", default="sha256", choices=["sha256", "sha384", "sha512"])
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("write").add_argument("files", nargs="+")
    checking = commands.add_parser("verify")
    checking.add_argument("manifest")
    checking.add_argument("files", nargs="*")
    options = parser.parse_args()
    try:
        if options.command == "write":
            write(options.files, options.algorithm)
        else:
            verify(options.manifest, options.files, options.algorithm)
    except OSError as error:
        sys.exit(f"{error.filename}: {error.strerror}")


main()
