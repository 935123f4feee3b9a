"""The served site: loopback only, its own files only, and built again after a change."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import pytest

import featurestore as fs
from featurestore.errors import RequestError, TableError
from featurestore.site.build import build_site
from featurestore.site.serve.server import SiteServer
from tests.site.conftest import DEFINITIONS, NOW, new_store
from tests.site.trained import save_and_record


class Running:
    """A server that runs in a thread."""

    def __init__(self, server: SiteServer, said: list[str]) -> None:
        self.said, self.port = said, int(server.url.rsplit(":", 1)[1].strip("/"))

    def get(
        self, path: str, host: str | None = None, method: str = "GET"
    ) -> tuple[int, dict[str, str], str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request(method, path, headers={"Host": host or f"127.0.0.1:{self.port}"})
        answer = connection.getresponse()
        return answer.status, dict(answer.headers), answer.read().decode()

    def wait_for(self, found: Callable[[], bool]) -> None:
        end = time.monotonic() + 20
        while not found():
            assert time.monotonic() < end, self.said
            time.sleep(0.05)


def change(store: fs.FeatureStore) -> None:
    """Apply a second version of the definitions."""
    file = store.settings.definitions_folder / "shop.py"
    file.write_text(DEFINITIONS.replace('ttl="4h"', 'ttl="5h"'), "utf-8")
    store.apply(store.plan())


@contextmanager
def serving(store: fs.FeatureStore, out: Path) -> Iterator[Running]:
    said: list[str] = []
    server = SiteServer(store, out, port=0, clock=lambda: NOW, say=said.append)
    stop, running = Event(), Running(server, said)
    thread = Thread(target=server.run, args=(stop,), kwargs={"poll_seconds": 0.05})
    thread.start()
    try:
        running.wait_for(lambda: bool(said))
        yield running
    finally:
        stop.set()
        thread.join()


def test_pages_are_served_with_their_policy_and_are_not_cached(
    store: fs.FeatureStore, tmp_path: Path
) -> None:
    with serving(store, tmp_path / "site") as running:
        status, headers, page = running.get("/")
        _, _, data = running.get("/api/v1/index.json?x=1")
        head = running.get("/views/activity.html", method="HEAD")

    assert status == 200
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert 'http-equiv="Content-Security-Policy"' in page
    assert '<script src="/_live/reload.js"' in page
    assert json.loads(data)["project"] == "shop"
    assert (head[0], head[2]) == (200, "")
    assert "_live" not in (tmp_path / "site" / "index.html").read_text()  # the folder has none


OUTSIDE = (
    "/../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "//etc/passwd",
    "/assets/../../secret.txt", "/assets", "/.featurestore-site.json", "/own.txt", "/%00",
    "/no/such.html", "/index.html/", "/\\..\\secret.txt", "/_live/../index.html",
)  # fmt: skip


def test_nothing_but_the_sites_files_is_served(store: fs.FeatureStore, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    with serving(store, tmp_path / "site") as running:
        (tmp_path / "site" / "own.txt").write_text("secret")
        answers = {path: running.get(path) for path in OUTSIDE}

    assert {path for path, (status, _, _) in answers.items() if status == 404} == set(OUTSIDE)
    assert [path for path, (_, _, body) in answers.items() if body.strip() == "secret"] == []


def test_another_hosts_name_for_this_machine_is_refused(
    store: fs.FeatureStore, tmp_path: Path
) -> None:
    with serving(store, tmp_path / "site") as running:
        assert running.get("/", host="evil.example.com")[0] == 404
        assert running.get("/", host=f"evil.example.com:{running.port}")[0] == 404
        assert running.get("/", host=f"localhost:{running.port}")[0] == 200
        assert running.get("/", method="POST")[0] == 501


def test_it_listens_on_loopback_only(store: fs.FeatureStore, tmp_path: Path) -> None:
    with serving(store, tmp_path / "site") as running:
        listening = [
            line.split()[1]
            for line in Path("/proc/net/tcp").read_text().splitlines()[1:]
            if int(line.split()[1].split(":")[1], 16) == running.port
        ]

    assert {address.split(":")[0] for address in listening} == {"0100007F"}


def test_what_is_applied_and_saved_appears_and_pages_load_again(
    store: fs.FeatureStore, tmp_path: Path
) -> None:
    with serving(store, tmp_path / "site") as running:
        before = running.get("/_live/state.js")[2]
        assert running.get("/history/2.html")[0] == 404
        change(store)
        running.wait_for(lambda: running.get("/history/2.html")[0] == 200)
        save_and_record(store)
        running.wait_for(lambda: running.get("/models/fraud_model.html")[0] == 200)
        after = running.get("/_live/state.js")[2]

    assert before != after


def test_a_failed_build_keeps_the_site_and_says_so(store: fs.FeatureStore, tmp_path: Path) -> None:
    with serving(store, tmp_path / "site") as running:
        log = Path(store.layout.registry(), "_delta_log", f"{1:020}.json")
        log.write_text("{")
        state = running.get("/_live/state.js")[2]
        said = len(running.said)
        running.wait_for(lambda: len(running.said) > said)
        assert running.get("/views/activity.html")[0] == 200
        assert running.get("/_live/state.js")[2] == state
        log.unlink()
        running.wait_for(lambda: running.get("/_live/state.js")[2] != state)


def test_a_file_that_appears_in_the_folder_does_not_end_it(
    store: fs.FeatureStore, tmp_path: Path
) -> None:
    with serving(store, tmp_path / "site") as running:
        said = len(running.said)
        (tmp_path / "site" / "letter.txt").write_text("dear")
        change(store)
        running.wait_for(lambda: len(running.said) > said)
        assert running.get("/views/activity.html")[0] == 200
        assert running.get("/history/2.html")[0] == 404


def test_a_page_names_the_state_in_which_it_was_read(
    store: fs.FeatureStore, tmp_path: Path
) -> None:
    with serving(store, tmp_path / "site") as running:
        page, state = (running.get(path)[2] for path in ("/index.html", "/_live/state.js"))

    (number,) = re.findall(r"\d+", state)
    assert f'data-state="{number}"' in page


def test_the_first_build_must_succeed_unless_there_is_an_earlier_site(
    store: fs.FeatureStore, tmp_path: Path
) -> None:
    out, log = tmp_path / "site", Path(store.layout.registry(), "_delta_log", f"{1:020}.json")
    log.write_text("{")
    server = SiteServer(store, out, port=0, clock=lambda: NOW, say=print)
    with pytest.raises(TableError):
        server.run(Event())
    log.unlink()
    build_site(store, out, NOW)
    log.write_text("{")

    with serving(store, out) as running:
        assert running.get("/")[0] == 200


def test_a_folder_with_other_files_is_refused_and_kept(
    store: fs.FeatureStore, tmp_path: Path
) -> None:
    out = tmp_path / "mine"
    out.mkdir()
    (out / "letter.txt").write_text("dear")
    server = SiteServer(store, out, port=0, clock=lambda: NOW, say=print)

    with pytest.raises(RequestError):
        server.run(Event())

    assert [path.name for path in out.iterdir()] == ["letter.txt"]


def test_a_port_in_use_is_an_error_that_names_a_free_one(
    store: fs.FeatureStore, tmp_path: Path
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(RequestError) as caught:
            SiteServer(store, tmp_path / "site", port=port, clock=lambda: NOW, say=print)

    assert caught.value.call == f"docs serve --port {port}"
    offered = int(caught.value.fix.split("--port ")[1])
    assert offered != port
    with socket.socket() as free:
        free.bind(("127.0.0.1", offered))
    assert not (tmp_path / "site").exists()


def test_an_empty_registry_is_served(tmp_path: Path) -> None:
    with serving(new_store(tmp_path / "empty", ""), tmp_path / "site") as running:
        assert json.loads(running.get("/api/v1/index.json")[2])["version"] == 0


@pytest.mark.slow
def test_ctrl_c_stops_the_program_with_success(store: fs.FeatureStore, tmp_path: Path) -> None:
    words = [
        *(sys.executable, "-c", "from featurestore.cli import main; main()"),
        *("docs", "serve", "--port", "0", "-p", str(store.settings.folder)),
    ]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as process:
        for line in process.stderr:
            if "http://127.0.0.1:" in line:
                break
        os.kill(process.pid, signal.SIGINT)
        rest = process.stderr.read()

    assert process.returncode == 0
    assert "Traceback" not in rest
