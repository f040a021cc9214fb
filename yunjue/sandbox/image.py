"""The base the code runs on, made from this host: interpreter, standard library, pydantic
and the shared libraries they need. Nothing is pulled, nothing else of the host is in it.

It is a folder in the cache; bubblewrap uses it as it is, Docker imports it as an image.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from importlib import metadata
from pathlib import Path
from typing import IO

from packaging.requirements import Requirement

from yunjue.errors import DiskFull, SandboxUnavailable
from yunjue.files import no_room
from yunjue.hashing import content_id
from yunjue.sandbox.closure import libraries
from yunjue.sandbox.keyed import keyed_folder

FORMAT = 2
"""Part of the key: raise it when the making changes."""
REPOSITORY = "yunjue-base"
SITE = "/opt/site"
"""Where pydantic is in the base; the runner puts it on ``sys.path``."""
PYTHON = "/usr/bin/python3"

LEFT_OUT = {"__pycache__", "test", "tests", "tkinter", "idlelib", "turtledemo", "ensurepip"}
LEFT_OUT |= {"site-packages", "dist-packages", "lib2to3", "sitecustomize.py", "usercustomize.py"}
EMPTY_FOLDERS = (
    "proc",
    "sys",
    "dev",
    "tmp",
    "inputs",
    "deps",
    "network",
    "etc",
    "usr/bin",
    "usr/lib",
    "opt",
)
DEVICES = ("null", "zero", "full", "random", "urandom")


@dataclass(frozen=True, slots=True)
class Base:
    """The folder of the base, the SHA-256 of its tar file, and the image tag made of it."""

    root: Path
    sha256: str
    tag: str


def base(cache: Path, stop: threading.Event) -> Base:
    """Make the base, or find it in ``cache``.

    Raises:
        SandboxUnavailable: this host cannot make one.
    """
    if sys.platform != "linux":
        raise SandboxUnavailable(
            "The base of the sandbox can only be made on Linux.",
            hint="Name a container image with Python in the setting `image`.",
        )
    binary = Path(os.path.realpath(sys.executable))
    about = [FORMAT, str(binary), sys.version, os.stat(binary).st_size, platform.machine()]
    about += [f"{dist.name} {dist.version}" for dist in _pydantic()]
    version = f"py{platform.python_version()}-pydantic{metadata.version('pydantic')}"
    key = f"{version}-{content_id(about)[:12]}"
    try:
        root, note = keyed_folder(cache / "bases", key, _build, stop)
    except OSError as error:
        if no_room(error):
            raise DiskFull("The disk is full; the base of the sandbox cannot be made.") from error
        raise SandboxUnavailable(f"The base of the sandbox cannot be made: {error}.") from error
    return Base(root, note["sha256"], f"{REPOSITORY}:{version}-{note['sha256'][:16]}")


def write_tar(root: Path, output: IO[bytes]) -> None:
    """Write ``root`` as a tar file that is the same whenever the files are the same."""

    def plain(info: tarfile.TarInfo) -> tarfile.TarInfo:
        info.uid = info.gid = info.mtime = 0
        info.uname = info.gname = ""
        if info.name == "tmp":
            info.mode = 0o1777  # engines give the tmpfs that is mounted here the same mode
        return info

    with tarfile.open(fileobj=output, mode="w|", format=tarfile.GNU_FORMAT) as tar:
        for path in sorted(root.rglob("*")):
            tar.add(path, arcname=str(path.relative_to(root)), recursive=False, filter=plain)


def _build(root: Path) -> dict[str, str]:
    for name in EMPTY_FOLDERS:
        (root / name).mkdir(parents=True)
    # One folder of libraries under every name that loaders look for.
    for link, target in (("lib", "usr/lib"), ("lib64", "usr/lib"), ("usr/lib64", "lib")):
        (root / link).symlink_to(target)
    (root / "etc/passwd").write_text("nobody:x:65534:65534:nobody:/tmp:/nonexistent\n")
    (root / "etc/group").write_text("nogroup:x:65534:\n")
    for device in DEVICES:
        (root / "dev" / device).touch()  # bubblewrap mounts the devices over these
    _interpreter(root)
    _packages(root / SITE.lstrip("/"))
    zones = Path("/usr/share/zoneinfo")
    if zones.is_dir():
        skip = shutil.ignore_patterns("posix", "right", "localtime", "posixrules")
        _copy_tree(zones, root / "usr/share/zoneinfo", skip)
    binaries = [root / PYTHON.lstrip("/"), *root.rglob("*.so")]
    for name, path in libraries(binaries).items():
        if not (root / "usr/lib" / name).exists():
            shutil.copyfile(path, root / "usr/lib" / name)
            (root / "usr/lib" / name).chmod(0o755)
    _compile(root)
    for path in (root, *root.rglob("*")):  # as keyed_folder will leave them
        if not path.is_symlink():
            executable = path.is_dir() or path.stat().st_mode & 0o100
            path.chmod(0o755 if executable else 0o644)
    with tempfile.TemporaryFile() as tar:
        write_tar(root, tar)
        tar.seek(0)
        digest = sha256()
        while block := tar.read(1 << 20):
            digest.update(block)
    return {"sha256": digest.hexdigest()}


def _interpreter(root: Path) -> None:
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    shutil.copyfile(os.path.realpath(sys.executable), root / "usr/bin" / name)
    (root / "usr/bin" / name).chmod(0o755)
    (root / PYTHON.lstrip("/")).symlink_to(name)
    stdlib = Path(sysconfig.get_path("stdlib"))
    skip = shutil.ignore_patterns(*LEFT_OUT, "config-*", "_test*.so", "_tkinter*", "*.a")
    _copy_tree(stdlib, root / "usr/lib" / name, skip)
    dynload = Path(sysconfig.get_path("platstdlib")) / "lib-dynload"
    if not (root / "usr/lib" / name / "lib-dynload").exists():
        _copy_tree(dynload, root / "usr/lib" / name / "lib-dynload", skip)


def _copy_tree(source: Path, target: Path, skip: Callable[..., set[str]]) -> None:
    shutil.copytree(
        source, target, ignore=skip, copy_function=shutil.copy, ignore_dangling_symlinks=True
    )


def _pydantic() -> Iterator[metadata.Distribution]:
    """pydantic and what it needs, as installed here, each once."""
    queue, seen = ["pydantic"], set()
    while queue:
        name = queue.pop()
        if name not in seen:
            seen.add(name)
            dist = metadata.distribution(name)
            yield dist
            parsed = map(Requirement, dist.requires or ())
            queue += [
                one.name for one in parsed if not one.marker or one.marker.evaluate({"extra": ""})
            ]


def _packages(site: Path) -> None:
    """Copy pydantic as it is installed here: the same version, and no index is asked."""
    for dist in _pydantic():
        if dist.files is None:
            raise SandboxUnavailable(
                f"{dist.name} was installed without a list of its files.",
                hint="Install yunjue into a virtual environment.",
            )
        for file in dist.files:
            if ".." not in file.parts and "__pycache__" not in file.parts:
                target = site.joinpath(*file.parts)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(dist.locate_file(file), target)


def _compile(root: Path) -> None:
    """Byte-compile, in a process of its own: then equal sources give equal files."""
    command = [sys.executable, "-I", "-m", "compileall", "-qq", "-s", str(root), "-p", "/"]
    command += ["--invalidation-mode", "unchecked-hash", str(root / "usr/lib"), str(root / "opt")]
    # Its result counts files that are not meant to compile, such as templates.
    subprocess.run(command, env={"PYTHONHASHSEED": "0"}, stdin=subprocess.DEVNULL, timeout=300)
