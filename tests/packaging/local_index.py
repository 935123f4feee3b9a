"""A package index on the loopback address, with small wheels, that records each request."""

import hashlib
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from zipfile import ZipFile


class LocalIndex:
    """Wheels in the folders of a simple index (PEP 503), and what was requested of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.requests: list[str] = []
        self.url = ""

    def add(self, name: str, version: str, *requires: str, extras: Mapping[str, str] = {}) -> str:
        """Publish a wheel, and return its line for a lock."""
        project = self.folder / name
        project.mkdir(parents=True, exist_ok=True)
        wheel = project / f"{name}-{version}-py3-none-any.whl"
        metadata = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
        metadata += [f"Requires-Dist: {requirement}" for requirement in requires]
        for extra, requirement in extras.items():
            metadata += [f"Provides-Extra: {extra}"]
            metadata += [f"Requires-Dist: {requirement} ; extra == '{extra}'"]
        info = f"{name}-{version}.dist-info"
        with ZipFile(wheel, "w") as archive:
            archive.writestr(f"{name}.py", f"VERSION = {version!r}\n")
            archive.writestr(f"{info}/METADATA", "\n".join([*metadata, ""]))
            archive.writestr(
                f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
            )
            archive.writestr(
                f"{info}/RECORD",
                f"{name}.py,,\n"
                + "".join(f"{info}/{part},,\n" for part in ("METADATA", "WHEEL", "RECORD")),
            )
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        return f"{name}=={version} \\\n    --hash=sha256:{digest}\n    # via the test\n"


@contextmanager
def serve(folder: Path) -> Iterator[LocalIndex]:
    """Serve a folder as an index while this is open."""
    index = LocalIndex(folder)

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - inherited name
            index.requests.append(self.path)

    folder.mkdir(parents=True, exist_ok=True)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    index.url = f"http://127.0.0.1:{server.server_port}/"
    try:
        yield index
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
