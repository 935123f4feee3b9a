"""The progress that is shown while views are materialized."""

import sys
from io import StringIO

from rich.console import Console
from rich.text import Text

from featurestore.client.display.progress import progress_on_stderr
from featurestore.jobs.materialize.progress import ProgressEvent

EVENTS = (
    ProgressEvent("a", "reading", batches=2, rows=1500),
    ProgressEvent("b", "checking"),
    ProgressEvent("a", "done", rows=1500, message="stored 1,500 rows"),
    ProgressEvent("b", "failed", message="source [x] is empty"),
)


def test_without_a_terminal_a_view_has_one_line_after_its_end() -> None:
    text = StringIO()

    with progress_on_stderr(Console(file=text)) as progress:
        for event in EVENTS:
            progress(event)

    assert progress.prints_messages
    assert text.getvalue() == "a done: stored 1,500 rows\nb failed: source [x] is empty\n"


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

    assert text.getvalue().splitlines() == [
        "a1 failed: view 'a1': full",
        "b failed: no table",
        "c failed: for the same reason as a1",
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
