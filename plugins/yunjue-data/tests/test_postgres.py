"""``query_postgres`` against a real server, through the sandbox's proxy."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest

from yunjue.config import load_settings
from yunjue.grants import equipped
from yunjue.protocols import SandboxJob, SandboxLimits
from yunjue.synthesis.template import read_meta

PASSWORD = "river-delta-42"
SCHEMA = """
CREATE TABLE orders (id int, region text, amount numeric(8,2), day date, tags text[], note jsonb);
INSERT INTO orders SELECT n, CASE n % 3 WHEN 0 THEN 'north' ELSE 'south' END, n / 4.0,
  date '2024-01-01' + n, array['a', 'b'], '{"n": 1}' FROM generate_series(1, 120) AS n;
CREATE SCHEMA stock; CREATE TABLE stock.parts (part text, pieces bigint);
CREATE ROLE reader LOGIN PASSWORD 'river-delta-42';
GRANT USAGE ON SCHEMA stock TO reader; GRANT SELECT, INSERT ON orders, stock.parts TO reader;
"""


def programs() -> Path | None:
    """Where the server's programs are: the newest of Debian's, or what is on the path."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)
    other = shutil.which("initdb")
    return found[0].parent if found else Path(other).parent if other else None


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The port of a server of these tests' own."""
    bin = programs()
    if bin is None:
        if os.environ.get("CI"):
            pytest.fail("Postgres is missing; `apt-get install postgresql` brings it.")
        pytest.skip("Postgres is missing; `apt-get install postgresql` brings it.")
    folder = tmp_path_factory.mktemp("postgres")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    as_user = []
    if os.geteuid() == 0:  # the server refuses to run as root
        shutil.chown(folder, "nobody")
        for parent in [folder, *folder.parents][:4]:
            parent.chmod(parent.stat().st_mode | 0o011)
        as_user = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
    data, secret = folder / "data", folder / "password"
    secret.write_text(PASSWORD)
    secret.chmod(0o644)
    made = [bin / "initdb", "-D", data, "-U", "owner", "-A", "scram-sha-256", "--pwfile", secret]
    subprocess.run([*as_user, *made], check=True, capture_output=True, cwd=folder)
    listens = ["-c", "listen_addresses=127.0.0.1", "-c", f"port={port}", "-k", folder]
    running = subprocess.Popen(
        [*as_user, bin / "postgres", "-D", data, *listens],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=folder,
    )
    environment = {**os.environ, "PGPASSWORD": PASSWORD}
    psql = [bin / "psql", "-h", "127.0.0.1", "-p", str(port), "-U", "owner", "postgres", "-qc"]
    try:
        deadline = time.monotonic() + 60
        while subprocess.run([*psql, "SELECT 1"], env=environment, capture_output=True).returncode:
            assert running.poll() is None and time.monotonic() < deadline
            time.sleep(0.2)
        subprocess.run([*psql, SCHEMA], env=environment, check=True, capture_output=True)
        yield port
    finally:
        running.terminate()
        running.wait(30)


@pytest.fixture
def ask(sources, sandbox, own_home, server, monkeypatch):
    """Call the tool as a run does: with what it is granted of what it declares."""
    opened, wait = sandbox

    def run(sql, allow=None, url=None, **inputs):
        place = f"127.0.0.1:{server}"
        url = url or f"postgresql://reader:{PASSWORD}@{place}/postgres"
        monkeypatch.setenv("POSTGRES_URL", url)
        allow = [place] if allow is None else allow
        settings = load_settings(allow_net=allow, grant_secrets=["POSTGRES_URL"])
        source = sources["query_postgres"]
        job = SandboxJob(
            source=source,
            calls=[{"sql": sql, **inputs}],
            requirements=read_meta(source)["dependencies"],
            limits=SandboxLimits(seconds=30),
        )
        return wait(opened.call(equipped(job, settings)))[0]

    return run


@pytest.mark.parametrize(
    ("sql", "answer"),
    [
        ("SELECT sum(amount) FROM orders WHERE region = 'north';", "615.00"),
        ("select region, count(*) from orders group by 1 order by 1",
         "| region | count |\n|---|---|\n| north | 40 |\n| south | 80 |"),
        ("WITH late AS (SELECT * FROM orders WHERE day >= '2024-04-29') SELECT id FROM late "
         "ORDER BY 1", "119, 120"),
        ("SELECT day, tags, note, amount::float8, id > 1 AS more FROM orders WHERE id = 2",
         "day: 2024-01-03, tags: ['a', 'b'], note: {'n': 1}, amount: 0.5, more: true"),
        ("SELECT * FROM stock.parts", "No row."),
        ("TABLE stock.parts", "No row."),
    ],
)  # fmt: skip
def test_a_select_is_answered(ask, sql, answer):
    outcome = ask(sql)
    assert (outcome.status, outcome.output) == ("ok", {"result": answer}), outcome.error
    assert outcome.visits[0].allowed


def test_many_rows_are_cut_and_the_tables_are_told(ask):
    assert "(the first 50 rows; there are more)" in ask("SELECT id FROM orders").output["result"]
    told = ask("").output["result"]
    assert "orders(id integer, region text" in told and "stock.parts(part text" in told
    wrong = ask("SELECT sum(price) FROM orders")
    assert wrong.status == "input_error"
    assert 'column "price" does not exist' in wrong.error and "amount numeric" in wrong.error


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO orders VALUES (1)",
        "WITH gone AS (DELETE FROM orders RETURNING *) SELECT * FROM gone",
        "SELECT 1; INSERT INTO orders (id) VALUES (7)",
        "SELECT 1; COMMIT",
        "SELECT * INTO other FROM orders",
        "SELECT set_config('transaction_read_only', 'off', false); DELETE FROM orders",
        "SELECT id FROM orders FOR UPDATE",
        "COPY orders TO PROGRAM 'id'",
    ],
)
def test_nothing_can_be_written(ask, sql):
    outcome = ask(sql)
    assert outcome.status == "input_error", outcome
    assert ask("SELECT count(*) FROM orders").output == {"result": "120"}


def test_only_the_allowed_server_is_reached_and_the_url_stays_secret(ask, server):
    kept = ask("SELECT 1", allow=["db.example.com:5432"])
    assert kept.status == "failed" and "may reach" in kept.error
    wrong = ask("SELECT 1", url=f"postgresql://reader:no-such-word@127.0.0.1:{server}/postgres")
    assert wrong.status == "failed" and "password authentication failed" in wrong.error
    assert "no-such-word" not in wrong.model_dump_json()
    gone = ask("SELECT 1", url=f"postgresql://reader:{PASSWORD}@127.0.0.1:{server}/gone")
    assert 'database "gone" does not exist' in gone.error
    plain = ask("SELECT 1", url=f"postgresql://reader:x@127.0.0.1:{server}/x?sslmode=require")
    assert plain.status == "failed" and "SSL" in plain.error
    assert "is no postgresql://" in ask("SELECT 1", url="sqlite:///some.db").error
