"""The bad rows of a snapshot view that an earlier run has put into the quarantine already.

A snapshot view reads its source whole at each run, so a bad row comes again until the source is
corrected. It stays in the quarantine with its id, and is neither counted nor stored again.
"""

from dataclasses import replace
from functools import reduce

import pyarrow as pa
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F  # noqa: N812  # pyspark's own convention

from featurestore.definitions.model.view import FeatureView
from featurestore.engines.spark.write.batch_rows import BatchRows
from featurestore.quoting import spark_name
from featurestore.store import quarantine as q
from featurestore.store.delta.log import is_table, latest_version

_NEW, _EARLIER, _NAMES, _NUMBER = "new", "earlier", "_names", "_number"


def without_repeated(view: FeatureView, batch: BatchRows, uri: str) -> BatchRows:
    """Return a batch without the bad rows that are in the quarantine already.

    Rows in the quarantine that the source does not have any more are removed from it; released
    rows stay.

    Args:
        view: A snapshot view.
        batch: All rows that differ from the stored ones.
        uri: The address of the quarantine.
    """
    if not is_table(uri):
        return batch
    bad = _numbered(view, batch.rows.where(batch.is_bad).withColumn(_NAMES, batch.reasons))
    earlier = _numbered(view, _in_quarantine(view, batch.rows, uri)).alias(_EARLIER)
    same = _all_equal([*_compared(view), _NUMBER])
    gone = earlier.join(bad.alias(_NEW), same, "left_anti").select(q.ID).toArrow()
    q.remove_ids(uri, gone[q.ID].cast(pa.string()))
    new = bad.alias(_NEW).join(earlier, same, "left_anti").drop(_NAMES, _NUMBER)
    return replace(batch, rows=batch.rows.where(~batch.is_bad).unionByName(new))


def _in_quarantine(view: FeatureView, rows: DataFrame, uri: str) -> DataFrame:
    # A fixed version: Spark may read the table again after rows were added to it.
    version = latest_version(uri)
    reader = rows.sparkSession.read.format("delta").option("versionAsOf", str(version))
    kept = reader.load(uri).where(F.col(q.RELEASED_AT).isNull())
    values = (f"{q.ROW}.{spark_name(name)}" for name in _values(view))
    return kept.select(q.ID, F.col(q.REASONS).alias(_NAMES), *values)


def _numbered(view: FeatureView, rows: DataFrame) -> DataFrame:
    """Number equal rows: the source may have several, if they have no key."""
    equal = Window.partitionBy(*map(spark_name, _compared(view))).orderBy(F.lit(1))
    return rows.withColumn(_NUMBER, F.row_number().over(equal))


def _values(view: FeatureView) -> list[str]:
    return [*(key.name for key in view.join_keys), *(field.name for field in view.schema)]


def _compared(view: FeatureView) -> list[str]:
    return [*_values(view), _NAMES]


def _all_equal(names: list[str]) -> Column:
    pairs = (
        F.col(f"{_NEW}.{spark_name(name)}").eqNullSafe(F.col(f"{_EARLIER}.{spark_name(name)}"))
        for name in names
    )
    return reduce(Column.__and__, pairs)
