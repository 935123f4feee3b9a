"""A spine from a list of dicts, one for each row."""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from featurestore.client.spines.python_values import CALL, array_of
from featurestore.engines.spine_times import RowName, row_name
from featurestore.errors import SpineError


def table_of_rows(rows: Sequence[Any], row: RowName = row_name) -> pa.Table:
    """Return rows as a table. A value that a row lacks is null.

    Args:
        rows: A dict for each row.
        row: Names a row, for errors.

    Returns:
        The rows in order, with the columns in the order in which they first appear.

    Raises:
        SpineError: There are no rows, a row is no dict, or a column mixes types.

    Example:
        >>> table_of_rows([{"id": 1}, {"name": "x"}]).to_pylist()
        [{'id': 1, 'name': None}, {'id': None, 'name': 'x'}]
    """
    if not rows:
        raise SpineError(
            CALL,
            "it is an empty list, which has no columns",
            "For no rows, pass an Arrow table or a frame that has the columns.",
        )
    _require_mappings(rows, row)
    names = list(dict.fromkeys(name for each in rows for name in each))
    for name in names:
        require_name(name)
    if not names:
        return without_columns(len(rows))
    columns = [array_of(name, [each.get(name) for each in rows], row) for name in names]
    return pa.table(columns, names=names)


def without_columns(rows: int) -> pa.Table:
    """Return a table of so many rows and no columns.

    Example:
        >>> without_columns(3).num_rows
        3
    """
    return pa.table({"": pa.nulls(rows)}).select([])


def _require_mappings(rows: Sequence[Any], row: RowName) -> None:
    for position, each in enumerate(rows):
        if not isinstance(each, Mapping):
            fix = "Write each row as a dict from column names to values."
            if hasattr(each, "asDict"):
                fix = "Write row.asDict() for each row, or pass the DataFrame."
            if isinstance(each, str):
                fix = (
                    "Write each row as a dict from column names to values. Features are the first "
                    "argument, and rows the second."
                )
            raise SpineError(CALL, f"{row(position)} is a {type(each).__name__}", fix)


def require_name(name: Any) -> None:
    """Check a column's name.

    Raises:
        SpineError: It is no text, or a text that cannot be encoded.

    Example:
        >>> require_name("id")
    """
    if not isinstance(name, str):
        raise SpineError(
            CALL, f"a column's name is {name!r}, which is no text", "Use texts as keys."
        )
    try:
        name.encode()
    except UnicodeEncodeError:
        raise SpineError(
            CALL, f"the column's name {name!r} cannot be encoded", "Correct the name."
        ) from None
