"""The spine of a command, and what its errors say on the command line."""

import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from typing import TYPE_CHECKING

from featurestore.errors import SpineError

if TYPE_CHECKING:
    from featurestore.client.feature_store import FeatureStore

_OPTION = re.compile(r"\b(timezone|timestamp_field)=(?:'([^']*)')?")
_CSV_SPINE = re.compile(r"Pass fs\.csv_spine\(.*, delimiter='(.+)'\)\.")
_WITHOUT_OPTION = re.compile(r", or pass null_times='keep'[^.]*")
_VIEW = "view:"


def spine_of(
    store: "FeatureStore",
    text: str,
    columns: Sequence[str] = (),
    *,
    delimiter: str | None = None,
) -> object:
    """Return a view's events for ``view:NAME``, and any other text unchanged, as a path.

    Args:
        store: The store.
        text: The command line's argument.
        columns: The fields of the view's events to return.
        delimiter: The character between the values of a CSV file; None for a comma.
    """
    if delimiter is not None:
        from featurestore.client.spines.file import csv_spine

        return csv_spine(text, delimiter={"tab": "\t", "\\t": "\t"}.get(delimiter, delimiter))
    if not text.startswith(_VIEW):
        return text
    return store.get_label_spine(text.removeprefix(_VIEW), columns=columns)


@contextmanager
def spine_errors(text: str) -> Iterator[None]:
    """Let the errors of a spine say what to write on the command line.

    What on-demand functions print in the block goes to stderr: stdout is for the rows.

    Args:
        text: The command line's argument: a path, or ``view:NAME``.

    Raises:
        SpineError: With the names of options, and for ``view:NAME`` with what to do about columns.

    Example:
        >>> with spine_errors("rows.csv"):
        ...     raise SpineError("historical", "no time zone", "Pass timezone='UTC'.")
        Traceback (most recent call last):
        ...
        featurestore.errors.SpineError: historical: no time zone. Pass --timezone UTC.
    """
    try:
        with redirect_stdout(sys.stderr):
            yield
    except SpineError as error:
        fix = _OPTION.sub(_option, _WITHOUT_OPTION.sub("", error.fix))
        fix = _CSV_SPINE.sub(lambda match: f"Pass --delimiter {_shell(match[1])}.", fix)
        if text.startswith(_VIEW):
            fix += (
                f" The columns of {text} are those of the view. For others, pass a file as SPINE: "
                f"in Python, get_label_spine({text.removeprefix(_VIEW)!r}) returns the rows."
            )
        raise SpineError(error.call, error.found, fix) from None


def _shell(delimiter: str) -> str:
    """Return a delimiter as the shell takes it."""
    return "tab" if delimiter == "\\t" else f"'{delimiter}'"


def _option(match: re.Match[str]) -> str:
    name = f"--{match[1].replace('_', '-')}"
    return name if match[2] is None else f"{name} {match[2]}"
