"""How near an engine's answer must be to the reference: floats within a bound, others equal."""

import datetime as dt
import math
from typing import Any

from featurestore.definitions.model.functions import FUNCTION_SPECS
from featurestore.definitions.model.types import FLOATS, Map
from featurestore.engines.reference.features import window_values
from featurestore.engines.reference.rows import Row, Rows
from featurestore.query.nodes import Aggregate, Column, ViewQuery


def error_bound(
    query: ViewQuery, feature: Column | Aggregate, spine_row: Row, valid: Rows
) -> float:
    """Return the largest allowed difference of an engine's answer from the reference.

    For floats it is 1e-9 of a size that the function's specification defines, such as the greatest
    absolute value in the window, but at least twice the smallest positive float. It is 0 for all
    other answers.

    Args:
        query: The use of the view.
        feature: The feature.
        spine_row: The spine row.
        valid: The rows of its key that are valid at its moment.
    """
    moment = spine_row[query.timestamp_field]
    if not isinstance(feature, Aggregate) or moment is None:
        return 0.0
    size = FUNCTION_SPECS[feature.function].error_size
    if size is None:
        return 0.0
    if (feature.result.value if isinstance(feature.result, Map) else feature.result) not in FLOATS:
        return 0.0
    values = [float(value) for value in window_values(query, feature, moment, valid)]
    greatest = max((abs(value) for value in values if math.isfinite(value)), default=0.0)
    return max(1e-9 * size(greatest), 2 * math.ulp(0.0))


def agree(reference: Any, engine: Any, bound: float) -> bool:
    """Return whether an engine's value agrees with the reference.

    Args:
        reference: The reference's value.
        engine: The engine's value.
        bound: The largest allowed difference of finite floats.

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
