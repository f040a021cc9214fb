"""The archive: named entries as bytes, and back. Equal entries give equal bytes.

It is a zip because anyone can look into one, and its entries are stored, not compressed:
nothing can swell on reading, and the bytes depend on no version of zlib. There is exactly
one archive for given entries, so the reader ends by writing what it read and comparing;
whatever else a zip can carry (a second header, a comment, data before, between and after)
has no place to be.
"""

from __future__ import annotations

import io
import re
import stat
import unicodedata
import zipfile
from collections.abc import Mapping

from yunjue.errors import BundleRefused

MAX_ARCHIVE = 32 << 20
"""Bytes."""
MAX_ENTRY = 1 << 20
"""Bytes."""
MAX_ENTRIES = 2001
MANIFEST = "manifest.json"

_NAME = re.compile(r"tools/[a-z][a-z0-9_]{0,63}/[0-9a-f]{64}\.(py|json)\Z")
_DATE = (1980, 1, 1, 0, 0, 0)
_UNIX = 3
_MODE = (stat.S_IFREG | 0o644) << 16
_END = b"PK\x05\x06"
_END_BYTES = 22
_ENCRYPTED = 0x41


def pack(entries: Mapping[str, bytes]) -> bytes:
    """The archive of the entries, whatever their order.

    Raises:
        BundleRefused: a name or a size is not allowed.
    """
    check_sizes(entries)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(entries):
            check_name(name)
            info = zipfile.ZipInfo(name, _DATE)
            info.create_system, info.external_attr = _UNIX, _MODE
            archive.writestr(info, entries[name])
    return file.getvalue()


def unpack(data: bytes) -> dict[str, bytes]:
    """The entries of an archive that :func:`pack` could have written.

    Raises:
        BundleRefused: it could not; says why.
    """
    if len(data) > MAX_ARCHIVE:
        raise BundleRefused("too-large", f"It has more than {MAX_ARCHIVE >> 20} MiB.")
    if not data.startswith(b"PK\x03\x04"):
        what = "has data before its first entry" if _END in data else "is not a bundle"
        raise BundleRefused("extra-data" if _END in data else "not-a-bundle", f"The file {what}.")
    end = data.rfind(_END)
    if end < 0 or end + _END_BYTES > len(data):
        raise BundleRefused("truncated", "The end of the file is missing.")
    if end + _END_BYTES < len(data):
        raise BundleRefused("extra-data", "The file has data after its end.")
    # Counted before zipfile makes an object for each.
    if int.from_bytes(data[end + 10 : end + 12], "little") > MAX_ENTRIES:
        raise BundleRefused("too-many-entries", f"It has more than {MAX_ENTRIES} entries.")
    entries = _read(data)
    if pack(entries) != data:
        raise BundleRefused(
            "not-canonical",
            "Its bytes are not those of a bundle with these entries: something is hidden, or "
            "its headers were changed.",
        )
    return entries


def _read(data: bytes) -> dict[str, bytes]:
    entries: dict[str, bytes] = {}
    read = 0
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if len(archive.infolist()) > MAX_ENTRIES:
                raise BundleRefused("too-many-entries", f"More than {MAX_ENTRIES} entries.")
            for info in archive.infolist():
                _check_entry(info, entries)
                with archive.open(info) as file:
                    content = file.read(MAX_ENTRY + 1)
                read += len(content)
                if len(content) > MAX_ENTRY:
                    raise BundleRefused("entry-too-large", f"{info.filename} is too large.")
                if read > len(data):
                    raise BundleRefused("overlap", "Entries share their bytes.")
                entries[info.filename] = content
    except zipfile.BadZipFile as error:
        raise BundleRefused("damaged", f"The archive is damaged: {error}.") from None
    except (EOFError, OSError, ValueError, NotImplementedError, RuntimeError) as error:
        raise BundleRefused("damaged", f"The archive cannot be read: {error}.") from None
    return entries


def _check_entry(info: zipfile.ZipInfo, entries: Mapping[str, bytes]) -> None:
    name = info.orig_filename  # zipfile cuts the other one at a NUL
    shown = ascii(name[:100])
    if stat.S_ISLNK(info.external_attr >> 16):
        raise BundleRefused("link", f"The entry {shown} is a link.")
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG) or name.endswith("/"):
        raise BundleRefused("not-a-file", f"The entry {shown} is no plain file.")
    check_name(name)
    if name in entries:
        raise BundleRefused("duplicate-entry", f"The entry {shown} is there twice.")
    if info.flag_bits & _ENCRYPTED:
        raise BundleRefused("encrypted", f"The entry {shown} is encrypted.")
    if info.compress_type != zipfile.ZIP_STORED:
        raise BundleRefused("compressed", f"The entry {shown} is compressed.")
    if max(info.file_size, info.compress_size) > MAX_ENTRY:
        raise BundleRefused(
            "entry-too-large", f"The entry {shown} has more than {MAX_ENTRY >> 20} MiB."
        )


def check_name(name: str) -> None:
    """Refuse every name but that of the manifest and of a tool's two files."""
    if name == MANIFEST or _NAME.match(name):
        return
    raise BundleRefused("entry-name", f"The entry {name[:100]!a} {_why(name)}.")


def check_sizes(entries: Mapping[str, bytes]) -> None:
    """Refuse what is too much to read."""
    if len(entries) > MAX_ENTRIES:
        raise BundleRefused("too-many-entries", f"It has more than {MAX_ENTRIES} entries.")
    for name, content in entries.items():
        if len(content) > MAX_ENTRY:
            raise BundleRefused(
                "entry-too-large", f"{name[:100]!a} has more than {MAX_ENTRY >> 20} MiB."
            )
    if sum(map(len, entries.values())) > MAX_ARCHIVE:
        raise BundleRefused("too-large", f"It has more than {MAX_ARCHIVE >> 20} MiB.")


def _why(name: str) -> str:
    """What is wrong with a name, in the order of the harm it could do."""
    parts = name.replace("\\", "/").split("/")
    if name.startswith(("/", "\\")) or re.match(r"[A-Za-z]:", name):
        return "has an absolute path"
    if ".." in parts:
        return "leads out of its folder"
    if "\\" in name:
        return "has a backslash"
    if any(not character.isprintable() for character in name):
        return "has control characters in its name"
    if unicodedata.normalize("NFC", name) != name or not name.isascii():
        return "has other than ASCII letters in its name"
    if name.lower() != name:
        return "has capitals in its name, which some systems cannot tell from others"
    if name.endswith((".zip", ".ytb", ".tar", ".gz")):
        return "is an archive within the archive"
    return "has no place in a bundle"
