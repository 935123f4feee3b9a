"""Row metadata: the times, order and identity of a source row, kept through the user's transform.

The metadata is one struct column. A transform keeps it with ``SELECT *``, ``withColumn``,
``where`` or ``join``. If a transform selects its own columns, it runs once for the rows of each
commit, and the metadata is added to its result.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
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
# Operators of Spark's plans that combine rows, or drop a row because of another row.
_COMBINING = frozenset(
    {
        *("Aggregate", "Window", "Deduplicate", "Distinct", "Pivot", "Intersect", "Except"),
        *("GlobalLimit", "LocalLimit", "Offset", "Tail", "Sample"),
    }
)
_OPERATOR = re.compile(r"^([\s:+\-!'~]*)([A-Za-z]+)")
_SENTINEL = f" AS {ROW_METADATA}#"
_SEQ = f"{ROW_METADATA}.seq"


@dataclass(frozen=True)
class _PlanLine:
    """A line of Spark's plan; ``has_metadata`` if its operator creates the metadata column."""

    depth: int
    operator: str
    has_metadata: bool


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


def require_row_by_row(
    view: FeatureView, out: DataFrame, banned: frozenset[str] = frozenset()
) -> None:
    """Check that a transform makes each row from one source row, so that it can be retracted.

    Args:
        view: The view, for messages.
        out: The transform's result for rows with metadata.
        banned: Further operators of Spark's plans that are not allowed.

    Raises:
        MaterializationError: The transform groups, ranks, deduplicates or limits rows.
    """
    session = out.sparkSession
    text = session.sql("EXPLAIN EXTENDED SELECT * FROM {rows}", rows=out).collect()[0][0]
    for name in _above_the_source(text):
        if name in _COMBINING | banned:
            raise MaterializationError(
                f"transform of view {view.name!r} ({view.origin})",
                f"it does not work row by row: its plan has the operator {name}. A row that is "
                "revised or deleted in the source could not be corrected here",
                "Select and compute row by row, and count and sum with aggregations= of the view.",
            )


def _above_the_source(text: str) -> Iterator[str]:
    """Yield the operators between the source's rows and the result, from the analyzed plan."""
    analyzed = text.partition("== Analyzed Logical Plan ==")[2]
    lines = list(_above_metadata(analyzed.partition("== Optimized Logical Plan ==")[0]))
    for number, line in enumerate(lines):
        if line.has_metadata:
            yield from _ancestors(lines[: number + 1])
    # The operators that read a common table expression are beside it in the plan, not above it.
    if any(line.operator == "CTERelationDef" for line in lines):
        yield from (line.operator for line in lines)


def _above_metadata(plan: str) -> Iterator[_PlanLine]:
    """Yield the plan's lines, without those below a line that creates the metadata."""
    depth = None
    for text in plan.splitlines():
        match = _OPERATOR.match(text)
        if match and (depth is None or len(match[1]) <= depth):
            has_metadata = _SENTINEL in text
            depth = len(match[1]) if has_metadata else None
            yield _PlanLine(len(match[1]), match[2], has_metadata)


def _ancestors(lines: list[_PlanLine]) -> Iterator[str]:
    depth = lines[-1].depth
    for line in reversed(lines):
        if line.depth < depth:
            depth = line.depth
            yield line.operator


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
