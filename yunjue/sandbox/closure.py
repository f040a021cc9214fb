"""The shared libraries a set of binaries needs, found with the system's own ``ldd``."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

from yunjue.errors import SandboxUnavailable

ASSUMED = ("libstdc++.so.6", "libgcc_s.so.1", "libm.so.6", "libdl.so.2", "librt.so.1")
ASSUMED += ("libpthread.so.0", "libutil.so.1", "libz.so.1")
"""What wheels may use without bringing it (the manylinux agreement)."""

_LINE = re.compile(r"^\s*(?:(\S+) => )?(/\S+) \(0x[0-9a-f]+\)$", re.MULTILINE)


def libraries(binaries: Iterable[Path]) -> dict[str, Path]:
    """Name a program asks for -> the file, for all that ``binaries`` need, the program
    loader included, and for those of :data:`ASSUMED` that this system has."""
    found = _ldd(binaries)
    folders = {path.parent for path in found.values()}
    folders |= {Path("/usr") / folder.relative_to("/") for folder in folders}
    assumed = [folder / name for name in ASSUMED for folder in folders]
    more = [path for path in assumed if path.exists() and path.name not in found]
    return {**_ldd(more), **{path.name: path for path in more}, **found}


def _ldd(binaries: Iterable[Path]) -> dict[str, Path]:
    paths = [str(path) for path in binaries]
    if not paths:
        return {}
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}
    try:
        listed = subprocess.run(
            ["ldd", *paths], env=environment, capture_output=True, text=True, timeout=60
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SandboxUnavailable(
            f"The base of the sandbox cannot be made: ldd failed ({error}).",
            hint="Name a container image with Python in the setting `image`.",
        ) from error
    return {
        name or os.path.basename(path): Path(path) for name, path in _LINE.findall(listed.stdout)
    }
