"""The verb that serves the registry to assistants: mcp. It starts no JVM."""

import socket
from pathlib import Path
from typing import Annotated

import typer

from featurestore.cli.options import Project, open_store
from featurestore.errors import RequestError

LOOPBACK = "127.0.0.1"
_LAST_PORT = 65_535
Values = Annotated[
    bool, typer.Option("--values/--no-values", help="Whether assistants may ask for values.")
]
Port = Annotated[
    int | None,
    typer.Option(
        "--http",
        help="Serve HTTP on this port of this machine, instead of stdin and stdout.",
        show_default="stdin and stdout",
    ),
]


def add_verbs(app: typer.Typer) -> None:
    """Add this verb to the program.

    Example:
        >>> add_verbs(typer.Typer())
    """
    app.command()(mcp)


def mcp(http: Port = None, values: Values = True, project: Project = Path()) -> None:
    """Serve the registry to assistants, which only read.

    It speaks the Model Context Protocol. An assistant starts this command itself: docs/mcp.md
    shows how. It needs the extra mcp.
    """
    from featurestore.optional import optional

    optional("mcp.server", "featurestore mcp", "mcp")
    from featurestore.mcp.server import mcp_server

    server = mcp_server(open_store(project), with_values=values)
    if http is None:
        server.run("stdio")
    else:
        _require_free(http)
        # On this address the server refuses requests of web pages by their Host and Origin.
        server.run("streamable-http", host=LOOPBACK, port=http)


def _require_free(port: int) -> None:
    call = f"mcp --http {port}"
    if not 1 <= port <= _LAST_PORT:
        raise RequestError(call, f"{port} is no port", f"Pass a number from 1 to {_LAST_PORT}.")
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind((LOOPBACK, port))
        except OSError as error:
            found = f"the port cannot be used: {error.strerror}"
            raise RequestError(call, found, "Pass another port, from 1024 on.") from error
