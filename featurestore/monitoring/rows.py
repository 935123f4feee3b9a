"""`RowsSketch`: the sketches of all columns of some rows, and the profile that they give."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce

import pyarrow as pa
import pyarrow.compute as pc

from featurestore.monitoring.columns import ProfiledColumn
from featurestore.monitoring.sketch import ColumnSketch
from featurestore.monitoring.sketch_values import sketch_values

FORM = "featurestore.sketch/2"
"""The form of the text. Another one is not read: the rows are described again."""


@dataclass(frozen=True)
class RowsSketch:
    """The sketches of the columns of some rows.

    Args:
        rows: The number of rows, with tombstones.
        columns: The sketch of each column, by its name. Tombstones have no values, so they do not
            count there.

    Example:
        >>> one, two = RowsSketch(1), RowsSketch(2)
        >>> one.merged(two).rows
        3
    """

    rows: int = 0
    columns: Mapping[str, ColumnSketch] = field(default_factory=dict)

    def merged(self, other: "RowsSketch") -> "RowsSketch":
        """Return the sketches of the rows of both."""
        columns = dict(self.columns)
        for name, sketch in other.columns.items():
            columns[name] = columns[name].merged(sketch) if name in columns else sketch
        return RowsSketch(self.rows + other.rows, columns)

    def to_text(self) -> str:
        """Return it as JSON text."""
        columns = {name: sketch.to_data() for name, sketch in self.columns.items()}
        return json.dumps({"form": FORM, "rows": self.rows, "columns": columns})

    @classmethod
    def from_text(cls, text: str) -> "RowsSketch":
        """Return the sketches of a text of `to_text`.

        Raises:
            ValueError: The text is damaged, or another release wrote it.

        Example:
            >>> RowsSketch.from_text(RowsSketch(3).to_text()).rows
            3
        """
        try:
            data = json.loads(text)
            if data["form"] != FORM:
                raise ValueError(f"the form is {data['form']!r}")
            columns = {
                name: ColumnSketch.from_data(each) for name, each in data["columns"].items()
            }
            return cls(int(data["rows"]), columns)
        except (KeyError, TypeError, AttributeError, IndexError) as error:
            raise ValueError(f"the text is damaged: {error}") from error


def sketch_table(
    columns: Sequence[ProfiledColumn], rows: pa.Table, deleted: str | None = None
) -> RowsSketch:
    """Return the sketches of an Arrow table.

    Args:
        columns: The columns to describe.
        rows: The rows.
        deleted: The column that says of each row whether it is a tombstone; None without one.

    Example:
        >>> from featurestore.monitoring.columns import profiled
        >>> sketch_table([profiled("x", pa.int64())], pa.table({"x": [1, 2]})).columns["x"].mean
        1.5
    """
    count = rows.num_rows
    if deleted is not None:
        is_kept = pc.invert(pc.fill_null(rows[deleted], False))
        rows = rows.filter(is_kept)
    return RowsSketch(count, {each.name: sketch_values(each, rows[each.name]) for each in columns})


def merged_sketches(sketches: Iterable[RowsSketch]) -> RowsSketch:
    """Return the sketches of the rows of all.

    Example:
        >>> merged_sketches([RowsSketch(1), RowsSketch(2)]).rows
        3
    """
    return reduce(RowsSketch.merged, sketches, RowsSketch())


def describe_tables(
    columns: Sequence[ProfiledColumn], deleted: str | None, tables: Iterable[pa.Table]
) -> str:
    """Return the sketches of the rows of several tables, as text. It runs in Spark's tasks.

    Args:
        columns: The columns to describe.
        deleted: As in `sketch_table`.
        tables: The tables.
    """
    sketches = (sketch_table(columns, rows, deleted) for rows in tables)
    return merged_sketches(sketches).to_text()
