"""An S3 server on this machine: moto's, as a process, with the buckets of a test.

`python -m tests.object_store.s3_server`: print the port and serve until the process ends. It has
addresses of its own, for tests: ``PUT /.before/BUCKET/KEY`` stores the body at that key just
before somebody else puts it; ``PUT /.unanswered/BUCKET/KEY`` stores the next put at that key, and
answers it with an error; and ``GET /.requests`` returns the requests so far.
"""

import http.client
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

BUCKET = "shop"
ACCESS_KEY, SECRET_KEY = "AKIAEXAMPLEOFTESTS", "example-of-tests-secret/key"
_HOST = "127.0.0.1"
_BEFORE, _UNANSWERED, _REQUESTS = "/.before", "/.unanswered", "/.requests"


@dataclass(frozen=True)
class S3Server:
    """A running server.

    Args:
        port: Its port on this machine.
    """

    port: int

    @property
    def endpoint(self) -> str:
        """Its address."""
        return f"http://{_HOST}:{self.port}"

    @property
    def environ(self) -> dict[str, str]:
        """The environment variables with which programs find it."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ALLOW_HTTP": "true",
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def before_put(self, key: str, content: bytes) -> None:
        """Let another writer be faster: store a content when somebody puts an object."""
        self._call("PUT", f"{_BEFORE}/{BUCKET}/{key}", content)

    def lose_answer(self, key: str) -> None:
        """Store the next put of an object, and answer it with an error."""
        self._call("PUT", f"{_UNANSWERED}/{BUCKET}/{key}")

    def requests(self) -> list[dict[str, Any]]:
        """Return the requests so far: method, path, program, status and the condition of a put."""
        return list(json.loads(self._call("GET", _REQUESTS)))

    def create_bucket(self, name: str = BUCKET) -> None:
        """Create a bucket."""
        self._call("PUT", f"/{name}")

    def _call(self, method: str, path: str, body: bytes = b"") -> bytes:
        connection = http.client.HTTPConnection(_HOST, self.port, timeout=30)
        try:
            connection.request(method, path, body)
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        if response.status >= 300:
            raise RuntimeError(f"{method} {path}: {response.status} {content[:300]!r}")
        return content


@contextmanager
def s3_server(log: Path, *, refuses_keys: bool = False) -> Iterator[S3Server]:
    """Start a server with an empty bucket, and end it in the end.

    Args:
        log: A file for its output.
        refuses_keys: Whether it knows no keys at all, once the bucket is there.
    """
    # moto compares the keys of all requests after so many with those of its users: there are none.
    keys = {"INITIAL_NO_AUTH_ACTION_COUNT": "1"} if refuses_keys else {}
    command = [sys.executable, "-m", "tests.object_store.s3_server"]
    with log.open("w") as errors:
        process = subprocess.Popen(
            command,
            cwd=Path(__file__).parents[2],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=os.environ | {"AWS_EC2_METADATA_DISABLED": "true"} | keys,
        )
    try:
        line = process.stdout.readline() if process.stdout else ""
        if not line.strip().isdigit():
            raise RuntimeError(f"the server did not start: {log.read_text()[-2000:]}")
        server = S3Server(int(line))
        server.create_bucket()
        yield server
    finally:
        process.kill()
        process.communicate()


class _Application:
    """The server's application: S3, with one put at a time, and the two addresses for tests."""

    def __init__(self, s3: Any) -> None:
        self._s3, self._writing = s3, threading.Lock()
        self._before: dict[str, bytes] = {}
        self._unanswered: set[str] = set()
        self._requests: list[dict[str, Any]] = []

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        path, method = environ["PATH_INFO"], environ["REQUEST_METHOD"]
        if path == _REQUESTS:
            start_response("200 OK", [])
            return [json.dumps(self._requests).encode()]
        if path.startswith(_BEFORE):
            self._before[path.removeprefix(_BEFORE)] = _body(environ)
            start_response("200 OK", [])
            return [b""]
        if path.startswith(_UNANSWERED):
            self._unanswered.add(path.removeprefix(_UNANSWERED))
            start_response("200 OK", [])
            return [b""]
        if method not in ("PUT", "POST"):
            return self._logged(environ, start_response)
        # The body is read first: a slow client must not hold up the others.
        body = _body(environ)
        with self._writing:
            faster = self._before.pop(path, None) if method == "PUT" else None
            if faster is not None:
                list(self._s3(_put(environ, faster), lambda *_: None))
            environ["wsgi.input"] = BytesIO(body)
            if method == "PUT" and path in self._unanswered:
                self._unanswered.remove(path)
                list(self._logged(environ, lambda *_: None))
                start_response("500 Internal Server Error", [])
                return [b""]
            return list(self._logged(environ, start_response))

    def _logged(self, environ: dict[str, Any], start_response: Any) -> Any:
        request = {
            "method": environ["REQUEST_METHOD"],
            "path": environ["PATH_INFO"],
            "program": environ.get("HTTP_USER_AGENT", ""),
            "condition": environ.get("HTTP_IF_NONE_MATCH") or environ.get("HTTP_IF_MATCH"),
        }
        self._requests.append(request)

        def start(status: str, headers: Any, *rest: Any) -> Any:
            request["status"] = int(status.split()[0])
            return start_response(status, headers, *rest)

        return self._s3(environ, start)


def _body(environ: dict[str, Any]) -> bytes:
    stream = environ["wsgi.input"]
    if environ.get("HTTP_TRANSFER_ENCODING") == "chunked":
        return bytes(stream.read())
    return bytes(stream.read(int(environ.get("CONTENT_LENGTH") or 0)))


def _put(environ: dict[str, Any], content: bytes) -> dict[str, Any]:
    """Return the request of the other writer: a plain put of an object."""
    kept = ("REQUEST_METHOD", "PATH_INFO", "SERVER_", "HTTP_HOST", "wsgi.", "SCRIPT_NAME")
    plain = {name: value for name, value in environ.items() if name.startswith(kept)}
    length = {"CONTENT_LENGTH": str(len(content)), "QUERY_STRING": ""}
    return plain | length | {"wsgi.input": BytesIO(content)}


def main() -> None:
    """Print the port, and serve."""
    # moto is installed for these tests alone.
    from moto.server import DomainDispatcherApplication, create_backend_app  # noqa: PLC0415
    from werkzeug.serving import make_server  # noqa: PLC0415

    s3 = DomainDispatcherApplication(create_backend_app)
    server = make_server(_HOST, 0, _Application(s3), threaded=True)
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()
