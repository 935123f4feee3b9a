"""`ViewRead`: the table version and the spine columns that a frame's features were read with."""

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from featurestore.engines.arrays import decoded
from featurestore.engines.explain.absent_keys import AbsentKeys
from featurestore.engines.explain.first_run import EarlyRows


@dataclass(frozen=True)
class ViewRead:
    """How a frame's features were read from a view.

    Args:
        keys: The spine's columns with the view's keys, for all uses of the view.
        version: The Delta version of the view's feature table. None for a preview.
        absent: The rows whose keys the view has no row of, if they are more than half of the rows.
        early: The rows before the first run of a snapshot view; None if there are none.
        table_id: The build of the view's feature table; empty for a preview.
        personal: The features that show values of a field that is marked as personal.
    """

    keys: tuple[str, ...]
    version: int | None = None
    absent: AbsentKeys | None = None
    early: EarlyRows | None = None
    table_id: str = ""
    personal: frozenset[str] = frozenset()

    def null_key_rows(self, rows: pa.Table) -> int:
        """Return the number of rows with a null in one of the keys.

        Args:
            rows: The rows. A key column that they do not have counts as without nulls.

        Example:
            >>> ViewRead(("id",)).null_key_rows(pa.table({"id": [1, None]}))
            1
        """
        missing = pa.repeat(pa.scalar(False), rows.num_rows)
        for name in filter(rows.column_names.__contains__, self.keys):
            missing = pc.or_(missing, pc.is_null(decoded(rows[name])))
        return pc.sum(missing).as_py() or 0
