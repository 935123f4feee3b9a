"""One materialization of a view at a time."""

import os
import re
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from filelock import FileLock

from featurestore.definitions.model.manifest import Manifest
from featurestore.errors import ConflictError
from featurestore.jobs.materialize.job import Job
from featurestore.jobs.materialize.lock import is_locked, view_lock, view_locks
from featurestore.jobs.materialize.progress import ProgressEvent
from featurestore.jobs.materialize.start import materialize, releasing
from featurestore.jobs.repair.repair import repair
from featurestore.jobs.schedule.run import materialize_due
from featurestore.store.interval import Interval
from featurestore.store.layout import Layout
from tests.jobs.world import SPENDING, Store

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def test_the_second_run_is_refused_with_the_process_of_the_first(tmp_path: Path) -> None:
    layout = Layout(str(tmp_path))

    with (
        view_lock(layout, "v", "r1", NOON),
        pytest.raises(ConflictError) as refused,
        view_lock(layout, "v", "r2", NOON),
    ):
        pass

    assert refused.value.exit_code == 5
    assert "'v'" in refused.value.call
    process = rf"since 2026-01-01T12:00:00\+00:00 \(host \S+, pid {os.getpid()}, run r1\)"
    assert re.search(process, refused.value.found)


def test_a_lock_is_free_after_its_holder_failed(tmp_path: Path) -> None:
    layout = Layout(str(tmp_path))
    with pytest.raises(RuntimeError), view_lock(layout, "v", "r1", NOON):
        raise RuntimeError

    with view_lock(layout, "v", "r2", NOON), view_lock(layout, "w", "r2", NOON):
        held = (tmp_path / "locks" / "views" / "v.holder").read_text(encoding="utf-8")

    assert '"run_id": "r2"' in held


def test_a_run_is_not_refused_while_somebody_only_looks_at_the_lock(tmp_path: Path) -> None:
    layout = Layout(str(tmp_path))
    Path(layout.view_lock("v")).parent.mkdir(parents=True)
    look = FileLock(layout.view_lock("v"), thread_local=False)  # as `is_locked` takes it
    look.acquire()
    end = threading.Timer(0.1, look.release)
    end.start()

    with view_lock(layout, "v", "r2", NOON):
        assert is_locked(layout, "v")
    end.join()


def test_a_lock_that_was_taken_a_moment_ago_names_no_process(tmp_path: Path) -> None:
    layout = Layout(str(tmp_path))

    with view_lock(layout, "v", "r1", NOON):
        (tmp_path / "locks" / "views" / "v.holder").write_text("", encoding="utf-8")
        with pytest.raises(ConflictError) as refused, view_lock(layout, "v", "r2", NOON):
            pass

    assert "'v'" in refused.value.call
    assert "pid" not in refused.value.found


def test_the_locks_of_several_views_are_held_but_for_those_of_others(tmp_path: Path) -> None:
    layout = Layout(str(tmp_path))

    with view_lock(layout, "b", "r1", NOON):
        with view_locks(layout, {"c": "r2", "b": "r2", "a": "r2"}, NOON) as locks:
            held = [name for name in "abc" if is_locked(layout, name)]
            assert list(locks.held) == ["a", "c"]
            assert "run r1" in locks.busy["b"].found
            assert "--wait" in locks.busy["b"].fix
        with pytest.raises(ConflictError) as refused, view_lock(layout, "b", "r2", NOON):
            pass
        after = [name for name in "abc" if is_locked(layout, name)]

    assert (held, after) == (["a", "b", "c"], ["b"])
    assert "--wait" not in refused.value.fix  # not every command can wait


def test_a_lock_that_a_thread_released_early_belongs_to_who_takes_it_next(tmp_path: Path) -> None:
    layout = Layout(str(tmp_path))
    holder = tmp_path / "locks" / "views" / "v.holder"

    with view_locks(layout, {"v": "r1", "w": "r1"}, NOON) as locks:
        thread = threading.Thread(target=locks.release, args=("v",))
        thread.start()
        thread.join()
        assert (is_locked(layout, "v"), is_locked(layout, "w")) == (False, True)
        with view_lock(layout, "v", "r2", NOON):
            locks.release("v")  # a second time
            assert '"r2"' in holder.read_text(encoding="utf-8")
            assert is_locked(layout, "v")

    assert not is_locked(layout, "w")


def test_the_end_of_a_views_run_releases_its_lock(tmp_path: Path) -> None:
    layout, events = Layout(str(tmp_path)), []

    with view_locks(layout, {"v": "r1", "w": "r1"}, NOON) as locks:
        report = releasing(events.append, locks, ("done", "nothing"))
        report(ProgressEvent("v", "reading"))
        report(ProgressEvent("w", "failed"))
        assert is_locked(layout, "v")
        report(ProgressEvent("v", "done"))
        assert (is_locked(layout, "v"), is_locked(layout, "w")) == (False, True)

    assert [event.phase for event in events] == ["reading", "failed", "done"]


def test_who_waits_is_named_once_and_gets_the_lock(tmp_path: Path) -> None:
    layout, found_holders = Layout(str(tmp_path)), []
    first = view_locks(layout, {"v": "r1"}, NOON)
    locks = first.__enter__()

    def release(view: str, found: str) -> None:
        found_holders.append((view, "run r1" in found))
        locks.release("v")

    with view_lock(layout, "v", "r2", NOON, on_wait=release):
        assert is_locked(layout, "v")

    first.__exit__(None, None, None)
    assert found_holders == [("v", True)]


@pytest.mark.parametrize(
    "run",
    [
        lambda job: materialize(job, ["spending"]),
        lambda job: materialize_due(job, ["spending"]),
        lambda job: repair(job, ["spending"], Interval(NOON, NOON + timedelta(days=1))),
    ],
)
def test_the_second_process_is_refused_before_definitions_are_loaded(
    shop: Store, run: Callable[[Job], object]
) -> None:
    def load() -> Manifest:
        raise AssertionError

    shop.views = (replace(SPENDING, schedule="@hourly"),)
    job = replace(shop.job, loaded=load)

    with view_lock(shop.layout, "spending", "r1", NOON), pytest.raises(ConflictError) as refused:
        run(job)

    assert f"pid {os.getpid()}, run r1" in refused.value.found
