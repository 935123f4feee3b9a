"""Printing: data and JSON to stdout, everything for people to stderr."""

import re
import shlex
import sys
from collections.abc import Iterable, Sequence
from contextvars import ContextVar
from textwrap import fill

from rich.console import Console
from rich.markup import escape

from featurestore.client.display.json_text import json_text
from featurestore.client.display.text_table import (
    UNLIMITED,
    console_size,
    fits,
    to_text,
    write_rows_apart,
    write_table,
)
from featurestore.credentials import without_credentials

SHOWN_ROWS = 20
_INDENT = "    "
_COLOURS = {"+": "green", "~": "yellow", "-": "red"}


ENVIRONMENT: ContextVar[str | None] = ContextVar("environment", default=None)
"""The value of ``--env`` of the verb that runs; None without one."""

# Commands in messages, but for those that know no environment.
_COMMAND = re.compile(r"`featurestore (?!setup|init)[a-z](?:(?!--env)[^`])*`")


def environment_option() -> str:
    """Return the option ``--env`` of the verb that runs, as commands for people have it.

    Example:
        >>> environment_option()
        ''
    """
    environment = ENVIRONMENT.get()
    return f" --env {shlex.quote(environment)}" if environment else ""


def in_environment(text: str) -> str:
    """Return a text whose commands are for the environment of the verb that runs.

    A person copies such a command. Without the option, it would work on another environment.

    Args:
        text: Sentences with commands such as ```featurestore apply```.

    Example:
        >>> in_environment("Run `featurestore apply`.")
        'Run `featurestore apply`.'
    """
    option = environment_option()
    return _COMMAND.sub(lambda found: found[0][:-1] + option + "`", text) if option else text


def say(text: str, *values: object) -> None:
    """Print a sentence for people to stderr, with the values in place of each ``{}``.

    Args:
        text: The sentence, in rich's markup.
        values: What to fill in. Their text is no markup.

    Example:
        >>> say("applied {}", "v1")
    """
    message = text.format(*(escape(str(value)) for value in values)) if values else text
    message = in_environment(without_credentials(message))
    Console(stderr=True, highlight=False, emoji=False, soft_wrap=True).print(message)


def print_json(kind: str, payload: object) -> None:
    """Print one JSON object to stdout. Its ``schema`` names the kind and the format's version.

    Args:
        kind: The kind of object, which is also the name of the field with the payload.
        payload: Data, dataclasses included.

    Example:
        >>> print_json("views", [1])
        {"schema": "featurestore.views/1", "views": [1]}
    """
    document = {"schema": f"featurestore.{kind}/1", kind: payload}
    sys.stdout.write(json_text(document) + "\n")


def print_table(
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    title: str = "",
    least: Sequence[str] = (),
) -> None:
    """Print a table to stdout. On a terminal that is too narrow, print a block for each row.

    Args:
        columns: The headings.
        rows: The cells of each row. None is shown as a dot.
        title: The line above the table.
        least: The columns to leave out on a narrow terminal, the first one first. They are named
            on stderr.

    Example:
        >>> print_table(["view", "rows"], [["activity", 3]])  # doctest: +NORMALIZE_WHITESPACE
          view       rows
         ─────────────────
          activity      3
    """
    console, rows = _console(), [list(row) for row in rows]
    left_out = _left_out(columns, rows, least, console.width)
    shown = [index for index, name in enumerate(columns) if name not in left_out]
    rows = [[row[index] for index in shown] for row in rows]
    write_table(console, [columns[index] for index in shown], rows, title)
    say_left_out(name for name in columns if name in left_out)


def say_left_out(columns: Iterable[str]) -> None:
    """Say which columns of a table a narrow terminal does not show; nothing if there are none.

    Args:
        columns: Their headings.
    """
    if names := ", ".join(columns):
        say("[dim]not shown, as the terminal is narrow: {} (--json shows all)[/]", names)


def print_upright(columns: Sequence[str], row: Sequence[object]) -> None:
    """Print one row to stdout: a line for each column, with its name and its value.

    Args:
        columns: The names.
        row: The values. None is shown as a dot.

    Example:
        >>> print_upright(["customer_id", "city"], [7, None])
        customer_id  7
        city         ·
    """
    write_rows_apart(_console(), columns, [[to_text(value) for value in row]], gap=False)


def print_blocks(blocks: Iterable[tuple[str, str, Sequence[str]]]) -> None:
    """Print paragraphs under headings to stdout, wrapped to the terminal's width.

    Args:
        blocks: For each block the heading, a remark beside it, and the paragraphs.

    Example:
        >>> print_blocks([("rows = 3", "(activity)", ["count of 3 rows"])])
        rows = 3  (activity)
            count of 3 rows
    """
    console = _console(soft_wrap=True)
    for heading, remark, paragraphs in blocks:
        console.print(f"[bold]{escape(heading)}[/]  [dim]{escape(remark)}[/]")
        for text in paragraphs:
            console.print(escape(_indented(text, console)))


def output_width() -> int:
    """Return the width of stdout. A pipe has a very large one, unless COLUMNS says one.

    Example:
        >>> output_width() > 0
        True
    """
    return _console().width


def print_lines(lines: Iterable[str]) -> None:
    """Print lines to stdout as they are, so that a person can copy them.

    Example:
        >>> print_lines(["featurestore latest returns_v1 customer_id=7"])
        featurestore latest returns_v1 customer_id=7
    """
    console = _console(soft_wrap=True)
    for line in lines:
        console.print(to_text(line), markup=False)


def duration_of(seconds: int | None) -> str | None:
    """Return a duration in its two largest units; None for None.

    Example:
        >>> duration_of(45), duration_of(7_500), duration_of(93_600)
        ('45s', '2h 5m', '1d 2h')
    """
    if seconds is None:
        return None
    units = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
    parts = []
    for unit, size in units.items():
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts[:2]) or "0s"


def print_tree(lines: Iterable[str]) -> None:
    """Print a tree of changes to stdout, each line coloured by its sign.

    Example:
        >>> print_tree(["+ view activity"])
        + view activity
    """
    console = _console(soft_wrap=True)
    for line in lines:
        console.print(escape(_folded(line, console)), style=_COLOURS.get(line.lstrip()[:1]))


def _left_out(
    columns: Sequence[str], rows: Sequence[Sequence[object]], least: Sequence[str], width: int
) -> list[str]:
    """Return the columns without which a table fits a width; none if it needs none, or never fits.

    Args:
        columns: The headings.
        rows: The cells of each row.
        least: The columns that may be left out, the first one first.
        width: The terminal's width.
    """
    may_go = [name for name in least if name in columns]
    for count in range(len(may_go) + 1):
        kept = [index for index, name in enumerate(columns) if name not in may_go[:count]]
        cells = [[row[index] for index in kept] for row in rows]
        if fits([columns[index] for index in kept], cells, width):
            return may_go[:count]
    return []


def _folded(line: str, console: Console) -> str:
    """Return a line of a tree with breaks between words only, its rest indented below it."""
    if console.width == UNLIMITED:
        return line
    indent = " " * (len(line) - len(line.lstrip())) + _INDENT
    return fill(
        line,
        console.width,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
        replace_whitespace=False,
        drop_whitespace=bool(line.strip()),
    )


def _console(*, soft_wrap: bool = False) -> Console:
    """Return a console for stdout. A pipe has no width to fold to, unless COLUMNS says one."""
    console = Console(highlight=False, emoji=False)
    columns, lines = console_size(console)
    # Rich takes 80 columns for every terminal that it calls dumb, unless it gets both numbers.
    return Console(highlight=False, emoji=False, width=columns, height=lines, soft_wrap=soft_wrap)


def _indented(text: str, console: Console) -> str:
    if console.width == UNLIMITED:
        return _INDENT + text
    return fill(
        text,
        console.width,
        initial_indent=_INDENT,
        subsequent_indent=_INDENT,
        break_on_hyphens=False,
    )
