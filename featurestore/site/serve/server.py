"""`SiteServer`: serves a site on loopback, and builds it again when the store has changed."""

import json
import socket
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread

from featurestore.client.feature_store import FeatureStore
from featurestore.errors import FeatureStoreError, RequestError
from featurestore.site.build import build_site
from featurestore.site.folder import MARKER
from featurestore.site.serve.loopback import HOST, LoopbackServer, Served
from featurestore.site.serve.state import StoreState
from featurestore.times import Clock

POLL_SECONDS = 2.0

Say = Callable[[str], None]


class SiteServer:
    """A site that is served until it is stopped.

    Args:
        store: The store.
        out: The site's folder: missing, empty, or an earlier site.
        port: The port; 0 for any that is free.
        clock: Returns the moment of a build.
        say: Is called with what happens, in words.

    Raises:
        RequestError: The port is in use, or may not be used.

    Example:
        >>> from featurestore.times import system_clock
        >>> SiteServer("store", Path("site"), port=-1, clock=system_clock, say=print)
        Traceback (most recent call last):
        featurestore.errors.RequestError: docs serve --port -1: ports are numbers from 0...
    """

    def __init__(
        self, store: FeatureStore, out: Path, *, port: int, clock: Clock, say: Say
    ) -> None:
        self._store, self._out, self._clock, self._say = store, out, clock, say
        self._served = Served(out)
        self._server = _bound(port, self._served)

    @property
    def url(self) -> str:
        """The address of the first page."""
        return f"http://{HOST}:{self._server.server_port}/"

    def run(self, stop: Event, *, poll_seconds: float = POLL_SECONDS) -> None:
        """Build the site, serve it, and build it again after each change, until it is stopped.

        If a build fails, the earlier site stays and is served.

        Args:
            stop: Set it to stop.
            poll_seconds: The seconds between two looks at the store.

        Raises:
            FeatureStoreError: The first build failed, and there is no earlier site.
        """
        thread = Thread(target=self._server.serve_forever, daemon=True)
        try:
            state = StoreState(self._store.layout)
            seen, seconds = state.now(), self._build()
            if not self._served.files:
                return
            thread.start()
            self._say(f"serving {self.url}; Ctrl-C stops it")
            # A large site must not be built without a pause while many views run.
            while not stop.wait(max(poll_seconds, seconds)):
                now = state.now()
                if now != seen:
                    seen, seconds = now, self._build()
        finally:
            if thread.is_alive():
                self._server.shutdown()
                thread.join()
            self._server.server_close()

    def _build(self) -> float:
        """Build the site, and return how long it took."""
        start = time.monotonic()
        try:
            built = build_site(self._store, self._out, self._clock())
        except FeatureStoreError as error:
            files = _files(self._out)
            # In a folder of somebody else there may be a site too: nothing of it is served yet.
            is_first = not self._served.files
            if not files or (is_first and isinstance(error, RequestError)):
                raise
            self._served.files = files
            self._say(f"the site could not be built, so the earlier one is served: {error}")
        else:
            self._served.files = _files(self._out)
            self._served.state += 1
            self._say(f"built {built.pages} pages")
            for problem in built.problems:
                self._say(f"warning: {problem}")
        return time.monotonic() - start


def _files(out: Path) -> frozenset[str]:
    """Return the files of a site; none if there is none."""
    try:
        marker = json.loads((out / MARKER).read_text("utf-8"))
        return frozenset(map(str, marker["files"]))
    except (OSError, ValueError, KeyError, TypeError):
        return frozenset()


def _bound(port: int, served: Served) -> LoopbackServer:
    call = f"docs serve --port {port}"
    if not 0 <= port <= 65_535:
        fix = "Choose another port, for example 0 for any that is free."
        raise RequestError(call, "ports are numbers from 0 to 65535", fix)
    try:
        return LoopbackServer(port, served)
    except OSError as error:
        free = _free_port()
        fix = f"Port {free} is free: featurestore docs serve --port {free}"
        found = f"port {port} of {HOST} cannot be used: {error.strerror or error}"
        raise RequestError(call, found, fix) from error


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
