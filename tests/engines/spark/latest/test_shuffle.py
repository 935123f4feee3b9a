"""The tasks of the ``latest`` table: one answer for each key, for any division into batches."""

from collections.abc import Iterator

import pyarrow as pa
import pytest

from featurestore.definitions.model.types import Float64, String
from featurestore.engines.spark.latest.shuffle import ShuffledTask, answer_groups
from featurestore.query.nodes import Aggregate, KeyBinding, ViewQuery, Window
from featurestore.times import from_micros
from tests.tables import feature_table

CARD = KeyBinding("card_id", "card_id", String)
TOTAL = Aggregate(
    "total", column="x", dtype=Float64, function="sum", window=Window(None), result=Float64
)
CARDS = ["a"] * 3 + ["b"] + ["c"] * 2
AMOUNTS = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0]
STORED = feature_table({"card_id": [*CARDS]}, [1, 2, 3, 1, 1, 9], {"x": [*AMOUNTS]})


def answered(query: ViewQuery, rows: pa.Table, size: int, held: int) -> list[dict[str, object]]:
    """Return a task's answers for rows in batches of this size."""
    task = ShuffledTask(query, as_of=5, rows=rows.schema, rows_per_answer=held)
    batches: Iterator[pa.RecordBatch] = iter(rows.to_batches(max_chunksize=size))
    return [row for batch in answer_groups(task, batches) for row in batch.to_pylist()]


@pytest.mark.parametrize("size", [1, 2, 4, 6])
@pytest.mark.parametrize("held", [1, 2, 3, 100])
def test_each_key_is_answered_once_for_any_size_of_batches(size: int, held: int) -> None:
    query = ViewQuery("v", keys=(CARD,), timestamp_field="event_timestamp", aggregates=(TOTAL,))

    answers = answered(query, STORED, size, held)

    totals = [(row["card_id"], row["total"]) for row in answers]
    assert totals == [("a", 7.0), ("b", 8.0), ("c", 16.0)]
    assert {row["as_of"] for row in answers} == {from_micros(5)}


def test_a_task_without_rows_answers_nothing() -> None:
    query = ViewQuery("v", keys=(CARD,), timestamp_field="event_timestamp", aggregates=(TOTAL,))

    assert answered(query, STORED.slice(0, 0), 1, 100) == []


def test_a_view_without_keys_has_one_row_even_when_it_is_empty() -> None:
    query = ViewQuery("v", keys=(), timestamp_field="event_timestamp", aggregates=(TOTAL,))
    rows = STORED.drop(["card_id"])

    assert [row["total"] for row in answered(query, rows, 2, 1)] == [31.0]
    assert [row["total"] for row in answered(query, rows.slice(0, 0), 2, 1)] == [None]
