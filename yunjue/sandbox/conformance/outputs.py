"""Probes of the files that a call leaves: only plain ones come out, and not too much."""

from __future__ import annotations

import os

from yunjue.sandbox.conformance.probe import Given, Judge, Probe, shown
from yunjue.types import CallOutcome

MOST_FILES = 8
MOST_BYTES = 1 << 20


def left(**wanted: bytes | None) -> Judge:
    """These files must have come out, and no others; None for any content."""

    def judge(outcome: CallOutcome, given: Given) -> str:
        if outcome.status != "ok":
            return f"it came to {shown(outcome)}"
        there = contents(given["_folder"])
        told = {file.name: file.size for file in outcome.files}
        if told != {name: len(data) for name, data in there.items()}:
            return f"{sorted(told)} were told of, {sorted(there)} came out"
        if there.keys() != wanted.keys():
            return f"{sorted(there)} came out"
        differing = [name for name, data in wanted.items() if data not in (None, there[name])]
        return f"{differing} came out changed" if differing else ""

    return judge


def contents(folder: os.PathLike) -> dict[str, bytes]:
    """name -> bytes of all that is below; what is no regular file counts as empty."""
    found = {}
    for top, folders, files in os.walk(folder):
        for name in [*files, *(one for one in folders if os.path.islink(os.path.join(top, one)))]:
            path = os.path.join(top, name)
            plain = os.path.isfile(path) and not os.path.islink(path)
            data = b""
            if plain:
                with open(path, "rb") as file:
                    data = file.read()
            found[os.path.relpath(path, folder)] = data
    return found


def bounded(outcome: CallOutcome, given: Given) -> str:
    there = contents(given["_folder"])
    size = sum(map(len, there.values()))
    if len(there) > MOST_FILES or size > MOST_BYTES or not there:
        return f"{len(there)} files of {size} bytes came out"
    return "" if outcome.left_out else "nothing says that files were left out"


PROBES = [
    Probe(
        "files that a call leaves come out as they are",
        "",
        """
        os.makedirs("outputs/tables", exist_ok=True)
        with open("outputs/report.txt", "wb") as file:
            file.write(bytes(range(256)))
        with open("outputs/tables/a.csv", "w") as file:
            file.write("a,b")
        os.chmod("outputs/tables/a.csv", 0o755)
        return OutputModel(result="left")
        """,
        left(**{"report.txt": bytes(range(256)), "tables/a.csv": b"a,b"}),
        outputs=True,
    ),
    Probe(
        "links do not come out",
        "",
        """
        os.makedirs("outputs", exist_ok=True)
        os.symlink("/etc/passwd", "outputs/passwd")
        os.symlink("/etc", "outputs/etc")
        os.symlink("../../../../../../etc/passwd", "outputs/up")
        os.symlink("loop", "outputs/loop")
        return OutputModel(result="left")
        """,
        left(),
        outputs=True,
    ),
    Probe(
        "a folder in the place of outputs is not followed",
        "",
        """
        os.rmdir("outputs") if os.path.isdir("outputs") else None
        os.symlink("/etc", "outputs")
        return OutputModel(result="left")
        """,
        left(),
        outputs=True,
    ),
    Probe(
        "pipes and sockets do not come out, and nothing waits for them",
        "",
        """
        os.makedirs("outputs", exist_ok=True)
        os.mkfifo("outputs/pipe")
        own = socket.socket(socket.AF_UNIX)
        try:
            own.bind("outputs/socket")
        except OSError:
            pass
        open("outputs/plain", "w").close()
        return OutputModel(result="left")
        """,
        left(plain=b""),
        outputs=True,
    ),
    Probe(
        "names that steer terminals, shells or paths do not come out",
        "",
        """
        os.makedirs("outputs", exist_ok=True)
        for name in (b"-rf", b".profile", b"a\\nb", b"\\x1b[31m", b"\\xff\\xfe", b"$(id)",
                     b"a;b", b"..x", b"~", b"x" * 255, "\\u202etxt.exe".encode()):
            open(b"outputs/" + name, "w").close()
        return OutputModel(result="left")
        """,
        left(),
        outputs=True,
    ),
    Probe(
        "what comes out is bounded",
        "",
        """
        os.makedirs("outputs", exist_ok=True)
        for number in range(40):
            with open(f"outputs/{number:02}", "wb") as file:
                file.write(bytes(200_000))
        return OutputModel(result="left")
        """,
        bounded,
        outputs=True,
    ),
    Probe(
        "folders without end come to nothing",
        "",
        """
        os.makedirs("outputs", exist_ok=True)
        open("outputs/plain", "w").close()
        os.chdir("outputs")
        for _ in range(1500):
            os.mkdir("d")
            os.chdir("d")
        open("deep", "w").close()
        return OutputModel(result="left")
        """,
        left(plain=b""),
        outputs=True,
    ),
]
