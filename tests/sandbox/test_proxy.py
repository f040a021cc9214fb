"""The proxy against tools that ask for what they may not have, over real sockets."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from yunjue.sandbox import proxy as module
from yunjue.sandbox import traffic
from yunjue.sandbox.proxy import Proxy

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


class Host:
    """A server that keeps what it was sent and answers always the same."""

    def __init__(self, answer=OK):
        self.answer, self.seen, self.connections = answer, b"", 0

    async def __aenter__(self):
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *error):
        self.server.close()

    async def serve(self, reader, writer):
        self.connections += 1
        with contextlib.closing(writer):
            while part := await reader.read(65536):
                self.seen += part
                if b"\r\n\r\n" in self.seen and self.answer:
                    writer.write(self.answer)
                    await writer.drain()


class Through:
    """What a tool does: connections to a proxy with these grants, in one call."""

    def __init__(self, *grants):
        self.proxy = Proxy(grants)

    async def __aenter__(self):
        self.server = await asyncio.start_server(self.proxy.serve, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]
        await self.proxy.begin()
        return self

    async def __aexit__(self, *error):
        await self.proxy.end()
        self.server.close()

    async def ask(self, data, end=True):
        async with asyncio.timeout(10):
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            with contextlib.closing(writer), contextlib.suppress(ConnectionError):
                writer.write(data)
                if end:
                    writer.write_eof()
                return await reader.read()
        return b""

    async def tunnel(self, place):
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(b"CONNECT %b HTTP/1.1\r\nHost: x\r\n\r\n" % place.encode())
        try:
            return await reader.readuntil(b"\r\n\r\n"), reader, writer
        except ConnectionError:  # cut before it had read what was asked
            return b"", reader, writer


def get(place, path="/", more=""):
    return f"GET http://{place}{path} HTTP/1.1\r\nHost: {place}\r\n{more}\r\n".encode()


@pytest.fixture
def names(monkeypatch):
    """name -> addresses, in the place of the name server."""
    table = {}

    async def resolve(host, port):
        if host not in table:
            raise OSError("unknown")
        return table[host]

    monkeypatch.setattr(module, "resolve", resolve)
    return table


async def test_a_granted_host_is_reached():
    async with Host() as host, Through(f"127.0.0.1:{host.port}") as through:
        answer = await through.ask(get(f"127.0.0.1:{host.port}", "/a?b=c", "Cookie: x\r\n"))
        assert answer.startswith(b"HTTP/1.1 200") and answer.endswith(b"hello")
        head = host.seen.lower()
        assert head.startswith(b"get /a?b=c http/1.1\r\nhost: 127.0.0.1:")
        assert b"cookie: x" in head and b"connection: close" in head
        [visit] = await through.proxy.end()
        assert (visit.host, visit.port, visit.allowed) == ("127.0.0.1", host.port, True)
        assert visit.sent > 40 and visit.received == len(OK)


async def test_a_tunnel_passes_bytes_both_ways():
    async with Host() as host, Through(f"localhost:{host.port}") as through:
        head, reader, writer = await through.tunnel(f"localhost:{host.port}")
        assert head.startswith(b"HTTP/1.1 200")
        writer.write(b"\x16\x03\x01 anything\r\n\r\n")
        assert await reader.readexactly(len(OK)) == OK
        writer.close()
    assert host.seen == b"\x16\x03\x01 anything\r\n\r\n"


@pytest.mark.parametrize(
    ("place", "why"),
    [
        ("other.example.com:443", b"is not among what this tool may reach: api.example.com"),
        ("api.example.com:22", b"is not among"),
        ("api.example.com.evil.org:443", b"is not among"),
        ("93.184.216.34:443", b"is not among"),
        ("169.254.169.254:80", b"is not among"),
        ("127.0.0.1:80", b"is not among"),
        ("[::1]:443", b"is not among"),
        ("0x7f.1:443", b"neither a host name nor an IP address"),
        ("2130706433:443", b"neither a host name nor an IP address"),
        ("user@api.example.com:443", b"neither a host name nor an IP address"),
        ("api.example.com", b"the port is missing"),
        ("api.example.com:99999", b"is not HOST"),
    ],
)
async def test_refused(names, place, why):
    names["api.example.com"] = ["127.0.0.1"]
    async with Through("api.example.com") as through:
        answer, _, writer = await through.tunnel(place)
        writer.close()
        assert answer.startswith((b"HTTP/1.1 403", b"HTTP/1.1 400")) and why in answer
        assert not any(visit.allowed for visit in await through.proxy.end())


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "169.254.169.254", "10.0.0.1", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1"],
)
@pytest.mark.parametrize("grant", ["api.example.com", "*.example.com", "*"])
async def test_a_name_that_leads_inside_is_refused(names, address, grant):
    names["api.example.com"] = [address]
    async with Through(grant) as through:
        answer = await through.ask(get("api.example.com"))
        assert answer.startswith(b"HTTP/1.1 403") and b"not public" in answer
        [visit] = await through.proxy.end()
        assert not visit.allowed and "not public" in visit.why


async def test_only_the_address_that_was_checked_is_connected_to(names, monkeypatch):
    """Of two addresses the public one is taken, as an address: no name is looked up again."""
    names["api.example.com"] = ["127.0.0.1", "93.184.216.34"]
    tried = []

    async def connect(host, port, **how):
        tried.append((host, port))
        raise OSError("no network here")

    async with Through("api.example.com") as through:
        request = get("api.example.com")
        reader, writer = await asyncio.open_connection("127.0.0.1", through.port)
        monkeypatch.setattr(module.asyncio, "open_connection", connect)
        writer.write(request)
        assert b"502 api.example.com:80 cannot be reached" in await reader.read()
        writer.close()
    assert tried == [("93.184.216.34", 80)]


async def test_a_name_with_an_address_of_the_users(names):
    async with Host() as host, Through(f"wiki.corp:{host.port}=127.0.0.1") as through:
        assert (await through.ask(get(f"wiki.corp:{host.port}"))).endswith(b"hello")
        assert b"host: wiki.corp:" in host.seen.lower()


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET https://localhost/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET ftp://localhost/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"\x05\x01\x00" + b"\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"GET http://localhost/ HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 40_000 + b"\r\n\r\n",
    ],
)
async def test_everything_else_is_refused(data):
    async with Host() as host, Through(f"localhost:{host.port}", "localhost") as through:
        assert (await through.ask(data))[9:12] in (b"400", b"431", b"")
        assert host.connections == 0


async def test_no_second_request_hides_behind_the_first():
    async with Host() as host, Through(f"localhost:{host.port}") as through:
        inner = b"GET http://elsewhere/ HTTP/1.1\r\nHost: elsewhere\r\n\r\n"
        await through.ask(get(f"localhost:{host.port}") + inner)
        length = f"Content-Length: {len(inner)}\r\n"
        await through.ask(get(f"localhost:{host.port}", more=length) + inner + inner)
    assert host.seen.count(b"elsewhere") == 2  # once, as the body that it is
    assert host.connections == 2


async def test_the_host_header_is_the_host_that_was_checked():
    async with Host() as host, Through(f"localhost:{host.port}") as through:
        request = f"GET http://localhost:{host.port}/ HTTP/1.1\r\nHost: elsewhere\r\n\r\n"
        await through.ask(request.encode())
    assert b"elsewhere" not in host.seen


async def test_bodies_of_all_kinds():
    answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    async with Host(answer) as host, Through(f"localhost:{host.port}") as through:
        place = f"http://localhost:{host.port}/"
        sent = f"POST {place} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        got = await through.ask(sent.encode() + b"4\r\nbody\r\n0\r\n\r\n")
    assert b"body" in host.seen and b"abc" in got


async def test_connections_at_a_time_are_bounded():
    async with Host(b"") as host, Through(f"localhost:{host.port}") as through:
        opened = [await through.tunnel(f"localhost:{host.port}") for _ in range(40)]
        refused = [head for head, _, _ in opened if b"200" not in head]
        assert len(refused) == 40 - module.MOST_OPEN
        for _, _, writer in opened:
            writer.close()


async def test_connections_of_a_call_are_bounded(monkeypatch):
    monkeypatch.setattr(traffic, "MOST_CONNECTIONS", 5)
    async with Host() as host, Through(f"localhost:{host.port}") as through:
        answers = [await through.ask(get(f"localhost:{host.port}")) for _ in range(7)]
        assert [answer[9:12] for answer in answers] == [b"200"] * 5 + [b"503"] * 2
        await through.proxy.end()
        await through.proxy.begin()
        assert (await through.ask(get(f"localhost:{host.port}")))[9:12] == b"200"


async def test_bytes_are_bounded(monkeypatch):
    monkeypatch.setattr(traffic, "MOST_BYTES", 200_000)
    large = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 1_000_000
    async with Host(large) as host, Through(f"localhost:{host.port}") as through:
        assert len(await through.ask(get(f"localhost:{host.port}"))) < 400_000


async def test_what_a_call_leaves_open_ends_with_it():
    async with Host(b"") as host, Through(f"localhost:{host.port}") as through:
        _, reader, writer = await through.tunnel(f"localhost:{host.port}")
        [visit] = await through.proxy.end()
        assert visit.allowed
        with contextlib.suppress(ConnectionError):
            assert await reader.read() == b""
        writer.close()
        assert b"hello" not in await through.ask(get(f"localhost:{host.port}"))
        await through.proxy.begin()
        assert await through.proxy.end() == []


async def test_the_account_is_bounded():
    async with Through("api.example.com") as through:
        for number in range(80):
            await through.ask(get(f"h{number}.org"))
        assert len(await through.proxy.end()) == traffic.MOST_VISITS
