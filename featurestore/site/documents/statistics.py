"""The statistics of a feature, now and over time, as the data of its page."""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence

from featurestore.definitions.model.on_demand import OnDemandFeatureView
from featurestore.monitoring.profile import ColumnProfile, Profile, Value
from featurestore.registry.features import Feature
from featurestore.site.documents.parts import Document, moment, safe
from featurestore.times import from_micros

SHOWN_VALUES = 10
"""The most frequent values."""
QUANTILES = (0.0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0)
"""The shares of the shown quantiles."""
_TIMES = ("timestamp", "date")
_LAST = 2**55  # microseconds: the year 3111, within what Python's dates hold on both sides


Recorded = Mapping[tuple[str, str], Sequence[tuple[Profile, ColumnProfile]]]
"""The recorded statistics of each column, the oldest first, by kind of profile and name."""


def recorded(profiles: Iterable[Profile], personal: Collection[str] = ()) -> Recorded:
    """Return the statistics in the profiles of a view, by kind and column.

    Args:
        profiles: The recorded profiles of the view, the oldest first.
        personal: The columns that are personal now. What was recorded of one before it was marked
            shows values, and is left out.

    Example:
        >>> recorded([])
        {}
    """
    found: dict[tuple[str, str], list[tuple[Profile, ColumnProfile]]] = {}
    for profile in profiles:
        for column in profile.columns:
            if not (column.column in personal and shows_rows(column)):
                found.setdefault((profile.kind, column.column), []).append((profile, column))
    return found


def statistics_document(feature: Feature, statistics: Recorded) -> Document | None:
    """Return a feature's statistics; None if no run has recorded any.

    Args:
        feature: The feature.
        statistics: The recorded statistics of its view.
    """
    if isinstance(feature.view, OnDemandFeatureView):
        return None
    kind = "table" if feature.aggregation is None else "features"
    found = statistics.get((kind, feature.name))
    if not found:
        return None
    profile, newest = found[-1]
    return {
        "kind": kind,
        "at": moment(profile.at),
        "run_id": profile.run_id,
        **_numbers(newest),
        "quantiles": _quantiles(newest),
        "top": _top(newest),
        "histogram": _histogram(newest),
        "history": [
            {"at": moment(each.at), "run_id": each.run_id, **_numbers(column)}
            for each, column in found
        ],
    }


def shows_rows(column: ColumnProfile) -> bool:
    """Return whether the statistics have single values of rows, as those of personal fields not.

    Example:
        >>> shows_rows(ColumnProfile("x", type="Int64", rows=1, nulls=0, minimum=5))
        True
    """
    return column.minimum is not None or column.top is not None


def _numbers(column: ColumnProfile) -> Document:
    quantiles = dict(column.quantiles)
    return {
        "rows": column.rows,
        "nulls": column.nulls,
        "null_share": column.nulls / column.rows if column.rows else None,
        "nans": column.nans,
        "minimum": value_text(column.type, column.minimum),
        "mean": value_text(column.type, column.mean),
        "stddev": None if column.type in _TIMES else value_text("", column.stddev),
        "median": value_text(column.type, quantiles.get(0.5)),
        "maximum": value_text(column.type, column.maximum),
        "distinct": column.distinct,
    }


def _quantiles(column: ColumnProfile) -> list[Document]:
    values: Mapping[float, float] = dict(column.quantiles)
    return [
        {"share": share, "value": value_text(column.type, values[share])}
        for share in QUANTILES
        if share in values
    ]


def _top(column: ColumnProfile) -> list[Document] | None:
    if column.top is None:
        return None
    values = column.rows - column.nulls - column.nans
    return [
        {"value": safe(text), "rows": rows, "share": rows / values if values else None}
        for text, rows in column.top[:SHOWN_VALUES]
    ]


def _histogram(column: ColumnProfile) -> list[Document]:
    """Return the intervals with their numbers of values; of integers, both ends are inside."""
    if column.histogram is None:
        return []
    edges, counts = column.histogram.edges, column.histogram.counts
    highs = edges[1:]
    if column.type.startswith("Int"):
        greatest = column.maximum if isinstance(column.maximum, int) else edges[-1] - 1
        highs = (*(edge - 1 for edge in edges[1:-1]), greatest)
    return [
        {
            "low": value_text(column.type, low),
            "high": value_text(column.type, high),
            "rows": count,
        }
        for low, high, count in zip(edges, highs, counts, strict=False)
    ]


def value_text(type_name: str, value: Value | None) -> str | None:
    """Return a value as text: a number with few digits, or a time.

    Example:
        >>> value_text("Float64", 1234.5678), value_text("date", 0), value_text("Int64", 12345678)
        ('1234.57', '1970-01-01', '12345678')
        >>> value_text("Float64", 0.000012345), value_text("String", "EUR"), value_text("x", None)
        ('1.2345e-05', 'EUR', None)
    """
    if value is None or isinstance(value, str):
        return None if value is None else safe(value)
    if not math.isfinite(value):
        return str(value)
    if type_name in _TIMES and abs(value) < _LAST:
        at = from_micros(round(value))
        return f"{at:%Y-%m-%d}" if type_name == "date" else f"{at:%Y-%m-%dT%H:%M:%SZ}"
    if isinstance(value, int) or (value == round(value) and abs(value) < 1e15):
        return str(round(value))
    return f"{value:.6g}"
