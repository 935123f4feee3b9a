"""From a request to the task of a distributed runner: checked, pinned, and of plain data."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pyarrow as pa

from featurestore.client.frame.frame import FeatureFrame, with_label
from featurestore.client.label import Label, label_query, timing_of
from featurestore.client.on_demand import import_functions
from featurestore.client.request import Request
from featurestore.definitions.model.manifest import Manifest
from featurestore.engines.spark.retrieve.task import (
    KEPT,
    LabelTask,
    SliceTask,
    SpineTimes,
    TableVersion,
    bind_slice,
    finish_slice,
)
from featurestore.query.nodes import Query
from featurestore.store.columns import arrow_type
from featurestore.store.delta.snapshot import Snapshot
from featurestore.times import to_micros


def unpinned_task(
    query: Query, request: Request, label: LabelTask | None, definitions: Path
) -> SliceTask:
    """Return what a task answers, without tables.

    Args:
        query: The compiled features.
        request: How the spine's times are read.
        label: The label to compute; None for none.
        definitions: The folder of the definitions, which has the on-demand functions.

    Raises:
        NotFoundError: An on-demand function is not in the definitions.
    """
    return SliceTask(
        query,
        label=label,
        times=SpineTimes(request.timezone, request.null_times),
        functions=import_functions(query, definitions),
    )


def label_task(
    manifest: Manifest,
    request: Request,
    label: str | Label | None,
    spine: pa.Schema,
    now: datetime,
) -> LabelTask | None:
    """Return the label that tasks compute; None if it is a column of the spine, or none.

    Args:
        manifest: The definitions.
        request: The request.
        label: The label's column, a label to compute, or None for no label.
        spine: The columns of the spine.
        now: The present moment. A label that is final before it is mature.

    Raises:
        SpineError: The spine lacks the label's column, or has one with its name.
    """
    empty = spine.empty_table()
    if isinstance(label, str):
        with_label(FeatureFrame(empty, ()), label, request.call)
    if not isinstance(label, Label):
        return None
    return LabelTask(
        label_query(manifest, request, label, empty),
        name=label.name,
        mature_after=timing_of(label).mature_after,
        now=to_micros(now),
        immature=label.immature,
    )


def answered_schema(task: SliceTask, spine: pa.Schema) -> pa.Schema:
    """Check the columns of a spine, and return those of its rows with their features.

    Args:
        task: What tasks answer.
        spine: The columns of the spine.

    Raises:
        SpineError: A column is missing or has another type.
    """
    empty = spine.empty_table()
    bind_slice(task, empty)
    answers = pa.table(
        {
            feature.output: pa.nulls(0, arrow_type(feature.result))
            for use in task.stored.views
            for feature in use.features
        }
    )
    schema = finish_slice(task, empty, answers).schema
    return schema.remove(schema.get_field_index(KEPT))


def pinned_task(task: SliceTask, snapshots: Mapping[str, Snapshot], memory: int) -> SliceTask:
    """Return a task with the tables that it reads.

    Args:
        task: The task.
        snapshots: The pinned table of each view.
        memory: The memory of a task, in bytes.
    """
    tables = {name: TableVersion(each.uri, each.version) for name, each in snapshots.items()}
    checksums = any(each.checksums for each in snapshots.values())
    return replace(task, tables=tables, memory_limit=memory, checksums=checksums)
