"""The messages of a topic as columns: each a JSON object, each declared value exact.

A message that cannot be read stops no stream: it is a row without values, with what is wrong.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass

import pyarrow as pa

from featurestore.definitions.model.types import Field, String, Timestamp
from featurestore.engines.files.exact_text import UnfitValueError
from featurestore.engines.files.json_rows import Row, json_array, json_object
from featurestore.engines.files.problem import FileProblemError
from featurestore.engines.spine_times import bind_times
from featurestore.errors import FeatureStoreError
from featurestore.store.columns import arrow_type

_LONGEST_TEXT = 10_000


@dataclass(frozen=True)
class MessageTask:
    """The parameters of reading messages, as plain data: Spark sends them to its tasks.

    Args:
        call: The operation, for errors.
        fields: The columns to read.
        timezone: The time zone of times without one; None to refuse these.
    """

    call: str
    _: KW_ONLY
    fields: tuple[Field, ...]
    timezone: str | None = None


def parse_messages(
    task: MessageTask, values: Sequence[bytes | None]
) -> tuple[list[pa.Array], list[str | None]]:
    """Return the columns of messages, and what is wrong with each message.

    A message that cannot be read has nulls in all columns.

    Args:
        task: The parameters.
        values: The messages; None for one without a value.

    Example:
        >>> from featurestore.definitions.model.types import Float64
        >>> task = MessageTask("read", fields=(Field("amount", Float64),))
        >>> columns, problems = parse_messages(task, [b'{"amount": 1.5}', b"oops"])
        >>> columns[0].to_pylist(), problems[0]
        ([1.5, None], None)
        >>> problems[1]
        "it is no JSON object: 'oops'"
    """
    rows: list[Row] = []
    problems: list[str | None] = []
    for value in values:
        row, problem = _object(value)
        rows.append(row)
        problems.append(problem)
    columns = [_column(task, field, rows, problems) for field in task.fields]
    wrong = [at for at, problem in enumerate(problems) if problem is not None]
    if wrong:  # also the values of the columns that could be read
        mask = pa.array([problem is not None for problem in problems], pa.bool_())
        columns = [_without(column, mask) for column in columns]
    return columns, problems


def message_text(value: bytes | None) -> str | None:
    r"""Return a message as text, for people; a long one is cut.

    Example:
        >>> message_text(b"\xff"), message_text(None)
        ('\ufffd', None)
    """
    return None if value is None else value[:_LONGEST_TEXT].decode("utf-8", "replace")


def _object(value: bytes | None) -> tuple[Row, str | None]:
    if value is None:
        return {}, "it has no value"
    try:
        return json_object(value.decode("utf-8")), None
    except UnicodeDecodeError:
        return {}, "it is no text in UTF-8"
    except FileProblemError as error:
        return {}, error.found


def _column(
    task: MessageTask, field: Field, rows: Sequence[Row], problems: list[str | None]
) -> pa.Array:
    """Return a column; a value that its type does not hold is a problem of its message."""
    values = [row.get(field.name) for row in rows]
    convert = _converter(task, field)
    if (column := _attempt(convert, values)) is not None:
        return column
    parts: list[pa.Array] = []
    for at, value in enumerate(values):  # one by one, so that the others are read
        part = _attempt(convert, [value])
        if part is None:
            part = pa.nulls(1, arrow_type(field.dtype))
            text = json.dumps(value)[:80]
            problems[at] = problems[at] or f"{field.name} is {text}, which is no {field.dtype}"
        parts.append(part)
    return pa.concat_arrays(parts)


def _attempt(convert: Callable[[list[object]], pa.Array], values: list[object]) -> pa.Array | None:
    """Return the converted values; None if one of them does not fit."""
    try:
        return convert(values)
    except (UnfitValueError, FeatureStoreError, UnicodeEncodeError):
        return None


def _converter(task: MessageTask, field: Field) -> Callable[[list[object]], pa.Array]:
    kind = arrow_type(field.dtype)
    if field.dtype != Timestamp:
        return lambda values: json_array(values, field.dtype).cast(kind)

    def times(values: list[object]) -> pa.Array:
        texts = json_array(values, String)
        found = bind_times(task.call, field.name, pa.chunked_array([texts]), task.timezone)
        return found.combine_chunks().cast(kind)

    return times


def _without(column: pa.Array, mask: pa.Array) -> pa.Array:
    """Return a column with nulls where the mask is true."""
    positions = pa.array(
        [None if hidden else at for at, hidden in enumerate(mask.to_pylist())], pa.int64()
    )
    return column.take(positions)
