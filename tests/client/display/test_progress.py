"""The progress that is shown while views are materialized."""

import sys
import threading
from datetime import UTC, datetime, timedelta
from io import StringIO

from rich.console import Console
from rich.text import Text

from featurestore.client.display.log_lines import LogLines, heartbeat
from featurestore.client.display.progress import progress_on_stderr
from featurestore.jobs.materialize.progress import ProgressEvent

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
EVENTS = (
    ProgressEvent("a", "reading", batches=2, rows=1500),
    ProgressEvent("b", "checking"),
    ProgressEvent("a", "done", rows=1500, message="stored 1,500 rows"),
    ProgressEvent("b", "failed", message="source [x] is empty"),
)


def test_without_a_terminal_each_step_is_a_line_with_its_time() -> None:
    text = StringIO()

    with progress_on_stderr(Console(file=text, width=40), clock=lambda: NOON) as progress:
        for event in (
            ProgressEvent("a", "starting"),
            ProgressEvent("a", "waiting"),
            ProgressEvent("a", "checking"),
            ProgressEvent("a", "reading", message="1,000 new files", total=4000),
            ProgressEvent("a", "reading", batches=1, rows=1500, total=4000),
            ProgressEvent(
                "a", "reading", batches=1, rows=1500, total=4000
            ),  # Spark had begun again
            ProgressEvent("b", "waiting", message="another process materializes it"),
            ProgressEvent("a", "done", rows=1500, message="stored 1,500 rows", seconds=4.25),
            ProgressEvent("b", "failed", message="source [x] is empty"),
        ):
            progress(event)

    assert progress.prints_messages
    assert text.getvalue().splitlines() == [
        "2026-01-01 12:00:00Z a: starting Spark",
        "2026-01-01 12:00:00Z a: checking the table and the source",
        "2026-01-01 12:00:00Z a: reading 1,000 new files",
        "2026-01-01 12:00:00Z a: stored batch 1, 1,500 of 4,000 rows read so far",
        "2026-01-01 12:00:00Z b: waits: another process materializes it",
        "2026-01-01 12:00:00Z a: done in 4.2 s: stored 1,500 rows",
        "2026-01-01 12:00:00Z b: failed: source [x] is empty",
    ]


def test_a_view_that_is_silent_for_long_has_a_line() -> None:
    now, printed = [NOON], []
    lines = LogLines(printed.append, lambda: now[0])
    lines(ProgressEvent("a", "reading", rows=7))
    lines(ProgressEvent("b", "done"))
    lines(ProgressEvent("c", "waiting"))

    lines.print_silent(60)
    now[0] += timedelta(seconds=60)
    lines.print_silent(60)
    lines.print_silent(60)

    assert printed[2:] == ["2026-01-01 12:01:00Z a: still reading, 7 rows read so far"]


def test_the_heartbeat_ends_with_its_block() -> None:
    beaten = threading.Event()
    lines = LogLines(lambda line: beaten.set())
    lines(ProgressEvent("a", "checking"))
    beaten.clear()

    with heartbeat(lines, 0.01):
        assert beaten.wait(10)

    assert "heartbeat" not in {thread.name for thread in threading.enumerate()}


def test_a_terminal_shows_that_spark_starts() -> None:
    text = StringIO()
    console = Console(file=text, force_terminal=True, width=80, color_system=None)

    with progress_on_stderr(console) as progress:
        progress(ProgressEvent("a", "starting"))

    assert "a starting Spark" in text.getvalue()


def test_on_a_terminal_every_view_has_a_line() -> None:
    text = StringIO()
    console = Console(file=text, force_terminal=True, width=80, color_system=None)

    with progress_on_stderr(console) as progress:
        for event in EVENTS[:2]:
            progress(event)

    assert not progress.prints_messages
    assert "a reading 1,500 rows in 2 batches" in text.getvalue()
    assert "b checking" in text.getvalue()


def test_without_a_terminal_views_that_fail_alike_show_the_reason_once() -> None:
    text, messages = StringIO(), {"a1": "view 'a1': full", "b": "no table", "c": "view 'c': full"}

    with progress_on_stderr(Console(file=text)) as progress:
        for view, message in messages.items():
            progress(ProgressEvent(view, "failed", message=message))

    assert [line[21:] for line in text.getvalue().splitlines()] == [
        "a1: failed: view 'a1': full",
        "b: failed: no table",
        "c: failed: for the same reason as a1",
    ]


def test_the_number_of_rows_that_are_left_is_shown_where_it_is_known() -> None:
    text = StringIO()
    console = Console(file=text, force_terminal=True, width=80, color_system=None)

    with progress_on_stderr(console) as progress:
        progress(ProgressEvent("a", "reading", rows=1500, total=4000))
        progress(ProgressEvent("b", "reading", rows=7))

    assert "a reading 1,500 of 4,000 rows" in text.getvalue()
    assert "b reading 7 rows" in text.getvalue()


def test_a_warning_on_stderr_stands_on_lines_of_its_own() -> None:
    text = StringIO()
    console = Console(file=text, force_terminal=True, width=80, color_system=None)

    with progress_on_stderr(console) as progress:
        progress(ProgressEvent("a", "reading", rows=7))
        sys.stderr.write("UserWarning: no type hints\n")

    lines = Text.from_ansi(text.getvalue()).plain.splitlines()
    assert "UserWarning: no type hints" in [line.strip() for line in lines]
