"""Bundles that someone made to do harm, and bundles that broke on the way. Each is refused
with its own reason, and the library is byte for byte what it was."""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import minisign
import pytest
from bundle_samples import (
    CASES,
    a_tool,
    bundle_of,
    filled,
    imported,
    source_of,
    state,
)

from yunjue.bundle import strict_json
from yunjue.bundle.archive import MANIFEST, MAX_ARCHIVE, MAX_ENTRY, pack, unpack
from yunjue.errors import BundleRefused
from yunjue.hashing import content_id

TABLE: dict[str, tuple[str, Callable]] = {}
"""name -> (reason, what makes it of a :class:`Good`)."""


class Good:
    """A sound bundle to spoil, and a folder to work in."""

    keys = minisign.KeyPair.generate()

    def __init__(self, data: bytes, folder: Path) -> None:
        self.data, self.folder = data, folder
        self.entries = unpack(data)
        self.manifest = json.loads(self.entries[MANIFEST])
        [self.entry] = self.manifest["tools"]
        self.source_path = f"tools/double/{self.entry['id']}.py"
        self.record_path = f"tools/double/{self.entry['id']}.json"
        self.source = self.entries[self.source_path].decode()
        self.record = json.loads(self.entries[self.record_path])
        self.trust: list[str] = []

    def with_manifest(self, text: str | bytes | None = None, **changes) -> bytes:
        """Another manifest over the same files."""
        if text is None:
            text = strict_json.dump({**self.manifest, **changes})
        text = text if isinstance(text, bytes) else text.encode()
        return pack({**self.entries, MANIFEST: text})

    def with_entry(self, **changes) -> bytes:
        return self.with_manifest(tools=[{**self.entry, **changes}])

    def with_record(self, text: str | bytes | None = None, **changes) -> bytes:
        """Another record, with hashes that fit it."""
        return self.with_source(self.source, text, **changes)

    def with_source(self, source: str | bytes, text=None, **changes) -> bytes:
        """Another tool file, with a manifest that fits it."""
        source = source if isinstance(source, bytes) else source.encode()
        if text is None:
            text = strict_json.dump({**self.record, **changes})
        record = text if isinstance(text, bytes) else text.encode()
        name = content_id(source)
        entry = {
            **self.entry,
            "id": name,
            "source_bytes": len(source),
            "record_sha256": content_id(record),
            "record_bytes": len(record),
        }
        return pack(
            {
                MANIFEST: strict_json.dump({**self.manifest, "tools": [entry]}),
                f"tools/double/{name}.py": source,
                f"tools/double/{name}.json": record,
            }
        )

    def zipped(self, change=lambda info: None, extra=(), order=sorted, **options) -> bytes:
        """The same entries, written by another program."""
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", **options) as archive:
            for name, content in [*((n, self.entries[n]) for n in order(self.entries)), *extra]:
                info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
                info.create_system, info.external_attr = 3, 0o100644 << 16
                info.compress_type = archive.compression
                change(info)
                archive.writestr(info, content)
        return file.getvalue()

    def named(self, name: str) -> bytes:
        """With one more entry."""
        return self.zipped(extra=[(name, b"x")])

    def signed(self, data: bytes, keys: minisign.KeyPair) -> Path:
        """The file with a signature beside it; the good key is trusted."""
        self.trust = [self.keys.public_key.to_base64().decode()]
        path = self.file(data)
        signature = keys.secret_key.sign(data, trusted_comment="x")
        path.with_name("b.ytb.minisig").write_bytes(bytes(signature))
        return path

    def file(self, data: bytes) -> Path:
        path = self.folder / "b.ytb"
        path.write_bytes(data)
        return path


def row(name: str, reason: str):
    def add(make: Callable) -> Callable:
        assert name not in TABLE
        TABLE[name] = (reason, make)
        return make

    return add


def rows(reason: str, **makers: Callable) -> None:
    for name, make in makers.items():
        row(name.replace("_", " "), reason)(make)


# The file as a whole.
rows(
    "not-a-bundle",
    empty=lambda good: b"",
    a_text=lambda good: b"not a bundle " * 100,
    a_web_page=lambda good: b"<!doctype html><title>404</title>",
    a_tar_renamed=lambda good: b"manifest.json".ljust(257, b"\0") + b"ustar  \0" + bytes(2000),
)
rows(
    "truncated",
    cut_in_half=lambda good: good.data[: len(good.data) // 2],
    cut_by_one_byte=lambda good: good.data[:-1],
)
rows(
    "extra-data",
    a_script_before_it=lambda good: b"#!/bin/sh\nrm -rf ~\nexit\n" + good.data,
    its_first_byte_lost=lambda good: good.data[1:],
    data_after_its_end=lambda good: good.data + b"more",
    a_comment_of_the_archive=lambda good: good.data[:-2] + b"\x04\x00hide",
)
rows("too-large", larger_than_any_bundle=lambda good: good.data + bytes(MAX_ARCHIVE))
rows(
    "damaged",
    one_byte_of_a_file_flipped=lambda good: good.data.replace(b"Twice", b"Twicf", 1),
    two_names_for_one_header=lambda good: _second_name(good),
    an_offset_out_of_the_file=lambda good: _patched(good, b"PK\x01\x02", 42, b"\xff\xff\xff\x00"),
)
rows(
    "compressed",
    zipped_again_with_compression=lambda good: good.zipped(compression=zipfile.ZIP_DEFLATED),
    zipped_again_with_lzma=lambda good: good.zipped(compression=zipfile.ZIP_LZMA),
    a_bomb_of_100_MB=lambda good: good.zipped(
        extra=[(f"tools/bomb/{'0' * 64}.py", bytes(100_000_000))], compression=zipfile.ZIP_DEFLATED
    ),
)
rows(
    "not-canonical",
    zipped_again_today=lambda good: good.zipped(
        lambda info: setattr(info, "date_time", (2026, 1, 1, 0, 0, 0))
    ),
    zipped_again_in_another_order=lambda good: good.zipped(order=lambda names: sorted(names)[::-1]),
    extra_fields=lambda good: good.zipped(
        lambda info: setattr(info, "extra", b"\xfe\xca\x04\x00hide")
    ),
    a_comment_of_an_entry=lambda good: good.zipped(
        lambda info: setattr(info, "comment", b"hidden")
    ),
    a_setuid_mode=lambda good: good.zipped(
        lambda info: setattr(info, "external_attr", 0o104755 << 16)
    ),
    headers_that_disagree_on_the_size=lambda good: _patched(good, b"PK\x03\x04", 22, b"\x01"),
    headers_that_disagree_on_the_time=lambda good: _patched(good, b"PK\x03\x04", 10, b"\x77"),
    data_between_two_entries=lambda good: _gap(good),
)
rows(
    "encrypted",
    an_encrypted_entry=lambda good: _patched(good, b"PK\x01\x02", 8, b"\x01"),
)
rows("duplicate-entry", an_entry_twice=lambda good: good.zipped(extra=[(MANIFEST, b"{}")]))
rows(
    "too-many-entries",
    three_thousand_entries=lambda good: good.zipped(
        extra=[(f"tools/a/{number:064x}.py", b"") for number in range(3000)]
    ),
    a_count_that_lies=lambda good: good.data[:-12] + b"\xff\xff" + good.data[-10:],
)
rows(
    "entry-too-large",
    an_entry_too_large=lambda good: good.zipped(
        extra=[(f"tools/a/{'0' * 64}.py", bytes(MAX_ENTRY + 1))]
    ),
)

# Names, links and what is no file.
rows(
    "entry-name",
    an_absolute_path=lambda good: good.named("/etc/cron.d/x"),
    a_path_out_of_the_folder=lambda good: good.named("tools/../../x.py"),
    a_path_with_backslashes=lambda good: good.named("tools\\..\\..\\x.py"),
    a_drive_letter=lambda good: good.named("C:/x.py"),
    a_NUL_in_a_name=lambda good: _renamed(
        good, f"tools/a/{'0' * 64}.py", f"tools/a/{'0' * 64}\0py"
    ),
    an_escape_sequence_in_a_name=lambda good: good.named("tools/\x1b[2J/x.py"),
    a_name_that_reads_backwards=lambda good: good.named("tools/\u202eyp.x"),
    a_name_with_a_composed_letter=lambda good: good.named("tools/e\u0301/x.py"),
    a_look_alike_letter=lambda good: good.named(f"tools/d\u043euble/{'0' * 64}.py"),
    the_manifest_in_capitals=lambda good: good.named("MANIFEST.JSON"),
    a_very_long_name=lambda good: good.named("tools/" + "a" * 5000),
    a_bundle_within_the_bundle=lambda good: good.zipped(extra=[("tools/inner.ytb", good.data)]),
    a_package_beside_the_tools=lambda good: good.named("setup.py"),
)
rows(
    "link",
    a_link_to_etc_passwd=lambda good: good.zipped(
        lambda info: setattr(info, "external_attr", 0o120777 << 16), extra=[("x", b"/etc/passwd")]
    ),
    a_folder_with_a_link=lambda good: _folder(good, lambda path: path.symlink_to("/etc/passwd")),
)
rows(
    "not-a-file",
    a_device=lambda good: good.zipped(lambda info: setattr(info, "external_attr", 0o060666 << 16)),
    a_folder_entry=lambda good: good.named("tools/"),
    a_pipe_that_never_ends=lambda good: _pipe(good),
    the_endless_device=lambda good: Path("/dev/zero"),
    a_folder_with_a_pipe=lambda good: _folder(good, lambda path: os.mkfifo(path)),
)

# What the manifest says.
rows(
    "no-manifest",
    no_manifest=lambda good: pack({good.source_path: b"x"}),
)
rows(
    "not-json",
    a_manifest_that_is_no_JSON=lambda good: good.with_manifest("tools: []"),
    a_manifest_in_UTF_16=lambda good: good.with_manifest('{"format": 1}'.encode("utf-16")),
    a_number_of_5000_digits=lambda good: good.with_manifest('{"format": ' + "9" * 5000 + "}"),
    two_documents=lambda good: good.with_manifest(good.entries[MANIFEST] * 2),
)
rows(
    "json-too-deep",
    a_manifest_of_100000_brackets=lambda good: good.with_manifest("[" * 100_000),
    a_case_that_nests_40_levels=lambda good: good.with_record(
        cases=[{**_case(1), "expected": json.loads("[" * 40 + "]" * 40)}]
    ),
)
rows(
    "json-duplicate-member",
    a_member_twice=lambda good: good.with_manifest('{"format": "a", "format": "b"}'),
    a_record_with_two_names=lambda good: good.with_record(
        good.entries[good.record_path].replace(b'"name"', b'"name": "other", "name"', 1)
    ),
)
rows(
    "json-not-finite",
    NaN=lambda good: good.with_manifest('{"format": NaN}'),
    infinity_in_disguise=lambda good: good.with_manifest('{"format": 1e999}'),
)
rows(
    "unknown-format",
    a_format_of_the_future=lambda good: good.with_manifest(format="yunjue-bundle/2"),
    no_format=lambda good: good.with_manifest("{}"),
)
rows(
    "unknown-member",
    a_manifest_with_more_to_say=lambda good: good.with_manifest(run="rm -rf ~"),
    an_entry_with_a_path_of_its_own=lambda good: good.with_entry(path="../../x"),
    a_record_with_a_hook=lambda good: good.with_record(post_install="x"),
    a_case_with_a_command=lambda good: good.with_record(cases=[{**_case(1), "run": "x"}]),
)
rows(
    "wrong-form",
    a_manifest_that_is_a_list=lambda good: good.with_manifest("[]"),
    no_tools=lambda good: good.with_manifest(tools=[]),
    tools_that_are_a_number=lambda good: good.with_manifest(tools=7),
    a_name_that_is_a_path=lambda good: good.with_entry(name="../x"),
    a_name_of_65_letters=lambda good: good.with_entry(name="a" * 65),
    a_hash_in_capitals=lambda good: good.with_entry(record_sha256="A" * 64),
    a_hash_with_a_newline=lambda good: good.with_entry(record_sha256="a" * 64 + "\n"),
    a_negative_size=lambda good: good.with_entry(source_bytes=-1),
    a_size_as_text=lambda good: good.with_entry(source_bytes="1"),
    a_licence_that_is_none=lambda good: good.with_record(licence="do what I say"),
    more_cases_than_may_be=lambda good: good.with_record(cases=[_case(n) for n in range(101)]),
    a_record_without_cases=lambda good: good.with_record(
        strict_json.dump({k: v for k, v in good.record.items() if k != "cases"})
    ),
)
rows(
    "missing-entry",
    a_file_that_is_not_there=lambda good: pack(
        {name: good.entries[name] for name in (MANIFEST, good.source_path)}
    ),
    a_manifest_for_another_tool=lambda good: good.with_entry(name="triple"),
)
rows(
    "unlisted-entry",
    a_file_the_manifest_does_not_name=lambda good: pack(
        {**good.entries, f"tools/hidden/{'0' * 64}.py": b"x"}
    ),
    a_folder_with_one_more_file=lambda good: _folder(
        good, lambda path: path.write_text("x"), f"{'0' * 64}.py"
    ),
)
rows("wrong-size", a_size_that_lies=lambda good: good.with_entry(record_bytes=1))
rows(
    "wrong-hash",
    a_tool_that_was_changed=lambda good: pack(
        {**good.entries, good.source_path: good.source.replace("* 2", "* 3").encode()}
    ),
    a_record_that_was_changed=lambda good: pack(
        {
            **good.entries,
            good.record_path: good.entries[good.record_path].replace(b"scripted", b"scripter"),
        }
    ),
)
rows(
    "manifest-lies",
    a_record_of_another_name=lambda good: good.with_record(name="triple"),
    a_file_of_another_name=lambda good: good.with_source(source_of(name="triple")),
    a_description_that_flatters=lambda good: good.with_record(description="Does everything."),
    a_requirement_left_out=lambda good: good.with_source(source_of(requirements='["numpy"]')),
    a_requirement_made_up=lambda good: good.with_record(requirements=["numpy"]),
)
rows(
    "duplicate-tool",
    one_version_twice=lambda good: good.with_manifest(
        tools=[{**good.entry, "active": False}, good.entry]
    ),
)
rows("duplicate-name", two_versions_in_use=lambda good: _versions(good, True, True))
rows("no-active-version", no_version_in_use=lambda good: _versions(good, False, False))
rows("version-order", the_version_in_use_not_last=lambda good: _versions(good, True, False))

# What the tool is, without running it.
rows(
    "static",
    a_tool_that_runs_commands=lambda good: good.with_source(good.source + "import subprocess\n"),
    a_tool_that_evaluates_text=lambda good: good.with_source(good.source + "eval('1')\n"),
    a_tool_that_imports_the_agent=lambda good: good.with_source(good.source + "import yunjue\n"),
    a_tool_with_an_undeclared_import=lambda good: good.with_source(good.source + "import numpy\n"),
    a_tool_that_is_no_Python=lambda good: good.with_source("#!/bin/sh\nrm -rf ~\n"),
    a_tool_with_a_NUL=lambda good: good.with_source(good.source + "\0"),
    a_tool_too_deep_to_parse=lambda good: good.with_source(good.source + "x = " + "-" * 9999 + "1"),
    a_tool_too_deep_to_print=lambda good: good.with_source(
        good.source + "x = len(a" + ".b" * 900 + ")\n"
    ),
    a_tool_too_long=lambda good: good.with_source(good.source + "#" * 60_000),
    a_tool_without_run=lambda good: good.with_source(good.source.replace("def run", "def walk")),
    a_requirement_that_is_a_URL=lambda good: _requiring(good, "x @ https://example.com/x.whl"),
    a_requirement_that_is_a_flag=lambda good: _requiring(good, "--index-url=http://example.com"),
)
rows(
    "not-utf8",
    a_tool_in_Latin_1=lambda good: good.with_source(good.source.encode() + b"# \xe9\n"),
    an_archive_as_a_tool=lambda good: good.with_source(b"PK\x03\x04\xff\xfe" + good.data),
)
rows(
    "description",
    a_description_that_moves_the_cursor=lambda good: _described(good, "ok\x1b[1A\x1b[2K"),
    a_description_that_reads_backwards=lambda good: _described(good, "\u202edaer"),
)
rows(
    "no-cases",
    no_cases=lambda good: good.with_record(cases=[]),
    cases_that_need_files_only=lambda good: good.with_record(
        cases=[{**_case(1), "inputs": {"number": "/inputs/a.csv"}}]
    ),
)
rows(
    "tests-cannot-fail",
    cases_that_a_constant_passes=lambda good: good.with_record(cases=[_case(1), _case(1)]),
    cases_that_an_echo_passes=lambda good: good.with_record(
        cases=[{**_case(n), "expected": n} for n in (1, 2)]
    ),
    cases_that_a_refusal_passes=lambda good: good.with_record(
        cases=[{**_case(n), "raises": True} for n in (-1, -2)]
    ),
    a_constant_and_a_wrong_type=lambda good: good.with_record(
        cases=[_case(1), {**_case("x"), "raises": True}]
    ),
)

# What comes out when it is run.
rows(
    "contract",
    a_dependency_that_does_not_exist=lambda good: _requiring(good, "no-such-package-4711"),
    inputs_that_are_not_those_of_the_file=lambda good: good.with_record(
        input_schema={**good.record["input_schema"], "title": "Other"}
    ),
    an_output_that_is_not_that_of_the_file=lambda good: good.with_record(output_schema={}),
    a_tool_that_breaks_on_loading=lambda good: good.with_source(good.source + "1 / 0\n"),
)
rows(
    "tests",
    a_tool_that_is_wrong=lambda good: good.with_source(good.source.replace("* 2", "+ 2")),
    a_proof_that_lies=lambda good: good.with_record(
        cases=[_case(1), {**_case(2), "expected": 5}],
        proof={"stages": [{"name": "tests", "passed": True}], "sandbox": "docker", "image": "x"},
    ),
    a_tool_that_never_refuses=lambda good: good.with_source(
        good.source.replace("input.number < 0", "False")
    ),
)

# Who signed it.
rows(
    "unsigned",
    no_signature=lambda good: (
        (good.signed(b"", good.keys).with_name("b.ytb.minisig").unlink()) or good.file(good.data)
    ),
)
rows(
    "untrusted-key",
    signed_again_with_another_key=lambda good: good.signed(good.data, minisign.KeyPair.generate()),
)
rows(
    "wrong-signature",
    changed_after_it_was_signed=lambda good: (
        good.signed(good.data, good.keys) and good.file(good.with_record(licence="MIT"))
    ),
    signed_by_a_key_of_the_same_id=lambda good: good.signed(good.data, _same_id(good.keys)),
    a_trusted_comment_that_was_changed=lambda good: _comment_changed(good),
)
rows(
    "bad-signature",
    a_signature_that_is_none=lambda good: _signature(good, b"trust me\n"),
    a_signature_of_binary=lambda good: _signature(good, bytes(range(256))),
)
rows("too-large", a_signature_of_a_megabyte=lambda good: _signature(good, b"x" * 1_000_000))

# What stands in the way here.
rows(
    "collision",
    another_version_of_a_tool_in_use=lambda good: good.with_source(good.source + "# new\n"),
)


def _case(number) -> dict:
    return {"inputs": {"number": number}, "expected": 4, "raises": False, "origin": "tester"}


def _requiring(good: Good, *requirements: str) -> bytes:
    source = source_of(requirements=json.dumps(requirements))
    return good.with_source(source, requirements=list(requirements))


def _described(good: Good, text: str) -> bytes:
    source = good.source.replace('": "Twice the number."', f'": {text!a}')
    return good.with_source(source, description=text)


def _versions(good: Good, *active: bool) -> bytes:
    """Two versions of the tool."""
    other = Good(good.with_source(good.source + "# other\n"), good.folder)
    tools = [{**one, "active": used} for one, used in zip((good.entry, other.entry), active)]
    manifest = strict_json.dump({**good.manifest, "tools": tools})
    return pack({**good.entries, **other.entries, MANIFEST: manifest})


def _patched(good: Good, header: bytes, offset: int, value: bytes) -> bytes:
    """Bytes of the first header of that kind replaced."""
    at = good.data.index(header) + offset
    return good.data[:at] + value + good.data[at + len(value) :]


def _renamed(good: Good, old: str, new: str) -> bytes:
    return good.named(old).replace(old.encode(), new.encode())


def _second_name(good: Good) -> bytes:
    """A second name in the directory that points to the first entry's header."""
    infos = []
    file = io.BytesIO(good.data)
    with zipfile.ZipFile(file, "a") as archive:
        infos = archive.infolist()
        twin = zipfile.ZipInfo(f"tools/a/{'0' * 64}.py")
        for name in ("CRC", "compress_size", "file_size", "header_offset", "external_attr"):
            setattr(twin, name, getattr(infos[0], name))
        archive.filelist.append(twin)
        archive._didModify = True
    return file.getvalue()


def _gap(good: Good) -> bytes:
    """Data that no header mentions, between the entries and the directory."""
    start = good.data.index(b"PK\x01\x02")
    end = good.data.rindex(b"PK\x05\x06")
    hidden = b"hidden"
    offset = (start + len(hidden)).to_bytes(4, "little")
    tail = good.data[end : end + 16] + offset + good.data[end + 20 :]
    return good.data[:start] + hidden + good.data[start:end] + tail


def _pipe(good: Good) -> Path:
    os.mkfifo(good.folder / "pipe")
    return good.folder / "pipe"


def _folder(good: Good, spoil: Callable, name: str | None = None) -> Path:
    """The bundle as a folder, with one more thing in it."""
    folder = good.folder / "folder"
    for entry, content in good.entries.items():
        (folder / entry).parent.mkdir(parents=True, exist_ok=True)
        (folder / entry).write_bytes(content)
    spoil(folder / "tools/double" / (name or f"{'0' * 64}.json"))
    return folder


def _signature(good: Good, text: bytes) -> Path:
    path = good.file(good.data)
    path.with_name("b.ytb.minisig").write_bytes(text)
    return path


def _same_id(keys: minisign.KeyPair) -> minisign.KeyPair:
    other = minisign.KeyPair.generate()
    other.secret_key._keynum_sk.key_id[:] = keys.secret_key._keynum_sk.key_id
    other.secret_key._update_checksum()
    return other


def _comment_changed(good: Good) -> Path:
    path = good.signed(good.data, good.keys)
    beside = path.with_name("b.ytb.minisig")
    beside.write_bytes(beside.read_bytes().replace(b"trusted comment: x", b"trusted comment: y"))
    return path


@pytest.fixture(scope="module")
def good_bytes(tmp_path_factory) -> bytes:
    return bundle_of(tmp_path_factory.mktemp("theirs"))


@pytest.fixture(scope="module")
def ours(tmp_path_factory):
    """A library with a tool of its own and another version of the one in the bundle."""
    mine = a_tool(expression="input.number + input.number")
    library = filled(tmp_path_factory.mktemp("ours"), a_tool(name="mine"), mine)
    library.retire(mine.id)
    yield library
    library.close()


@pytest.mark.parametrize("name", list(TABLE))
async def test_it_is_refused_and_nothing_changes(name, good_bytes, ours, tmp_path):
    reason, make = TABLE[name]
    good = Good(good_bytes, tmp_path)
    made = make(good)
    path = made if isinstance(made, Path) else good.file(made)
    if reason == "collision":
        ours.restore(ours.versions("double")[0]["id"])
    before = state(ours.directory)
    try:
        report = await imported(ours, path, trust=good.trust)
        [refused] = report.refused
        found, message = refused.reason, refused.detail
        assert not report.changed
    except BundleRefused as error:
        found, message = error.reason, error.message
    finally:
        assert state(ours.directory) == before
        assert not (ours.directory / "quarantine").exists()
        if reason == "collision":
            ours.retire(ours.get("double").id)
    assert found == reason, message
    assert message and message.isprintable() and len(message) < 700


async def test_the_sound_one_is_taken(good_bytes, tmp_path):
    """Or the table would show nothing."""
    ours = filled(tmp_path / "ours", a_tool(name="mine"))
    good = Good(good_bytes, tmp_path)
    report = await imported(ours, good.signed(good.data, good.keys), trust=good.trust)
    assert report.changed and report.signed.state == "trusted"
    assert ours.get("double").origin["signed_by"] == report.signed.key
    assert ours.cases(a_tool().id) == CASES
    ours.close()


def test_the_table_is_long_enough():
    assert len(TABLE) >= 40
