"""The HTTP server of a site: loopback only, the files of the site only, nothing is cached."""

import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

HOST = "127.0.0.1"
_RELOAD = Path(__file__).parent / "reload.js"
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
}
_HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    # The pages have a stricter one. This one holds for all files, and forbids frames.
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'; base-uri 'none'",
}
_SCRIPT = '<script src="/_live/reload.js" data-state="{}" defer></script>\n</body>'
_HTTP = 80
_ATTEMPTS = 3


class Served:
    """What is served at the moment.

    Args:
        folder: The site's folder.

    Attributes:
        files: The paths of its files below the folder. Nothing else is served.
        state: A number that changes with each build.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files: frozenset[str] = frozenset()
        self.state = 0


class LoopbackServer(ThreadingHTTPServer):
    """A server that only this machine reaches.

    Args:
        port: The port; 0 for any that is free.
        served: What is served.
    """

    daemon_threads = True
    # Otherwise a second server could take the port of the first one on some systems.
    allow_reuse_address = False

    def __init__(self, port: int, served: Served) -> None:
        self.served = served
        super().__init__((HOST, port), _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """Be silent about a browser that has gone."""


class _Handler(BaseHTTPRequestHandler):
    server: LoopbackServer
    server_version = "featurestore"
    sys_version = ""

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as in http.server
        """Print no line for each request."""

    def _answer(self, *, with_body: bool) -> None:
        content = self._content() if self._is_for_us() else None
        if content is None:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        kind, body = content
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        self.end_headers()
        if with_body:
            self.wfile.write(body)

    def _is_for_us(self) -> bool:
        """Return whether a browser asks for this server, not for a name that points to it.

        A page of another host may give its name our address, and would then read our pages.
        """
        return self.headers.get("Host", "") in hosts_of(self.server.server_port)

    def _content(self) -> tuple[str, bytes] | None:
        """Return the type and the bytes of the requested file; None if there is no such file."""
        path = unquote(urlsplit(self.path).path).removeprefix("/") or "index.html"
        served = self.server.served
        if path == "favicon.ico":  # browsers ask for it by themselves
            return "image/x-icon", b""
        if path == "_live/reload.js":
            return _TYPES[".js"], _RELOAD.read_bytes()
        if path == "_live/state.js":
            return _TYPES[".js"], f"featurestoreBuilt({served.state});\n".encode()
        # No path is made from a request, unless a build has written a file there.
        if path not in served.files:
            return None
        kind = _TYPES.get(Path(path).suffix, "application/octet-stream")
        state = served.state  # before the file is read: a page may be newer than it says
        body = _read(served.folder / path)
        if body is not None and path.endswith(".html"):
            body = body.replace(b"</body>", _SCRIPT.format(state).encode(), 1)
        return None if body is None else (kind, body)


def hosts_of(port: int) -> frozenset[str]:
    """Return what browsers send as the host, if they ask for a port of this machine.

    Example:
        >>> sorted(hosts_of(8350))
        ['127.0.0.1:8350', 'localhost:8350']
        >>> "localhost" in hosts_of(80)
        True
    """
    names = {HOST, "localhost"}
    without_port = names if port == _HTTP else set()
    return frozenset({f"{name}:{port}" for name in names} | without_port)


def _read(file: Path) -> bytes | None:
    """Return the content of a file, also while a new site takes the folder's place."""
    for _ in range(_ATTEMPTS):
        try:
            return file.read_bytes()
        except OSError:
            time.sleep(0.02)
    return None
