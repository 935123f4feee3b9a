"""What a frame's features read of a view: its version, and by which columns of the spine."""

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc


@dataclass(frozen=True)
class ViewRead:
    """What a frame's features read of a view.

    Args:
        keys: The spine's columns that hold the view's keys, those of all its uses.
        version: The Delta version of its feature table; None for a preview.
    """

    keys: tuple[str, ...]
    version: int | None = None

    def null_key_rows(self, rows: pa.Table) -> int:
        """Return how many rows have a null in one of the keys; columns left out have none.

        Example:
            >>> ViewRead(("id",)).null_key_rows(pa.table({"id": [1, None]}))
            1
        """
        missing = pa.repeat(pa.scalar(False), rows.num_rows)
        for name in filter(rows.column_names.__contains__, self.keys):
            missing = pc.or_(missing, pc.is_null(rows[name]))
        return pc.sum(missing).as_py() or 0
