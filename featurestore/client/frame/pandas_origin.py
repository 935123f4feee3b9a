"""What a spine from pandas has besides its columns: an index, column labels and data types."""

import json
import re
import sys
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    import pandas

_METADATA = b"pandas"
_UNNAMED_LEVEL = re.compile(r"__index_level_\d+__")


@dataclass(frozen=True)
class PandasOrigin:
    """What a frame from pandas has besides its columns' values.

    Args:
        index: The index of the rows. An Arrow table if the rows come from a file or an Arrow table
            that pandas made: it has a column for each level, and pandas' metadata.
        labels: The labels of the columns that are no texts, by the column's name in Arrow.
        dtypes: The columns' pandas data types, or their names, by the column's name in Arrow.
        positions: The positions of the rows in the index. None for all rows.
    """

    index: "pandas.Index | pa.Table"
    labels: Mapping[str, Hashable] = field(default_factory=dict)
    dtypes: Mapping[str, Any] = field(default_factory=dict)
    positions: np.ndarray | None = None

    @property
    def level_names(self) -> list[Hashable]:
        """The names of the index's levels, without unnamed levels."""
        names = [] if isinstance(self.index, pa.Table) else self.index.names
        return [name for name in names if name is not None]

    def rows_at(self, positions: np.ndarray) -> "PandasOrigin":
        """Return the same for the rows at some positions."""
        kept = positions if self.positions is None else self.positions[positions]
        return replace(self, positions=kept)

    def row_index(self) -> "pandas.Index":
        """Return the index of the rows."""
        index = self.index.to_pandas().index if isinstance(self.index, pa.Table) else self.index
        return index if self.positions is None else index.take(self.positions)


def is_pandas_frame(data: object) -> bool:
    """Return whether an object is a pandas DataFrame, or of a subclass. pandas is not imported.

    Example:
        >>> is_pandas_frame([])
        False
    """
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(data, pandas.DataFrame)


def origin_of_frame(data: "pandas.DataFrame") -> PandasOrigin:
    """Return the index, the labels and the data types of a pandas DataFrame.

    Args:
        data: The frame.
    """
    names = [str(label) for label in data.columns]
    return PandasOrigin(
        data.index.copy(),  # its name may be changed in place
        {name: label for name, label in zip(names, data.columns, strict=True) if name != label},
        dict(zip(names, data.dtypes, strict=True)),
    )


def split_origin(table: pa.Table) -> tuple[pa.Table, PandasOrigin | None]:
    """Return a table without what pandas has added to it, and its origin.

    pandas writes an unnamed index as a column ``__index_level_0__``. This column is removed. A
    named level of the index stays a column.

    Args:
        table: A table, which pandas may have made, e.g. the rows of a Parquet file.

    Returns:
        The table without the columns of unnamed levels and without pandas' metadata. The origin is
        None if pandas has not made the table.

    Example:
        >>> split_origin(pa.table({"id": [1]}))[1] is None
        True
    """
    metadata = _pandas_metadata(table)
    if metadata is None:
        return table, None
    kept = {key: value for key, value in table.schema.metadata.items() if key != _METADATA}
    levels = [
        name
        for name in metadata.get("index_columns", ())
        if isinstance(name, str) and _UNNAMED_LEVEL.fullmatch(name) and name in table.column_names
    ]
    dtypes = {column.get("field_name"): column.get("numpy_type") for column in metadata["columns"]}
    origin = PandasOrigin(_index_table(table, metadata, levels), dtypes=dtypes)
    return table.drop_columns(levels).replace_schema_metadata(kept or None), origin


def _pandas_metadata(table: pa.Table) -> dict[str, Any] | None:
    text = (table.schema.metadata or {}).get(_METADATA)
    try:
        metadata = json.loads(text) if text else None
    except ValueError:  # another program's metadata
        return None
    return metadata if isinstance(metadata, dict) and "columns" in metadata else None


def _index_table(table: pa.Table, metadata: dict[str, Any], levels: Sequence[str]) -> pa.Table:
    """Return a table from which pyarrow makes the index: its levels, or numbers from 0."""
    columns = [each for each in metadata["columns"] if each.get("field_name") in levels]
    ranges = [each for each in metadata.get("index_columns", ()) if isinstance(each, dict)]
    own = {"index_columns": [*levels, *ranges], "columns": columns, "column_indexes": []}
    # A table without columns would lose the number of rows.
    rows = (
        table.select(levels)
        if levels
        else table.select([]).append_column("rows", pa.nulls(table.num_rows))
    )
    return rows.replace_schema_metadata({_METADATA: json.dumps(metadata | own)})
