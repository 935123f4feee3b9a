"""Events reach a file or a host, and no run fails if they do not."""

import json
import logging
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from featurestore.jobs.openlineage.send import run_observer
from featurestore.settings import OpenLineage, Settings
from featurestore.store.layout import Layout
from featurestore.store.ledger.runs import Outcome
from tests.jobs.openlineage.test_events import BEGUN, CHECKED, ended


@dataclass
class Host:
    """A host on the loopback that receives events, and answers with a status, late or never."""

    status: int = 200
    silent: bool = False
    events: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> "Host":
        host = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                host.events.append(json.loads(body))
                host.headers.append(dict(self.headers))
                if host.silent:
                    host.released.wait(30)
                self.send_response(host.status)
                self.end_headers()

            def log_message(self, *arguments: object) -> None:
                """Print nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.released.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def host() -> Iterator[Host]:
    with Host() as running:
        yield running


def settings(folder: Path, **options: str) -> Settings:
    return Settings(folder, "demo", openlineage=OpenLineage(**{"timeout": "1s", **options}))


def send(own: Settings) -> None:
    """Send the events of two runs: one that succeeds, and one that fails before it begins."""
    observe = run_observer(own, Layout(str(own.folder / "store"), folder=own.folder))
    observe(CHECKED, BEGUN, "seen")
    observe(CHECKED, ended("done"), "seen")
    failed = ended("failed", Outcome(error="the disk is full"))
    observe(CHECKED, replace(failed, run_id="r2"), "unseen")
    observe(CHECKED, replace(failed, run_id="r3", status="skipped"), "unseen")


STATES = ["START", "COMPLETE", "START", "FAIL"]


def test_a_file_has_an_event_a_line(tmp_path: Path) -> None:
    send(settings(tmp_path, path="events/runs.jsonl"))
    send(settings(tmp_path, path="events/runs.jsonl"))

    lines = (tmp_path / "events" / "runs.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line)["eventType"] for line in lines] == STATES * 2


def test_a_host_receives_the_events_with_the_key(
    tmp_path: Path, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LINEAGE_KEY", "a-key-of-the-host")
    monkeypatch.setenv("LINEAGE_URL", host.url)

    send(settings(tmp_path, url="${env:LINEAGE_URL}", api_key="${env:LINEAGE_KEY}"))

    assert [event["eventType"] for event in host.events] == STATES
    assert host.headers[0]["Authorization"] == "Bearer a-key-of-the-host"
    first, second = host.events[1]["run"]["runId"], host.events[3]["run"]["runId"]
    assert [event["run"]["runId"] for event in host.events] == [first, first, second, second]


def test_a_host_that_never_answers_is_asked_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Host(silent=True) as host:
        send(settings(tmp_path, url=host.url))

        assert len(host.events) == 1
    assert_one_warning(caplog, "spending")


def test_views_that_wait_for_each_other_ask_a_silent_host_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Host(silent=True) as host:
        own = settings(tmp_path, url=host.url)
        observe = run_observer(own, Layout(str(tmp_path / "store"), folder=tmp_path))
        runs = [replace(BEGUN, run_id=f"r{number}") for number in range(8)]
        with ThreadPoolExecutor(len(runs)) as threads:
            list(threads.map(lambda run: observe(CHECKED, run, "seen"), runs))

        assert len(host.events) == 1
    assert_one_warning(caplog, "spending")


def test_a_host_that_refuses_is_asked_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Host(status=500) as host:
        send(settings(tmp_path, url=host.url))

        assert len(host.events) == 1
    assert_one_warning(caplog, "500")


def test_a_host_that_is_away_is_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"

        send(settings(tmp_path, url=url))

    assert_one_warning(caplog, "spending")


def test_a_warning_has_no_secret(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LINEAGE_HOST", "lineage.invalid.example")

    send(settings(tmp_path, url="http://${env:LINEAGE_HOST}/?token=1"))

    assert_one_warning(caplog, "LINEAGE_HOST")
    assert "lineage.invalid" not in caplog.text


def test_a_missing_variable_is_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    send(settings(tmp_path, url="${env:NO_SUCH_LINEAGE}"))

    assert_one_warning(caplog, "NO_SUCH_LINEAGE")


def test_a_file_that_cannot_be_written_is_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "events").mkdir()

    send(settings(tmp_path, path="events"))

    assert_one_warning(caplog, "events")


def test_without_a_setting_nothing_is_sent(tmp_path: Path) -> None:
    send(Settings(tmp_path, "demo"))

    assert [*tmp_path.iterdir()] == []


def assert_one_warning(caplog: pytest.LogCaptureFixture, part: str) -> None:
    own = [each for each in caplog.records if each.name.startswith("featurestore")]
    assert [each.levelno for each in own] == [logging.WARNING]
    assert part in own[0].getMessage()
