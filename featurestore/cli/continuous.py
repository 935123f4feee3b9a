"""`materialize --continuous`: batches until a signal ends the process, a line for each batch."""

import os
import signal
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import KW_ONLY, dataclass
from threading import Event
from types import FrameType
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from featurestore.cli.interrupt import INTERRUPTED
from featurestore.cli.output import print_table, say
from featurestore.client.display.log_lines import HEARTBEAT_SECONDS, LogLines, heartbeat
from featurestore.errors import RequestError
from featurestore.jobs.materialize.progress import ENDS
from featurestore.times import parse_duration_argument

if TYPE_CHECKING:
    from featurestore.client.feature_store import FeatureStore
    from featurestore.jobs.materialize.job import RunResult
    from featurestore.jobs.materialize.progress import ProgressEvent

TRIGGER, LATEST_EVERY = "5s", "5m"
Continuous = Annotated[
    bool,
    typer.Option(
        "--continuous", help="Go on with new rows until Ctrl-C or SIGTERM, in small batches."
    ),
]
Trigger = Annotated[
    str | None,
    typer.Option(
        help="With --continuous: the duration from one batch to the next one.",
        show_default=TRIGGER,
    ),
]
LatestEvery = Annotated[
    str | None,
    typer.Option(
        help="With --continuous: how often to write the `latest` tables again.",
        show_default=LATEST_EVERY,
    ),
]
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_POLL_SECONDS = 0.2
_CALL = "materialize --continuous"
_SHOWN = ("done", "failed", "interrupted", "skipped")
_WITH_MESSAGE = ("waiting", "reading")


@dataclass(frozen=True)
class Total:
    """What a process has done for one view.

    Args:
        status: The end of its last run.
        batches: The number of runs that have stored rows.
        rows: The number of rows that they have stored.
        failures: The number of runs that have failed.
        seconds: The duration of all runs.
    """

    status: str
    _: KW_ONLY
    batches: int = 0
    rows: int = 0
    failures: int = 0
    seconds: float = 0.0

    def after(self, event: "ProgressEvent") -> "Total":
        """Return the total with one more run, which has ended."""
        is_done = event.phase == "done"
        return Total(
            # A look that has found nothing is no news after a batch.
            "done" if event.phase == "nothing" and self.batches else event.phase,
            batches=self.batches + is_done,
            rows=self.rows + event.rows * is_done,
            failures=self.failures + (event.phase == "failed"),
            seconds=self.seconds + event.seconds,
        )


class BatchEvents:
    """Prints lines for the events of batches that people want to see, and adds up the ended ones.

    Spark starts once; its sessions of later batches are no news.

    Args:
        lines: Prints the lines.
        totals: Where what was done is added up, by view.

    Example:
        >>> from featurestore.jobs.materialize.progress import ProgressEvent
        >>> totals = {}
        >>> BatchEvents(LogLines(print), totals)(ProgressEvent("v", "nothing"))
        >>> totals["v"].status, totals["v"].batches
        ('nothing', 0)
    """

    def __init__(self, lines: LogLines, totals: dict[str, Total]) -> None:
        self._lines, self._totals = lines, totals
        self._has_started = False

    def __call__(self, event: "ProgressEvent", /) -> None:
        """Handle an event of one view."""
        is_start = event.phase == "starting"
        if event.phase in ENDS:
            before = self._totals.get(event.view, Total(event.phase))
            self._totals[event.view] = before.after(event)
        if (
            event.phase in _SHOWN
            or (event.phase in _WITH_MESSAGE and event.message)
            or (is_start and not self._has_started)
        ):
            self._lines(event)
        else:
            self._lines.note(event)
        self._has_started = self._has_started or not is_start


def print_totals(totals: Mapping[str, Total]) -> None:
    """Print what a process has done for each view, in the order of their names.

    Args:
        totals: By view.

    Example:
        >>> print_totals({"v": Total("done", batches=2, rows=3)})  # doctest: +NORMALIZE_WHITESPACE
          view   status   batches   rows out   failures   seconds
         ─────────────────────────────────────────────────────────
          v      done           2          3          0         0
    """
    from featurestore.client.display.status_text import status_text

    rows = [
        [
            *(view, status_text(each.status), each.batches, each.rows, each.failures),
            round(each.seconds, 1),
        ]
        for view, each in sorted(totals.items())
    ]
    print_table(["view", "status", "batches", "rows out", "failures", "seconds"], rows)


def run_continuously(
    store: "FeatureStore",
    views: list[str] | None,
    trigger: str,
    latest_every: str,
    totals: dict[str, Total],
) -> "list[RunResult]":
    """Materialize views until Ctrl-C or SIGTERM, and return the last result of each.

    The batches that run are finished first. A second signal cuts them off.

    Args:
        store: The store.
        views: Views, or services for all views that they need. None for all.
        trigger: The duration from one batch to the next.
        latest_every: The duration from one refresh of the latest tables to the next.
        totals: Where what was done is added up, by view; also if an error ends the process.

    Raises:
        RequestError: The call cannot be done; it is named as it was typed, not as in Python.
    """
    for option, duration in {"--trigger": trigger, "--latest-every": latest_every}.items():
        parse_duration_argument(_CALL, option, duration, example=TRIGGER)
    lines = LogLines(lambda line: say("{}", line))
    # In another thread: Spark takes over Ctrl-C in the thread that starts its session, if that is
    # the main thread, and cuts the batches off.
    with (
        heartbeat(lines, HEARTBEAT_SECONDS),
        stop_at_signals() as stop,
        ThreadPoolExecutor(1, "continuous") as pool,
    ):
        future = pool.submit(
            store.materialize_continuously,
            views,
            trigger=trigger,
            latest_every=latest_every,
            stop=stop,
            progress=BatchEvents(lines, totals),
        )
        while not future.done():  # short waits: a signal is handled between them
            wait([future], _POLL_SECONDS)
    try:
        return future.result()
    except RequestError as error:
        raise type(error)(_CALL, error.found, error.fix) from error


def check_alone(*others: object) -> None:
    """Check that the options of other ways to run are left out.

    Args:
        others: The values of these options.

    Raises:
        RequestError: One of them is set.

    Example:
        >>> check_alone(*[False] * 8)
    """
    names = ("full", "start", "end", "latest", "due", "dry-run", "accept-schema", "wait")
    for name, value in zip(names, others, strict=True):
        if value:
            raise RequestError(
                _CALL,
                f"it is called with --{name} too",
                f"Run `featurestore materialize --{name}` first, then --continuous alone.",
            )


def require_continuous(options: Mapping[str, str | None]) -> None:
    """Check that a call without ``--continuous`` has no option of it.

    Args:
        options: The values of these options, by name.

    Raises:
        RequestError: One of them is set.

    Example:
        >>> require_continuous({"trigger": None})
    """
    for name, value in options.items():
        if value is not None:
            raise RequestError(
                f"materialize --{name}",
                "--continuous is missing",
                f"Add --continuous, or leave out --{name}.",
            )


@contextmanager
def stop_at_signals() -> Iterator[Event]:
    """Give an event that Ctrl-C or SIGTERM sets. The second signal ends the process.

    Example:
        >>> with stop_at_signals() as stop:
        ...     stop.is_set()
        False
    """
    stop = Event()
    before = {number: signal.getsignal(number) for number in _SIGNALS}

    def handle(number: int, _: FrameType | None) -> None:
        if stop.is_set():
            _end()
        stop.set()
        say("[bold]stopping[/]: the batches that run are finished first. Again to cut them off.")

    for number in _SIGNALS:
        signal.signal(number, handle)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end() -> NoReturn:
    """End the process at once, as a crash would: the next run goes on after the last commit."""
    say("[bold]interrupted[/]: what is committed stays, and the next run does what is left.")
    os._exit(INTERRUPTED)
