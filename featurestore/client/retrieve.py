"""From a request to a `FeatureFrame`: compile the query, bind the spine, pin tables, answer."""

from datetime import datetime, tzinfo
from functools import partial
from typing import Any, TypedDict

import pyarrow as pa

from featurestore.client.frame.frame import FeatureFrame, append_columns
from featurestore.client.frame.view_read import ViewRead
from featurestore.client.on_demand import explain_on_demand, import_functions
from featurestore.client.profiles.personal import personal_outputs
from featurestore.client.reader import Reader
from featurestore.client.request import Request, compile_request
from featurestore.client.spines.read import read_rows
from featurestore.definitions.model.manifest import Manifest
from featurestore.engines.bind import bind
from featurestore.engines.explain.bound import explain_bound
from featurestore.engines.explain.first_run import early_rows
from featurestore.engines.on_demand.compute import inputs_of, with_on_demand
from featurestore.engines.on_demand.inputs import bind_request_inputs
from featurestore.engines.spine_times import NullTimes
from featurestore.errors import SpineError
from featurestore.query.nodes import Query
from featurestore.query.requirements import spine_types, time_columns
from featurestore.store.columns import UTC_MICROS


class _Times(TypedDict):
    timezone: str | tzinfo | None
    null_times: NullTimes


def retrieve(manifest: Manifest, reader: Reader, request: Request, spine: Any) -> FeatureFrame:
    """Return the spine with the features as of each row's moment.

    Args:
        manifest: The applied definitions.
        reader: Reads the tables.
        request: The features, and the spine's time column and zone.
        spine: The rows, with their keys and times: any frame, a list of dicts, a path or a
            `Spine`.

    Raises:
        NotFoundError: A name is not applied.
        SpineError: The spine does not fit.
        TableError: A view is not materialized, or was changed since.
    """
    query = compile_request(manifest, request, spine)
    rows = read_rows(spine, spine_types(query))
    functions = import_functions(query, reader.definitions)
    times: _Times = {"timezone": request.timezone, "null_times": request.null_times}
    bound = bind(query.stored, rows.table, **times)
    request_inputs = bind_request_inputs(query, rows.table, **times)
    snapshots = reader.pin(query.stored, manifest)
    answers = reader.answer(query.stored, bound, snapshots)
    absent = reader.absent_keys(query.stored, bound, answers, snapshots)
    early = early_rows(query.stored, bound, snapshots, _snapshot_views(manifest))
    stored = partial(explain_bound, query.stored, bound, snapshots, early)
    inputs = inputs_of(query, answers, request_inputs)
    return FeatureFrame(
        append_columns(rows.table, with_on_demand(query, answers, inputs, functions)),
        query.outputs,
        timestamp_field=request.timestamp_field,
        timezone=request.timezone,
        views={
            view: ViewRead(
                keys,
                snapshots[view].version,
                absent.get(view),
                early.get(view),
                table_id=snapshots[view].uri.rpartition("/")[2],
                personal=personal_outputs(manifest, query, view),
            )
            for view, keys in key_columns(query).items()
        },
        _explainer=partial(explain_on_demand, query, stored, inputs),
        _pandas=rows.pandas,
    )


def _snapshot_views(manifest: Manifest) -> frozenset[str]:
    return frozenset(view.name for view in manifest.views if view.snapshot)


def retrieve_latest(
    manifest: Manifest, reader: Reader, request: Request, spine: Any, now: datetime
) -> FeatureFrame:
    """Return the rows with the features as of now: `retrieve` with now as each row's moment.

    Args:
        manifest: The applied definitions.
        reader: Reads the tables.
        request: The features.
        spine: The rows, with keys and without times.
        now: The present moment.

    Raises:
        SpineError: The rows have a time column.
    """
    query = compile_request(manifest, request, spine)
    rows = read_rows(spine, spine_types(query))
    moment, table = pa.scalar(now, UTC_MICROS), rows.table
    for name in time_columns(query):
        if name in table.column_names:
            raise SpineError(
                request.call,
                f"the rows have a time column {name!r}, but latest features are as of now",
                "Remove the column, or call get_historical_features for these times.",
            )
        table = table.append_column(pa.field(name, UTC_MICROS), pa.repeat(moment, table.num_rows))
    return retrieve(manifest, reader, request, rows.with_table(table))


def key_columns(query: Query) -> dict[str, tuple[str, ...]]:
    """Return the spine's columns with each view's keys, for all uses of the view.

    Example:
        >>> key_columns(Query("call", ()))
        {}
    """
    columns: dict[str, tuple[str, ...]] = {}
    for view in query.views:
        names = *columns.get(view.view, ()), *(key.spine_column for key in view.keys)
        columns[view.view] = tuple(dict.fromkeys(names))
    return columns
