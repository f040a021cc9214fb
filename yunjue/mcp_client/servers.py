"""The servers a user has added, with the tools each had then: one file in the home.

What a tool says of itself is kept as it was when the user added the server. A server that
later says something else (its schema, or a description that now gives orders) is not obeyed:
see :mod:`yunjue.mcp_client.connection`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import Field, TypeAdapter, ValidationError, field_validator, model_validator

from yunjue import keys
from yunjue.config import home
from yunjue.errors import ConfigError, UsageError
from yunjue.files import locked, write_whole
from yunjue.hashing import canonical_json, content_id
from yunjue.synthesis.declared import signature
from yunjue.types import Data, Tool

_SERVER = re.compile(r"[a-z][a-z0-9]{0,23}\Z")
DESCRIPTION_CHARS = 500
NAME_CHARS = 64


class RemoteTool(Data):
    """A tool as its server described it when it was added."""

    name: str
    description: str = ""
    input_schema: dict[str, Any]
    output_schema: dict[str, Any] | None = None

    @property
    def id(self) -> str:
        """Changes with anything the server says of the tool."""
        return content_id(canonical_json(self.model_dump()))


class McpServer(Data):
    """How to reach a server, and what of it may be used.

    Attributes:
        command: program and arguments to start; empty for a server at ``url``.
        url: of a streamable HTTP endpoint: https, or http on this machine.
        secrets: names of secrets: environment variables of the program.
        token: name of the secret that is sent to ``url`` as bearer token; "" for none.
        seconds: most that a call may take.
    """

    name: str
    command: list[str] = Field([])
    url: str = ""
    secrets: list[str] = Field([])
    token: str = ""
    seconds: float = 60.0
    tools: list[RemoteTool] = Field([])

    @field_validator("name")
    @classmethod
    def _name(cls, value: str) -> str:
        if not _SERVER.match(value):
            raise ValueError("a server's name is a lower-case word of at most 24 characters")
        return value

    @field_validator("secrets")
    @classmethod
    def _secrets(cls, value: list[str]) -> list[str]:
        return keys.secret_names(value)

    @model_validator(mode="after")
    def _reachable(self) -> McpServer:
        if bool(self.command) == bool(self.url):
            raise ValueError("a server has either a command or a url")
        if self.token and not self.url:
            raise ValueError("a token is sent to a url; a command gets secrets")
        parts = urlsplit(self.url)
        local = parts.hostname in ("127.0.0.1", "::1", "localhost")
        if self.url and parts.scheme != "https" and not (parts.scheme == "http" and local):
            raise ValueError("the url must begin with https://, or be of this machine")
        return self

    def offered(self) -> dict[str, RemoteTool]:
        """name in runs -> tool. The names of a server's tools become SERVER_TOOL in
        lower_snake_case; of two that come to the same the first is taken."""
        found: dict[str, RemoteTool] = {}
        for tool in self.tools:
            found.setdefault(tool_name(self.name, tool.name), tool)
        return found


def tool_name(server: str, name: str) -> str:
    """What a server's tool is called in runs.

    >>> tool_name("weather", "getForecast"), tool_name("weather", "daily-rain/mm")
    ('weather_get_forecast', 'weather_daily_rain_mm')
    """
    words = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name)
    tidy = re.sub(r"[^a-z0-9]+", "_", words.lower()).strip("_")
    return f"{server}_{tidy}"[:NAME_CHARS].rstrip("_")


def as_tool(server: McpServer, name: str, tool: RemoteTool) -> Tool:
    """The remote tool as a run knows tools. It has no source: it runs elsewhere."""
    outputs = tool.output_schema or {"properties": {"result": {"type": "string"}}}
    return Tool(
        id=content_id(canonical_json([server.name, tool.id])),
        name=name,
        description=" ".join(tool.description.split())[:DESCRIPTION_CHARS],
        signature=signature(name, tool.input_schema, outputs),
        source="",
        input_schema=tool.input_schema,
        output_schema=outputs,
        origin={"mcp": {"server": server.name, "tool": tool.name}},
    )


def path() -> Path:
    """The file of the added servers."""
    return home() / "mcp.json"


_SERVERS = TypeAdapter(list[McpServer])


def added() -> list[McpServer]:
    """The servers the user has added, by name.

    Raises:
        ConfigError: the file is damaged or cannot be read.
    """
    try:
        return _SERVERS.validate_json(path().read_bytes())
    except FileNotFoundError:
        return []
    except OSError as error:
        raise ConfigError(f"{path()} cannot be read: {error.strerror}.", hint="") from None
    except ValidationError as error:
        problem = error.errors()[0]["msg"]
        raise ConfigError(
            f"{path()} is damaged: {problem}.",
            hint="Move it away and add the servers again with `yunjue mcp add`.",
        ) from None


def find(name: str) -> McpServer:
    """The server of that name. Raises UsageError if there is none."""
    for server in added():
        if server.name == name:
            return server
    raise UsageError(f"No server named {name!r} was added.", hint="See `yunjue mcp list`.")


def keep(server: McpServer) -> None:
    """Keep the server, in place of one of the same name."""
    with _changing() as servers:
        servers[server.name] = server


def remove(name: str) -> None:
    """Forget the server. Raises UsageError if there is none of that name."""
    find(name)
    with _changing() as servers:
        servers.pop(name, None)


@contextmanager
def _changing() -> Iterator[dict[str, McpServer]]:
    with locked(path().with_name(".mcp.lock")):
        servers = {server.name: server for server in added()}
        yield servers
        ordered = [servers[name] for name in sorted(servers)]
        write_whole(path(), _SERVERS.dump_json(ordered, indent=2))
