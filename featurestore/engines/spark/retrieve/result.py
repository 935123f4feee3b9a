"""The result of a retrieval by Spark: the rows that stay, counted when they are computed."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import KW_ONLY, dataclass, replace
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

import pyarrow as pa
from pyspark.sql import Column, DataFrame, Observation
from pyspark.sql import functions as F  # noqa: N812  # pyspark's own convention
from pyspark.sql.types import (
    BooleanType,
    NullType,
    StructField,
    StructType,
    TimestampNTZType,
)

from featurestore.engines.spark.errors.mapping import spark_errors
from featurestore.engines.spark.errors.transport import send_errors
from featurestore.engines.spark.retrieve.restore import newest_version, restore
from featurestore.engines.spark.retrieve.spine import (
    FIX_OF_CHANGED_SPINE,
    SpineState,
    state_columns,
    state_from,
)
from featurestore.engines.spark.retrieve.task import KEPT, POSITION, SliceTask
from featurestore.engines.spark.session.child import micros_in_files
from featurestore.engines.spark.types import plain_texts, spark_type
from featurestore.errors import MaterializationError, RequestError, SpineError, with_note
from featurestore.query.compile import output_fields
from featurestore.quoting import spark_name
from featurestore.store.paths import is_local, local_path

RowChoice = Callable[[pa.Table], pa.Array]
"""Returns which rows of a table are in a part: a Boolean for each."""

T = TypeVar("T")

_THERE_ALREADY = ("DELTA_PATH_EXISTS", "DELTA_TABLE_ALREADY_EXISTS", "PATH_ALREADY_EXISTS")
_ROWS, _LEFT_OUT = "rows", "left_out"


class Counts(NamedTuple):
    """The numbers of rows of a result that was computed.

    Args:
        rows: The rows that stay.
        left_out: The rows with labels that are not mature, which do not stay.
        digest: A hash of all rows of the spine, whatever their order.
    """

    rows: int
    left_out: int
    digest: str


def finished_schema(task: SliceTask, spine: StructType) -> StructType:
    """Return the schema of the rows that `finish_slice` returns.

    Args:
        task: The task.
        spine: The schema of the spine.
    """
    fields = [StructField(each.name, each.dataType) for each in spine.fields]
    if task.label is not None:
        [aggregate] = task.label.view.aggregates
        fields.append(StructField(task.label.name, spark_type(aggregate.result)))
        if task.label.immature == "flag":
            fields.append(StructField(task.label.flag, BooleanType()))
    features = output_fields(task.query)
    fields += [StructField(each.name, spark_type(each.dtype)) for each in features]
    return StructType([*fields, StructField(KEPT, BooleanType())])


@dataclass(frozen=True)
class Result:
    """The finished rows of a spine, which Spark has not computed yet.

    Args:
        call: The user's call, for messages.
        rows: All rows of the spine as `finish_slice` returns them.
        used: The columns of the spine that the call uses.
        state: What identified the spine's rows when the call was planned.
        parts: The choices of rows, such as the training part of a split, in their order.
    """

    call: str
    _: KW_ONLY
    rows: DataFrame
    used: tuple[str, ...]
    state: SpineState
    parts: tuple[RowChoice, ...] = ()

    def staying(self) -> DataFrame:
        """Return the rows that stay, with the column `POSITION` if the spine has an order."""
        return self._staying(self.rows)

    def computed(self, action: Callable[[DataFrame], T]) -> tuple[T, "Counts"]:
        """Run an action of Spark on the rows that stay, once, and check that no row is missing.

        Args:
            action: The action, such as a write. It computes all rows.

        Returns:
            The action's result, and the numbers of rows.

        Raises:
            SpineError: The spine has other rows than when the call was planned.
        """
        read, stayed = Observation(), Observation()
        leaving = F.sum(F.when(F.col(KEPT), 0).otherwise(1)).alias(_LEFT_OUT)
        rows = self.rows.observe(read, *state_columns(self.rows, self.used), leaving)
        staying = self._staying(rows).observe(stayed, F.count(F.lit(1)).alias(_ROWS))
        with task_errors(self.call):
            done = action(staying)
            values, count = read.get, stayed.get
        state = state_from(values)
        self._require_same_spine(state)
        # As in the frame of the local engine, the parts of a split have left out none.
        left_out = 0 if self.parts else int(values.get(_LEFT_OUT) or 0)
        return done, Counts(int(count.get(_ROWS) or 0), left_out, state.digest or "")

    def part(self, choice: RowChoice) -> "Result":
        """Return a part of the rows."""
        return replace(self, parts=(*self.parts, choice))

    def _staying(self, rows: DataFrame) -> DataFrame:
        staying = rows.where(F.col(KEPT)).drop(KEPT)
        for choice in self.parts:
            staying = staying.mapInArrow(partial(_choose_in_task, choice), staying.schema)
        return plain_texts(staying)

    def _require_same_spine(self, state: SpineState) -> None:
        if self.state.is_same(state):
            return
        found = (
            f"the spine has other rows each time that it is read: first {self.state.rows:,} rows, "
            f"then {state.rows:,}"
        )
        if state.rows == self.state.rows:
            found = "the spine has other values each time that it is read"
        raise SpineError(self.call, found, FIX_OF_CHANGED_SPINE)


def written(result: Result, path: str, *, overwrite: bool) -> int:
    """Write the rows that stay as a Delta table from the executors, and return their number.

    Args:
        result: The rows.
        path: The table's address.
        overwrite: Whether to replace the rows of a table that is there. If the new rows turn out
            to be wrong, it gets its rows back.

    Raises:
        SpineError: The spine has other rows than when the call was planned.
        RequestError: There is a table, and it is not to be replaced.
    """
    mode = "overwrite" if overwrite else "error"
    address = str(Path(local_path(path)).absolute()) if is_local(path) else path

    spark, committed = result.rows.sparkSession, list[str]()
    before = newest_version(spark, address) if overwrite else None

    def write(rows: DataFrame) -> None:
        table = without_position(rows).write.format("delta").mode(mode)
        with micros_in_files(spark):
            table.option("overwriteSchema", str(overwrite).lower()).save(address)
        committed.append(address)

    try:
        _, counts = result.computed(write)
    except SpineError as error:
        if not committed:  # the error of a task: a value does not fit
            raise
        note = f"the table {path} has been written all the same, do not use it"
        if restore(spark, address, before):
            note = f"the table {path} has the rows of version {before} again"
        raise with_note(error, note) from None
    except MaterializationError as error:
        if not any(each in error.found for each in _THERE_ALREADY):
            raise
        fix = "Write to another folder, or pass overwrite=True to replace its rows."
        raise RequestError(f"write({path!r})", "the folder has files already", fix) from None
    return counts.rows


def write_files(result: Result, folder: str, columns: Mapping[str, str]) -> Counts:
    """Write the rows that stay as Parquet files from the executors, and return their numbers.

    Args:
        result: The rows.
        folder: The address of a new folder.
        columns: The name of each column in the files, by its name in the rows. `POSITION` among
            them becomes a position within the rows if the spine has no order.

    Raises:
        SpineError: The spine has other rows than when the call was planned.
    """

    def write(rows: DataFrame) -> None:
        if POSITION not in rows.columns:
            rows = rows.withColumn(POSITION, F.monotonically_increasing_id())
        chosen = [_stored(rows, name).alias(columns[name]) for name in columns]
        with micros_in_files(rows.sparkSession):
            rows.select(*chosen).write.parquet(folder)

    _, counts = result.computed(write)
    return counts


def read_files(result: Result, folder: str, columns: Mapping[str, str]) -> DataFrame:
    """Return columns of files by `write_files`.

    Args:
        result: The rows that were written.
        folder: The address of the folder.
        columns: The new name of each column, by its name in the files.
    """
    rows = result.rows.sparkSession.read.parquet(folder)
    return rows.select(*(F.col(spark_name(name)).alias(columns[name]) for name in columns))


def _stored(rows: DataFrame, name: str) -> Column:
    """Return a column in a type that Parquet and plain Delta tables have."""
    column, dtype = F.col(spark_name(name)), rows.schema[name].dataType
    if isinstance(dtype, TimestampNTZType):
        return F.unix_micros(column.cast("timestamp"))  # the session's zone is UTC
    return column.cast("boolean") if isinstance(dtype, NullType) else column


def without_position(rows: DataFrame) -> DataFrame:
    """Return rows without the column `POSITION`."""
    return rows.drop(POSITION)


@contextmanager
def task_errors(call: str) -> Iterator[None]:
    """Raise the errors of Spark and of its tasks as ours, for a retrieval.

    Args:
        call: The user's call.

    Raises:
        FeatureStoreError: The error of a task, or Spark's.
    """
    with spark_errors(call):
        yield


def _choose_in_task(
    choice: RowChoice, batches: Iterator[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    with send_errors():
        for batch in batches:
            yield batch.filter(choice(pa.table(batch)))
