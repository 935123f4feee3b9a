"""Printing: data and JSON to stdout, everything for people to stderr."""

import os
import shutil
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from textwrap import fill
from typing import Literal

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from featurestore.cli.json_text import json_text
from featurestore.credentials import without_credentials

SHOWN_ROWS = 20
_INDENT = "    "
_SPACE_PER_COLUMN = 3
_UNLIMITED = 10_000
_COLOURS = {"+": "green", "~": "yellow", "-": "red"}


def say(text: str, *values: object) -> None:
    """Print a sentence for people to stderr, with the values in place of each ``{}``.

    Args:
        text: The sentence, in rich's markup.
        values: What to fill in. Their text is no markup.

    Example:
        >>> say("applied {}", "v1")
    """
    message = text.format(*(escape(str(value)) for value in values)) if values else text
    message = without_credentials(message)
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


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], title: str = "") -> None:
    """Print a table to stdout. On a terminal that is too narrow, print a block for each row.

    Args:
        columns: The headings.
        rows: The cells of each row. None is shown as a dot.
        title: The line above the table.

    Example:
        >>> print_table(["view", "rows"], [["activity", 3]])  # doctest: +NORMALIZE_WHITESPACE
          view       rows
         ─────────────────
          activity      3
    """
    rows = [list(row) for row in rows]
    texts = [[to_text(value) for value in row] for row in rows]
    console = _console()
    widths = _column_widths(list(zip(columns, *texts, strict=True)), console.width)
    if widths is None:
        _print_rows_apart(console, columns, texts, title)
        return
    table = Table(title=Text(title) if title else None, title_justify="left", box=SIMPLE_HEAD)
    for index, (name, width) in enumerate(zip(columns, widths, strict=True)):
        numbers = all(isinstance(row[index], int | float | None) for row in rows) and rows
        justify: Literal["left", "right"] = "right" if numbers else "left"
        table.add_column(Text(name), justify=justify, overflow="fold", width=width)
    for text in texts:
        table.add_row(*map(Text, text))
    console.print(table)


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
    _print_rows_apart(_console(), columns, [[to_text(value) for value in row]], "", gap=False)


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


def to_text(value: object) -> str:
    """Return the text of a table's cell. A null is a dot.

    Example:
        >>> to_text(None), to_text(1.5), to_text(12000)
        ('·', '1.5', '12000')
    """
    if value is None:
        return "·"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, datetime):
        return value.isoformat(" ", "auto").replace("+00:00", "Z")
    return str(value)


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


def _folded(line: str, console: Console) -> str:
    """Return a line of a tree with breaks between words only, its rest indented below it."""
    if console.width == _UNLIMITED:
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
    is_known = console.is_terminal or os.environ.get("COLUMNS", "").isdigit()
    columns, lines = shutil.get_terminal_size() if is_known else (_UNLIMITED, 25)
    # Rich takes 80 columns for every terminal that it calls dumb, unless it gets both numbers.
    return Console(highlight=False, emoji=False, width=columns, height=lines, soft_wrap=soft_wrap)


def _column_widths(columns: Sequence[Sequence[str]], width: int) -> list[int] | None:
    """Return the columns' widths if each word fits on a line of its cell. Otherwise None.

    Rich would make columns narrower than their words, or leave out the last column.

    Args:
        columns: The texts of each column, with its heading.
        width: The terminal's width.
    """
    widths = [_longest(word for text in texts for word in text.split()) for texts in columns]
    missing = [
        _longest(line for text in texts for line in text.splitlines()) - least
        for texts, least in zip(columns, widths, strict=True)
    ]
    spare = width - sum(widths) - len(widths) * _SPACE_PER_COLUMN - 1
    if spare < 0:
        return None
    for index in sorted(range(len(widths)), key=missing.__getitem__):
        added = min(spare, missing[index])
        widths[index] += added
        spare -= added
    return widths


def _longest(texts: Iterable[str]) -> int:
    return max(map(cell_len, texts), default=0)


def _print_rows_apart(
    console: Console,
    columns: Sequence[str],
    texts: Sequence[Sequence[str]],
    title: str,
    *,
    gap: bool = True,
) -> None:
    """Print each row as lines of a column's name and value.

    Args:
        console: Where to print.
        columns: The names.
        texts: The values of each row.
        title: The line above the rows.
        gap: Whether an empty line comes after each row.
    """
    if title:
        console.print(Text(title, "italic"), soft_wrap=True)
    if not texts:
        console.print(Text("  ".join(columns), "bold"), soft_wrap=True)
    width = _longest(columns)
    names = [name + " " * (width - cell_len(name)) for name in columns]
    next_line = "\n" + " " * (width + 2)
    for row in texts:
        for name, text in zip(names, row, strict=True):
            value = next_line.join(text.splitlines())
            console.print(Text.assemble((name, "dim"), "  ", value), soft_wrap=True)
        if gap:
            console.print()


def _indented(text: str, console: Console) -> str:
    if console.width == _UNLIMITED:
        return _INDENT + text
    return fill(
        text,
        console.width,
        initial_indent=_INDENT,
        subsequent_indent=_INDENT,
        break_on_hyphens=False,
    )
