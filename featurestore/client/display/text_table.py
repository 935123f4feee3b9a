"""Tables as text, for a terminal: no column is narrower than its words."""

import os
import re
import shutil
from collections.abc import Iterable, Sequence
from datetime import datetime
from io import StringIO
from typing import Literal

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

UNLIMITED = 10_000
"""The width of what is no terminal."""
_SPACE_PER_COLUMN = 3
# What moves a terminal's cursor, or turns the direction of the text: texts are not ours.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def write_table(
    console: Console, columns: Sequence[str], rows: Iterable[Sequence[object]], title: str = ""
) -> None:
    """Write a table to a console; if it is too narrow, a block for each row.

    Args:
        console: The console.
        columns: The headings.
        rows: The cells of each row. None is shown as a dot.
        title: The line above the table.

    Example:
        >>> write_table(Console(width=40), ["view", "rows"], [["activity", 3]])
        ... # doctest: +NORMALIZE_WHITESPACE
          view       rows
         ─────────────────
          activity      3
    """
    rows = [list(row) for row in rows]
    texts = [[to_text(value) for value in row] for row in rows]
    widths = _column_widths(list(zip(columns, *texts, strict=True)), console.width)
    if widths is None:
        write_rows_apart(console, columns, texts, title)
        return
    table = Table(title=Text(title) if title else None, title_justify="left", box=SIMPLE_HEAD)
    for index, (name, width) in enumerate(zip(columns, widths, strict=True)):
        numbers = all(isinstance(row[index], int | float | None) for row in rows) and rows
        justify: Literal["left", "right"] = "right" if numbers else "left"
        table.add_column(Text(name), justify=justify, overflow="fold", width=width)
    for text in texts:
        table.add_row(*map(Text, text))
    console.print(table)


def table_text(
    columns: Sequence[str], rows: Iterable[Sequence[object]], title: str = "", note: str = ""
) -> str:
    """Return a table as text, without colours, as wide as the terminal.

    Args:
        columns: The headings.
        rows: The cells of each row.
        title: The line above the table.
        note: The line below the table.

    Example:
        >>> print(table_text(["view", "rows"], [["activity", 3]], note="1 view"))
        ... # doctest: +NORMALIZE_WHITESPACE
          view       rows
         ─────────────────
          activity      3
        1 view
    """
    text = StringIO()
    console = Console(file=text, width=terminal_width(), highlight=False, emoji=False)
    write_table(console, columns, rows, title)
    lines = (line.rstrip() for line in text.getvalue().splitlines())
    return "\n".join([*(line for line in lines if line), *([note] if note else [])])


def fits(columns: Sequence[str], rows: Iterable[Sequence[object]], width: int) -> bool:
    """Return whether a table fits a width without a break in a word.

    Args:
        columns: The headings.
        rows: The cells of each row.
        width: The width of the terminal.

    Example:
        >>> fits(["view"], [["activity"]], 12), fits(["view"], [["activity"]], 8)
        (True, False)
    """
    texts = [[to_text(value) for value in row] for row in rows]
    return _column_widths(list(zip(columns, *texts, strict=True)), width) is not None


def write_rows_apart(
    console: Console,
    columns: Sequence[str],
    texts: Sequence[Sequence[str]],
    title: str = "",
    *,
    gap: bool = True,
) -> None:
    """Write each row as lines of a column's name and value.

    Args:
        console: Where to print.
        columns: The names.
        texts: The values of each row.
        title: The line above the rows.
        gap: Whether an empty line comes after each row.

    Example:
        >>> write_rows_apart(Console(width=40), ["view", "rows"], [["activity", "3"]], gap=False)
        view  activity
        rows  3
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


def terminal_width() -> int:
    """Return the width of the terminal; without one that of COLUMNS, or 80.

    Example:
        >>> terminal_width() > 0
        True
    """
    return shutil.get_terminal_size((80, 25)).columns


def console_size(console: Console) -> tuple[int, int]:
    """Return columns and lines. A pipe has no width to fold to, unless COLUMNS says one.

    Args:
        console: A console for the stream.
    """
    is_known = console.is_terminal or os.environ.get("COLUMNS", "").isdigit()
    columns, lines = shutil.get_terminal_size() if is_known else (UNLIMITED, 25)
    return columns, lines


def to_text(value: object) -> str:
    """Return the text of a table's cell. A null is a dot.

    Example:
        >>> to_text(None), to_text(1.5), to_text(12000), to_text(("a", "b"))
        ('·', '1.5', '12000', 'a, b')
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
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return _CONTROL.sub(_visible, str(value))


def _visible(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode()


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
