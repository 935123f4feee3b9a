"""`FeatureFrame`: spine rows with their features, and their conversion to other libraries."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta, tzinfo
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from featurestore.client.arguments import checked_arguments
from featurestore.client.arrow_rows import rows_where
from featurestore.client.frame.delta_table import write_table
from featurestore.client.frame.library_types import polars_table, spark_table
from featurestore.client.frame.not_a_table import NotATable
from featurestore.client.frame.null_features import require_no_nulls
from featurestore.client.frame.numpy_arrays import feature_array, label_array
from featurestore.client.frame.pandas_frame import pandas_frame
from featurestore.client.frame.pandas_origin import PandasOrigin
from featurestore.client.frame.retrieval_plan import RetrievalPlan
from featurestore.client.frame.splits import (
    LabelTiming,
    held_out_entities,
    moments,
    time_split,
)
from featurestore.client.frame.view_read import ViewRead
from featurestore.client.profiles.frame import frame_profile
from featurestore.engines.explain.absent_keys import AbsentKeys
from featurestore.engines.explain.cell import Explanation
from featurestore.engines.explain.first_run import EarlyRows
from featurestore.errors import RequestError, SetupError, nearest
from featurestore.monitoring.profile import Profile
from featurestore.notebook import html_table
from featurestore.optional import optional, spark_extra
from featurestore.store.training_sets.notes import TrainingSet
from featurestore.times import (
    parse_moment_argument,
    system_clock,
)

if TYPE_CHECKING:
    import pandas
    import polars
    from pyspark.sql import DataFrame, SparkSession


def _no_spark() -> "SparkSession":
    raise SetupError("to_spark()", "this frame has no Spark session", "Use to_spark(spark).")


def _no_saver(frame: "FeatureFrame", name: str) -> TrainingSet:
    raise RequestError(
        f"save({name!r})",
        "this frame was not read from stored tables",
        "Call get_training_set, and save its result or a part of it.",
    )


def _no_explainer(row: int, feature: str) -> Explanation:
    raise RequestError(
        f"explain({row}, {feature!r})",
        "this frame was not read from stored tables",
        "Call get_historical_features and explain its result.",
    )


@dataclass(frozen=True)
class FeatureFrame(NotATable):
    """The spine's rows in its order, all its columns, then the features.

    Args:
        table: The rows.
        features: The names of the feature columns, in order.
        label: The name of the label column. None if there is none.
        timestamp_field: The time column.
        timezone: The zone of times without one. None if all times have one.
        label_timing: The horizon and maturity of a computed `Label`. None for a label that is a
            column of the spine.
        immature_rows: The number of spine rows that were left out, because the computed `Label`
            of each was not mature yet.
        views: The table version and the key columns that each view was read with.
        _explainer: Explains a cell, for `explain`.
        _spark_session: Returns a session for `to_spark`, and starts one if necessary.
        _saver: Saves the frame, for `save`.
        _pandas: The index and the data types of a spine from pandas.
        _plan: Why the engine in process has answered, if it was chosen.

    Example:
        >>> frame = FeatureFrame(pa.table({"id": [1], "x": [2.0], "y": [1]}), ("x",), label="y")
        >>> frame
        FeatureFrame(1 row, 1 feature, label 'y')
        >>> frame.to_numpy()
        (array([[2.]]), array([1]))
    """

    _ways: ClassVar[str] = (
        "Its rows: to_pandas(), to_polars(), to_arrow(), to_numpy(), to_spark(), write(path)."
    )

    table: pa.Table
    features: tuple[str, ...]
    label: str | None = None
    timestamp_field: str = "event_timestamp"
    timezone: str | tzinfo | None = None
    label_timing: LabelTiming | None = None
    immature_rows: int = 0
    views: Mapping[str, ViewRead] = field(default_factory=dict)
    _explainer: Callable[[int, str], Explanation] = field(
        default=_no_explainer, repr=False, compare=False
    )
    _spark_session: Callable[[], "SparkSession"] = field(
        default=_no_spark, repr=False, compare=False
    )
    _saver: Callable[["FeatureFrame", str], TrainingSet] = field(
        default=_no_saver, repr=False, compare=False
    )
    _pandas: PandasOrigin | None = field(default=None, repr=False, compare=False)
    _plan: RetrievalPlan | None = field(default=None, repr=False, compare=False)

    def plan(self) -> RetrievalPlan:
        """Return which engine has answered, and why: with ``engine="auto"``, with the sizes.

        Example:
            >>> FeatureFrame(pa.table({"id": [1]}), ()).plan().mode
            'local'
        """
        return self._plan or RetrievalPlan("local", "the engine in process has answered")

    @property
    def versions(self) -> dict[str, int]:
        """The Delta version of each view's feature table at which it was read."""
        return {name: v.version for name, v in self.views.items() if v.version is not None}

    @property
    def null_key_rows(self) -> dict[str, int]:
        """For each view, the number of rows with a null key: their features of it are null."""
        return {name: view.null_key_rows(self.table) for name, view in self.views.items()}

    @property
    def absent_keys(self) -> dict[str, AbsentKeys]:
        """The views that have no row of the keys of more than half of the rows, at any time.

        Then the keys have often another form in the spine, such as ``"40"`` for ``"040"``. It is
        empty for a part of a frame, and for tables of more than 10,000,000 rows.
        """
        return {name: view.absent for name, view in self.views.items() if view.absent is not None}

    @property
    def early_rows(self) -> dict[str, EarlyRows]:
        """The rows with a moment before the first run of a snapshot view, by the view's name.

        Their features of it are null. It is empty for a part of a frame.
        """
        return {name: view.early for name, view in self.views.items() if view.early is not None}

    def __getstate__(self) -> dict[str, Any]:
        """Pickle and copy without the Spark session: pass one to `to_spark` of the copy."""
        state = {each.name: getattr(self, each.name) for each in fields(self)}
        return state | {"_spark_session": _no_spark}

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Return the rows to other libraries, e.g. for ``polars.DataFrame(frame)``."""
        return self.table.__arrow_c_stream__(requested_schema)

    def __len__(self) -> int:
        """Return the number of rows."""
        return int(self.table.num_rows)

    def __repr__(self) -> str:
        """Return a short text without data: a table may be large and may hold personal data."""
        rows, features = len(self), len(self.features)
        parts = [with_count(rows, "row"), with_count(features, "feature")]
        if self.label:
            parts.append(f"label {self.label!r}")
        if self.immature_rows:
            parts.append(f"{with_count(self.immature_rows, 'immature row')} left out")
        parts += [
            f"{count} with a null key in {view}"
            for view, count in self.null_key_rows.items()
            if count
        ]
        parts += [
            f"{each.rows:,} with a key that is not in {view}"
            for view, each in self.absent_keys.items()
        ]
        parts += [
            f"{each.rows:,} before the first run of {view}"
            for view, each in self.early_rows.items()
        ]
        return f"FeatureFrame({', '.join(parts)})"

    def _repr_html_(self) -> str:
        """Return its columns without data, for a notebook."""
        kinds = dict.fromkeys(self.features, "feature") | {self.label: "label"}
        rows = [
            (each.name, each.type, kinds.get(each.name, "spine"), column.null_count)
            for each, column in zip(self.table.schema, self.table.columns, strict=True)
        ]
        note = self._ways
        if self.absent_keys:  # without their keys, which may be personal data
            note = f"absent_keys says which keys are in no row of a view. {note}"
        return html_table(repr(self), ("column", "type", "from", "nulls"), rows, note)

    def to_arrow(self) -> pa.Table:
        """Return the rows as an Arrow table."""
        return self.table

    def to_pandas(self) -> "pandas.DataFrame":
        """Return the rows as a pandas DataFrame.

        Integers and Booleans with nulls become pandas' ``Int64``, ``boolean`` and so on. A list is
        a NumPy array, of Python objects if it holds integers or Booleans with nulls. In a float
        column a null is NaN. If the spine is a pandas DataFrame, the rows have its index, and its
        columns have their data types.

        Raises:
            SetupError: pandas is not installed.
            RequestError: pandas cannot hold a column, e.g. times of day with nanoseconds.
        """
        return pandas_frame(self.table, self._pandas)

    def to_polars(self) -> "polars.DataFrame":
        """Return the rows as a Polars DataFrame.

        Times with a fixed offset, such as ``+05:30``, become UTC.

        Raises:
            SetupError: Polars is not installed.
            RequestError: Polars cannot hold a column.
        """
        pl = optional("polars", "to_polars()")
        frame: polars.DataFrame = pl.from_arrow(polars_table(self.table))
        return frame

    def to_numpy(self) -> tuple[np.ndarray, np.ndarray | None]:
        """Return the features as numbers, and the label.

        Returns:
            A float64 array of shape (rows, features) with nulls as NaN, and the label column.
            Integers beyond 2**53 are rounded in the array.
            The label is None if the frame has none. Nulls in the label are NaN, NaT or None,
            whichever the label's type has.

        Raises:
            RequestError: A feature is not numeric.
        """
        columns = [feature_array(name, self.table[name]) for name in self.features]
        matrix = np.column_stack(columns) if columns else np.empty((len(self), 0))
        label = None if self.label is None else label_array(self.table[self.label])
        return matrix, label

    def to_spark(
        self,
        spark: "SparkSession | None" = None,
        *,
        vector: str | None = None,
        nulls: str = "error",
    ) -> "DataFrame":
        """Return the rows as a Spark DataFrame.

        Unsigned integers become the next larger type, and those of 64 bits ``decimal(20, 0)``.
        Categories become their values. Times without a zone stay without one.

        Args:
            spark: The session. None for the store's, which is started if necessary.
            vector: The name of one more column with all features as a vector for MLlib.
            nulls: What happens to a row with a null or NaN among its features, if there is a
                vector: ``"error"`` refuses it, ``"keep"`` makes a null NaN, ``"skip"`` leaves
                the row out.

        Raises:
            SetupError: pyspark is not installed, or Spark does not start.
            RequestError: Spark cannot hold a column, a time is finer than a microsecond, a feature
                of the vector is not numeric, or a row has no vector.
        """
        session = self._spark_session() if spark is None else spark
        with spark_extra("to_spark()"):
            # Imported here, because frames are used without pyspark.
            from featurestore.engines.spark.retrieve.arrow_frame import (  # noqa: PLC0415 - see above
                spark_frame,
            )
            from featurestore.engines.spark.retrieve.vector import (  # noqa: PLC0415 - see above
                with_vector,
            )
        rows = spark_frame(session, spark_table(self.table))
        if vector is None:
            return rows
        call = f"to_spark(vector={vector!r})"
        if nulls == "error":
            require_no_nulls(call, self.table.select(list(self.features)))
        return with_vector(rows, self.features, vector=vector, nulls=nulls, call=call)

    @checked_arguments
    def split_by_time(
        self, moment: str | datetime, *, gap: str | timedelta | None = None
    ) -> tuple["FeatureFrame", "FeatureFrame"]:
        """Return training rows before a moment, and test rows from it on.

        Rows without a time are in neither part. Times are read as for the features: texts with
        their offsets, and times without a zone in the ``timezone=`` of the call.

        Args:
            moment: The first moment of the test rows. A date is its midnight in UTC.
            gap: The time between the last training row and ``moment``. By default the horizon
                plus the maturity of a computed `Label`, and ``"0s"`` for a label that is a column
                of the spine.

        Warns:
            UserWarning: The gap is shorter than the `Label`'s horizon, so that labels of training
                rows look into the test part. It says how many.

        Example:
            >>> times = pa.array([1, 5, 9], pa.timestamp("s", tz="UTC"))
            >>> frame = FeatureFrame(pa.table({"event_timestamp": times}), ())
            >>> [len(part) for part in frame.split_by_time("1970-01-01T00:00:06Z", gap="3s")]
            [1, 1]
        """
        call = f"split_by_time({moment!r})"
        split = time_split(call, moment, gap, self.label_timing)
        times = moments(call, self.table, self.timestamp_field, self.timezone)
        train, test = split.masks(times)
        if leak := split.leak(times):
            warnings.warn(f"{call}: {leak}", UserWarning, stacklevel=3)
        return self._where(train), self._where(test)

    @checked_arguments
    def split_by_entity(
        self, keys: str | Sequence[str], *, test: float = 0.2, seed: int = 0
    ) -> tuple["FeatureFrame", "FeatureFrame"]:
        """Return training rows and test rows that have no entity in common.

        A hash of its keys decides the part of an entity. So an entity stays in its part when the
        training set grows.

        Args:
            keys: The columns that identify an entity.
            test: The approximate share of the test entities, between 0 and 1.
            seed: Another seed selects other entities.

        Raises:
            RequestError: A column is missing, or the share is not between 0 and 1.

        Example:
            >>> frame = FeatureFrame(pa.table({"id": list(range(100)) * 2}), ())
            >>> train, test = frame.split_by_entity("id", test=0.3)
            >>> set(train.table["id"].to_pylist()) & set(test.table["id"].to_pylist())
            set()
        """
        names = [keys] if isinstance(keys, str) else list(keys)
        in_test = held_out_entities(self.table, names, test, seed)
        return self._where(pc.invert(in_test)), self._where(in_test)

    @checked_arguments
    def profile(self, name: str = "", *, at: datetime | None = None) -> Profile:
        """Return statistics of the features and the label, to compare with later ones.

        Args:
            name: A name for the rows, such as that of the training set.
            at: The moment of the profile. None for now.

        Example:
            >>> frame = FeatureFrame(pa.table({"x": [1.0, 2.0, None]}), ("x",))
            >>> [column] = frame.profile("churn").columns
            >>> column.rows, column.nulls, column.mean, column.distinct
            (3, 1, 1.5, 2)
        """
        names = [*self.features, *([] if self.label is None else [self.label])]
        personal = frozenset[str]().union(*(view.personal for view in self.views.values()))
        moment = parse_moment_argument("profile()", "at", system_clock() if at is None else at)
        return frame_profile(self.table, names, personal=personal, name=name, at=moment)

    @checked_arguments
    def explain(self, row: int, feature: str) -> Explanation:
        """Return the stored row that gave a value, or the reason for a null.

        Args:
            row: The row's number in this frame, from 0.
            feature: The feature's name.

        Raises:
            RequestError: There is no such row or feature.
        """
        call = f"explain({row}, {feature!r})"
        if feature not in self.features:
            problem = f"the frame has no feature {feature!r}"
            raise RequestError(call, problem, nearest(feature, self.features))
        if not 0 <= row < len(self):
            raise RequestError(call, f"the frame has {len(self)} rows", "Count rows from 0.")
        explanation = self._explainer(row, feature)
        return replace(explanation, value=self.table[feature][row].as_py())

    @checked_arguments
    def write(self, path: str, *, overwrite: bool = False) -> int:
        """Write the rows as a Delta table, and return their number.

        The table is that of `SparkFrame.write`, with the types of `to_spark`, and needs no Spark.
        A Delta table has no order of rows.

        Args:
            path: The table's folder or URL.
            overwrite: Whether to replace the rows of a table that is there.

        Raises:
            RequestError: There is a table, and it is not to be replaced, or a Delta table cannot
                hold a column.
            StorageError: The disk or the object store refuses it.
            TableError: The rows of this table can only be replaced by Spark.

        Example:
            >>> from tempfile import TemporaryDirectory
            >>> frame = FeatureFrame(pa.table({"id": [1, 2], "x": [2.0, None]}), ("x",))
            >>> with TemporaryDirectory() as folder:
            ...     frame.write(f"{folder}/rows"), frame.write(f"{folder}/rows", overwrite=True)
            (2, 2)
        """
        return write_table(self.table, path, overwrite=overwrite)

    @checked_arguments
    def save(self, name: str) -> TrainingSet:
        """Save the rows as the next version of a training set, and return what was saved.

        The table has all columns. Its notes have the applied version of the definitions, the
        version of each view's table, and a hash of the spine. Parts of a frame can be saved too.

        Args:
            name: The name: letters, digits and underscores.

        Raises:
            RequestError: The name is not valid, Delta holds no values of a column's type, or the
                frame is not from `get_training_set` or `get_historical_features`.
            StorageError: The disk or the object store refuses it.
        """
        return self._saver(self, name)

    def _where(self, mask: pa.ChunkedArray) -> "FeatureFrame":
        positions = np.flatnonzero(mask.fill_null(False).to_numpy(zero_copy_only=False))
        return replace(
            self,
            table=rows_where(self.table, mask),
            immature_rows=0,
            views={
                name: replace(view, absent=None, early=None) for name, view in self.views.items()
            },
            _explainer=partial(_explain_part, self._explainer, positions),
            _pandas=None if self._pandas is None else self._pandas.rows_at(positions),
        )


def _explain_part(
    explainer: Callable[[int, str], Explanation], positions: np.ndarray, row: int, feature: str
) -> Explanation:
    """Explain a cell of a part of a frame, whose rows have these positions in the frame."""
    return explainer(int(positions[row]), feature)


def append_columns(spine: pa.Table, answers: pa.Table) -> pa.Table:
    """Return the spine's columns, unchanged, followed by the answers' columns.

    Example:
        >>> append_columns(pa.table({"id": [1]}), pa.table({"x": [2]})).column_names
        ['id', 'x']
    """
    schema = pa.schema([*spine.schema, *answers.schema], metadata=spine.schema.metadata)
    return pa.table([*spine.columns, *answers.columns], schema=schema)


def with_label(frame: FeatureFrame, label: str | None, call: str) -> FeatureFrame:
    """Return the frame with one of its columns as the label.

    Args:
        frame: The frame.
        label: The column's name. None for no label.
        call: The call, for the error message.

    Raises:
        RequestError: The spine has no such column.

    Example:
        >>> with_label(FeatureFrame(pa.table({"y": [1]}), ()), "y", "call").label
        'y'
    """
    if label is not None and label not in frame.table.column_names:
        raise RequestError(
            call,
            f"the spine has no column {label!r} for the label",
            nearest(label, frame.table.column_names),
        )
    return replace(frame, label=label)


def with_count(count: int, noun: str) -> str:
    """Return a count with its noun, which is plural unless the count is 1.

    Example:
        >>> with_count(1, "row"), with_count(1200, "row")
        ('1 row', '1,200 rows')
    """
    return f"{count:,} {noun}" + ("" if count == 1 else "s")
