"""What is in a bundle, after everything that can be checked without running it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from yunjue.bundle.archive import MANIFEST
from yunjue.bundle.manifest import Entry, Manifest, Record, read
from yunjue.bundle.tool_checks import check_tool
from yunjue.errors import BundleRefused
from yunjue.hashing import content_id


@dataclass(frozen=True, slots=True)
class Packed:
    """One version of a tool in a bundle, checked but not proved."""

    entry: Entry
    record: Record
    source: str


def read_contents(entries: Mapping[str, bytes]) -> list[Packed]:
    """The tools of the bundle, in its order.

    Raises:
        BundleRefused: the manifest and the entries disagree, or a tool cannot be one.
    """
    if MANIFEST not in entries:
        raise BundleRefused("no-manifest", f"It has no {MANIFEST}.")
    manifest = read(Manifest, entries[MANIFEST], MANIFEST)
    _check_names(manifest)
    listed = {MANIFEST}
    for entry in manifest.tools:
        listed |= {entry.source_path, entry.record_path}
    if missing := sorted(listed - set(entries)):
        raise BundleRefused("missing-entry", f"The manifest names {missing[0]}, which is missing.")
    if unlisted := sorted(set(entries) - listed):
        raise BundleRefused("unlisted-entry", f"The manifest does not name {unlisted[0]}.")
    return [_packed(entry, entries) for entry in manifest.tools]


def _check_names(manifest: Manifest) -> None:
    ids = Counter(entry.id for entry in manifest.tools)
    if twice := [one for one, count in ids.items() if count > 1]:
        raise BundleRefused("duplicate-tool", f"The manifest names the id {twice[0][:12]} twice.")
    active = Counter(entry.name for entry in manifest.tools if entry.active)
    for name in {entry.name: None for entry in manifest.tools}:
        if active[name] != 1:
            raise BundleRefused(
                "duplicate-name" if active[name] else "no-active-version",
                f"{name} has {active[name]} versions in use; it must be one.",
            )
        if not [entry for entry in manifest.tools if entry.name == name][-1].active:
            # The order is the only thing said of time, so it must not be ambiguous.
            raise BundleRefused("version-order", f"The version of {name} in use is not the last.")


def _packed(entry: Entry, entries: Mapping[str, bytes]) -> Packed:
    source, record = entries[entry.source_path], entries[entry.record_path]
    for path, content, size, digest in (
        (entry.source_path, source, entry.source_bytes, entry.id),
        (entry.record_path, record, entry.record_bytes, entry.record_sha256),
    ):
        if len(content) != size:
            raise BundleRefused(
                "wrong-size", f"{path} has {len(content)} bytes; the manifest says {size}."
            )
        if content_id(content) != digest:
            raise BundleRefused("wrong-hash", f"{path} has not the hash that the manifest says.")
    read_record = read(Record, record, entry.record_path)
    if read_record.name != entry.name:
        raise BundleRefused(
            "manifest-lies", f"The manifest calls {entry.name} what its record calls otherwise."
        )
    try:
        text = source.decode("utf-8")
    except UnicodeDecodeError:
        raise BundleRefused("not-utf8", f"{entry.source_path} is not UTF-8.") from None
    check_tool(read_record, text)
    return Packed(entry, read_record, text)
