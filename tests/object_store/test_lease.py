"""Locks in an object store: one holder at a time, also when holders die or sleep."""

import os
import re
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import obstore
import pytest
from obstore.store import from_url

from featurestore.errors import ConflictError, StorageError
from featurestore.jobs.materialize.lock import is_free, is_locked, view_lock, view_locks
from featurestore.store import lease as leases
from featurestore.store.layout import Layout
from featurestore.store.lease import (
    HeldError,
    HeldLock,
    Lease,
    confirm_lease,
    held_lock,
    is_expiring,
    lease_state,
    require_renewed,
)
from tests.object_store.s3_server import BUCKET, S3Server

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
SHORT = {"renew_seconds": 0.5, "lease_seconds": 5.0}


def test_the_second_run_is_refused_with_the_process_of_the_first(root: str) -> None:
    layout = Layout(root)

    with view_lock(layout, "v", "r1", NOON):
        assert (is_locked(layout, "v"), is_free(layout, "v")) == (True, False)
        with pytest.raises(ConflictError) as refused, view_lock(layout, "v", "r2", NOON):
            pass

    process = rf"since 2026-01-01T12:00:00\+00:00 \(host \S+, pid {os.getpid()}, run r1\)"
    assert (refused.value.exit_code, "'v'" in refused.value.call) == (5, True)
    assert re.search(process, refused.value.found)
    assert (is_locked(layout, "v"), is_free(layout, "v")) == (False, True)


def test_a_lock_is_free_after_its_holder_failed(root: str) -> None:
    layout = Layout(root)
    with pytest.raises(RuntimeError), view_lock(layout, "v", "r1", NOON):
        raise RuntimeError

    with view_lock(layout, "v", "r2", NOON), view_lock(layout, "w", "r2", NOON):
        state = lease_state(layout.view_lock("v"))

    assert state is not None
    assert state.holder["run_id"] == "r2"


def test_the_locks_of_several_views_are_held_but_for_those_of_others(root: str) -> None:
    layout = Layout(root)

    with (
        view_lock(layout, "b", "r1", NOON),
        view_locks(layout, {"c": "r2", "b": "r2", "a": "r2"}, NOON) as locks,
    ):
        assert list(locks.held) == ["a", "c"]
        assert "run r1" in locks.busy["b"].found
        locks.release("a")
        assert [name for name in "abc" if is_locked(layout, name)] == ["b", "c"]


def test_who_waits_is_told_once_and_gets_the_lease(root: str) -> None:
    first, holders = Lease(f"{root}/v.lock", {"run": "r1"}), []
    first.acquire()
    end = threading.Timer(0.5, first.release)
    end.start()

    second = Lease(f"{root}/v.lock", {"run": "r2"})
    second.acquire(on_wait=holders.append)

    end.join()
    assert [each["run"] for each in holders] == ["r1"]
    assert (first.confirm(), second.confirm()) == (False, True)
    second.release()


def test_many_threads_get_a_lease_one_after_the_other(root: str) -> None:
    inside: list[int] = []

    def work(number: int) -> int:
        lease = Lease(f"{root}/v.lock", {"run": str(number)}, lease_seconds=20)
        lease.acquire(on_wait=lambda holder: None)
        inside.append(1)
        most = len(inside)
        time.sleep(0.01)
        inside.pop()
        lease.release()
        return most

    with ThreadPoolExecutor(4) as workers:
        assert list(workers.map(work, range(4))) == [1] * 4


def test_a_held_lease_is_renewed_and_so_never_taken(root: str) -> None:
    lease = Lease(f"{root}/v.lock", {"run": "r1"}, **SHORT)
    lease.acquire()

    other = Lease(f"{root}/v.lock", {"run": "r2"}, **SHORT)
    waiting = threading.Event()
    taking = threading.Thread(
        target=lambda: other.acquire(on_wait=lambda holder: waiting.set()), daemon=True
    )
    taking.start()
    taking.join(6)

    assert (waiting.is_set(), taking.is_alive(), lease.confirm()) == (True, True, True)
    lease.release()
    taking.join(10)
    assert other.confirm()
    other.release()


def test_the_lease_of_a_process_that_does_not_renew_it_is_taken(root: str) -> None:
    asleep = Lease(f"{root}/v.lock", {"run": "r1"}, renew_seconds=3600, lease_seconds=0.5)
    asleep.acquire()

    other = Lease(asleep.address, {"run": "r2"}, renew_seconds=3600, lease_seconds=0.5)
    other.acquire(on_wait=lambda holder: None)

    assert (asleep.confirm(), other.confirm()) == (False, True)
    asleep.release()
    assert other.confirm()
    other.release()


def put(address: str, content: bytes) -> None:
    folder, _, name = address.rpartition("/")
    obstore.put(from_url(folder), name, content)


def test_a_process_that_has_lost_its_lease_commits_nothing(root: str) -> None:
    layout = Layout(root)
    with view_lock(layout, "v", "r1", NOON):
        lock = held_lock(layout.view_lock("v"))
        confirm_lease(lock, "commit")

        put(lock.address, b'{"run": "of another machine"}')

        with pytest.raises(ConflictError) as lost:
            confirm_lease(lock, "commit")
    assert (lost.value.call, lock.address in lost.value.found) == ("commit", True)
    state = lease_state(lock.address)
    assert state is not None
    assert (state.holder["run"], state.is_free) == ("of another machine", False)


def test_a_commit_in_another_process_needs_the_token_of_the_lease(root: str) -> None:
    """The process of a batch function holds no lease itself: it compares what the object says."""
    layout = Layout(root)
    nobody = held_lock(layout.view_lock("v"))
    with view_lock(layout, "v", "r1", NOON):
        lock = held_lock(layout.view_lock("v"))
        program = (
            "import sys\n"
            "from featurestore.store.lease import HeldLock, confirm_lease\n"
            "confirm_lease(HeldLock(*sys.argv[1:]), 'commit')\n"
        )
        ended = [
            subprocess.run(
                [sys.executable, "-c", program, lock.address, token],
                cwd=Path(__file__).parents[2],
                capture_output=True,
                check=False,
            ).returncode
            for token in (lock.token, "of-another-process")
        ]

    assert (ended, nobody) == ([0, 1], HeldLock(lock.address))
    for released in (lock, nobody):
        with pytest.raises(ConflictError):
            confirm_lease(released, "commit")


def test_a_put_whose_answer_is_lost_keeps_the_lease(root: str, s3: S3Server) -> None:
    address = f"{root}/v.lock"
    key = address.removeprefix(f"s3://{BUCKET}/")
    lease = Lease(address, {"run": "r1"}, renew_seconds=0.2)

    s3.lose_answer(key)
    lease.acquire()
    assert lease.confirm()
    s3.lose_answer(key)
    first = lease_state(address)
    deadline = time.monotonic() + 20
    while (state := lease_state(address)) is not None and time.monotonic() < deadline:
        if first is not None and int(state.holder["count"]) > int(first.holder["count"]) + 3:
            break
        time.sleep(0.1)
    assert lease.confirm()

    s3.lose_answer(key)
    lease.release()
    state = lease_state(address)
    assert state is not None and state.is_free


def test_a_process_that_cannot_renew_its_lease_stops_writing(root: str) -> None:
    layout = Layout(root)
    with view_lock(layout, "v", "r1", NOON):
        lock = held_lock(layout.view_lock("v"))
        assert not is_expiring(lock)
        require_renewed(lock, "commit")
        lease = leases._held[lock.address]
        lease._renewed -= 41

        assert is_expiring(lock)
        with pytest.raises(ConflictError):
            require_renewed(lock, "commit")


def test_a_lease_of_another_machine_is_held_once_it_changes(root: str) -> None:
    """Whatever the clocks say: an object that nobody puts again is taken."""
    address = f"{root}/v.lock"
    put(address, b'{"run": "1"}')
    changing = threading.Timer(0.5, put, (address, b'{"run": "2"}'))
    changing.start()

    with pytest.raises(HeldError):
        Lease(address, {"run": "r2"}, lease_seconds=4).acquire()
    changing.join()

    lease = Lease(address, {"run": "r3"}, lease_seconds=0.5)
    lease.acquire()
    assert lease.confirm()
    lease.release()


def test_a_failure_leaves_no_lease_of_its_own_process(root: str) -> None:
    lease = Lease(f"{root}/v.lock", {"run": "r1"})
    lease.acquire()
    leases._live.discard(lease.token)  # as after an answer that was lost, and a store that is gone

    other = Lease(lease.address, {"run": "r2"})
    other.acquire()

    assert (lease.confirm(), other.confirm()) == (False, True)
    lease.release()
    other.release()


def test_the_lease_of_a_killed_process_of_this_machine_is_free_at_once(root: str) -> None:
    program = (
        "import sys, time\n"
        "from featurestore.store.lease import Lease\n"
        "Lease(sys.argv[1], {'run': 'r1'}).acquire()\n"
        "print('held', flush=True)\n"
        "time.sleep(600)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, f"{root}/v.lock"],
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        with pytest.raises(HeldError) as held:
            Lease(f"{root}/v.lock", {"run": "r2"}).acquire()
        process.kill()

    assert held.value.holder["run"] == "r1"
    lease = Lease(f"{root}/v.lock", {"run": "r2"})
    lease.acquire()
    assert lease.confirm()
    lease.release()


def test_another_bucket_is_an_error_that_names_the_lock(root: str) -> None:
    with pytest.raises(StorageError) as refused:
        Lease("s3://no-such-bucket/v.lock", {}).acquire()

    assert "s3://no-such-bucket/v.lock" in refused.value.call
