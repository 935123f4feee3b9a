"""The progress of a run: moving lines on a terminal, else a line for each step."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from importlib.util import find_spec

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress as Bars
from rich.progress import SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from featurestore.client.display.log_lines import HEARTBEAT_SECONDS, LogLines, heartbeat
from featurestore.client.display.status_text import status_text
from featurestore.errors import RequestError
from featurestore.jobs.materialize.progress import (
    ENDS,
    Progress,
    ProgressEvent,
    ignore_progress,
)
from featurestore.times import Clock, system_clock


@contextmanager
def progress_of(progress: "Progress | bool | None") -> Iterator[Progress]:
    """Show the progress where somebody looks at it, unless the caller says otherwise.

    Args:
        progress: The caller's argument: a function that receives events, True to show the
            progress, False to show nothing. None to show it on a terminal and in a notebook.

    Example:
        >>> with progress_of(False) as progress:
        ...     progress(ProgressEvent("card_activity", "done"))
    """
    argument: object = progress
    if not callable(argument) and not isinstance(argument, bool | None):
        fix = "Pass True, False, None or a function."
        raise RequestError("materialize()", f"progress is {progress!r}", fix)
    console = Console(file=sys.stderr, emoji=False)
    if callable(progress):
        yield progress
    elif progress or (progress is None and (console.is_terminal or console.is_jupyter)):
        with progress_on_stderr(console) as lines:
            yield lines
    else:
        yield ignore_progress


@contextmanager
def progress_on_stderr(
    console: Console | None = None, *, clock: Clock = system_clock
) -> "Iterator[LogLines | _ChangingLines]":
    r"""Show the progress of each view on stderr.

    On a terminal each view has one line that changes. Elsewhere each step of a view is a line with
    its time, and a view that is silent for a minute has a line too. The last line has the run's
    message. Then ``prints_messages`` of the yielded object is true.

    Args:
        console: Where to show it. None for stderr.
        clock: Returns the present moment, for the lines of a log.

    Example:
        >>> from io import StringIO
        >>> text = StringIO()
        >>> with progress_on_stderr(Console(file=text)) as progress:
        ...     progress(ProgressEvent("card_activity", "done", rows=10, message="stored 10 rows"))
        >>> text.getvalue()[20:]  # after the time
        ' card_activity: done: stored 10 rows\n'
    """
    console = console or Console(file=sys.stderr, emoji=False)
    # Without ipywidgets, a notebook cannot change a line that it has shown.
    is_fixed = console.is_jupyter and find_spec("ipywidgets") is None
    if is_fixed or not (console.is_terminal or console.is_jupyter):
        lines = LogLines(_plain(Console(emoji=False) if is_fixed else console), clock)
        with heartbeat(lines, HEARTBEAT_SECONDS):
            yield lines
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Bars(*columns, console=console) as bars:
        yield _ChangingLines(bars)


def _plain(console: Console) -> Callable[[str], None]:
    return partial(console.print, markup=False, highlight=False, soft_wrap=True)


class _ChangingLines:
    prints_messages = False

    def __init__(self, bars: Bars) -> None:
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, event: ProgressEvent, /) -> None:
        if event.view not in self._tasks:
            self._tasks[event.view] = self._bars.add_task(event.view, total=1)
        completed = 1 if event.phase in ENDS else 0
        self._bars.update(
            self._tasks[event.view], description=_description(event), completed=completed
        )


def _description(event: ProgressEvent) -> str:
    colour = {"done": "green", "nothing": "dim", "failed": "red"}
    colour |= dict.fromkeys(("interrupted", "skipped"), "yellow")
    steps = {"starting": "starting Spark", "latest": "writing the latest table"}
    step = steps.get(event.phase, status_text(event.phase))
    text = f"[bold]{event.view}[/] [{colour.get(event.phase, 'cyan')}]{step}[/]"
    if event.rows or event.total:
        of = "" if event.total is None or event.phase in ENDS else f" of {event.total:,}"
        text += f" {event.rows:,}{of} rows"
    if event.phase == "waiting" and event.message:
        text += f" ({escape(event.message)})"
    return text + (f" in {event.batches} batches" if event.batches > 1 else "")
