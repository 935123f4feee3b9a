"""Which rows of a training set are to train on, and which to test on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from featurestore.client.frame.entity_draw import drawn
from featurestore.errors import RequestError, nearest
from featurestore.times import format_duration, from_micros, parse_duration, to_micros


@dataclass(frozen=True)
class LabelReach:
    """How far after a row's moment its label looks, in microseconds.

    Args:
        horizon: The label is made of events up to so much later.
        maturity: It is known so much later than that.

    Example:
        >>> LabelReach(horizon=2_000_000, maturity=1_000_000).known_after
        3000000
    """

    horizon: int
    maturity: int

    @property
    def known_after(self) -> int:
        """How long after a row's moment its label is known."""
        return self.horizon + self.maturity


@dataclass(frozen=True)
class TimeSplit:
    """A split at a moment.

    Args:
        start: The first moment of the test rows.
        gap: How long before it the training rows end; None for as long as labels take.
        reach: How far the rows' labels look; None for labels that came with the rows.
    """

    start: datetime
    gap: str | None
    reach: LabelReach | None

    @property
    def end(self) -> int:
        """The moment before which the training rows lie, in microseconds."""
        if self.gap is not None:
            return to_micros(self.start) - parse_duration(self.gap)
        return to_micros(self.start) - (self.reach.known_after if self.reach else 0)

    def masks(self, times: pa.ChunkedArray) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
        """Return which rows are to train on, and which to test on."""
        before = pc.less(times, _scalar(self.end, times))
        return before, pc.greater_equal(times, _scalar(to_micros(self.start), times))

    def leak(self, times: pa.ChunkedArray) -> str:
        """Return in words how many training rows' labels look into the test part, or ``""``."""
        if self.reach is None:
            return ""
        first = to_micros(self.start) - self.reach.horizon
        reaching = pc.greater_equal(times, _scalar(first, times))
        train, _ = self.masks(times)
        count = pc.sum(pc.and_(train, reaching)).as_py() or 0
        if not count:
            return ""
        horizon, whole = map(format_duration, (self.reach.horizon, self.reach.known_after))
        return (
            f"the labels of {count:,} of {pc.sum(train).as_py():,} training rows look into the "
            f"test part: they look {horizon} ahead, and the gap is {self.gap}. Leave gap= out: "
            f"then it is {whole}, after which labels are known."
        )


def check_times(call: str, name: str, times: pa.ChunkedArray) -> None:
    """Refuse a time column that holds no moments.

    Example:
        >>> check_times("split", "at", pa.chunked_array([[1]]))
        Traceback (most recent call last):
        ...
        featurestore.errors.RequestError: split: column 'at' holds int64. Give the spine ...
    """
    if not pa.types.is_timestamp(times.type) or times.type.tz is None:
        found, fix = f"column {name!r} holds {times.type}", "timestamps with a time zone."
        raise RequestError(call, found, f"Give the spine {fix}")


def held_out_entities(table: pa.Table, names: Sequence[str], test: float, seed: int) -> pa.Array:
    """Return which rows are of entities to test on.

    Args:
        table: The rows.
        names: The columns that name an entity.
        test: About which share of the entities.
        seed: Another seed draws others.

    Raises:
        RequestError: A column is missing, or the share is none.
    """
    call = f"split_by_entity({names!r}, test={test})"
    for name in names:
        if name not in table.column_names:
            found, known = f"there is no column {name!r}", table.column_names
            raise RequestError(call, found, nearest(name, known))
    if not 0 < test < 1:
        raise RequestError(call, "the share is not between 0 and 1", "Give e.g. test=0.2.")
    return drawn(table.select(names), test, seed)


def _scalar(micros: int, column: pa.ChunkedArray) -> pa.Scalar:
    moment = pa.scalar(from_micros(micros), pa.timestamp("us", tz="UTC"))
    return moment.cast(pa.timestamp("us", column.type.tz))
