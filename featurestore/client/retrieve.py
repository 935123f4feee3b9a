"""From a question to a `FeatureFrame`: compile, bind, pin the tables, answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc

from featurestore.client.explanation import explain_bound
from featurestore.client.frame import FeatureFrame
from featurestore.client.reader import Reader
from featurestore.definitions.manifest import Manifest
from featurestore.engines.bind import NullTimes, bind
from featurestore.errors import SpineError
from featurestore.query.compile import compile_query
from featurestore.query.nodes import Query
from featurestore.store.columns import UTC_MICROS


@dataclass(frozen=True)
class Request:
    """What a caller asks for.

    Args:
        asked: The call in words, for error messages.
        features: A service's name, or references ``"view:feature"``.
        timestamp_field: The spine's time column.
        timezone: The zone of naive times; None refuses them.
        null_times: Whether rows without a time are refused or answered by nulls.
    """

    asked: str
    features: str | Sequence[str]
    timestamp_field: str = "event_timestamp"
    timezone: str | None = None
    null_times: NullTimes = "error"


def retrieve(
    manifest: Manifest, reader: Reader, request: Request, spine: pa.Table
) -> FeatureFrame:
    """Return the spine with the features as of each row's moment.

    Args:
        manifest: What is applied.
        reader: Reads the tables.
        request: What is asked.
        spine: The rows, with their keys and times.

    Raises:
        NotFoundError: A name is not applied.
        SpineError: The spine does not fit.
        TableError: A view is not materialized, or was changed since.
    """
    query = compile_query(
        manifest, request.features, asked=request.asked, timestamp_field=request.timestamp_field
    )
    bound = bind(query, spine, timezone=request.timezone, null_times=request.null_times)
    snapshots = reader.pin(query, manifest)
    answers = reader.answer(query, bound, snapshots)
    return FeatureFrame(
        beside(spine, answers),
        query.outputs,
        timestamp_field=request.timestamp_field,
        versions={view: snapshot.version for view, snapshot in snapshots.items()},
        null_key_rows=null_key_rows(query, bound),
        _explainer=partial(explain_bound, query, bound, snapshots),
    )


def retrieve_latest(
    manifest: Manifest, reader: Reader, request: Request, rows: pa.Table, now: datetime
) -> FeatureFrame:
    """Return the rows with the features as of now: `retrieve` of the rows x now.

    Raises:
        SpineError: The rows bring a time column of their own.
    """
    query = compile_query(
        manifest, request.features, asked=request.asked, timestamp_field=request.timestamp_field
    )
    moment = pa.scalar(now, UTC_MICROS)
    for name in dict.fromkeys(view.timestamp_field for view in query.views):
        if name in rows.column_names:
            raise SpineError(
                request.asked,
                f"the rows have a time column {name!r}, but latest values are of now",
                "Leave the column out, or ask get_historical_features for that moment.",
            )
        rows = rows.append_column(pa.field(name, UTC_MICROS), pa.repeat(moment, rows.num_rows))
    return retrieve(manifest, reader, request, rows)


def beside(spine: pa.Table, answers: pa.Table) -> pa.Table:
    """Return the spine's columns, unchanged, and after them the answers'.

    Example:
        >>> beside(pa.table({"id": [1]}), pa.table({"x": [2]})).column_names
        ['id', 'x']
    """
    for field in answers.schema:
        spine = spine.append_column(field, answers[field.name])
    return spine


def null_key_rows(query: Query, bound: pa.Table) -> dict[str, int]:
    """Return how many bound spine rows have a null in each view's keys.

    Example:
        >>> null_key_rows(Query("ask", ()), pa.table({"x": [None]}))
        {}
    """
    counts = {}
    for view in query.views:
        missing = pa.repeat(pa.scalar(False), bound.num_rows)
        for key in view.keys:
            missing = pc.or_(missing, pc.is_null(bound[key.spine_column]))
        counts[view.view] = pc.sum(missing).as_py() or 0
    return counts
