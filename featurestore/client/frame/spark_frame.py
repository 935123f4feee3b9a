"""`SparkFrame`: spine rows with their features, distributed over Spark's executors."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field, replace
from datetime import datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pyarrow as pa

from featurestore.client.arguments import checked_arguments
from featurestore.client.arrow_rows import rows_at
from featurestore.client.frame.frame import FeatureFrame, append_columns, with_count
from featurestore.client.frame.not_a_table import NotATable
from featurestore.client.frame.pandas_origin import PandasOrigin
from featurestore.client.frame.parts import EntityPart, TimePart
from featurestore.client.frame.retrieval_plan import RetrievalPlan
from featurestore.client.frame.splits import (
    LabelTiming,
    held_out_entities,
    moments,
    time_split,
)
from featurestore.client.frame.view_read import ViewRead
from featurestore.errors import RequestError
from featurestore.notebook import html_table
from featurestore.store.training_sets.notes import TrainingSet

if TYPE_CHECKING:
    import pandas
    import polars
    from pyspark.sql import DataFrame

    from featurestore.engines.spark.retrieve.result import Result


def _no_saver(frame: "SparkFrame", name: str) -> TrainingSet:
    raise RequestError(
        f"save({name!r})",
        "this frame was not returned by a store",
        "Call get_training_set, and save its result or a part of it.",
    )


@dataclass(frozen=True)
class SparkFrame(NotATable):
    """The spine's rows, all its columns, then the features. Spark computes them when needed.

    The rows stay on Spark's executors: `to_spark` is the DataFrame itself, and `write` and `save`
    write Delta tables from the executors. Each of them computes the rows once more.

    Args:
        schema: The Arrow schema of the rows.
        features: The names of the feature columns, in order.
        label: The name of the label column. None if there is none.
        timestamp_field: The time column.
        timezone: The zone of times without one. None if all times have one.
        label_timing: The horizon and maturity of a computed `Label`. None for a label that is a
            column of the spine.
        views: The table version and the key columns that each view is read with.
        memory_limit: The most memory that collected rows may use, in bytes; None for no limit.
        result: The rows as Spark will compute them.
        _plan: Which engine answers, and in which parts.
        _local: The spine's rows, if they are in this process too.
        _pandas: The index and the data types of a spine from pandas.
        _saver: Saves the frame, for `save`.
    """

    _ways: ClassVar[str] = (
        "Its rows: to_spark(), write(path), save(name); small ones: to_arrow(), to_pandas(). All "
        "else, such as explain(), has the frame of some rows with engine='local'."
    )

    schema: pa.Schema = field(repr=False)
    features: tuple[str, ...]
    _: KW_ONLY
    label: str | None = None
    timestamp_field: str = "event_timestamp"
    timezone: str | tzinfo | None = None
    label_timing: LabelTiming | None = None
    views: Mapping[str, ViewRead] = field(default_factory=dict)
    memory_limit: int | None = None
    result: "Result" = field(repr=False, compare=False)
    _plan: RetrievalPlan = field(repr=False, compare=False)
    _local: pa.Table | None = field(default=None, repr=False, compare=False)
    _pandas: PandasOrigin | None = field(default=None, repr=False, compare=False)
    _saver: Callable[["SparkFrame", str], TrainingSet] = field(
        default=_no_saver, repr=False, compare=False
    )

    @property
    def versions(self) -> dict[str, int]:
        """The Delta version of each view's feature table at which it is read."""
        return {name: v.version for name, v in self.views.items() if v.version is not None}

    def plan(self) -> RetrievalPlan:
        """Return which engine answers, why, and in which parts. Nothing is computed."""
        return self._plan

    def __repr__(self) -> str:
        """Return a short text without data."""
        parts = [self._plan.mode, with_count(len(self.features), "feature")]
        if self.label:
            parts.append(f"label {self.label!r}")
        return f"SparkFrame({', '.join(parts)})"

    def _repr_html_(self) -> str:
        """Return its columns without data, for a notebook."""
        kinds = dict.fromkeys(self.features, "feature") | {self.label: "label"}
        rows = [(each.name, each.type, kinds.get(each.name, "spine")) for each in self.schema]
        return html_table(repr(self), ("column", "type", "from"), rows, self._ways)

    def __len__(self) -> int:
        """Refuse it: to count the rows, Spark would compute them.

        Raises:
            RequestError: Always. It names what to do.
        """
        fix = "Use frame.plan().spine_rows for the spine's rows, or frame.to_spark().count()."
        raise RequestError("len(frame)", "the rows of a SparkFrame are not computed yet", fix)

    def __bool__(self) -> bool:
        """Return True: a frame is there, whatever rows it has."""
        return True

    @checked_arguments
    def to_spark(self, *, vector: str | None = None, nulls: str = "error") -> "DataFrame":
        """Return the DataFrame of the rows. Each of its actions computes them.

        The spine must have the same rows each time that it is read: unlike `write` and `save`,
        this DataFrame does not check that. After a shuffle, rows with times that the call was not
        planned for are an error.

        Args:
            vector: The name of one more column with all features as a vector for MLlib.
            nulls: What happens to a row with a null feature, if there is a vector: ``"error"``
                fails when Spark computes it, and names the features; ``"keep"`` makes it NaN,
                ``"skip"`` leaves it out.

        Raises:
            RequestError: A feature of the vector is not numeric, or its name is taken.
        """
        from featurestore.engines.spark.retrieve.result import (  # noqa: PLC0415 - needs pyspark
            without_position,
        )

        rows = without_position(self.result.staying())
        if vector is None:
            return rows
        from featurestore.engines.spark.retrieve.vector import (  # noqa: PLC0415 - needs pyspark
            with_vector,
        )

        call = f"to_spark(vector={vector!r})"
        return with_vector(rows, self.features, vector=vector, nulls=nulls, call=call)

    @checked_arguments
    def write(self, path: str, *, overwrite: bool = False) -> int:
        """Write the rows as a Delta table from the executors, and return their number.

        Args:
            path: The table's folder or URL.
            overwrite: Whether to replace the rows of a table that is there.

        Raises:
            SpineError: The spine has other rows each time that it is read.
            RequestError: There is a table, and it is not to be replaced.
            StorageError: The disk or the object store refuses it.
        """
        from featurestore.engines.spark.retrieve.result import (  # noqa: PLC0415 - needs pyspark
            written,
        )

        result = replace(self.result, call=f"write({path!r})")
        return written(result, path, overwrite=overwrite)

    @checked_arguments
    def save(self, name: str) -> TrainingSet:
        """Save the rows as the next version of a training set, and return what was saved.

        The executors write the rows. The notes are those of `FeatureFrame.save`. The hash of the
        spine does not depend on the order of its rows. `load_training_set` returns the types of
        the spine that was passed, or Spark's if Spark has read it.

        Args:
            name: The name: letters, digits and underscores.

        Raises:
            RequestError: The name is not valid, or Delta holds no values of a column's type.
            SpineError: The spine has other rows each time that it is read.
            StorageError: The disk or the object store refuses it.
        """
        return self._saver(self, name)

    @checked_arguments
    def split_by_time(
        self, moment: str | datetime, *, gap: str | timedelta | None = None
    ) -> tuple["SparkFrame", "SparkFrame"]:
        """Return training rows before a moment, and test rows from it on.

        The parts are those of `FeatureFrame.split_by_time`. Each computes its rows from the spine:
        to compute features once, write the frame first and split the table.

        Args:
            moment: The first moment of the test rows. A date is its midnight in UTC.
            gap: The time between the last training row and ``moment``. By default the horizon
                plus the maturity of a computed `Label`, and ``"0s"`` for a label that is a column
                of the spine.

        Warns:
            UserWarning: The gap is shorter than the `Label`'s horizon, so that labels of training
                rows may look into the test part.
        """
        call = f"split_by_time({moment!r})"
        split = time_split(call, moment, gap, self.label_timing)
        empty = self.schema.empty_table()
        moments(call, empty, self.timestamp_field, self.timezone)  # refuses a missing column
        if split.may_leak:
            warnings.warn(
                f"{call}: the label's horizon is longer than the gap {split.gap}, so labels of "
                "training rows may look into the test part. Leave out gap=.",
                UserWarning,
                stacklevel=3,
            )
        name, zone = self.timestamp_field, self.timezone
        train, test = (
            TimePart(split, call=call, name=name, timezone=zone, test=is_test)
            for is_test in (False, True)
        )
        return self._part(train), self._part(test)

    @checked_arguments
    def split_by_entity(
        self, keys: str | Sequence[str], *, test: float = 0.2, seed: int = 0
    ) -> tuple["SparkFrame", "SparkFrame"]:
        """Return training rows and test rows that have no entity in common.

        The parts are those of `FeatureFrame.split_by_entity`. Each computes its rows from the
        spine: to compute features once, write the frame first and split the table.

        Args:
            keys: The columns that identify an entity.
            test: The approximate share of the test entities, between 0 and 1.
            seed: Another seed selects other entities.

        Raises:
            RequestError: A column is missing, or the share is not between 0 and 1.
        """
        names = (keys,) if isinstance(keys, str) else tuple(keys)
        held_out_entities(self.schema.empty_table(), names, test, seed)  # checks the arguments
        train, held_out = (
            EntityPart(names, share=test, seed=seed, test=is_test) for is_test in (False, True)
        )
        return self._part(train), self._part(held_out)

    def _part(self, choice: TimePart | EntityPart) -> "SparkFrame":
        return replace(self, result=self.result.part(choice))

    def to_arrow(self) -> pa.Table:
        """Return the rows as an Arrow table in this process.

        Raises:
            RequestError: The rows do not fit the memory limit.
            SpineError: The spine has other rows each time that it is read.
        """
        return self.collect().table

    def to_pandas(self) -> "pandas.DataFrame":
        """Return the rows as a pandas DataFrame in this process, as `FeatureFrame.to_pandas`."""
        return self.collect().to_pandas()

    def to_numpy(self) -> tuple[np.ndarray, np.ndarray | None]:
        """Return the features and the label as arrays in this process: `FeatureFrame.to_numpy`."""
        return self.collect().to_numpy()

    def to_polars(self) -> "polars.DataFrame":
        """Return the rows as a Polars DataFrame in this process, as `FeatureFrame.to_polars`."""
        return self.collect().to_polars()

    def collect(self) -> FeatureFrame:
        """Return the rows as a `FeatureFrame` in this process.

        They have the order of the spine, if it has one. A spine that was passed as Arrow, pandas,
        Polars or a list comes back with its own types and pandas' index.

        Raises:
            RequestError: The rows do not fit the memory limit.
            SpineError: The spine has other rows each time that it is read.
        """
        from featurestore.engines.spark.retrieve.collect import (  # noqa: PLC0415 - needs pyspark
            collected,
        )

        rows = collected(
            self.result, self.schema, own_columns=self._local, memory_limit=self.memory_limit
        )
        table = rows.table
        if self._local is not None:
            own = rows_at(self._local, pa.array(rows.positions))
            table = append_columns(own, table)
        return FeatureFrame(
            table,
            self.features,
            label=self.label,
            timestamp_field=self.timestamp_field,
            timezone=self.timezone,
            label_timing=self.label_timing,
            immature_rows=rows.left_out,
            views=self.views,
            _pandas=None if self._pandas is None else self._pandas.rows_at(rows.positions),
        )
