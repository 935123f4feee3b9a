"""How a spine is divided: by the keys with the most bytes of tables, into tasks that fit."""

from dataclasses import replace

import pyarrow as pa
import pytest

from featurestore.definitions.model.types import Int64
from featurestore.engines.spark.retrieve.size import divided
from featurestore.engines.spark.retrieve.task import LABEL_MOMENT, LabelTask, SliceTask
from featurestore.query.nodes import Aggregate, Column, KeyBinding, Query, ViewQuery, Window
from featurestore.store.columns import UTC_MICROS
from featurestore.store.delta.snapshot import Snapshot

SPINE = pa.schema([("card", pa.int64()), ("shop", pa.int64()), ("t", UTC_MICROS)])
_TIMES = dict.fromkeys(("event_timestamp", "available_timestamp"), UTC_MICROS)
STORED = pa.schema(dict.fromkeys(("id", "_row_hash", "x"), pa.int64()) | _TIMES)


def use_of(view: str, *spine_columns: str) -> ViewQuery:
    keys = tuple(KeyBinding("id", name, Int64) for name in spine_columns)
    return ViewQuery(view, keys=keys, timestamp_field="t", columns=(Column(view, "x", Int64),))


def table_of(size: int) -> Snapshot:
    files = pa.table({"path": ["a"], "size_bytes": [size], "num_records": [10]})
    return Snapshot("table", 0, files, STORED)


TASK = SliceTask(
    Query(
        "call",
        (
            use_of("activity", "card"),
            use_of("profile", "card"),
            use_of("sales", "shop"),
            use_of("rate"),
        ),
        "t",
    )
)
TABLES = {name: table_of(size) for name, size in
          (("activity", 60), ("profile", 60), ("sales", 100), ("rate", 900))}  # fmt: skip


def test_the_keys_of_the_tables_with_the_most_bytes_together_divide_the_spine():
    more_sales = TABLES | {"sales": table_of(130)}

    assert divided(TASK, SPINE, TABLES, 10, 2).order == ("card", "t")
    assert divided(TASK, SPINE, more_sales, 10, 2).order == ("shop", "t")


def test_without_keys_the_time_divides_the_spine():
    alone = replace(TASK, query=Query("call", (use_of("rate"),), "t"))

    assert divided(alone, SPINE, TABLES, 10, 2).order == ("t",)


def test_the_label_has_the_time_of_the_spine():
    count = Aggregate(
        "n", column="*", dtype=None, function="count", window=Window(5), result=Int64
    )
    view = replace(use_of("sales", "shop"), columns=(), aggregates=(count,))
    label = LabelTask(
        Query("call", (view,), "t"), name="n", mature_after=5, now=9, immature="keep"
    )

    division = divided(replace(TASK, label=label), SPINE, TABLES | {"sales": table_of(999)}, 10, 2)

    assert LABEL_MOMENT not in division.order
    assert division.order == ("shop", "t")


@pytest.mark.parametrize(
    ("rows", "size", "memory", "tasks"),
    [
        (0, 60, 10**9, 1),
        (4_000, 60, 10**10, 1),
        (10**6, 60, 10**10, 3),
        (10**7, 60, 10**10, 8),
        (12, 10**12, 10**9, 8),
        (3, 10**12, 10**9, 3),
    ],
)
def test_tasks_have_enough_rows_or_bytes_to_be_worth_their_start(rows, size, memory, tasks):
    task = replace(TASK, memory_limit=memory)

    assert divided(task, SPINE, TABLES | {"activity": table_of(size)}, rows, 8).tasks == tasks


def test_less_memory_makes_more_tasks():
    halves = [
        divided(replace(TASK, memory_limit=limit), SPINE, TABLES, 10**9, 8).tasks
        for limit in (10**9, 5 * 10**8)
    ]

    assert halves[0] > 8
    assert halves[1] == pytest.approx(2 * halves[0], abs=1)
