"""The rows of a spine as Spark will answer them: by scan or by shuffle, with the plan of it."""

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any

from featurestore.client.distributed.engines import table_sizes, work_of
from featurestore.client.distributed.spines import RowsOfSpine
from featurestore.client.frame.retrieval_plan import RetrievalPlan
from featurestore.engines.choose import Choice, Undecided, choose
from featurestore.engines.spark.errors.mapping import spark_errors
from featurestore.engines.spark.retrieve.probe import probe
from featurestore.engines.spark.retrieve.scan import scan
from featurestore.engines.spark.retrieve.shuffle import Exchange, shuffle
from featurestore.engines.spark.retrieve.size import divided, parallel_tasks
from featurestore.engines.spark.retrieve.task import SliceTask
from featurestore.store.delta.snapshot import Snapshot

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


@dataclass(frozen=True)
class CallTables:
    """A call with its tables.

    Args:
        task: The whole call.
        snapshots: The pinned table of each view that has one.
        missing: The views without a table.
        spine_rows: The number of spine rows.
    """

    task: SliceTask
    _: KW_ONLY
    snapshots: Mapping[str, Snapshot]
    missing: tuple[str, ...]
    spine_rows: int


def chosen(
    call: CallTables, rows: RowsOfSpine, engine: str, undecided: Undecided | None
) -> Choice:
    """Return the engine of Spark that answers a call, and why.

    Args:
        call: The call with its tables.
        rows: The spine.
        engine: ``"scan"`` or ``"shuffle"``; or another name, and a probe may decide.
        undecided: The size of the call, and the machine that it does not fit; None if the caller
            wants Spark.

    Raises:
        SetupError: The executors lack a package.
    """
    if engine == "scan":
        return Choice("scan", "engine='scan' was passed")
    if engine == "shuffle":
        return Choice("shuffle", "engine='shuffle' was passed")
    if undecided is None:
        undecided = Undecided(work_of(call.snapshots, call.missing, call.spine_rows), machine=None)
    choice = choose(undecided.work, undecided.machine)
    if choice is None:
        choice = choose(
            undecided.work, undecided.machine, probe(rows.frame.sparkSession, call.task.tables)
        )
    return choice


def by_scan(
    call: CallTables, rows: RowsOfSpine, choice: Choice
) -> "tuple[DataFrame, RetrievalPlan]":
    """Return the finished rows of a scan, which Spark has not computed yet, and the plan.

    Args:
        call: The call with its tables.
        rows: The spine.
        choice: Why it is a scan.
    """
    parallel = parallel_tasks(rows.frame.sparkSession)
    division = divided(call.task, rows.schema, call.snapshots, call.spine_rows, parallel)
    finished = scan(rows.frame, call.task, by=division.order, tasks=division.tasks)
    return finished, _plan(call, choice, choice.facts, division.tasks, division.order)


def by_shuffle(
    call: CallTables, rows: RowsOfSpine, choice: Choice, features: "Mapping[str, DataFrame]"
) -> "tuple[DataFrame, RetrievalPlan]":
    """Return the finished rows of a shuffle, which Spark has not computed yet, and the plan.

    Args:
        call: The call with its tables.
        rows: The spine.
        choice: Why it is a shuffle.
        features: The stored rows of each view.

    Raises:
        FeatureStoreError: A value of the spine does not fit, or Spark cannot read the rows.
    """
    with spark_errors(call.task.query.call):
        planned = shuffle(call.task, rows.frame, features, snapshots=call.snapshots)
    facts = choice.facts | {"exchanges": [_exchange_facts(each) for each in planned.exchanges]}
    keys = [name for each in planned.exchanges for name in each.key_set.columns]
    # Without an exchange, the tasks are those that read the spine.
    parallel = parallel_tasks(rows.frame.sparkSession)
    tasks = max((each.sizes.tasks for each in planned.exchanges), default=parallel)
    return planned.rows, _plan(call, choice, facts, tasks, tuple(dict.fromkeys(keys)))


def _exchange_facts(exchange: Exchange) -> dict[str, Any]:
    return {
        "keys": list(exchange.key_set.columns),
        "views": [use.view for use in exchange.key_set.uses],
        "spine_rows": exchange.facts.rows,
        "hot_keys": len(exchange.hot),
        "buckets": sum(key.buckets for key in exchange.hot),
        "tasks": exchange.sizes.tasks,
    }


def _plan(
    call: CallTables,
    choice: Choice,
    facts: Mapping[str, Any],
    tasks: int,
    order: tuple[str, ...],
) -> RetrievalPlan:
    return RetrievalPlan(
        choice.engine,
        choice.reason,
        facts=facts,
        spine_rows=call.spine_rows,
        tasks=tasks,
        task_memory=call.task.memory_limit,
        order=order,
        views=table_sizes(call.snapshots),
        computed=call.missing,
    )
