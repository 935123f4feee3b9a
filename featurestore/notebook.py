"""How objects look in a notebook: short HTML tables, whose texts are escaped."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from html import escape

SHOWN_ROWS = 20
"""The most rows of a table that a notebook shows."""


def html_table(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[object]], note: str = ""
) -> str:
    """Return a table as HTML. All texts are escaped.

    Args:
        title: The line above the table.
        columns: The headings. If there are none, there is no table.
        rows: The cells of each row.
        note: The line below the table.

    Example:
        >>> html_table("rows < 2", (), ())
        '<p><b>rows &lt; 2</b></p>'
    """
    parts = [f"<p><b>{escape(title)}</b></p>"]
    if columns:
        head = "".join(f"<th>{escape(name)}</th>" for name in columns)
        body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
        parts.append(f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>")
    if note:
        parts.append(f"<p>{escape(note)}</p>")
    return "".join(parts)


def html_lines(lines: Iterable[str]) -> str:
    r"""Return lines of text as HTML, with their spaces.

    Example:
        >>> html_lines(["+ view a", "    + schema: <x>"])
        '<pre>+ view a\n    + schema: &lt;x&gt;</pre>'
    """
    return f"<pre>{escape(chr(10).join(lines))}</pre>"


def _cell(value: object) -> str:
    if value is None:
        text = ""
    elif isinstance(value, datetime):
        text = value.isoformat(" ").replace("+00:00", "Z")
    elif isinstance(value, float):
        text = f"{value:.6g}"
    else:
        text = str(value)
    return f"<td>{escape(text)}</td>"
