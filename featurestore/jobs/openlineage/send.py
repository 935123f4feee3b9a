"""Send the events of runs. Whatever happens here, no run fails for it."""

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from threading import Lock, Thread
from typing import TYPE_CHECKING

from featurestore.credentials import without_credentials
from featurestore.definitions.model.view import FeatureView
from featurestore.environment import resolve
from featurestore.jobs.openlineage.observer import RunObserver, RunStart, ignore_run
from featurestore.optional import optional
from featurestore.settings import OpenLineage, Settings
from featurestore.store.layout import Layout
from featurestore.store.ledger.runs import RunRecord

if TYPE_CHECKING:
    from openlineage.client.event_v2 import RunEvent

_LOG = logging.getLogger(__name__)
_Emit = Callable[["RunEvent"], None]


def run_observer(settings: Settings, layout: Layout) -> RunObserver:
    """Return what sends an event at the beginning and at the end of each run.

    Args:
        settings: The project's settings. Without ``[openlineage]``, nothing is sent.
        layout: The addresses of the tables.

    Example:
        >>> from featurestore.settings import read_settings
        >>> settings = Settings(Path(), "demo")
        >>> run_observer(settings, Layout("store/demo")) is ignore_run
        True
    """
    if settings.openlineage is None:
        return ignore_run
    return _Sender(settings.full_name, settings.folder, settings.openlineage, layout)


class _Sender:
    """Sends events, until one of them fails: a host that is away must not slow down each run."""

    def __init__(self, project: str, folder: Path, settings: OpenLineage, layout: Layout) -> None:
        self._project, self._folder, self._settings = project, folder, settings
        self._layout, self._lock = layout, Lock()
        self._emit: _Emit | None = None
        self._failed = False

    def __call__(self, view: FeatureView, record: RunRecord, start: RunStart, /) -> None:
        if self._failed or record.status == "skipped":
            return
        try:
            if start == "unseen" and record.status != "running":
                self._send(view, replace(record, status="running"), killed=False)
            self._send(view, record, killed=start == "killed")
        except Exception as error:  # noqa: BLE001  # no problem of an event may fail a run
            self._failed = True
            found = without_credentials(getattr(error, "found", None) or str(error))
            _LOG.warning(
                "no event of OpenLineage was sent for view %s, and none will be for the other "
                "views of this call: %s: %s",
                view.name,
                type(error).__name__,
                found,
            )

    def _send(self, view: FeatureView, record: RunRecord, *, killed: bool) -> None:
        optional("openlineage.client", "send events of OpenLineage", "openlineage")
        # Local import: openlineage is an extra, which the line above has found.
        from featurestore.jobs.openlineage.events import run_event  # noqa: PLC0415 - see above

        event = run_event(self._project, self._layout, view, record, was_killed=killed)
        with self._lock:  # views run side by side
            if self._failed:  # another view has waited for the host, while this one waited for it
                return
            try:
                if self._emit is None:
                    self._emit = _emitter(self._settings, self._folder)
                _within(self._settings.timeout_seconds, self._emit, event)
            except Exception:
                self._failed = True  # before the next view has the lock
                raise


def _emitter(settings: OpenLineage, folder: Path) -> _Emit:
    if settings.path is not None:
        return _to_file(folder / resolve(settings.path))
    return _to_host(settings)


def _to_file(path: Path) -> _Emit:
    from openlineage.client.serde import Serde  # noqa: PLC0415 - an extra

    def append(event: "RunEvent") -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        # One write: runs of other processes append to the same file.
        with path.open("ab", buffering=0) as file:
            file.write(f"{Serde.to_json(event)}\n".encode())

    return append


def _to_host(settings: OpenLineage) -> _Emit:
    from openlineage.client.transport.http import (  # noqa: PLC0415 - an extra
        ApiKeyTokenProvider,
        HttpConfig,
        HttpTransport,
        TokenProvider,
    )

    key = None if settings.api_key is None else resolve(settings.api_key)
    config = HttpConfig(
        url=resolve(settings.url or ""),
        endpoint=settings.endpoint,
        timeout=settings.timeout_seconds,
        auth=TokenProvider({}) if key is None else ApiKeyTokenProvider({"apiKey": key}),
        retry={"total": 0},
    )
    transport = HttpTransport(config)

    def post(event: "RunEvent") -> None:
        transport.emit(event)

    return post


def _within(seconds: float, emit: _Emit, event: "RunEvent") -> None:
    """Send an event, and wait for so many seconds at most.

    The limit of the library is one for each read: a host that sends a byte a second never ends.

    Raises:
        TimeoutError: The event was not sent by then.
    """
    failures: list[Exception] = []

    def send() -> None:
        try:
            emit(event)
        except Exception as error:  # noqa: BLE001  # raised again in the thread that waits
            failures.append(error)

    thread = Thread(target=send, name="openlineage", daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise TimeoutError(f"it took longer than {seconds:g} s")
    for failure in failures:
        raise failure
