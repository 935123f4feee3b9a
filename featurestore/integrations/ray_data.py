"""Training sets on Ray Data: each of Ray's tasks is the engine in process on its slice of a spine.

Ray sorts the spine by keys and time, so that a key with many rows is divided by time. Then each
task reads from the pinned tables what its slice needs. No row of a feature table is moved.
"""

import sys
from functools import partial
from typing import TYPE_CHECKING

import pyarrow as pa

from featurestore.client.distributed.slices import (
    answered_schema,
    label_task,
    pinned_task,
    unpinned_task,
)
from featurestore.client.feature_store import FeatureStore
from featurestore.client.label import Label
from featurestore.client.request import Request, compile_request
from featurestore.client.training_set import label_name
from featurestore.definitions.code.provenance import home
from featurestore.engines.spark.retrieve.size import DEFAULT_TASK_MEMORY, divided
from featurestore.engines.spark.retrieve.task import KEPT, SliceTask, answer_slice
from featurestore.engines.spine_times import NullTimes
from featurestore.errors import SpineError
from featurestore.optional import optional
from featurestore.query.selection import Selection, selection_text
from featurestore.sizes import parse_bytes

if TYPE_CHECKING:
    from ray.data import Dataset


def get_training_set(  # noqa: PLR0913 - the request's arguments
    store: FeatureStore,
    features: Selection,
    spine: "Dataset",
    *,
    label: str | Label,
    timestamp_field: str = "event_timestamp",
    timezone: str | None = None,
    null_times: NullTimes = "error",
    task_memory: int | str = DEFAULT_TASK_MEMORY,
) -> "Dataset":
    """Return labelled rows with their features, each as of its row's moment, as a Ray dataset.

    The arguments are those of `FeatureStore.get_training_set`, but for the store and the spine.

    Args:
        store: The store. Ray's workers read its tables, so they need the same addresses.
        features: A service, or views and features by their names.
        spine: A Ray dataset with keys, moments and a label.
        label: The spine's column that a model learns, or a `Label` to compute from a view.
        timestamp_field: The spine's time column.
        timezone: The zone of times without one, such as ``"Europe/Paris"``.
        null_times: ``"error"``, or ``"keep"`` to keep rows without a time with null features.
        task_memory: The memory of a task for its rows and its answer, e.g. ``"1GB"``. Ray runs as
            many tasks at once as its machines have memory for.

    Returns:
        Each (mature) row of the spine once, with all its columns, then the features: in the order
        of keys and time. Ray computes it when it is read.

    Raises:
        NotFoundError: A name is not applied.
        SpineError: A column of the spine is missing or has a wrong type.
        TableError: A view was never materialized, or was changed since.
        SetupError: Ray is not installed.

    Example:
        ``ray_data.get_training_set(store, "fraud_v1", ray.data.read_parquet(folder),
        label="is_fraud").write_parquet(target)``
    """
    call = f"get_training_set({selection_text(features)})"
    label_name(label, call)
    request = Request(call, features, timestamp_field, timezone, null_times)
    return _answered(store, request, spine, label, parse_bytes(task_memory))


def get_historical_features(  # noqa: PLR0913 - the request's arguments
    store: FeatureStore,
    features: Selection,
    spine: "Dataset",
    *,
    timestamp_field: str = "event_timestamp",
    timezone: str | None = None,
    null_times: NullTimes = "error",
    task_memory: int | str = DEFAULT_TASK_MEMORY,
) -> "Dataset":
    """Return rows with their features, each as of its row's moment, as a Ray dataset.

    Args:
        store: As in `get_training_set`.
        features: As in `get_training_set`.
        spine: A Ray dataset with keys and moments.
        timestamp_field: The spine's time column.
        timezone: The zone of times without one, such as ``"Europe/Paris"``.
        null_times: ``"error"``, or ``"keep"`` to keep rows without a time with null features.
        task_memory: The memory of a task for its rows and its answer, e.g. ``"1GB"``. Ray runs as
            many tasks at once as its machines have memory for.

    Returns:
        As `get_training_set`.

    Raises:
        FeatureStoreError: As by `get_training_set`.

    Example:
        ``ray_data.get_historical_features(store, "fraud_v1", spine).take(3)``
    """
    call = f"get_historical_features({selection_text(features)})"
    request = Request(call, features, timestamp_field, timezone, null_times)
    return _answered(store, request, spine, None, parse_bytes(task_memory))


def answer_dataset(task: SliceTask, spine: "Dataset", order: tuple[str, ...]) -> "Dataset":
    """Return the rows of a spine with their features, in as many tasks as it has blocks.

    Args:
        task: What each of Ray's tasks answers.
        spine: The spine.
        order: The keys and the time by which the rows are divided; nothing to leave the blocks.
    """
    rows = spine.sort([*order]) if order else spine
    return rows.map_batches(
        partial(_answer_block, task),
        batch_format="pyarrow",
        batch_size=None,  # a whole block
        num_cpus=1,
        memory=task.memory_limit,
    )


def _answered(
    store: FeatureStore,
    request: Request,
    spine: "Dataset",
    label: str | Label | None,
    memory: int,
) -> "Dataset":
    ray = optional("ray.data", request.call, "ray")
    if not isinstance(spine, ray.Dataset):
        found = f"the spine is a {type(spine).__name__}, not a Ray dataset"
        fix = (
            "Make one with ray.data, e.g. by ray.data.from_arrow(rows), or call the store itself."
        )
        raise SpineError(request.call, found, fix)
    manifest, reader = store._served(request), store._reader
    schema = _arrow_schema(spine, request.call)
    query = compile_request(manifest, request, schema.empty_table())
    computed = label_task(manifest, request, label, schema, store._clock())
    unpinned = unpinned_task(query, request, computed, reader.definitions)
    finished = answered_schema(unpinned, schema)
    snapshots = reader.pin(unpinned.stored, manifest)
    task, rows = pinned_task(unpinned, snapshots, memory), spine.count()
    if not rows:  # Ray does not call functions for blocks without rows
        empty: Dataset = ray.from_arrow(finished.empty_table())
        return empty
    _send_project_by_value()
    cores = int(optional("ray", request.call).cluster_resources().get("CPU", 1))
    division = divided(task, schema, snapshots, rows, cores)
    return answer_dataset(task, spine.repartition(division.tasks), division.order)


def _answer_block(task: SliceTask, rows: pa.Table) -> pa.Table:
    """Return a block with its features."""
    pa.set_cpu_count(1)  # other tasks use the other cores
    answered = answer_slice(task, rows)
    return answered.filter(answered[KEPT]).drop_columns([KEPT])


def _arrow_schema(spine: "Dataset", call: str) -> pa.Schema:
    schema = spine.schema()
    base = None if schema is None else schema.base_schema
    if not isinstance(base, pa.Schema):
        found = "the rows of the Ray dataset are not in Arrow's form"
        raise SpineError(call, found, "Make it with ray.data.from_arrow or ray.data.read_parquet.")
    return base


def _send_project_by_value() -> None:
    """Let Ray send functions of the project with their contents: its workers lack the files."""
    pickler = optional("ray.cloudpickle", "send functions to Ray's workers", "ray")
    for top in {name.partition(".")[0] for name in [*sys.modules]} - {"__main__"}:
        if top in sys.modules and home(top) == "project":
            pickler.register_pickle_by_value(sys.modules[top])
