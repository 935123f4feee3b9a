"""For users' tests of their definitions: from source rows to the expected features."""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from tempfile import gettempdir
from typing import TYPE_CHECKING, Any

from featurestore.client.arguments import checked_arguments
from featurestore.client.on_demand import features_of_inputs
from featurestore.client.preview.view import features_of_rows
from featurestore.client.spines.read import read_spine
from featurestore.definitions.model.on_demand import OnDemandFeatureView
from featurestore.definitions.model.view import FeatureView
from featurestore.engines.spark.session.session import session
from featurestore.query.compile import compile_view
from featurestore.query.nodes import Query
from featurestore.query.requirements import spine_types
from featurestore.times import parse_moment

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

Rows = Sequence[Mapping[str, Any]]


@checked_arguments
def assert_features(
    view: FeatureView,
    *,
    given: Any,
    expect: Rows,
    now: str | datetime | None = None,
    spark: "SparkSession | None" = None,
) -> None:
    """Check the features that a view has for these source rows.

    As in production, Spark runs the view's transform and the kernel computes the features. Nothing
    is stored.

    Args:
        view: The definition.
        given: The source's rows: a list of dicts, or any frame.
        expect: Rows with the join keys, ``event_timestamp`` and the expected values of some
            features. Floats may differ by 1e-9 of their size.
        now: The moment of the expected rows that have no ``event_timestamp``.
        spark: A Spark session to use. None to start one.

    Raises:
        AssertionError: Features differ. The message lists all of them.

    Example:
        ``assert_features(card_activity, given=[{"card_id": "c1", "paid_at": NOON, "amount": 3.0}],
        expect=[{"card_id": "c1", "event_timestamp": ONE, "amount_sum_1h": 3.0}])``
    """
    rows = [dict(row) for row in expect]
    if now is not None:
        rows = [{"event_timestamp": parse_moment(now), **row} for row in rows]
    answers = feature_rows(view, given=given, rows=_spine(view, rows), spark=spark)
    differences = [
        f"row {number}: {name} is {answer[name]!r}, expected {row[name]!r}"
        for number, (row, answer) in enumerate(zip(rows, answers, strict=True))
        for name in view.feature_names
        if name in row and not _same(row[name], answer[name])
    ]
    if differences:
        raise AssertionError(f"view {view.name!r}:\n" + "\n".join(differences))


@checked_arguments
def feature_rows(
    view: FeatureView, *, given: Any, rows: Any, spark: "SparkSession | None" = None
) -> list[dict[str, Any]]:
    """Return the features that a view has for these source rows.

    Args:
        view: The definition.
        given: The source's rows: a list of dicts, or any frame.
        rows: Spine rows with the join keys and ``event_timestamp``.
        spark: A Spark session to use. None to start one.

    Returns:
        A dict of features for each spine row, in order.
    """
    # Spark writes its log and its warehouse there.
    state = Path(gettempdir()) / "featurestore-testing"
    running = spark or session(warehouse=state)
    types = spine_types(Query("feature_rows", (compile_view(view),)))
    frame = features_of_rows(view, read_spine(given, {}), read_spine(rows, types), running)
    answers: list[dict[str, Any]] = frame.to_arrow().select(list(frame.features)).to_pylist()
    return answers


@checked_arguments
def on_demand_rows(
    view: OnDemandFeatureView, *, given: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Return the features that an on-demand view has for these inputs, without store or Spark.

    Args:
        view: The definition.
        given: A dict for each row, with the inputs by the names that the transform uses and with
            ``event_timestamp``. Missing inputs are null.

    Returns:
        A dict of features for each row, in order.
    """
    answers: list[dict[str, Any]] = features_of_inputs(view, given).to_pylist()
    return answers


def _spine(view: FeatureView, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    query = compile_view(view)
    names = {query.timestamp_field, *(key.spine_column for key in query.keys)}
    return [{name: row[name] for name in row if name in names} for row in rows]


def _same(expected: object, answer: object) -> bool:
    if isinstance(expected, float) and isinstance(answer, float):
        both_nan = math.isnan(expected) and math.isnan(answer)
        return both_nan or math.isclose(expected, answer, rel_tol=1e-9, abs_tol=1e-12)
    return expected == answer
