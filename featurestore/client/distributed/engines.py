"""The choice of an engine for a call, from the sizes of its spine and of the pinned tables."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from featurestore.client.distributed.spine_address import is_spark_frame, spine_address
from featurestore.client.frame.retrieval_plan import RetrievalPlan, TableSize
from featurestore.client.label import Label, label_query, label_types
from featurestore.client.reader import Reader
from featurestore.client.request import Request, compile_request
from featurestore.client.spines.read import read_rows
from featurestore.client.spines.spine import Spine
from featurestore.definitions.model.manifest import Manifest
from featurestore.engines.available_memory import available_memory
from featurestore.engines.choose import Choice, Machine, Work, choose
from featurestore.engines.retrieval.cost import cost_of, spine_and_answer_bytes
from featurestore.query.nodes import Query
from featurestore.query.requirements import spine_types
from featurestore.store.delta.snapshot import Snapshot


@dataclass(frozen=True)
class SizedCall:
    """A call with ``engine="auto"``, as far as this process can decide about it.

    Args:
        work: The size of the call.
        machine: What the engine in process may use.
        spine: The spine; rows that were read for the decision are not read again.
        snapshots: The pinned table of each view that has one.
    """

    work: Work
    machine: Machine
    spine: Any
    snapshots: Mapping[str, Snapshot]

    @property
    def choice(self) -> Choice | None:
        """The engine; None if a probe of Spark's executors must decide."""
        return choose(self.work, self.machine)

    def local_plan(self) -> RetrievalPlan | None:
        """Return the plan of the engine in process; None if it does not answer."""
        choice = self.choice
        if choice is None or choice.engine != "local":
            return None
        return RetrievalPlan(
            "local",
            choice.reason,
            facts=choice.facts,
            spine_rows=self.work.spine_rows,
            tasks=self.machine.cores,
            task_memory=self.machine.memory_limit,
            views=table_sizes(self.snapshots),
        )


def sized_call(
    manifest: Manifest,
    reader: Reader,
    request: Request,
    spine: Any,
    label: str | Label | None = None,
) -> SizedCall:
    """Return what decides which engine answers a call. No Spark session is started.

    Args:
        manifest: The definitions that the answer follows.
        reader: Pins the tables.
        request: The features, and the spine's time column.
        spine: The rows, in any form. A spine in Spark, and files that cannot fit the memory,
            are not read.
        label: The label's column, a label to compute, or None for no label.

    Raises:
        NotFoundError: A name is not applied.
        SpineError: The spine does not fit.
        TableError: A view was changed since its table was built.
    """
    query = compile_request(manifest, request, spine)
    machine = Machine(os.cpu_count() or 1, reader.memory_limit, available_memory())
    stored, rows = query.stored, None
    types = spine_types(query)
    if isinstance(label, Label):
        types = label_types(manifest, request, label) | types
    if not stays_in_spark(spine, machine):
        rows = read_rows(spine, types)
    if isinstance(label, Label):
        empty = pa.table({name: pa.nulls(0) for name in types}) if rows is None else rows.table
        labels = label_query(manifest, request, label, empty)
        stored = Query(query.call, (*stored.views, *labels.views), query.timestamp_field)
    snapshots, missing = reader.pin_present(stored, manifest)
    needed = 0 if rows is None or missing else _needed_memory(stored, rows, snapshots)
    work = work_of(snapshots, missing, None if rows is None else rows.table.num_rows, needed)
    return SizedCall(work, machine, spine if rows is None else rows, snapshots)


def stays_in_spark(spine: object, machine: Machine) -> bool:
    """Return whether the spine is in Spark, or in files that this process cannot hold or read.

    Args:
        spine: The rows, in any form.
        machine: What this process may use.

    Raises:
        StorageError: The address of the spine cannot be reached.
        TableError: A Delta table cannot be opened.

    Example:
        >>> stays_in_spark([{"id": 1}], Machine(2))
        False
    """
    if is_spark_frame(spine):
        return True
    address = spine_address(spine)
    if address is None or not address.is_read_by_spark:
        return False
    too_large = machine.memory is not None and address.bytes > machine.memory
    return too_large or not address.is_read_here


def work_of(
    snapshots: Mapping[str, Snapshot],
    missing: Sequence[str],
    spine_rows: int | None,
    needed_memory: int = 0,
) -> Work:
    """Return the size of a call.

    Args:
        snapshots: The pinned tables.
        missing: The views without a table.
        spine_rows: The number of spine rows; None if it is not known.
        needed_memory: The bytes that the engine in process needs.

    Example:
        >>> work_of({}, ("new",), 5).without_table
        ('new',)
    """
    sizes = table_sizes(snapshots).values()
    return Work(
        spine_rows,
        needed_memory=needed_memory,
        stored_rows=sum(each.rows for each in sizes),
        stored_bytes=sum(each.bytes for each in sizes),
        without_table=tuple(missing),
    )


def table_sizes(snapshots: Mapping[str, Snapshot]) -> dict[str, TableSize]:
    """Return the size of each pinned table, by its view's name.

    Example:
        >>> table_sizes({})
        {}
    """
    return {
        name: TableSize(each.version, each.rows, each.files.num_rows, each.bytes)
        for name, each in snapshots.items()
    }


def _needed_memory(query: Query, rows: Spine, snapshots: Mapping[str, Snapshot]) -> int:
    """Return the bytes that the engine in process needs for the spine, the answers and a chunk."""
    count = rows.table.num_rows
    chunks = (cost_of(use, snapshots[use.view]).of_smallest_chunk(count) for use in query.views)
    held = spine_and_answer_bytes(query, rows.table, snapshots)
    return held + max(chunks, default=0)
