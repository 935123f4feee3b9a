"""`Spine`: the rows of a request as an Arrow table, and their index if they come from pandas."""

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from featurestore.client.arrow_rows import rows_where
from featurestore.client.frame.pandas_origin import PandasOrigin


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
