"""From a request with ``engine="spark"`` to a `SparkFrame`: check, pin, divide; Spark answers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from featurestore.client.distributed.answered import CallTables, by_scan, by_shuffle, chosen
from featurestore.client.distributed.slices import (
    answered_schema,
    label_task,
    pinned_task,
    unpinned_task,
)
from featurestore.client.distributed.spines import RowsOfSpine, rows_of_spine
from featurestore.client.distributed.stored_frames import (
    Definitions,
    computed_frames,
    pinned_frames,
)
from featurestore.client.frame.spark_frame import SparkFrame
from featurestore.client.frame.view_read import ViewRead
from featurestore.client.label import Label, label_types, timing_of
from featurestore.client.profiles.personal import personal_outputs
from featurestore.client.reader import Reader
from featurestore.client.request import Request, compile_request
from featurestore.client.retrieve import key_columns
from featurestore.client.training_set import label_name
from featurestore.definitions.model.manifest import Manifest
from featurestore.engines.choose import Undecided
from featurestore.engines.spark.retrieve.result import Result
from featurestore.engines.spark.retrieve.size import (
    task_memory,
)
from featurestore.engines.spark.retrieve.spine import (
    SpineState,
    require_distinct_names,
    state_of,
)
from featurestore.engines.spark.retrieve.task import (
    SliceTask,
    bind_slice,
)
from featurestore.engines.spark.transform.by_value import send_project_by_value
from featurestore.query.nodes import Query
from featurestore.query.requirements import spine_types
from featurestore.store.delta.snapshot import Snapshot

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from featurestore.client.frame.retrieval_plan import RetrievalPlan


@dataclass(frozen=True)
class Distributed:
    """What a retrieval by Spark needs besides the request.

    Args:
        manifest: The definitions that the answer follows.
        reader: Pins the tables.
        session: Returns the Spark session, and starts one if necessary.
        now: The present moment.
        loaded: Returns the definitions of the project's folder, for views without a table.
        engine: The engine's name: ``"scan"``, ``"shuffle"``, or another one to choose of them.
        undecided: The size of the call and the machine that it does not fit; None if the caller
            wants Spark.
    """

    manifest: Manifest
    reader: Reader
    session: "Callable[[], SparkSession]"
    now: datetime
    loaded: Callable[[], Manifest]
    engine: str = "spark"
    undecided: Undecided | None = None


def retrieve_by_spark(
    project: Distributed, request: Request, spine: Any, label: str | Label | None = None
) -> SparkFrame:
    """Return the spine's rows with their features, which Spark computes when they are needed.

    Args:
        project: The definitions, the tables and the session.
        request: The features, and the spine's time column and zone.
        spine: The rows: a Spark DataFrame, or whatever the local engine takes.
        label: The label's column, a label to compute, or None for no label.

    Raises:
        NotFoundError: A name is not applied.
        SpineError: The spine does not fit.
        TableError: A view is not materialized, or was changed since.
    """
    query = compile_request(project.manifest, request, spine)
    name = None if label is None else label_name(label, request.call)
    types = spine_types(query)
    if isinstance(label, Label):
        types = label_types(project.manifest, request, label) | types
    rows = rows_of_spine(project.session, spine, types, request.call)
    unpinned = _unpinned(project, request, query, label, rows)
    finished = answered_schema(unpinned, rows.schema)
    require_distinct_names(finished.names, request.call)
    snapshots, missing = _tables(project, unpinned.stored)
    task = pinned_task(unpinned, snapshots, task_memory(rows.frame.sparkSession))
    used = _used_columns(task, rows.schema, name)
    state = _state(rows, used, request.call)
    send_project_by_value()
    call = CallTables(task, snapshots=snapshots, missing=missing, spine_rows=state.rows)
    finished_rows, plan = _answered(project, call, rows)
    return SparkFrame(
        finished,
        query.outputs,
        label=name,
        timestamp_field=request.timestamp_field,
        timezone=request.timezone,
        label_timing=timing_of(label) if isinstance(label, Label) else None,
        views=_views_read(project.manifest, query, snapshots),
        memory_limit=project.reader.memory_limit,
        result=Result(request.call, rows=finished_rows, used=used, state=state),
        _plan=plan,
        _local=rows.local,
        _pandas=rows.pandas,
    )


def _answered(
    project: Distributed, call: CallTables, rows: RowsOfSpine
) -> "tuple[DataFrame, RetrievalPlan]":
    choice = chosen(call, rows, project.engine, project.undecided)
    if choice.engine == "scan":
        return by_scan(call, rows, choice)
    spark, name = rows.frame.sparkSession, call.task.query.call
    frames = pinned_frames(spark, call.snapshots, name)
    definitions = Definitions(project.reader.layout, project.manifest, project.loaded)
    frames |= computed_frames(spark, definitions, call.missing, name)
    return by_shuffle(call, rows, choice, frames)


def _state(rows: RowsOfSpine, used: tuple[str, ...], call: str) -> SpineState:
    if rows.local is not None:
        return SpineState(rows.local.num_rows)
    return state_of(rows.frame, used, call)


def _tables(project: Distributed, query: Query) -> tuple[dict[str, Snapshot], tuple[str, ...]]:
    """Return the pinned tables, and the views without one: none of them if tasks read tables."""
    if project.engine == "scan":
        return project.reader.pin(query, project.manifest), ()
    return project.reader.pin_present(query, project.manifest)


def _unpinned(
    project: Distributed,
    request: Request,
    query: Query,
    label: str | Label | None,
    rows: RowsOfSpine,
) -> SliceTask:
    """Return the task without tables. The columns of the spine are checked before any is read.

    Rows that this process has are checked here, so that an error names the row.
    """
    computed = label_task(project.manifest, request, label, rows.schema, project.now)
    task = unpinned_task(query, request, computed, project.reader.definitions)
    if rows.local is not None:
        bind_slice(task, rows.local)
    return task


def _used_columns(task: SliceTask, spine: pa.Schema, label: str | None) -> tuple[str, ...]:
    """Return the columns of the spine that decide the answers, and the label."""
    used = {key.spine_column for use in task.stored.views for key in use.keys}
    used |= {use.timestamp_field for use in task.stored.views}
    used |= {each.column for node in task.query.on_demand for each in node.request_inputs}
    used |= {task.query.timestamp_field, label or ""}
    return tuple(name for name in spine.names if name in used)


def _views_read(
    manifest: Manifest, query: Query, snapshots: Mapping[str, Snapshot]
) -> dict[str, ViewRead]:
    return {
        view: ViewRead(
            keys,
            snapshots[view].version if view in snapshots else None,
            table_id=snapshots[view].uri.rpartition("/")[2] if view in snapshots else "",
            personal=personal_outputs(manifest, query, view),
        )
        for view, keys in key_columns(query).items()
    }
