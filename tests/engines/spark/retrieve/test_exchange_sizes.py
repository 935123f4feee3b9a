"""How an exchange is divided: by bytes, so that a task's rows fit its memory."""

import pyarrow as pa
import pytest

from featurestore.engines.spark.retrieve.exchange.blocks import bytes_at_once
from featurestore.engines.spark.retrieve.exchange.key_sets import key_sets
from featurestore.engines.spark.retrieve.exchange.sizes import Rows, fitting_sizes
from featurestore.engines.spark.retrieve.exchange.spine_facts import _facts_in_task
from featurestore.engines.spark.retrieve.task import SliceTask
from featurestore.query.nodes import Query, ViewQuery

MEMORY = 512_000_000


def rows(number: int, row_bytes: int = 40) -> Rows:
    return Rows(number, row_bytes=row_bytes, kernel_bytes=80)


def sizes_of(spine: Rows, *uses: Rows, memory: int = MEMORY, parallel: int = 8):
    return fitting_sizes(spine, uses, memory=memory, parallel=parallel)


def test_few_rows_are_one_part_of_one_task():
    sizes = sizes_of(rows(1000), rows(50_000), rows(0), parallel=200)

    assert (sizes.tasks, sizes.parts) == (1, 1)


@pytest.mark.parametrize("wide", ["spine", "stored"])
def test_the_rows_of_a_task_fit_an_eighth_of_its_memory_however_wide_they_are(wide):
    widths = {"spine": 40, "stored": 40} | {wide: 4_000}

    sizes = sizes_of(rows(5_000_000, widths["spine"]), rows(5_000_000, widths["stored"]))

    assert 5_000_000 * 4_000 / sizes.tasks <= MEMORY / 8


@pytest.mark.parametrize("number", [10**6, 10**8, 10**10])
def test_the_rows_of_a_part_stay_few_and_the_parts_do_too(number):
    sizes = sizes_of(rows(10_000), rows(number))

    parts = sizes.tasks * sizes.parts
    assert number / parts <= 400_000
    assert parts <= max(8, number / 100_000)


def test_the_stored_rows_of_a_key_that_stays_whole_leave_memory_for_its_spine_rows():
    stored = rows(10**9, row_bytes=50)

    sizes = sizes_of(rows(10**9, row_bytes=4_000), stored, parallel=1)

    largest = 2 * sizes.rows_per_bucket
    assert largest * (stored.kernel_bytes + 2 * stored.row_bytes) <= MEMORY * 2 / 3


def test_a_block_of_very_many_parts_is_made_of_more_rows():
    assert bytes_at_once(1) == bytes_at_once(2_000) < bytes_at_once(3_000) <= bytes_at_once(10**6)
    assert bytes_at_once(10**6) < MEMORY / 8


def test_the_bytes_of_the_spine_are_those_of_all_its_columns():
    use = ViewQuery("v", keys=(), timestamp_field="at")
    task = SliceTask(Query("call", (use,), "at"))
    times = pa.array(range(50), pa.timestamp("us", "UTC"))
    spine = pa.table({"at": times, "note": ["x" * 4_000] * 50})

    [facts] = _facts_in_task(task, key_sets([use]), iter(spine.to_batches(10)))

    [row] = facts.to_pylist()
    assert row["rows"] == 50
    assert 50 * 4_000 < row["bytes"] < 50 * 4_100
