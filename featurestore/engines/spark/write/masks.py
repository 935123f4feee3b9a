"""What is wrong with each row of a batch, found in Spark's tasks by a function of Arrow data."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import KW_ONLY, dataclass
from pickle import PicklingError

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812  # pyspark's own convention
from pyspark.sql.pandas.functions import arrow_udf

from featurestore.definitions.model.view import FeatureView
from featurestore.engines.spark.errors.transport import send_errors
from featurestore.engines.spark.transform.by_value import send_project_by_value, unsent_error
from featurestore.engines.spark.transform.stored_rows import unmatched, unmatched_reasons
from featurestore.errors import FeatureStoreError
from featurestore.quoting import spark_name
from featurestore.store.columns import DELETED

REASONS, WARNINGS = "_reasons", "_warnings"
"""Columns of a masked batch: the checks that keep a row out of the table, and the others."""

# PERF: pandera takes 2 to 20 ms for each call, however many rows there are.
ROWS_PER_CALL = 200_000
_CHECKED, _VERDICTS = "_is_checked", "_verdicts"
_NAMES = pa.list_(pa.string())
_VERDICT = f"{REASONS} array<string>, {WARNINGS} array<string>"


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

    Raises:
        MaterializationError: A check uses a value that cannot be sent to Spark's workers.
    """
    send_project_by_value()
    # PERF: only checked columns go to Python, and no list of names: Spark's Arrow writer takes
    # 70 microseconds for each null of a list column.
    evaluate = arrow_udf(_evaluation(validation), _VERDICT)  # type: ignore[call-overload]  # by hints
    is_checked = ~unmatched(view)
    if DELETED in stored.columns:
        is_checked = is_checked & ~F.coalesce(F.col(DELETED), F.lit(False))
    names = [F.col(spark_name(name)) for name in validation.columns]
    try:
        verdict = evaluate(is_checked, *names)
    except PicklingError as error:
        call = f"expectations of view {view.name!r} ({view.origin})"
        raise unsent_error(call, error) from error
    rows = stored.withColumn(_VERDICTS, verdict)
    return rows.select(
        *(spark_name(name) for name in stored.columns),
        F.coalesce(unmatched_reasons(view), F.col(_VERDICTS)[REASONS]).alias(REASONS),
        F.col(_VERDICTS)[WARNINGS].alias(WARNINGS),
    )


def verdicts(
    evaluate: Callable[[pa.Table], tuple[pa.Array, pa.Array]], rows: pa.Table, is_checked: pa.Array
) -> pa.StructArray:
    """Return the names of the checks that each row fails, in the fields `REASONS` and `WARNINGS`.

    Args:
        evaluate: As in `Validation`.
        rows: Rows with the checked columns.
        is_checked: Whether a row is checked. The names of other rows are null.
    """
    position = pc.indices_nonzero(is_checked)
    every = len(position) == rows.num_rows
    checked = rows if every else rows.take(position)
    names = [each.cast(_NAMES) for each in evaluate(checked)]
    if not every:
        own = np.cumsum(is_checked) - 1
        places = pa.array(own, mask=~is_checked.to_numpy(zero_copy_only=False))
        names = [each.take(places) for each in names]
    return pa.StructArray.from_arrays(names, [REASONS, WARNINGS])


def _evaluation(
    validation: Validation,
) -> Callable[[Iterator[tuple[pa.Array, ...]]], Iterator[pa.Array]]:
    evaluate, columns = validation.evaluate, list(validation.columns)

    def evaluate_in_task(batches: Iterator[tuple[pa.Array, ...]]) -> Iterator[pa.Array]:
        with send_errors():
            for rows, is_checked in _large(batches, columns):
                yield verdicts(evaluate, rows, is_checked)

    return evaluate_in_task


def _large(
    batches: Iterator[tuple[pa.Array, ...]], columns: list[str]
) -> Iterator[tuple[pa.Table, pa.Array]]:
    """Join batches of the columns and of whether a row is checked, until a call is worth it."""
    held: list[pa.RecordBatch] = []
    count = 0
    for arrays in batches:
        held.append(pa.RecordBatch.from_arrays(list(arrays), [_CHECKED, *columns]))
        count += held[-1].num_rows
        if count >= ROWS_PER_CALL:
            yield _joined(held)
            held, count = [], 0
    if count:
        yield _joined(held)


def _joined(batches: list[pa.RecordBatch]) -> tuple[pa.Table, pa.Array]:
    rows = pa.Table.from_batches(batches)
    return rows.remove_column(0), rows.column(0).combine_chunks()
