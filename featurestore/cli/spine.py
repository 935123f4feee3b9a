"""The spine of a command, and what its errors say on the command line."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from featurestore.errors import SpineError

if TYPE_CHECKING:
    from featurestore.client.feature_store import FeatureStore

_OPTION = re.compile(r"\b(timezone|timestamp_field)=(?:'([^']*)')?")
_WITHOUT_OPTION = re.compile(r", or pass null_times='keep'[^.]*")
_VIEW = "view:"


def spine_of(store: "FeatureStore", text: str, columns: Sequence[str] = ()) -> object:
    """Return a view's events for ``view:NAME``, and any other text unchanged, as a path.

    Args:
        store: The store.
        text: The command line's argument.
        columns: The fields of the view's events to return.
    """
    if not text.startswith(_VIEW):
        return text
    return store.get_label_spine(text.removeprefix(_VIEW), columns=columns)


@contextmanager
def spine_errors(text: str) -> Iterator[None]:
    """Let the errors of a spine say what to write on the command line.

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
        yield
    except SpineError as error:
        fix = _OPTION.sub(_option, _WITHOUT_OPTION.sub("", error.fix))
        if text.startswith(_VIEW):
            fix += (
                f" The columns of {text} are those of the view. For others, pass a file as SPINE: "
                f"in Python, get_label_spine({text.removeprefix(_VIEW)!r}) returns the rows."
            )
        raise SpineError(error.call, error.found, fix) from None


def _option(match: re.Match[str]) -> str:
    name = f"--{match[1].replace('_', '-')}"
    return name if match[2] is None else f"{name} {match[2]}"
