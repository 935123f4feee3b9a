"""For users' own tests of their definitions: given source rows, expect feature rows."""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from tempfile import gettempdir
from typing import TYPE_CHECKING, Any

from featurestore.client.on_demand import features_of_inputs
from featurestore.client.preview.view import features_of_rows
from featurestore.client.spines.read import read_spine
from featurestore.definitions.model.on_demand import OnDemandFeatureView
from featurestore.definitions.model.view import FeatureView
from featurestore.engines.spark.session.session import session
from featurestore.query.compile import compile_view
from featurestore.times import parse_moment

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

Rows = Sequence[Mapping[str, Any]]


def assert_features(
    view: FeatureView,
    *,
    given: Any,
    expect: Rows,
    now: str | datetime | None = None,
    spark: "SparkSession | None" = None,
) -> None:
    """Check that a view gives these features for these source rows.

    The view's transform runs on Spark and the kernel answers, as in production; nothing is stored.

    Args:
        view: The definition.
        given: The source's rows: dicts, or any frame.
        expect: Rows with the join keys, ``event_timestamp`` and the expected value of every
            feature that shall be checked. Floats may differ by 1e-9 of their size.
        now: The moment of expected rows that have no ``event_timestamp``.
        spark: A session to use in place of one started here.

    Raises:
        AssertionError: A feature differs; each one is told.

    Example:
        ``assert_features(card_activity, given=[{"card_id": "c1", "paid_at": NOON, "amount": 3.0}],
        expect=[{"card_id": "c1", "event_timestamp": ONE, "amount_sum_1h": 3.0}])``
    """
    rows = [dict(row) for row in expect]
    if now is not None:
        rows = [{"event_timestamp": parse_moment(now), **row} for row in rows]
    found = feature_rows(view, given=given, rows=_asked(view, rows), spark=spark)
    differences = [
        f"row {number}: {name} is {answer[name]!r}, expected {row[name]!r}"
        for number, (row, answer) in enumerate(zip(rows, found, strict=True))
        for name in view.feature_names
        if name in row and not _same(row[name], answer[name])
    ]
    if differences:
        raise AssertionError(f"view {view.name!r}:\n" + "\n".join(differences))


def feature_rows(
    view: FeatureView, *, given: Any, rows: Any, spark: "SparkSession | None" = None
) -> list[dict[str, Any]]:
    """Return the view's features for some spine rows, computed from given source rows.

    Args:
        view: The definition.
        given: The source's rows: dicts, or any frame.
        rows: Rows with the join keys and ``event_timestamp``.
        spark: A session to use in place of one started here.

    Returns:
        One dict of features a spine row, in order.
    """
    # Spark's own files (its log) go where the system keeps temporary ones.
    state = Path(gettempdir()) / "featurestore-testing"
    running = spark or session(warehouse=state)
    frame = features_of_rows(view, read_spine(given), read_spine(rows), running)
    found: list[dict[str, Any]] = frame.to_arrow().select(list(frame.features)).to_pylist()
    return found


def on_demand_rows(
    view: OnDemandFeatureView, *, given: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Return an on-demand view's features for given inputs: no store, no Spark.

    Args:
        view: The definition.
        given: One dict a row: inputs by the names that the transform uses, ``event_timestamp``
            among them. What is missing is null.

    Returns:
        One dict of features a row, in order.
    """
    found: list[dict[str, Any]] = features_of_inputs(view, given).to_pylist()
    return found


def _asked(view: FeatureView, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    query = compile_view(view)
    names = {query.timestamp_field, *(key.spine_column for key in query.keys)}
    return [{name: row[name] for name in row if name in names} for row in rows]


def _same(expected: object, found: object) -> bool:
    if isinstance(expected, float) and isinstance(found, float):
        both_nan = math.isnan(expected) and math.isnan(found)
        return both_nan or math.isclose(expected, found, rel_tol=1e-9, abs_tol=1e-12)
    return expected == found
