"""The protocol's own client, which starts ``featurestore mcp`` as an assistant does."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import pytest

pytest.importorskip("mcp")
from mcp import Client, MCPError, StdioServerParameters, stdio_client

PROGRAM = "from featurestore.cli import main; main()"


@dataclass
class Session:
    """What one session with a server gave.

    Attributes:
        tools: The server's tools, by name.
        resources: The addresses of its resources.
        answers: The answers of the calls, in order.
        read: The texts of the resources that were read; or the error of one.
        errors: What the server wrote to stderr.
    """

    tools: dict[str, Any] = field(default_factory=dict)
    resources: list[str] = field(default_factory=list)
    answers: list[Any] = field(default_factory=list)
    read: list[Any] = field(default_factory=list)
    errors: str = ""


def talk(
    project: Path,
    calls: Sequence[tuple[str, dict[str, Any]]] = (),
    *,
    read: Sequence[str] = (),
    options: Sequence[str] = (),
) -> Session:
    """Start a server for a project, call its tools, read its resources, and end it."""
    return anyio.run(_talk, project, calls, read, options)


async def _talk(project: Path, calls: Any, read: Any, options: Any) -> Session:
    arguments = ["-c", PROGRAM, "mcp", "--project", str(project), *options]
    server = StdioServerParameters(command=sys.executable, args=arguments)
    log = project / "stderr.txt"
    with log.open("w") as stderr:
        async with Client(stdio_client(server, errlog=stderr)) as client:
            session = await session_of(client, calls, read)
    session.errors = log.read_text()
    log.unlink()
    return session


async def session_of(client: Client, calls: Any, read: Any) -> Session:
    session = Session()
    session.tools = {each.name: each for each in (await client.list_tools()).tools}
    session.resources = [each.uri for each in (await client.list_resources()).resources]
    for name, arguments in calls:
        session.answers.append(await client.call_tool(name, arguments))
    for uri in read:
        try:
            session.read.append((await client.read_resource(uri)).contents[0].text)
        except MCPError as error:
            session.read.append(error)
    return session
