"""Granted hosts, and no others, from each backend; against servers on this host."""

from __future__ import annotations

import contextlib
import http.server
import ssl
import subprocess
import threading

import pytest
from tool_files import tool

from yunjue.errors import SandboxError
from yunjue.protocols import SandboxJob
from yunjue.sandbox import proxy
from yunjue.sandbox.process import ProcessSandbox

pytestmark = pytest.mark.integration

FETCH = tool(
    """
    import urllib.request
    def fetch(url):
        try:
            return urllib.request.urlopen(url, timeout=5).read().decode()
        except OSError as error:
            return "refused: " + str(error)
    return OutputModel(result=[fetch(url) for url in input.urls])
    """,
    inputs="urls: list[str]",
)


class Hello(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = f"hello {self.path}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *about):
        pass


@contextlib.contextmanager
def serving(context=None):
    """The port of a server on the loopback; with TLS if there is a context for it."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hello)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    command += ["-subj", "/CN=api.test", "-addext", "subjectAltName=DNS:api.test"]
    command += ["-keyout", folder / "key.pem", "-out", folder / "cert.pem"]
    subprocess.run(command, check=True, capture_output=True)
    return folder


async def fetch(sandbox, urls, grants, warm=False):
    job = SandboxJob(FETCH, [{"urls": urls}], network=grants, warm=warm)
    [outcome] = await sandbox.call(job)
    assert outcome.status == "ok", outcome
    return outcome


async def test_the_granted_host_and_no_other(sandbox, certificate, monkeypatch):
    """By TLS and without; the host is a name of the user's, trusted as this host trusts."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate / "cert.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    with serving() as plain, serving(context) as tls, serving() as other:
        grants = [f"localhost:{plain}", f"api.test:{tls}=127.0.0.1"]
        urls = [
            f"http://localhost:{plain}/a",
            f"https://api.test:{tls}/b",
            f"http://localhost:{other}/",
            "https://example.com/",
            "http://169.254.169.254/latest/meta-data/",
        ]
        outcome = await fetch(sandbox, urls, grants)
    said = outcome.output["result"]
    assert said[:2] == ["hello /a", "hello /b"]
    assert all("403" in one for one in said[2:]), said
    assert outcome.network == ["api.test", "localhost"]
    seen = {(visit.host, visit.port): visit for visit in outcome.visits}
    assert seen["localhost", plain].received > 0 and seen["api.test", tls].sent > 0
    assert not seen["localhost", other].allowed and not seen["169.254.169.254", 80].allowed


async def test_a_name_that_leads_to_this_host_is_refused(sandbox, monkeypatch):
    async def resolve(host, port):
        return ["127.0.0.1"]

    monkeypatch.setattr(proxy, "resolve", resolve)
    with serving() as port:
        urls = [f"http://rebound.example.com:{port}/"]
        outcome = await fetch(sandbox, urls, [f"*.example.com:{port}"])
    assert "403" in outcome.output["result"][0] and "not public" in outcome.output["result"][0]
    assert outcome.network == []


async def test_no_socket_of_the_tools_own_gets_out(sandbox):
    source = tool(
        """
        import socket
        found = []
        for address in (("127.0.0.1", input.value), ("1.1.1.1", 443), ("169.254.169.254", 80)):
            try:
                socket.create_connection(address, 1).close()
                found.append(address[0])
            except OSError:
                pass
        return OutputModel(result=found)
        """
    )
    with serving() as port:
        job = SandboxJob(source, [{"value": port}], network=[f"127.0.0.1:{port}", "*"])
        [outcome] = await sandbox.call(job)
    assert outcome.output == {"result": []}, outcome
    assert outcome.visits == []


async def test_a_warm_worker_serves_one_grant_only(sandbox):
    with serving() as port:
        url, grants = f"http://localhost:{port}/", [f"localhost:{port}"]
        for _ in range(2):
            outcome = await fetch(sandbox, [url], grants, warm=True)
            assert outcome.network == ["localhost"]
        other = await fetch(sandbox, [url], ["example.org"], warm=True)
        assert other.network == [] and "403" in other.output["result"][0]
        none = await fetch(sandbox, [url], [], warm=True)
        assert none.visits == [] and "refused" in none.output["result"][0]
    await sandbox.close()
    assert not list((sandbox.cache / "jobs").iterdir())


async def test_many_connections_are_bounded(sandbox):
    source = tool(
        """
        import socket
        kept = []
        for _ in range(100):
            one = socket.create_connection(("127.0.0.1", int(
                os.environ["HTTP_PROXY"].rsplit(":", 1)[1])), 5)
            one.settimeout(5)
            place = b"localhost:%d" % input.value
            try:
                one.sendall(b"CONNECT " + place + b" HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n")
                if b" 200 " in one.recv(100):
                    kept.append(one)
            except OSError:
                pass
        return OutputModel(result=len(kept))
        """
    )
    with serving() as port:
        job = SandboxJob(source, [{"value": port}], network=[f"localhost:{port}"])
        [outcome] = await sandbox.call(job)
    assert outcome.output == {"result": proxy.MOST_OPEN}, outcome


async def test_the_process_backend_refuses(home, monkeypatch):
    monkeypatch.setenv("YUNJUE_HOME", str(home))
    sandbox = ProcessSandbox(allow_unsafe=True)
    with pytest.raises(SandboxError, match="cannot keep a tool to the hosts"):
        await sandbox.call(SandboxJob(FETCH, [{"urls": []}], network=["example.com"]))
    await sandbox.close()
