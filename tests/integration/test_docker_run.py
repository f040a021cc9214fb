"""A whole run in containers, and what it leaves behind."""

from __future__ import annotations

import pytest
import story

from yunjue.agent.replay import replay
from yunjue.agent.run import runs, solve


@pytest.mark.integration
async def test_a_tool_is_made_proved_and_called_in_containers(
    tmp_path, home, docker_sandbox, monkeypatch
):
    import docker

    client = docker.from_env()
    before = ours(client)  # other tests' warm workers
    monkeypatch.setenv("YUNJUE_HOME", str(home))
    flags = {"sandbox": "docker", "allow_unsafe": False, "library": tmp_path / "library"}
    settings = story.story_settings(tmp_path, flags)
    result = await solve(story.TASK, settings)
    assert (result.status, result.answer, result.sandbox) == ("solved", "radec", "docker")
    done = await replay(runs().path(result.run) / "trace.jsonl", settings)
    assert done.differences == []
    assert ours(client) <= before
    client.close()


def ours(client) -> set[str]:
    return {one["Id"] for one in client.api.containers(all=True, filters={"label": "yunjue"})}
