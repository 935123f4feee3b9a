"""What is wrong with each row of a batch, found in Spark's tasks by a function of Arrow data."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import KW_ONLY, dataclass
from functools import partial

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import types as T  # noqa: N812  # pyspark's own convention

from featurestore.definitions.model.view import FeatureView
from featurestore.engines.spark.errors.transport import send_errors
from featurestore.engines.spark.transform.by_value import send_project_by_value
from featurestore.engines.spark.transform.stored_rows import unmatched_reasons
from featurestore.errors import FeatureStoreError
from featurestore.store.columns import DELETED

REASONS, WARNINGS = "_reasons", "_warnings"
"""Columns of a masked batch: the checks that keep a row out of the table, and the others."""

# PERF: pandera takes 2 to 20 ms for each call, however many rows there are.
ROWS_PER_CALL = 200_000
_NAMES = T.ArrayType(T.StringType())


@dataclass(frozen=True)
class Validation:
    """The checks of a view's rows. The functions come from the caller; Spark pickles the first.

    Args:
        evaluate: Takes rows with at least `columns`. Returns two arrays: for each row the names
            of the checks that keep it out of the table, and of the others that it fails. Null for
            none.
        columns: The stored columns that `evaluate` reads.
        gate: Takes the numbers of checked rows and of rows that fail each check. Returns why the
            batch must not be stored; None if it may be.
    """

    evaluate: Callable[[pa.Table], tuple[pa.Array, pa.Array]]
    _: KW_ONLY
    columns: tuple[str, ...]
    gate: Callable[[int, int, Mapping[str, int]], FeatureStoreError | None]


def masked(view: FeatureView, stored: DataFrame, validation: Validation) -> DataFrame:
    """Return a batch's rows with the columns `REASONS` and `WARNINGS`.

    A row with a null key or time, and a tombstone, is not checked: the first is kept out anyway,
    and the second removes a row that may have passed other checks.

    Args:
        view: The view.
        stored: The rows that its table would have.
        validation: The checks.
    """
    send_project_by_value()
    rows = stored.withColumn(REASONS, unmatched_reasons(view))
    schema = T.StructType([*rows.schema, T.StructField(WARNINGS, _NAMES)])
    return rows.mapInArrow(partial(_mask_in_task, validation.evaluate), schema)


def mask_rows(
    evaluate: Callable[[pa.Table], tuple[pa.Array, pa.Array]], rows: pa.Table
) -> pa.Table:
    """Return rows with the names of the checks that each fails.

    Args:
        evaluate: As in `Validation`.
        rows: Rows with the column `REASONS`, whose values stay where they are not null.
    """
    before = rows[REASONS].combine_chunks()
    skipped = before.is_valid().to_numpy(zero_copy_only=False)
    if DELETED in rows.column_names:
        skipped = skipped | rows[DELETED].fill_null(False).to_numpy()
    checked = rows if not skipped.any() else rows.filter(pa.array(~skipped))
    reasons, warnings = evaluate(checked)
    position = np.cumsum(~skipped) - 1
    own = np.where(skipped, np.arange(len(skipped)), len(skipped) + position)
    both = pa.concat_arrays([before, reasons.cast(before.type)])
    warned = warnings.cast(before.type).take(pa.array(position, mask=skipped))
    return rows.set_column(
        rows.column_names.index(REASONS), REASONS, both.take(pa.array(own))
    ).append_column(WARNINGS, warned)


def _mask_in_task(
    evaluate: Callable[[pa.Table], tuple[pa.Array, pa.Array]], batches: Iterator[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    with send_errors():
        for rows in _large(batches):
            yield from mask_rows(evaluate, rows).combine_chunks().to_batches()


def _large(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
    held: list[pa.RecordBatch] = []
    count = 0
    for batch in batches:
        held.append(batch)
        count += batch.num_rows
        if count >= ROWS_PER_CALL:
            yield pa.Table.from_batches(held)
            held, count = [], 0
    if count:
        yield pa.Table.from_batches(held)
