"""`BatchSketches`: the sketches of the rows that the batches of one run have committed."""

from dataclasses import dataclass, field
from functools import partial

from featurestore.definitions.model.view import FeatureView
from featurestore.engines.spark.write.profiling import Profiling
from featurestore.monitoring.columns import stored_columns_of
from featurestore.monitoring.rows import RowsSketch, describe_tables, merged_sketches
from featurestore.store.columns import DELETED


@dataclass(frozen=True)
class BatchSketches:
    """The sketches of the rows that the batches of one run have committed.

    They are in memory only. What a killed run had is computed again from the table.

    Args:
        view: The view.
    """

    view: FeatureView
    _texts: list[str] = field(default_factory=list)

    @property
    def profiling(self) -> Profiling:
        """What the engine needs to describe the rows of a batch."""
        columns, deleted = stored_columns_of(self.view), deleted_column(self.view)
        names = [*(each.name for each in columns), *([] if deleted is None else [deleted])]
        describe = partial(describe_tables, columns, deleted)
        counted = frozenset(each.name for each in columns if each.kind == "other")
        return Profiling(tuple(names), describe, self._texts.extend, counted)

    @property
    def rows(self) -> RowsSketch:
        """The sketches of all rows."""
        return merged_sketches(map(RowsSketch.from_text, self._texts))


def deleted_column(view: FeatureView) -> str | None:
    """Return the column that says of each row whether it is a tombstone; None without one.

    Args:
        view: The view.
    """
    return DELETED if view.has_tombstones else None
