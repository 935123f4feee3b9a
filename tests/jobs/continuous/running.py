"""A loop in a thread of its own, and what a test waits for."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from threading import Event

from featurestore.jobs.continuous.loop import Pace, materialize_continuously
from featurestore.jobs.materialize.job import Job, RunResult
from featurestore.jobs.materialize.progress import ProgressEvent
from tests.jobs.world import World

QUICK = Pace(trigger=0.2)
_PATIENCE = 240.0  # on a machine with much else to do


@dataclass
class Running:
    """A loop in a thread of its own."""

    future: "Future[list[RunResult]]"
    stop: Event
    events: list[ProgressEvent] = field(default_factory=list)

    def ended(self, view: str, phase: str = "done") -> int:
        return sum(1 for event in self.events if (event.view, event.phase) == (view, phase))

    def wait_for(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _PATIENCE
        while not condition():
            assert time.monotonic() < deadline, self.events[-5:]
            assert not self.future.done(), self.future.exception() or self.future.result()
            time.sleep(0.05)

    def end(self) -> list[RunResult]:
        self.stop.set()
        return self.future.result(_PATIENCE)


@contextmanager
def continuously(
    job: Job, views: list[str] | None = None, pace: Pace = QUICK
) -> Iterator[Running]:
    stop, events = Event(), []
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(
            materialize_continuously, job, views, pace=pace, stop=stop, progress=events.append
        )
        running = Running(future, stop, events)
        try:
            yield running
        finally:
            stop.set()


def live(world: World) -> Job:
    """The world's job, with a clock that goes on."""
    return replace(world.job, clock=lambda: datetime.now(UTC), retries=1, retry_seconds=0.3)
