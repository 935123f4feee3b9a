"""`FeatureFrame`: spine rows with their features, and the ways out of it."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from featurestore.client.arrow_rows import rows_where
from featurestore.client.frame.splits import LabelReach, TimeSplit, check_times, held_out_entities
from featurestore.client.frame.view_read import ViewRead
from featurestore.engines.explain.cell import Explanation
from featurestore.errors import RequestError, SetupError, nearest
from featurestore.optional import optional
from featurestore.times import parse_moment

if TYPE_CHECKING:
    import pandas
    import polars
    from pyspark.sql import DataFrame, SparkSession


def _no_spark() -> "SparkSession":
    raise SetupError("to_spark()", "this frame has no session", "Pass one: to_spark(spark).")


def _no_explainer(row: int, feature: str) -> Explanation:
    raise RequestError(
        f"explain({row}, {feature!r})",
        "this frame was not read from stored tables",
        "Ask for the features with get_historical_features.",
    )


@dataclass(frozen=True)
class FeatureFrame:
    """The spine's rows in its order, all its columns, then the features.

    Args:
        table: The rows.
        features: The feature columns' names, in order.
        label: The label column's name, where there is one.
        timestamp_field: The time column of the request.
        label_reach: How far the label looks ahead, where it came from a `Label`.
        views: What was read of each view.
        _explainer: Tells why a cell is what it is, for `explain`.
        _spark_session: Gives the session for `to_spark`, starting one if need be.

    Example:
        >>> frame = FeatureFrame(pa.table({"id": [1], "x": [2.0], "y": [1]}), ("x",), label="y")
        >>> frame
        FeatureFrame(1 row, 1 feature, label 'y')
        >>> frame.to_numpy()
        (array([[2.]]), array([1]))
    """

    table: pa.Table
    features: tuple[str, ...]
    label: str | None = None
    timestamp_field: str = "event_timestamp"
    label_reach: LabelReach | None = None
    views: Mapping[str, ViewRead] = field(default_factory=dict)
    _explainer: Callable[[int, str], Explanation] = field(
        default=_no_explainer, repr=False, compare=False
    )
    _spark_session: Callable[[], "SparkSession"] = field(
        default=_no_spark, repr=False, compare=False
    )

    @property
    def versions(self) -> dict[str, int]:
        """The Delta version of each view's feature table that was read."""
        return {name: v.version for name, v in self.views.items() if v.version is not None}

    @property
    def null_key_rows(self) -> dict[str, int]:
        """How many of the rows have a null in each view's keys, and so no features of it."""
        return {name: view.null_key_rows(self.table) for name, view in self.views.items()}

    def __len__(self) -> int:
        """Return the number of rows."""
        return int(self.table.num_rows)

    def __repr__(self) -> str:
        """Return the frame in words: a table may be large and hold personal data."""
        rows, features = len(self), len(self.features)
        parts = [_counted(rows, "row"), _counted(features, "feature")]
        if self.label:
            parts.append(f"label {self.label!r}")
        parts += [
            f"{count} with a null key in {view}"
            for view, count in self.null_key_rows.items()
            if count
        ]
        return f"FeatureFrame({', '.join(parts)})"

    def to_arrow(self) -> pa.Table:
        """Return the rows as an Arrow table."""
        return self.table

    def to_pandas(self) -> "pandas.DataFrame":
        """Return the rows as a pandas DataFrame; integers with nulls become pandas' ``Int64``.

        Raises:
            SetupError: pandas is not installed.
        """
        pd = optional("pandas", "to_pandas()")
        nullable = {
            pa.int32(): pd.Int32Dtype(),
            pa.int64(): pd.Int64Dtype(),
            pa.bool_(): pd.BooleanDtype(),
        }
        frame: pandas.DataFrame = self.table.to_pandas()
        for name, column in zip(self.table.column_names, self.table.columns, strict=True):
            if column.null_count and column.type in nullable:
                frame[name] = column.to_pandas(types_mapper=nullable.get)
        return frame

    def to_polars(self) -> "polars.DataFrame":
        """Return the rows as a Polars DataFrame.

        Raises:
            SetupError: Polars is not installed.
        """
        frame: polars.DataFrame = optional("polars", "to_polars()").from_arrow(self.table)
        return frame

    def to_numpy(self) -> tuple[np.ndarray, np.ndarray | None]:
        """Return the features as numbers, and the label.

        Returns:
            A float64 array of rows x features, nulls as NaN; and the label column, or None.

        Raises:
            RequestError: A feature is no number.
        """
        columns = [self._numbers(name) for name in self.features]
        matrix = np.column_stack(columns) if columns else np.empty((len(self), 0))
        label = None if self.label is None else self.table[self.label].to_numpy()
        return matrix, label

    def to_spark(self, spark: "SparkSession | None" = None) -> "DataFrame":
        """Return the rows as a Spark DataFrame.

        Args:
            spark: The session; by default the store's, started if need be.
        """
        return (spark or self._spark_session()).createDataFrame(self.table)

    def split_by_time(
        self, moment: str | datetime, *, gap: str | None = None
    ) -> tuple["FeatureFrame", "FeatureFrame"]:
        """Return the rows before a moment, to train on, and those from it on, to test on.

        Rows without a time are in neither.

        Args:
            moment: The first moment of the test rows; a bare date is its midnight in UTC.
            gap: How long before it the training rows end. Without, as long as a `Label` takes
                to be known, horizon and maturity; ``"0s"`` for labels that came with the spine.

        Warns:
            UserWarning: The gap is shorter than a `Label`'s horizon; it says how many training
                rows' labels look into the test part.

        Example:
            >>> times = pa.array([1, 5, 9], pa.timestamp("s", tz="UTC"))
            >>> frame = FeatureFrame(pa.table({"event_timestamp": times}), ())
            >>> [len(part) for part in frame.split_by_time("1970-01-01T00:00:06Z", gap="3s")]
            [1, 1]
        """
        split = TimeSplit(parse_moment(moment), gap, self.label_reach)
        times, call = self.table[self.timestamp_field], f"split_by_time({moment!r})"
        check_times(call, self.timestamp_field, times)
        train, test = split.masks(times)
        if leak := split.leak(times):
            warnings.warn(f"{call}: {leak}", UserWarning, stacklevel=2)
        return self._where(train), self._where(test)

    def split_by_entity(
        self, keys: str | Sequence[str], *, test: float = 0.2, seed: int = 0
    ) -> tuple["FeatureFrame", "FeatureFrame"]:
        """Return rows to train on and rows to test on that share no entity.

        An entity's side is drawn from a hash of its keys: the same whatever rows come along, so
        a grown training set keeps every entity where it was.

        Args:
            keys: The columns that name an entity.
            test: About which share of the entities to test on, from 0 to 1.
            seed: Another seed draws other sides.

        Raises:
            RequestError: A column is missing, or the share is none.

        Example:
            >>> frame = FeatureFrame(pa.table({"id": list(range(100)) * 2}), ())
            >>> train, held_out = frame.split_by_entity("id", test=0.3)
            >>> set(train.table["id"].to_pylist()) & set(held_out.table["id"].to_pylist())
            set()
        """
        names = [keys] if isinstance(keys, str) else list(keys)
        held_out = held_out_entities(self.table, names, test, seed)
        return self._where(pc.invert(held_out)), self._where(held_out)

    def explain(self, row: int, feature: str) -> Explanation:
        """Return why a cell is what it is: the winning stored row, or the reason for null.

        Args:
            row: The row's number in this frame, from 0.
            feature: The feature's name.

        Raises:
            RequestError: There is no such row or feature.
        """
        call = f"explain({row}, {feature!r})"
        if feature not in self.features:
            raise RequestError(call, "no such feature", nearest(feature, self.features))
        if not 0 <= row < len(self):
            raise RequestError(call, f"the frame has {len(self)} rows", "Rows count from 0.")
        told = self._explainer(row, feature)
        return replace(told, value=self.table[feature][row].as_py())

    def _where(self, mask: pa.ChunkedArray) -> "FeatureFrame":
        places = np.flatnonzero(mask.fill_null(False).to_numpy(zero_copy_only=False))
        return replace(
            self,
            table=rows_where(self.table, mask),
            _explainer=partial(_explain_part, self._explainer, places),
        )

    def _numbers(self, name: str) -> np.ndarray:
        column = self.table[name]
        kind = column.type
        if not (
            pa.types.is_integer(kind)
            or pa.types.is_floating(kind)
            or pa.types.is_boolean(kind)
            or pa.types.is_decimal(kind)
        ):
            raise RequestError(
                "to_numpy()",
                f"feature {name!r} holds {kind}, which is no number",
                "Leave it out of the service, or encode it from to_pandas().",
            )
        if pa.types.is_boolean(kind):
            column = column.cast(pa.int8())
        numbers: np.ndarray = column.cast(pa.float64(), safe=False).to_numpy()
        return numbers


def _explain_part(
    whole: Callable[[int, str], Explanation], places: np.ndarray, row: int, feature: str
) -> Explanation:
    """Explain a cell of a frame's part, whose rows lie at these places of the whole."""
    return whole(int(places[row]), feature)


def with_label(frame: FeatureFrame, label: str | None, call: str) -> FeatureFrame:
    """Return the frame with its label named.

    Raises:
        RequestError: The spine has no such column.

    Example:
        >>> with_label(FeatureFrame(pa.table({"y": [1]}), ()), "y", "ask").label
        'y'
    """
    if label is not None and label not in frame.table.column_names:
        raise RequestError(
            call,
            f"the spine has no column {label!r} to be the label",
            nearest(label, frame.table.column_names),
        )
    return replace(frame, label=label)


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" + ("" if count == 1 else "s")
