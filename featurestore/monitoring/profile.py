"""`Profile`: the statistics of the columns of one table or of one set of rows, as plain data."""

from dataclasses import KW_ONLY, dataclass
from datetime import datetime
from typing import Literal

ProfileKind = Literal["rows", "table", "features", "training_set"]
Value = float | int | str
"""A value of a column: a number, a text, or a time as UTC microseconds."""


@dataclass(frozen=True)
class Histogram:
    """How many values are in each of several intervals that follow each other.

    Args:
        edges: The limits of the intervals, ascending: one more than there are counts. An interval
            includes its lower limit; the last one includes both.
        counts: The number of values in each interval.

    Example:
        >>> Histogram(edges=(0.0, 10.0, 20.0), counts=(3, 1)).counts
        (3, 1)
    """

    edges: tuple[float, ...]
    counts: tuple[int, ...]


@dataclass(frozen=True)
class ColumnProfile:
    """The statistics of one column. None stands for "not known" or "does not apply".

    Args:
        column: The name of the column or of the feature.
        type: The name of its type, such as ``"Int64"``; ``"timestamp"`` for times, whose values
            are UTC microseconds.
        rows: The number of rows, with nulls and NaNs.
        nulls: The number of nulls.
        nans: The number of NaNs; 0 where the type has none. A NaN is no null, and no value of the
            statistics below.
        minimum: The least value.
        maximum: The greatest value.
        mean: The mean of numbers, and of times.
        stddev: The standard deviation of the sample, as in a window: None for fewer than two
            values.
        quantiles: Pairs of a share from 0 to 1 and the value there, ascending.
        distinct: The approximate number of different values.
        top: Pairs of a value, as text, and the approximate number of its rows, the most frequent
            first; None where the field is marked as personal.
        histogram: The counts of values in intervals; None for texts.
    """

    column: str
    _: KW_ONLY
    type: str
    rows: int
    nulls: int
    nans: int = 0
    minimum: Value | None = None
    maximum: Value | None = None
    mean: float | None = None
    stddev: float | None = None
    quantiles: tuple[tuple[float, float], ...] = ()
    distinct: int | None = None
    top: tuple[tuple[str, int], ...] | None = None
    histogram: Histogram | None = None


@dataclass(frozen=True)
class Profile:
    """The statistics of the columns of one table or of one set of rows.

    Args:
        view: The view's name; the name of the training set for ``training_set``.
        run_id: The run after which the profile was made; empty for a training set.
        build_id: The build of the view's table; empty for a training set.
        at: The moment of the profile, in UTC.
        kind: ``rows`` for the rows that one run stored; ``table`` for all rows of the table;
            ``features`` for the answers of a sample of keys, each at the moment when its newest
            row was known; ``training_set`` for the rows of a training set.
        columns: The statistics of each column.
    """

    view: str
    _: KW_ONLY
    run_id: str
    build_id: str
    at: datetime
    kind: ProfileKind
    columns: tuple[ColumnProfile, ...]

    @property
    def rows(self) -> int:
        """The number of rows that it describes, or of keys; 0 without columns."""
        return max((column.rows for column in self.columns), default=0)
