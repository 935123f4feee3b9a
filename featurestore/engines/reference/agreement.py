"""How near an answer must come to the reference: floats within a bound, all else exactly."""

import datetime as dt
import math
from typing import Any

from featurestore.definitions.model.functions import FUNCTION_SPECS
from featurestore.definitions.model.types import FLOATS, Map
from featurestore.engines.reference.features import is_answerable, window_values
from featurestore.engines.reference.rows import Row, Rows, existing_rows
from featurestore.query.nodes import Aggregate, Column, ViewQuery


def bound_of(query: ViewQuery, feature: Column | Aggregate, spine_row: Row, rows: Rows) -> float:
    """Return how far an engine's value at a spine row may be off, from all stored rows."""
    existing = existing_rows(query, spine_row, rows) if is_answerable(query, spine_row) else []
    return bound_among(query, feature, spine_row, existing)


def bound_among(
    query: ViewQuery, feature: Column | Aggregate, spine_row: Row, existing: Rows
) -> float:
    """Return how far a float aggregate may be off: 1e-9 of the size that its function names.

    The size is the greatest absolute value in the window; of a variance, the greatest square. The
    bound is never less than two of the least floats.
    """
    moment = spine_row[query.timestamp_field]
    if not isinstance(feature, Aggregate) or moment is None:
        return 0.0
    size = FUNCTION_SPECS[feature.function].error_size
    if size is None:
        return 0.0
    if (feature.result.value if isinstance(feature.result, Map) else feature.result) not in FLOATS:
        return 0.0
    values = [float(value) for value in window_values(query, feature, moment, existing)]
    greatest = max((abs(value) for value in values if math.isfinite(value)), default=0.0)
    return max(1e-9 * size(greatest), 2 * math.ulp(0.0))


def agree(reference: Any, engine: Any, bound: float) -> bool:
    """Return whether an engine's value is the reference one; floats may be off by the bound.

    Example:
        >>> agree(0.3, 0.1 + 0.2, 1e-9), agree(0.3, 0.1 + 0.2, 0.0), agree(None, 0, 1e-9)
        (True, False, False)
    """
    if reference is None or engine is None:
        return reference is engine
    if isinstance(reference, list | tuple):
        pairs = zip(reference, engine, strict=False)
        return len(reference) == len(engine) and all(agree(*pair, bound) for pair in pairs)
    if isinstance(reference, dict):
        return agree([*reference.items()], [*engine.items()], bound)
    if isinstance(reference, float) and math.isnan(reference):
        return isinstance(engine, float) and math.isnan(engine)
    if isinstance(reference, float) and math.isfinite(reference) and bound:
        return bool(abs(reference - engine) <= bound)
    if isinstance(reference, dt.datetime):
        return bool(engine.astimezone(dt.UTC) == reference)
    return bool(reference == engine)
