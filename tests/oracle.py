"""The rules of point-in-time answers in plain Python: the truth that every engine is held to.

One function a rule, no cleverness, O(spine x rows). Times are integers (microseconds), rows are
dictionaries of stored columns, values are Python's own. Where this and an engine differ, read the
rules; where they leave a choice, it is written here.
"""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal
from fractions import Fraction

from featurestore.definitions.types import FLOATS
from featurestore.definitions.types import Decimal as DecimalType
from featurestore.query.nodes import Aggregate, Column, ViewQuery, Window
from featurestore.store.columns import (
    AVAILABLE_TIME,
    DELETED,
    EVENT_TIME,
    ROW_HASH,
    SEQUENCE,
)

Row = Mapping[str, object]
Rows = Sequence[Row]
EXACT = Context(prec=2000, Emax=MAX_EMAX, Emin=MIN_EMIN)


class IntegerOverflowError(Exception):
    """A window's sum does not fit its type."""


def answer(query: ViewQuery, spine: Rows, rows: Rows) -> dict[str, list[object]]:
    """Return each feature's values, one a spine row, in the spine's order."""
    answers = [answer_row(query, asked, rows) for asked in spine]
    return {name: [values[name] for values in answers] for name in query.outputs}


def answer_row(query: ViewQuery, asked: Row, rows: Rows) -> dict[str, object]:
    """Return the features at one spine row; nulls where its key or its time is null."""
    moment = asked[query.timestamp_field]
    if moment is None or None in spine_key(query, asked):
        return dict.fromkeys(query.outputs)
    existing = existing_rows(query, asked, rows)
    columns = {each.output: column_value(query, each, moment, existing) for each in query.columns}
    aggregates = {
        each.output: aggregate_value(query, each, moment, existing) for each in query.aggregates
    }
    return columns | aggregates


def column_value(query: ViewQuery, feature: Column, moment: int, existing: Rows) -> object:
    """Return the winner's value, unless it is too old or a tombstone."""
    won = winner(query, moment, existing)
    if won is None:
        return None
    if query.ttl is not None and moment - won[EVENT_TIME] > query.ttl:
        return None
    if is_tombstone(query, won):
        return None
    return won[feature.column]


def winner(query: ViewQuery, moment: int, existing: Rows) -> Row | None:
    """Return the existing row of the greatest rank, before ttl and tombstones."""
    candidates = [
        row
        for row in existing
        if row[EVENT_TIME] < moment or (row[EVENT_TIME] == moment and not query.strict)
    ]
    return max(candidates, key=rank, default=None)


def aggregate_value(query: ViewQuery, feature: Aggregate, moment: int, existing: Rows) -> object:
    """Return the function of the window's values."""
    if feature.by is not None:
        return category_map(query, feature, moment, existing)
    values = window_values(query, feature, moment, existing)
    if not values and feature.empty is not None:
        return feature.empty
    return FUNCTIONS[feature.function](feature, values)


def window_values(
    query: ViewQuery, feature: Aggregate, moment: int, existing: Rows
) -> list[object]:
    """Return the values in the window that are not null, in the order of rank."""
    return values_of(feature, window_rows(query, feature, moment, existing))


def category_map(
    query: ViewQuery, feature: Aggregate, moment: int, existing: Rows
) -> list[tuple[object, object]]:
    """Return (category, value) of the categories in which the window has values, in order."""
    seen = window_rows(query, feature, moment, existing)
    categories = sorted({row[feature.by] for row in seen} - {None})
    found = [
        (category, values_of(feature, [row for row in seen if row[feature.by] == category]))
        for category in categories
    ]
    return [
        (category, FUNCTIONS[feature.function](feature, values))
        for category, values in found
        if values
    ]


def window_rows(query: ViewQuery, feature: Aggregate, moment: int, existing: Rows) -> list[Row]:
    """Return the rows in the window, in the order of rank."""
    seen = [
        row
        for row in existing
        if not is_tombstone(query, row) and in_window(feature.window, row[EVENT_TIME], moment)
    ]
    return sorted(seen, key=rank)


def values_of(feature: Aggregate, seen: Rows) -> list[object]:
    """Return the aggregated column's values that are not null."""
    if feature.column == "*":
        return [True for _ in seen]
    return [row[feature.column] for row in seen if row[feature.column] is not None]


def in_window(window: Window, event: int, moment: int) -> bool:
    """Return whether an event lies in the window that ends ``delay`` before the moment.

    On a grid it ends at the last point that is not after that.
    """
    upper = moment - window.delay
    if window.every is not None:
        upper -= (upper - window.offset) % window.every
    if window.closed_right:
        return event <= upper and (window.size is None or event > upper - window.size)
    return event < upper and (window.size is None or event >= upper - window.size)


def existing_rows(query: ViewQuery, asked: Row, rows: Rows) -> list[Row]:
    """Return the rows of the spine row's key that exist at its moment.

    With ``unique_by`` a tombstone that exists retracts its event and is not itself a row.
    """
    moment = asked[query.timestamp_field]
    mine = [
        row
        for row in rows
        if row_key(query, row) == spine_key(query, asked) and row[EVENT_TIME] is not None
    ]
    return [
        row
        for row in mine
        if visible_from(query, row) <= moment
        and not any(
            visible_from(query, later) <= moment for later in corrections(query, row, mine)
        )
        and not (query.rows.unique_by and is_tombstone(query, row))
    ]


def corrections(query: ViewQuery, row: Row, mine: Rows) -> list[Row]:
    """Return the revisions of the same event that outrank the row."""
    unique_by = query.rows.unique_by
    if not unique_by:
        return []
    return [
        other
        for other in mine
        if all(same(other[name], row[name]) for name in unique_by)
        and revision_rank(other) > revision_rank(row)
    ]


def visible_from(query: ViewQuery, row: Row) -> int:
    """Return the moment from which the row can be known."""
    if row[AVAILABLE_TIME] is None:
        return row[EVENT_TIME] + query.rows.available_delay
    return max(row[EVENT_TIME], row[AVAILABLE_TIME])


def rank(row: Row) -> tuple[object, ...]:
    """Return (event_ts, available_ts, seq, row_hash), nulls lowest."""
    return (row[EVENT_TIME], *revision_rank(row))


def revision_rank(row: Row) -> tuple[object, ...]:
    """Return (available_ts, seq, row_hash), nulls lowest."""
    parts = (row[AVAILABLE_TIME], row.get(SEQUENCE), row[ROW_HASH])
    return tuple((part is not None, 0 if part is None else part) for part in parts)


def is_tombstone(query: ViewQuery, row: Row) -> bool:
    """Return whether the row says that its entity or event is gone."""
    return query.rows.has_deleted and row[DELETED] is True


def same(left: object, right: object) -> bool:
    """Return whether two parts of an event's name are equal; null equals null here."""
    return left == right


def spine_key(query: ViewQuery, asked: Row) -> tuple[object, ...]:
    """Return the spine row's key as a tuple."""
    return tuple(asked[key.spine_column] for key in query.keys)


def row_key(query: ViewQuery, row: Row) -> tuple[object, ...]:
    """Return the stored row's key as a tuple."""
    return tuple(row[key.key] for key in query.keys)


def count(feature: Aggregate, values: list[object]) -> object:
    """Return the number of values."""
    return len(values)


def total(feature: Aggregate, values: list[object]) -> object:
    """Return the sum in the result's type, an error where it does not fit."""
    if not values:
        return None
    if feature.dtype in FLOATS:
        return float_total(values)
    if isinstance(feature.dtype, DecimalType):
        result = _decimal_total(values)
        if abs(result) >= EXACT.scaleb(Decimal(1), 38 - feature.dtype.scale):
            raise IntegerOverflowError(feature.output)
        return result
    result = sum(values)
    if not -(2**63) <= result < 2**63:
        raise IntegerOverflowError(feature.output)
    return result


def _decimal_total(values: list[Decimal]) -> Decimal:
    result = Decimal(0)
    for each in values:
        result = EXACT.add(result, each)
    return result


def float_total(values: list[float]) -> float:
    """Return the sum of floats, rounded once."""
    special = [each for each in values if not math.isfinite(each)]
    if special:
        return math.fsum(special) if len({*map(str, special)}) == 1 else math.nan
    return to_float(sum(map(Fraction, values)))


def mean(feature: Aggregate, values: list[object]) -> object:
    """Return the mean, rounded once."""
    if not values:
        return None
    if any(not math.isfinite(each) for each in values):
        return float_total(values)
    return to_float(sum(map(Fraction, values)) / len(values))


def variance(feature: Aggregate, values: list[object]) -> object:
    """Return the variance; null for no more values than ``ddof``, NaN where one is not finite."""
    exact = _variance(feature, values)
    return to_float(exact) if isinstance(exact, Fraction) else exact


def stddev(feature: Aggregate, values: list[object]) -> object:
    """Return the variance's root."""
    exact = _variance(feature, values)
    if not isinstance(exact, Fraction):
        return exact
    return float(EXACT.sqrt(EXACT.divide(Decimal(exact.numerator), Decimal(exact.denominator))))


def _variance(feature: Aggregate, values: list[object]) -> object:
    if len(values) <= feature.ddof:
        return None
    if any(not math.isfinite(each) for each in values):
        return math.nan
    middle = sum(map(Fraction, values)) / len(values)
    squares = sum((Fraction(each) - middle) ** 2 for each in values)
    return Fraction(squares, len(values) - feature.ddof)


def least(feature: Aggregate, values: list[object]) -> object:
    """Return the least value; NaN where there is one."""
    return _extreme(min, values)


def greatest(feature: Aggregate, values: list[object]) -> object:
    """Return the greatest value; NaN where there is one."""
    return _extreme(max, values)


def _extreme(choose: Callable[[list[object]], object], values: list[object]) -> object:
    if not values:
        return None
    if any(is_nan(each) for each in values):
        return math.nan
    return plain(choose(values))


def first(feature: Aggregate, values: list[object]) -> object:
    """Return the value of the lowest rank."""
    return values[0] if values else None


def last(feature: Aggregate, values: list[object]) -> object:
    """Return the value of the highest rank."""
    return values[-1] if values else None


def first_n(feature: Aggregate, values: list[object]) -> object:
    """Return the values of the lowest ranks, oldest first."""
    return values[: feature.number]


def last_n(feature: Aggregate, values: list[object]) -> object:
    """Return the values of the highest ranks, newest first."""
    return values[::-1][: feature.number]


def top_n(feature: Aggregate, values: list[object]) -> object:
    """Return the greatest values, descending; NaN is greater than all others."""
    return [plain(each) for each in sorted(values, key=nan_last, reverse=True)][: feature.number]


def mode(feature: Aggregate, values: list[object]) -> object:
    """Return the most frequent value, of several the least; all NaN are one, the greatest."""
    times = Counter("NaN" if is_nan(each) else each for each in values)
    most = [
        each for each in values if times["NaN" if is_nan(each) else each] == max(times.values())
    ]
    return plain(min(most, key=nan_last)) if most else None


def percentile(feature: Aggregate, values: list[object]) -> object:
    """Return the value at that percentage of the way from the least to the greatest.

    Between two values in proportion; NaN where there is one.
    """
    if not values:
        return None
    if any(is_nan(each) for each in values):
        return math.nan
    below, rest = divmod((len(values) - 1) * feature.number, 100)
    low, *others = sorted(values)[below:]
    high = others[0] if rest else low
    if low == high or not (math.isfinite(low) and math.isfinite(high)):
        return float(low) if low == high else float(low) + float(high)
    return to_float(Fraction(low) + (Fraction(high) - Fraction(low)) * Fraction(rest, 100))


def nan_last(each: object) -> tuple[bool, object]:
    """Return a key by which values are sorted."""
    return (True, 0) if is_nan(each) else (False, each)


def plain(each: object) -> object:
    """Return a value with -0.0 as 0.0."""
    return each + 0.0 if isinstance(each, float) else each


def some(feature: Aggregate, values: list[object]) -> object:
    """Return whether any value is true."""
    return any(values) if values else None


def every(feature: Aggregate, values: list[object]) -> object:
    """Return whether all values are true."""
    return all(values) if values else None


def count_distinct(feature: Aggregate, values: list[object]) -> object:
    """Return how many different values there are; all NaN are one, -0.0 is 0.0."""
    return len({"NaN" if is_nan(each) else each for each in values})


def is_nan(each: object) -> bool:
    """Return whether a value is the float NaN."""
    return isinstance(each, float) and math.isnan(each)


def to_float(exact: Fraction) -> float:
    """Return the nearest float, infinite where it is beyond them all."""
    try:
        return float(exact)
    except OverflowError:
        return math.inf if exact > 0 else -math.inf


FUNCTIONS: dict[str, Callable[[Aggregate, list], object]] = {
    "count": count,
    "sum": total,
    "mean": mean,
    "variance": variance,
    "stddev": stddev,
    "min": least,
    "max": greatest,
    "first": first,
    "last": last,
    "first_n": first_n,
    "last_n": last_n,
    "top_n": top_n,
    "mode": mode,
    "percentile": percentile,
    "any": some,
    "all": every,
    "count_distinct": count_distinct,
}
