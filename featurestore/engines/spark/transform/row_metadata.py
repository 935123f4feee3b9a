"""Row metadata: the times, order and identity of a source row, kept through the user's transform.

The metadata is one struct column. A transform keeps it with ``SELECT *``, ``withColumn``,
``where`` or ``join``. If a transform selects its own columns, it runs once for the rows of each
commit, and the metadata is added to its result.
"""

from collections.abc import Callable
from functools import reduce

from pyspark.sql import Column, DataFrame, Row
from pyspark.sql import functions as F  # noqa: N812  # pyspark's own convention
from pyspark.sql import types as T  # noqa: N812  # pyspark's own convention

from featurestore.definitions.model.view import FeatureView
from featurestore.errors import MaterializationError

ROW_METADATA = "_row_metadata"
"""The column: a struct. Rows with equal ``seq`` have equal metadata."""

Transform = Callable[[DataFrame], DataFrame]

MOST_GROUPS = 200
_SEQ = f"{ROW_METADATA}.seq"


def with_row_metadata(rows: DataFrame, metadata: Column) -> DataFrame:
    """Return the rows with the metadata column before all other columns.

    Args:
        rows: Rows of a source.
        metadata: A struct.
    """
    return rows.select(metadata.alias(ROW_METADATA), "*")


def keep_row_metadata(view: FeatureView, transform: Transform, rows: DataFrame) -> DataFrame:
    """Return the transformed rows, each with the metadata of the source row that it comes from.

    Args:
        view: The view, for messages.
        transform: Its transform.
        rows: Rows of its source. Rows without metadata are only transformed.

    Raises:
        MaterializationError: The transform drops the metadata, and cannot run once a commit: the
            view is derived, or there are too many commits.
    """
    out = transform(rows)
    if ROW_METADATA not in rows.columns or ROW_METADATA in out.columns:
        return out
    if isinstance(view.source, FeatureView):
        raise MaterializationError(
            f"transform of view {view.name!r} ({view.origin})",
            f"it drops the column {ROW_METADATA!r}, which has the times and the identity of each "
            f"row of view {view.source.name!r}",
            f"Add {ROW_METADATA} to the columns that it selects.",
        )
    groups, dtype = _groups(view, rows), rows.schema[ROW_METADATA].dataType
    if len(groups) < 2:
        return out.withColumn(ROW_METADATA, _literal(groups[0] if groups else None, dtype))
    rows.persist()  # each group reads them; the caller unpersists them
    parts = (
        transform(rows.where(F.col(_SEQ) == metadata.seq)).withColumn(
            ROW_METADATA, _literal(metadata, dtype)
        )
        for metadata in groups
    )
    return reduce(DataFrame.unionByName, parts)


def _groups(view: FeatureView, rows: DataFrame) -> list[Row]:
    """Return the metadata of each commit, and whether it retracts, in the rows."""
    first = rows.groupBy(_SEQ).agg(F.first(ROW_METADATA).alias(ROW_METADATA))
    groups = [row[ROW_METADATA] for row in first.limit(MOST_GROUPS + 1).collect()]
    if len(groups) > MOST_GROUPS:
        raise MaterializationError(
            f"transform of view {view.name!r} ({view.origin})",
            f"it drops the column {ROW_METADATA!r}, so that it must run once for each commit, and "
            f"the new rows come from more than {MOST_GROUPS // 2} commits",
            f"Add {ROW_METADATA} to the columns that it selects, or materialize more often.",
        )
    return groups


def _literal(value: Row | None, dtype: T.DataType) -> Column:
    if value is None or not isinstance(dtype, T.StructType):
        return F.lit(None).cast(dtype)
    parts = (F.lit(value[part.name]).cast(part.dataType).alias(part.name) for part in dtype)
    return F.struct(*parts)
