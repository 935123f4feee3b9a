"""`ColumnSketch`: what is kept of a column's values, in a form whose parts can be merged.

The sketch of a whole column is the merge of the sketches of its parts: exact for counts and ends,
up to rounding for the mean and the standard deviation, and within the errors below for the rest.
"""

import base64
from collections.abc import Callable, Iterable, Mapping
from dataclasses import KW_ONLY, dataclass, field, fields
from functools import cached_property
from typing import Any

import datasketches as ds

from featurestore.monitoring.counted_values import CountedValues
from featurestore.monitoring.distinct import DistinctValues
from featurestore.monitoring.profile import Value
from featurestore.monitoring.top_values import TopValues

QUANTILE_SIZE = 400
"""The parameter k of the KLL sketch: 0.7 % of the rows is its error of a rank."""


@dataclass(frozen=True)
class ColumnSketch:
    """What is kept of a column's values.

    Quantiles are those of Karnin, Lang and Liberty ("Optimal quantile approximation in streams",
    2016), as Apache DataSketches has them; counts of different values are those of
    `DistinctValues`. Means and squares are merged by the formula of Chan, Golub and LeVeque
    ("Updating formulae and a pairwise algorithm for computing sample variances", 1979).

    Args:
        rows: The number of rows.
        nulls: The number of nulls among them.
        nans: The number of NaNs among them.
        minimum: The least value; None without one, and of personal columns.
        maximum: The greatest value; None without one, and of personal columns.
        mean: The mean of numbers and times.
        squares: The sum of the squares of the differences from the mean.
        quantiles: A KLL sketch of numbers and times, serialized; empty for other values.
        distinct: The different values; None for values that are not compared.
        top: The most frequent values; None where no value may be shown.
        counted: All numbers and times, until the sketch is merged or stored; None without them.
    """

    _: KW_ONLY
    rows: int = 0
    nulls: int = 0
    nans: int = 0
    minimum: Value | None = None
    maximum: Value | None = None
    mean: float = 0.0
    squares: float = 0.0
    quantiles: bytes = b""
    distinct: DistinctValues | None = None
    top: TopValues | None = None
    counted: CountedValues | None = field(default=None, compare=False, repr=False)

    @property
    def values(self) -> int:
        """The number of values that are neither null nor NaN."""
        return self.rows - self.nulls - self.nans

    @cached_property
    def quantile_sketch(self) -> "ds.kll_doubles_sketch":
        """The KLL sketch of the values."""
        return ds.kll_doubles_sketch.deserialize(self.quantiles)

    @cached_property
    def distinct_values(self) -> int | None:
        """The approximate number of different values; None where they are not compared."""
        return None if self.distinct is None else min(self.distinct.estimate, self.values)

    def merged(self, other: "ColumnSketch") -> "ColumnSketch":
        """Return the sketch of the rows of both."""
        mean, squares = _moments(self, other)
        tops = self.top is not None and other.top is not None
        return ColumnSketch(
            rows=self.rows + other.rows,
            nulls=self.nulls + other.nulls,
            nans=self.nans + other.nans,
            minimum=_end(min, [(each.values, each.minimum) for each in (self, other)]),
            maximum=_end(max, [(each.values, each.maximum) for each in (self, other)]),
            mean=mean,
            squares=squares,
            quantiles=_quantiles(self.quantiles, other.quantiles),
            distinct=_distinct(self.distinct, other.distinct),
            top=self.top.merged(other.top) if tops else None,  # type: ignore[union-attr, arg-type]  # both are there
        )

    def to_data(self) -> dict[str, Any]:
        """Return it as plain data, for JSON."""
        data = {each.name: getattr(self, each.name) for each in fields(self) if each.compare}
        data["quantiles"] = base64.b64encode(self.quantiles).decode()
        if self.distinct is not None:
            data["distinct"] = base64.b64encode(self.distinct.hashes).decode()
        if self.top is not None:
            data["top"] = [dict(self.top.counts), self.top.error]
        return data

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> "ColumnSketch":
        """Return the sketch of plain data.

        Raises:
            ValueError: It is damaged. So do KeyError and TypeError say.

        Example:
            >>> ColumnSketch.from_data(ColumnSketch(rows=3, nulls=3).to_data()).rows
            3
        """
        top = None if data["top"] is None else TopValues(dict(data["top"][0]), data["top"][1])
        text = data["distinct"]
        distinct = None if text is None else DistinctValues(base64.b64decode(text, validate=True))
        quantiles = base64.b64decode(data["quantiles"], validate=True)
        sketch = cls(**{**data, "quantiles": quantiles, "distinct": distinct, "top": top})
        _require_whole(sketch)
        return sketch


def _require_whole(sketch: ColumnSketch) -> None:
    """Refuse what `ColumnSketch.merged` and the summary cannot compute with.

    Raises:
        ValueError: A value has another type, or the sketches' bytes are damaged.
    """
    counts = [sketch.rows, sketch.nulls, sketch.nans]
    if sketch.top is not None:
        counts += [*sketch.top.counts.values(), sketch.top.error]
    fits = (
        all(isinstance(each, int) for each in counts)
        and all(isinstance(each, int | float) for each in (sketch.mean, sketch.squares))
        and all(isinstance(each, Value | None) for each in (sketch.minimum, sketch.maximum))
    )
    if not fits:
        raise ValueError("a value has another type")
    try:
        has_all = not sketch.quantiles or sketch.quantile_sketch.n == sketch.values
    except (RuntimeError, MemoryError, IndexError) as error:
        raise ValueError(f"its bytes are damaged: {error}") from error
    if not has_all:
        raise ValueError("the sketch of quantiles is not that of all values")
    if sketch.distinct is not None:
        sketch.distinct.require_whole()
        if sketch.values and not sketch.distinct.estimate:
            raise ValueError("there are values, and no hash of them")


def _moments(one: ColumnSketch, other: ColumnSketch) -> tuple[float, float]:
    count = one.values + other.values
    if not one.values or not other.values:
        own = one if one.values else other
        return own.mean, own.squares
    difference = other.mean - one.mean
    mean = one.mean + difference * (other.values / count)
    added = difference * difference * (one.values * (other.values / count))
    return mean, one.squares + other.squares + added


def _end(choose: Callable[..., Value], parts: Iterable[tuple[int, Value | None]]) -> Value | None:
    """Return the least or the greatest value; None if it is not known of a part with values."""
    ends = [end for values, end in parts if values]
    known = [end for end in ends if end is not None]
    return choose(known) if known and len(known) == len(ends) else None


def _quantiles(one: bytes, other: bytes) -> bytes:
    if not one or not other:
        return one or other
    sketch = ds.kll_doubles_sketch(QUANTILE_SIZE)
    for each in (one, other):
        sketch.merge(ds.kll_doubles_sketch.deserialize(each))
    return bytes(sketch.serialize())


def _distinct(one: DistinctValues | None, other: DistinctValues | None) -> DistinctValues | None:
    return one.merged(other) if one and other else one or other
