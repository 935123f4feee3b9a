"""What the store knows of a source's row beside its columns, carried through the user's transform.

It travels in one column, which a transform keeps by ``SELECT *``, ``withColumn``, ``where`` or
``join``. Where a transform selects columns of its own, it is run on the rows of each value apart.
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
"""The column: a struct whose field ``seq`` has one value for all rows that carry the same."""

Run = Callable[[DataFrame], DataFrame]

MOST_PIECES = 200
# What makes one row of several, or drops a row because of another one.
_GATHERING = frozenset(
    {
        *("Aggregate", "Window", "Deduplicate", "Distinct", "Pivot", "Intersect", "Except"),
        *("GlobalLimit", "LocalLimit", "Offset", "Tail", "Sample"),
    }
)
_OPERATOR = re.compile(r"^([\s:+\-!'~]*)([A-Za-z]+)")
_MARK = f" AS {ROW_METADATA}#"
_SEQ = f"{ROW_METADATA}.seq"


@dataclass(frozen=True)
class _Line:
    depth: int
    operator: str
    marked: bool


def with_row_metadata(rows: DataFrame, metadata: Column) -> DataFrame:
    """Return the rows with a value to carry, before all other columns.

    Args:
        rows: Rows of a source.
        metadata: A struct of what is to be carried.
    """
    return rows.select(metadata.alias(ROW_METADATA), "*")


def keep_row_metadata(view: FeatureView, run: Run, rows: DataFrame) -> DataFrame:
    """Return what a transform makes of rows, each with what the row that it comes from carried.

    Args:
        view: The view, for messages.
        run: Its transform.
        rows: Rows of its source; nothing is done to those that carry nothing.

    Raises:
        MaterializationError: The transform drops the column, and too many values are in it to
            run it on each apart.
    """
    out = run(rows)
    if ROW_METADATA not in rows.columns or ROW_METADATA in out.columns:
        return out
    if isinstance(view.source, FeatureView):
        raise MaterializationError(
            f"transform of view {view.name!r} ({view.origin})",
            f"it drops the column {ROW_METADATA!r}, which holds what view "
            f"{view.source.name!r} knows of each row: since when it is known, and what it revises",
            f"Keep {ROW_METADATA} among the columns that it selects.",
        )
    kinds, dtype = _pieces(view, rows), rows.schema[ROW_METADATA].dataType
    if len(kinds) < 2:
        return out.withColumn(ROW_METADATA, _literal(kinds[0] if kinds else None, dtype))
    rows.persist()  # each piece reads them; who gave them lets go of them
    pieces = (
        run(rows.where(F.col(_SEQ) == kind.seq)).withColumn(ROW_METADATA, _literal(kind, dtype))
        for kind in kinds
    )
    return reduce(DataFrame.unionByName, pieces)


def require_row_by_row(
    view: FeatureView, out: DataFrame, banned: frozenset[str] = frozenset()
) -> None:
    """Refuse a transform that makes one row of several, for rows come one by one, and go again.

    Args:
        view: The view, for messages.
        out: What its transform made of rows that carry something.
        banned: Further operators of Spark's plans that are refused.

    Raises:
        MaterializationError: It groups, ranks, deduplicates or cuts off rows.
    """
    session = out.sparkSession
    text = session.sql("EXPLAIN EXTENDED SELECT * FROM {rows}", rows=out).collect()[0][0]
    for name in _above_the_source(text):
        if name in _GATHERING | banned:
            raise MaterializationError(
                f"transform of view {view.name!r} ({view.origin})",
                f"it does not work row by row (its plan has the operator {name}), so that "
                "what is taken back in the source could not be taken back here",
                "Select, compute and filter row by row; count and sum by aggregations=.",
            )


def _above_the_source(text: str) -> Iterator[str]:
    """Yield the operators that the source's rows go through in the analyzed plan."""
    analyzed = text.partition("== Analyzed Logical Plan ==")[2]
    lines = list(_above_marks(analyzed.partition("== Optimized Logical Plan ==")[0]))
    for number, line in enumerate(lines):
        if line.marked:
            yield from _ancestors(lines[: number + 1])
    # What reads a common table expression stands beside it in the plan, not above it.
    if any(line.operator == "CTERelationDef" for line in lines):
        yield from (line.operator for line in lines)


def _above_marks(plan: str) -> Iterator[_Line]:
    depth = None
    for text in plan.splitlines():
        found = _OPERATOR.match(text)
        if found and (depth is None or len(found[1]) <= depth):
            marked = _MARK in text
            depth = len(found[1]) if marked else None
            yield _Line(len(found[1]), found[2], marked)


def _ancestors(lines: list[_Line]) -> Iterator[str]:
    depth = lines[-1].depth
    for line in reversed(lines):
        if line.depth < depth:
            depth = line.depth
            yield line.operator


def _pieces(view: FeatureView, rows: DataFrame) -> list[Row]:
    kinds = rows.groupBy(_SEQ).agg(F.first(ROW_METADATA).alias(ROW_METADATA))
    found = [row[ROW_METADATA] for row in kinds.limit(MOST_PIECES + 1).collect()]
    if len(found) > MOST_PIECES:
        raise MaterializationError(
            f"transform of view {view.name!r} ({view.origin})",
            f"it drops the column {ROW_METADATA!r}, and the new rows are of more than "
            f"{MOST_PIECES // 2} commits, so that it cannot be run on those of each apart",
            f"Keep {ROW_METADATA} among the columns that it selects, or materialize more often.",
        )
    return found


def _literal(value: Row | None, dtype: T.DataType) -> Column:
    if value is None or not isinstance(dtype, T.StructType):
        return F.lit(None).cast(dtype)
    parts = (F.lit(value[part.name]).cast(part.dataType).alias(part.name) for part in dtype)
    return F.struct(*parts)
