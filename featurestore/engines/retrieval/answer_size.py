"""The bytes of an answer's texts and lists: counted as they come, and refused beyond the limit.

A budget knows the mean size of a column's values. The rows that a call asks for may be larger.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import Lock

import pyarrow as pa

from featurestore.engines.retrieval.scatter import fixed_width
from featurestore.errors import RequestError
from featurestore.sizes import format_bytes, format_megabytes

COPIES_OF_ANSWERS = 3
"""How often a text of the answer is in memory: as chunks, joined, and in the spine's order."""

# Arrow's words for arrays whose offsets would not fit.
_TOO_LARGE = re.compile("array too large|offset overflow|cannot (contain|reserve space for) more")


class AnswerSize:
    """Counts the bytes of values without a fixed width.

    Args:
        call: The call as text, for the message.
        rows: The number of answers: for each use of a view, one for each spine row.
        limit: The call's memory limit in bytes; None for no limit.

    Example:
        >>> size = AnswerSize("call()", rows=2, limit=100)
        >>> size.add({"s": pa.chunked_array([["x" * 60]])}, rows=1)
        Traceback (most recent call last):
        ...
        featurestore.errors.RequestError: call(): memory_limit is 100B. The texts and lists...
    """

    def __init__(self, call: str, rows: int, limit: int | None) -> None:
        self._call, self._rows, self._limit = call, rows, limit
        self._bytes = self._answered = 0
        self._lock = Lock()

    def add(self, columns: Mapping[str, pa.ChunkedArray], rows: int) -> None:
        """Count a chunk's answers. Threads may call it at once.

        Args:
            columns: The answers by name.
            rows: The number of spine rows that the chunk answers.

        Raises:
            RequestError: All answers so far do not fit the limit.
        """
        if self._limit is None:
            return
        size = sum(each.nbytes for each in columns.values() if not fixed_width(each.type))
        with self._lock:
            self._bytes += COPIES_OF_ANSWERS * size
            self._answered += rows
            if self._bytes <= self._limit:
                return
            needed = self._bytes * max(self._rows, 1) // self._answered
        raise RequestError(
            self._call,
            f"memory_limit is {format_bytes(self._limit)}. The texts and lists of the first "
            f"{self._answered:,} answers alone need {format_megabytes(self._bytes)}",
            f"Set memory_limit='{format_megabytes(2 * needed)}' or more, or use fewer spine rows "
            "in one call.",
        )


@contextmanager
def columns_fit(call: str) -> Iterator[None]:
    """Turn Arrow's error about a column with too many bytes into one that says what to do.

    Args:
        call: The call as text, for the message.

    Raises:
        RequestError: A column is too large.

    Example:
        >>> with columns_fit("call()"):
        ...     raise pa.ArrowInvalid("input array too large")
        Traceback (most recent call last):
        ...
        featurestore.errors.RequestError: call(): the texts or lists of a column have more than ...
    """
    try:
        yield
    except pa.ArrowInvalid as error:
        if not is_too_large(error):
            raise
        raise too_large(call) from error


def is_too_large(error: pa.ArrowInvalid) -> bool:
    """Return whether an error says that a column has too many bytes for an array.

    Example:
        >>> is_too_large(pa.ArrowInvalid("input array too large"))
        True
    """
    return _TOO_LARGE.search(str(error)) is not None


def too_large(call: str) -> RequestError:
    """Return the error for a column that has too many bytes for an array.

    Args:
        call: The call as text, for the message.

    Example:
        >>> too_large("call()").call
        'call()'
    """
    return RequestError(
        call,
        "the texts or lists of a column have more than 2 GiB at once, which Arrow's arrays do not "
        "hold",
        "Use fewer spine rows in one call: the rows with the same keys are answered together.",
    )
