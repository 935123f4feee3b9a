"""The progress of a run for a log: a line with the time for each step of each view."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from threading import Event, Lock, Thread

from featurestore.client.display.status_text import cause_of, status_text
from featurestore.jobs.materialize.progress import ENDS, ProgressEvent
from featurestore.times import Clock, system_clock

HEARTBEAT_SECONDS = 60.0
"""A view without a line for so long gets one, so that nobody takes its run for dead."""

_STEPS = {
    "starting": "starting Spark",
    "checking": "checking the table and the source",
    "reading": "reading",
    "latest": "writing the latest table",
    "compacting": "joining small files",
}


class LogLines:
    """Prints the steps of views, from several threads.

    Args:
        write: Prints a line.
        clock: Returns the present moment.

    Example:
        >>> from datetime import UTC, datetime
        >>> lines = LogLines(print, lambda: datetime(2026, 1, 31, 9, 30, tzinfo=UTC))
        >>> lines(ProgressEvent("activity", "reading", message="2 new files"))
        2026-01-31 09:30:00Z activity: reading 2 new files
        >>> lines(ProgressEvent("activity", "done", message="stored 10 rows", seconds=4.2))
        2026-01-31 09:30:00Z activity: done in 4.2 s: stored 10 rows
    """

    prints_messages = True

    def __init__(self, write: Callable[[str], None], clock: Clock = system_clock) -> None:
        self._write, self._clock, self._lock = write, clock, Lock()
        self._events: dict[str, ProgressEvent] = {}  # the newest of each view
        self._printed: dict[str, datetime] = {}
        self._causes: dict[str, str] = {}  # the first view of each cause of a failure

    def __call__(self, event: ProgressEvent, /) -> None:
        """Print a line if the event is another step, or the end of a batch."""
        with self._lock:
            text = self._text(event)
            self._events[event.view] = event
            if text:
                self._print(event.view, text)

    def note(self, event: ProgressEvent) -> None:
        """Take an event for which no line is wanted, so that it is known what the view does."""
        with self._lock:
            before = self._events.get(event.view)
            if before is None or before.phase not in _STEPS:  # a run begins
                self._printed[event.view] = self._clock()
            self._events[event.view] = event

    def print_silent(self, seconds: float) -> None:
        """Print a line for each running view that has had none for so many seconds."""
        with self._lock:
            for view, event in self._events.items():
                silent = (self._clock() - self._printed.get(view, self._clock())).total_seconds()
                if event.phase in _STEPS and silent >= seconds:
                    rows = f", {_rows(event)} so far" if event.rows else ""
                    self._print(view, f"still {_STEPS[event.phase]}{rows}")

    def _text(self, event: ProgressEvent) -> str:
        """Return the line of an event; ``""`` if it says nothing new."""
        before = self._events.get(event.view)
        if event.phase in ENDS:
            duration = f" in {event.seconds:,.1f} s" if event.seconds else ""
            message = self._message(event)
            return f"{status_text(event.phase)}{duration}{message and ': ' + message}"
        if event.phase == "waiting":  # without a message: for the views before it
            return f"waits: {event.message}" if event.message else ""
        if event.message:
            return f"{_STEPS[event.phase]} {event.message}"
        if before is None or before.phase != event.phase:
            return _STEPS[event.phase]
        if event.batches > before.batches:
            return f"stored batch {event.batches}, {_rows(event)} so far"
        return ""

    def _message(self, event: ProgressEvent) -> str:
        if event.phase != "failed":
            return event.message.removeprefix(f"{event.phase}: ")  # which the line begins with
        first = self._causes.setdefault(cause_of(event.view, event.message), event.view)
        return event.message if first == event.view else f"for the same reason as {first}"

    def _print(self, view: str, text: str) -> None:
        now = self._clock()
        self._printed[view] = now
        self._write(f"{now:%Y-%m-%d %H:%M:%SZ} {view}: {text}")


@contextmanager
def heartbeat(lines: LogLines, seconds: float) -> Iterator[None]:
    """Print a line for views without one every so many seconds, until the block ends.

    Args:
        lines: The lines of the views.
        seconds: The time between two lines of a view.

    Example:
        >>> with heartbeat(LogLines(print), HEARTBEAT_SECONDS):
        ...     pass
    """
    end = Event()

    def beat() -> None:
        while not end.wait(seconds):
            lines.print_silent(seconds)

    thread = Thread(target=beat, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join()


def _rows(event: ProgressEvent) -> str:
    of = "" if event.total is None else f" of {event.total:,}"
    return f"{event.rows:,}{of} rows read"
