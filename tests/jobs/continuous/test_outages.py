"""The loop without Spark: a root that does not answer, states, and locks of other processes."""

from dataclasses import replace
from pathlib import Path
from threading import Event, Timer
from typing import NoReturn

import pytest

from featurestore.definitions.model.manifest import Manifest
from featurestore.errors import StorageError
from featurestore.jobs.continuous.loop import Pace, materialize_continuously
from featurestore.jobs.continuous.state import continuous_lock
from featurestore.jobs.materialize.job import Job
from featurestore.jobs.materialize.lock import view_lock
from featurestore.jobs.materialize.progress import ProgressEvent
from tests.jobs.world import DERIVED, SPENDING, Store, other, stored_rows

QUICK = Pace(trigger=0.01)
AWAY = StorageError("read the ledger", "503 Slow Down", "Try again.")


class Waits:
    """Counts what a loop waits for, and stops it after some."""

    def __init__(self, most: int) -> None:
        self.stop, self.messages, self._most = Event(), [], most
        self._deadline = Timer(20.0, self.stop.set)  # a loop that waits for nothing more
        self._deadline.daemon = True
        self._deadline.start()

    def __call__(self, event: ProgressEvent) -> None:
        if event.phase == "waiting" and event.message:
            self.messages.append(event.message)
        if len(self.messages) >= self._most:
            self._deadline.cancel()
            self.stop.set()

    def run(self, job: Job) -> int:
        materialize_continuously(job, pace=QUICK, stop=self.stop, progress=self)
        return len(self.messages)


def no_session() -> NoReturn:
    raise AWAY


def test_a_root_that_does_not_answer_is_waited_for(shop: Store) -> None:
    manifest, is_away = shop.job.applied(), Event()

    def applied() -> Manifest:
        if is_away.is_set():
            raise AWAY
        return manifest

    def session() -> NoReturn:  # after the first load
        is_away.set()
        raise AWAY

    assert Waits(3).run(replace(shop.job, applied=applied, spark=session)) == 3


def test_the_first_load_fails_at_once(shop: Store) -> None:
    with pytest.raises(StorageError):
        Waits(1).run(replace(shop.job, applied=no_session))


def test_a_state_that_cannot_be_written_or_removed_fails_nothing(shop: Store) -> None:
    shop.views = [SPENDING, DERIVED]
    Path(shop.layout.continuous("spending"), "in_the_way").mkdir(parents=True)

    assert Waits(4).run(replace(shop.job, spark=no_session)) == 4

    for view in ("spending", "copied"):
        with continuous_lock(shop.layout, view):
            pass


def test_a_latest_table_that_was_locked_is_due_at_the_next_trigger(shop: Store) -> None:
    shop.views = [other(SPENDING, latest=True)]
    shop.build(view=shop.views[0])
    shop.run(stored_rows("a"))

    with view_lock(shop.layout, "spending", "r1", shop.now):
        assert Waits(3).run(shop.job) == 3
