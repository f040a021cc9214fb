"""What a page may reach: nothing but the allowed origins, whichever way it asks."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from serving import Site

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="session")]

WAYS = {
    "image": "<img src='{other}/hit'>",
    "script": "<script src='{other}/hit'></script>",
    "style": "<link rel=stylesheet href='{other}/hit'>",
    "prefetch": "<link rel=prefetch href='{other}/hit'>",
    "preconnect": "<link rel=preconnect href='{other}'>",
    "frame": "<iframe src='{other}/hit'></iframe>",
    "fetch": "<script>fetch('{other}/hit',{{mode:'no-cors'}})</script>",
    "beacon": "<script>navigator.sendBeacon('{other}/hit','x')</script>",
    "websocket": "<script>new WebSocket('{other}/hit'.replace('http','ws'))</script>",
    "event stream": "<script>new EventSource('{other}/hit')</script>",
    "worker": "<script>new Worker(URL.createObjectURL(new Blob(["
    "\"fetch('{other}/hit',{{mode:'no-cors'}})\"])))</script>",
    "redirect": "<img src='/away'>",
    "form": "<form action='{other}/hit'></form><script>document.forms[0].submit()</script>",
    "popup": "<script>open('{other}/hit')</script>",
    "move": "<script>location='{other}/hit'</script>",
    "refresh": "<meta http-equiv=refresh content='0;url={other}/hit'>",
    "css": "<style>body{{background:url({other}/hit)}}</style>",
    "video": "<video src='{other}/hit'></video>",
    "object": "<object data='{other}/hit'></object>",
}


def to(url):
    def redirect(handler):
        handler.send_response(302)
        handler.send_header("Location", url)
        handler.end_headers()

    return redirect


@pytest.mark.parametrize("way", WAYS)
async def test_no_way_leads_to_another_origin(driver, way):
    other = Site({})
    with other.served() as base:  # the same host, another port
        driver.site.pages["/away"] = to(f"{base}/hit")
        await driver.show("<p>page</p>", WAYS[way].format(other=base))
        await driver.do("wait", seconds=0.4)
        assert other.asked == []


async def test_each_way_would_lead_there(opened, site):
    """Or the test above could not fail."""
    other = Site({})
    with other.served() as base:
        reached = {}
        driver = await opened(origins=(site.base, base))
        driver.site.pages["/away"] = to(f"{base}/hit")
        for way in WAYS:
            other.asked.clear()
            await driver.show("<p>page</p>", WAYS[way].format(other=base))
            await driver.do("wait", seconds=0.4)
            reached[way] = bool(other.asked)
        del reached["preconnect"]  # it connects, and asks for nothing
        del reached["beacon"]  # it posts, which the site does not take
        assert [way for way, found in reached.items() if not found] == []


async def test_a_refusal_is_told_with_its_reason(driver):
    other = Site({})
    with other.served() as base:
        done = await driver.show(f"<img src='{base}/hit'>")
        assert any("is not among the allowed origins" in why for why in done.change.refused)
        done = await driver.goto(f"{base}/hit")
        assert not done.ok and "is not among the allowed origins" in done.error
        driver.site.pages["/away"] = to(f"{base}/hit")
        done = await driver.show(path="/away")
        assert not done.ok and "is not among the allowed origins" in done.error
        assert other.asked == []


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "data:text/html,<p>x",
        "chrome://version",
        "about:version",
        "javascript:alert(1)",
        "view-source:http://127.0.0.1/",
        "ftp://127.0.0.1/",
        "//127.0.0.1/",
        "127.0.0.1",
        "http://user:password@127.0.0.1/",
    ],
)
async def test_addresses_that_are_no_pages_are_refused(driver, url):
    done = await driver.goto(url)
    assert not done.ok and ("refused" in done.error or "absolute" in done.error)
    assert "root:" not in driver.text


@pytest.mark.parametrize(
    "target", ["file:///etc/passwd", "data:text/html,<h1>moved", "chrome://version"]
)
async def test_nor_can_a_page_go_there(driver, target):
    await driver.show(
        f"<a href='{target}'>go</a><button onclick=\"window.open('{target}')\">pop</button>"
        f"<iframe src='{target if target[0] != 'd' else ''}'></iframe>"
    )
    await driver.do("click", "go")
    assert driver.seen.url.startswith(("http://127.0.0.1", "about:blank"))
    if found := driver.seen.find("pop"):
        await driver.do("click", found[0])
    assert driver.seen.url.startswith(("http://127.0.0.1", "about:blank"))
    assert "root:" not in driver.text and "moved" not in driver.text


PRIVATE = (
    "127.0.0.1",
    "localhost",
    "127.1",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "0.0.0.0",
    "169.254.169.254",
)


async def test_private_addresses_are_refused_unless_allowed(opened, site):
    port = site.base.rpartition(":")[2]
    origins = [f"http://{host}:{port}" for host in PRIVATE if host != "127.1"]
    driver = await opened(origins=(*origins, "*"), allow_private=False)
    for host in PRIVATE:
        done = await driver.goto(f"http://{host}:{port}/")
        assert not done.ok, host
    assert site.asked == []


async def test_a_name_that_leads_to_a_private_address_is_refused(opened, site, monkeypatch):
    from yunjue.browser import gateway

    async def rebinding(host, port):
        return ["127.0.0.1"]

    monkeypatch.setattr(gateway, "resolve", rebinding)
    port = site.base.rpartition(":")[2]
    driver = await opened(origins=(f"http://shop.example:{port}",), allow_private=False)
    done = await driver.goto(f"http://shop.example:{port}/")
    assert not done.ok and "private address" in done.error
    assert site.asked == []


async def test_nothing_leaves_past_the_proxy(driver):
    """WebRTC and WebTransport would pass by it, were they let."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams,
        socket.socket(socket.AF_INET, socket.SOCK_STREAM) as connections,
    ):
        for listening in (datagrams, connections):
            listening.bind(("127.0.0.1", 0))
            listening.settimeout(1.5)
        connections.listen()
        udp, tcp = datagrams.getsockname()[1], connections.getsockname()[1]
        await driver.show(
            "<script>const c=new RTCPeerConnection({iceServers:["
            f"{{urls:'stun:127.0.0.1:{udp}'}},{{urls:['turn:127.0.0.1:{udp}?transport=udp',"
            f"'turn:127.0.0.1:{tcp}?transport=tcp'],username:'u',credential:'c'}}]}});"
            "c.createDataChannel('x');c.createOffer().then(o=>c.setLocalDescription(o));"
            f"try{{new WebTransport('https://127.0.0.1:{udp}/')}}catch(e){{}}</script>"
        )
        with pytest.raises(TimeoutError):
            datagrams.recv(100)
        with pytest.raises(TimeoutError):
            connections.accept()


async def test_chromiums_own_sandbox_is_on_unless_root_runs_it(driver):
    lines = renderers()
    assert lines
    off = [line for line in lines if b"--no-sandbox" in line]
    assert bool(off) == (os.geteuid() == 0)


def renderers():
    paths = Path("/proc").glob("[0-9]*/cmdline")
    lines = [path.read_bytes() for path in paths if mine(path)]
    return [line for line in lines if b"--type=renderer" in line]


def mine(path):
    """Whether a process belongs to this one."""
    at = int(path.parent.name)
    while at > 1 and at != os.getpid():
        try:
            at = int(Path(f"/proc/{at}/stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            return False
    return at == os.getpid()


async def test_service_workers_are_not_installed(driver):
    driver.site.pages["/sw.js"] = "onfetch=e=>e.respondWith(new Response('from worker'))"
    await driver.show(
        "<p>none</p><script>navigator.serviceWorker.register('/sw.js').then(r=>r&&r.scope,"
        "e=>0)</script>"
    )
    await driver.do("wait", seconds=0.4)
    assert "/sw.js" not in driver.site.asked


async def test_websockets_to_an_allowed_origin_work(driver):
    import base64
    import hashlib

    def accept(handler):
        key = handler.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        handler.send_response_only(101)
        handler.send_header("Upgrade", "websocket")
        handler.send_header("Connection", "Upgrade")
        digest = hashlib.sha1(key.encode()).digest()
        handler.send_header("Sec-WebSocket-Accept", base64.b64encode(digest).decode())
        handler.end_headers()
        handler.wfile.write(b"\x81\x05hello")
        handler.wfile.flush()
        handler.rfile.read(1)

    driver.site.pages["/socket"] = accept
    await driver.show(
        "<p>none</p><script>new WebSocket(location.origin.replace('http','ws')+'/socket')"
        ".onmessage=m=>document.querySelector('p').textContent=m.data</script>"
    )
    await driver.do("wait", seconds=0.4)
    assert "hello" in driver.text
