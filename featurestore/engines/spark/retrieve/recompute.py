"""Stored rows of sampled keys, compared with the rows that the present source gives at once."""

from dataclasses import dataclass
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812  # pyspark's own convention

from featurestore.definitions.model.view import FeatureView
from featurestore.engines.spark.errors.mapping import spark_errors
from featurestore.engines.spark.transform.stored_rows import NULL_HASH, null_hash, unmatched
from featurestore.quoting import spark_name
from featurestore.store.columns import EVENT_TIME, ROW_HASH

MOST_DIFFERENCES = 100
"""At most this many differing rows of a view are returned."""

Values = dict[str, Any]

_STORED, _COMPUTED = "_featurestore_stored", "_featurestore_computed"


@dataclass(frozen=True)
class RecomputedRow:
    """A stored row that the present source does not give.

    Args:
        key: The values of the join keys.
        event_timestamp: The event's time.
        stored: The stored values of the view's schema.
        recomputed: The values for an event of this key and time, computed now; None if the
            source has no such event any more.
    """

    key: Values
    event_timestamp: Any
    stored: Values
    recomputed: Values | None


@dataclass(frozen=True)
class Sample:
    """The stored rows to compare.

    Args:
        table: The address of the view's table.
        version: The version of the table.
        keys: The number of keys to compare.
        seed: Selects the keys.
    """

    table: str
    version: int
    keys: int
    seed: int


def compare_rows(
    view: FeatureView, fresh: DataFrame, sample: Sample
) -> tuple[int, list[RecomputedRow]]:
    """Return the number of compared rows, and the stored rows that the source does not give.

    Args:
        view: The view.
        fresh: The rows that its table would have, from all present rows of its source.
        sample: The stored rows to compare.
    """
    with spark_errors(f"verify source of view {view.name!r} ({view.origin})", view=view.name):
        reader = fresh.sparkSession.read.format("delta").option("versionAsOf", sample.version)
        stored, fresh = reader.load(sample.table), fresh.where(~unmatched(view))
        keys = [spark_name(key.name) for key in view.join_keys]
        if keys:
            order = F.xxhash64(F.lit(sample.seed), *keys)
            sampled = stored.select(*keys).distinct().orderBy(order).limit(sample.keys)
            names = [key.name for key in view.join_keys]
            targets = F.broadcast(sampled)
            stored = stored.join(targets, names, "left_semi")
            fresh = fresh.join(targets, names, "left_semi")
        stored, fresh = _identified(view, stored).persist(), _identified(view, fresh).persist()
        try:
            return stored.count(), _differing(view, stored, fresh)
        finally:
            stored.unpersist()
            fresh.unpersist()


def _identified(view: FeatureView, rows: DataFrame) -> DataFrame:
    return rows.withColumn(NULL_HASH, null_hash(view, rows.schema))


def _differing(view: FeatureView, stored: DataFrame, fresh: DataFrame) -> list[RecomputedRow]:
    names = [*(key.name for key in view.join_keys), EVENT_TIME]
    identity = [*names, ROW_HASH, NULL_HASH]
    before, after = _counted(stored, identity, _STORED), _counted(fresh, identity, _COMPUTED)
    # A row that is stored more often than it is computed was stored twice.
    missing = F.col(_COMPUTED).isNull() | (F.col(_COMPUTED) < F.col(_STORED))
    wrong = before.join(after, identity, "left").where(missing).select(*map(spark_name, identity))
    chosen = F.broadcast(wrong.orderBy(*map(spark_name, identity)).limit(MOST_DIFFERENCES))
    lost = stored.join(chosen, identity, "left_semi").dropDuplicates(identity).toArrow()
    events = fresh.join(
        chosen.select(*map(spark_name, names)).distinct(), names, "left_semi"
    ).toArrow()
    found = {_identity(names, row): row for row in events.to_pylist()}
    return [_row(view, names, row, found) for row in lost.to_pylist()]


def _counted(rows: DataFrame, identity: list[str], name: str) -> DataFrame:
    return rows.groupBy(*map(spark_name, identity)).agg(F.count(F.lit(1)).alias(name))


def _row(
    view: FeatureView, names: list[str], row: Values, found: dict[tuple[Any, ...], Values]
) -> RecomputedRow:
    other = found.get(_identity(names, row))
    values = [field.name for field in view.schema]
    return RecomputedRow(
        {key.name: row[key.name] for key in view.join_keys},
        row[EVENT_TIME],
        stored={name: row[name] for name in values},
        recomputed=None if other is None else {name: other[name] for name in values},
    )


def _identity(names: list[str], row: Values) -> tuple[Any, ...]:
    return tuple(row[name] for name in names)
