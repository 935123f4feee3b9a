"""`Spine`: the rows of a request as an Arrow table, and their index if they come from pandas."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from featurestore.client.arrow_rows import rows_where
from featurestore.client.frame.pandas_origin import PandasOrigin
from featurestore.errors import SpineError


@dataclass(frozen=True)
class Spine:
    """The rows of a request.

    Args:
        table: The rows.
        pandas: Their index and data types. None if the rows do not come from pandas.

    Example:
        >>> Spine(pa.table({"id": [1]})).table.column_names
        ['id']
    """

    table: pa.Table
    pandas: PandasOrigin | None = None

    def where(self, mask: pa.ChunkedArray) -> "Spine":
        """Return the rows where a mask holds. A null in the mask counts as false."""
        positions = np.flatnonzero(mask.fill_null(False).to_numpy(zero_copy_only=False))
        origin = None if self.pandas is None else self.pandas.rows_at(positions)
        return Spine(rows_where(self.table, mask), origin)

    def with_table(self, table: pa.Table) -> "Spine":
        """Return the same rows with other columns.

        Args:
            table: The rows, in the same order.
        """
        return replace(self, table=table)


@contextmanager
def index_advice(spine: Spine) -> Iterator[None]:
    """Let the error about a missing column say that the column is a level of pandas' index.

    Args:
        spine: The rows.

    Raises:
        SpineError: With the advice to make the level a column.
    """
    try:
        yield
    except SpineError as error:
        for level in () if spine.pandas is None else spine.pandas.level_names:
            if level not in spine.table.column_names and f"no column {level!r}" in error.found:
                fix = f"{level!r} is a level of the index. Pass spine.reset_index({level!r})."
                raise SpineError(error.call, error.found, fix) from None
        raise
