from __future__ import annotations

import json

import pytest
from conftest import FILES
from typer.testing import CliRunner
from yunjue_research import place
from yunjue_research.cli import app

from yunjue.errors import UsageError


def run(*arguments):
    result = CliRunner().invoke(app, [str(each) for each in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_a_corpus_is_made_listed_searched_and_removed(tmp_path, own_home):
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "crew.md").write_bytes((FILES / "crew.md").read_bytes())
    (folder / "link.md").symlink_to("/etc/hostname")
    taken = json.loads(run("ingest", folder, "--corpus", "halden", "--json"))
    assert (taken["read"], taken["unread"]) == (["crew.md"], {"link.md": "it is a link"})
    assert json.loads(run("list", "--json")) == [
        {"corpus": "halden", "documents": 1, "passages": 1}
    ]
    hits = json.loads(run("search", "doctor", "-c", "halden", "--json"))
    assert hits[0]["document"] == "crew.md"
    assert place.fits("Who leads halden?", []) and not place.fits("Who leads?", ["a.csv"])
    assert place.corpus_for("Who leads?", {}) == "halden"  # there is no other
    run("remove", "halden")
    assert json.loads(run("list", "--json")) == []
    with pytest.raises(UsageError, match="no corpus 'halden'"):
        run("search", "doctor", "-c", "halden")
