"""Splits: the training rows and the test rows of a training set."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

import pyarrow as pa
import pyarrow.compute as pc

from featurestore.client.frame.entity_sample import sample_entities
from featurestore.engines.spine_times import bind_times
from featurestore.errors import RequestError, nearest
from featurestore.store.columns import UTC_MICROS
from featurestore.times import (
    duration_text,
    format_duration,
    parse_duration,
    parse_duration_argument,
    parse_moment_argument,
    to_micros,
)


@dataclass(frozen=True)
class LabelTiming:
    """How long after a row's moment its label looks and becomes final, in microseconds.

    Args:
        horizon: How far the label looks ahead.
        maturity: How long after its horizon the label is final.

    Example:
        >>> LabelTiming(horizon=2_000_000, maturity=1_000_000).mature_after
        3000000
    """

    horizon: int
    maturity: int

    @property
    def mature_after(self) -> int:
        """How long after a row's moment its label is final: horizon plus maturity."""
        return self.horizon + self.maturity


@dataclass(frozen=True)
class TimeSplit:
    """A split at a moment.

    Args:
        start: The first moment of the test rows.
        gap: The time between the training rows and ``start``. None for the time after which the
            labels are mature.
        label: The timing of the rows' label. None for labels that are columns of the spine.
    """

    start: datetime
    gap: str | None
    label: LabelTiming | None

    @property
    def end(self) -> int:
        """The end of the training rows, exclusive, in UTC microseconds."""
        if self.gap is not None:
            return to_micros(self.start) - parse_duration(self.gap)
        return to_micros(self.start) - (self.label.mature_after if self.label else 0)

    @property
    def may_leak(self) -> bool:
        """Whether labels of training rows may look into the test part."""
        if self.label is None:
            return False
        return self.end > to_micros(self.start) - self.label.horizon

    def masks(self, times: pa.ChunkedArray) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
        """Return which rows are training rows, and which are test rows."""
        before = pc.less(times, _scalar(self.end))
        return before, pc.greater_equal(times, _scalar(to_micros(self.start)))

    def leak(self, times: pa.ChunkedArray) -> str:
        """Return a warning if labels of training rows look into the test part, else ``""``."""
        if self.label is None:
            return ""
        first = to_micros(self.start) - self.label.horizon
        looks_into_test = pc.greater_equal(times, _scalar(first))
        train, _ = self.masks(times)
        count = pc.sum(pc.and_(train, looks_into_test)).as_py() or 0
        if not count:
            return ""
        horizon, mature = map(format_duration, (self.label.horizon, self.label.mature_after))
        return (
            f"the labels of {count:,} of {pc.sum(train).as_py():,} training rows look into the "
            f"test part. The label's horizon is {horizon}, but the gap is {self.gap}. Leave out "
            f"gap=. Then the gap is {mature}, after which labels are mature."
        )


def time_split(
    call: str, moment: str | datetime, gap: str | timedelta | None, label: LabelTiming | None
) -> TimeSplit:
    """Return the split of a call of `split_by_time`.

    Args:
        call: The call, for messages.
        moment: The first moment of the test rows.
        gap: The time between the last training row and ``moment``; None for the label's.
        label: The timing of a computed label.

    Raises:
        RequestError: The moment or the gap is none.

    Example:
        >>> time_split("split", "2026-03-01T00:00:00Z", "2h", None).gap
        '2h'
    """
    start = parse_moment_argument(call, "moment", moment)
    if gap is not None:
        parse_duration_argument(call, "gap", gap)
        gap = str(duration_text(gap))
    return TimeSplit(start, gap, label)


def moments(
    call: str, table: pa.Table, name: str, timezone: str | tzinfo | None
) -> pa.ChunkedArray:
    """Return the time column in UTC microseconds, as retrieval reads it.

    Args:
        call: The call, for the error message.
        table: The rows.
        name: The time column's name.
        timezone: The zone of times without one.

    Raises:
        RequestError: There is no such column, or it holds no times with a zone.

    Example:
        >>> rows = pa.table({"at": ["2026-03-01T13:00:00+01:00"]})
        >>> moments("split", rows, "at", None)[0].as_py().hour
        12
    """
    if name not in table.column_names:
        raise RequestError(
            call,
            f"the rows have no time column {name!r}",
            f"{nearest(name, table.column_names)} Pass it as timestamp_field= to the call that "
            "returns the rows.",
        )
    return bind_times(call, name, table[name], timezone)


def held_out_entities(table: pa.Table, names: Sequence[str], test: float, seed: int) -> pa.Array:
    """Return which rows belong to the entities of the test part.

    Args:
        table: The rows.
        names: The columns that identify an entity.
        test: The approximate share of the test entities, between 0 and 1.
        seed: Another seed selects other entities.

    Returns:
        A Boolean for each row.

    Raises:
        RequestError: A column is missing, or the share is not between 0 and 1.
    """
    call = f"split_by_entity({names!r}, test={test})"
    if not names:
        fix = "Pass the columns that identify an entity, such as 'card_id'."
        raise RequestError(call, "there are no keys", f"{fix} {nearest('', table.column_names)}")
    for name in names:
        if name not in table.column_names:
            problem = f"there is no column {name!r}"
            raise RequestError(call, problem, nearest(name, table.column_names))
    if not 0 < test < 1:
        raise RequestError(call, f"test is {test}, not between 0 and 1", "Use e.g. test=0.2.")
    try:
        return sample_entities(table.select(names), test, seed)
    except (ValueError, OverflowError) as error:
        problem = f"a key has a value that Python cannot hold: {error}"
        raise RequestError(call, problem, "Pass other columns that identify an entity.") from None


def _scalar(micros: int) -> pa.Scalar:
    # Before the year 1 in Python's datetime there are moments, too.
    return pa.scalar(micros, pa.int64()).cast(UTC_MICROS)
