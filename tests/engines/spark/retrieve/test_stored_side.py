"""The stored rows in the buckets of hot keys: each bucket has what its spine rows need.

All keys are hot. Their uses of views are at two time columns, which a spine row need not have.
"""

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from pyspark.sql import DataFrame

from featurestore.definitions.model.types import Int64
from featurestore.engines import reference
from featurestore.engines.spark.retrieve.arrow_frame import spark_frame
from featurestore.engines.spark.retrieve.exchange.buckets import HotKey, bucket_numbers
from featurestore.engines.spark.retrieve.exchange.hot_keys import Moments, _with_spans
from featurestore.engines.spark.retrieve.exchange.key_sets import KeySet, key_sets
from featurestore.engines.spark.retrieve.exchange.layout import (
    BUCKET,
    key_name,
    stored_names,
    value_name,
)
from featurestore.engines.spark.retrieve.exchange.placement import in_buckets
from featurestore.engines.spark.retrieve.exchange.spine_facts import spine_facts
from featurestore.engines.spark.retrieve.exchange.stored_side import (
    StoredSide,
    stored_side,
)
from featurestore.engines.spark.retrieve.task import SliceTask, SpineTimes
from featurestore.engines.spark.session.child import own_session
from featurestore.query.nodes import Aggregate, Column, KeyBinding, Query, Rows, ViewQuery, Window
from featurestore.store.columns import UTC_MICROS
from tests.effort import rounds

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

KEYS, STORED_ROWS, SPINE_ROWS = 30, 14, 12
"""The number of keys, and of rows of each."""

CUT = KEYS * STORED_ROWS // 3 + 5
"""How many stored rows the first of two tasks has: those of one key are in both."""

CARD = (KeyBinding("id", "card", Int64),)
LAST = ViewQuery("v", keys=CARD, timestamp_field="t", columns=(Column("x", "x", Int64),))
REVISED = Rows(unique_by=("event",), has_deleted=True)


def window(**options: Any) -> ViewQuery:
    """Return a use that sums a window."""
    total = Aggregate(
        "x", column="x", dtype=Int64, function="sum", window=Window(**options), result=Int64
    )
    return replace(LAST, columns=(), aggregates=(total,))


USES = {
    "the newest row": LAST,
    "strictly before, at the other time": replace(LAST, strict=True, timestamp_field="u"),
    "a ttl and tombstones": replace(LAST, ttl=5, rows=Rows(has_deleted=True)),
    "a delay and a sequence, at the other time": replace(
        LAST, timestamp_field="u", rows=Rows(available_delay=3, has_sequence=True)
    ),
    "revisions": replace(LAST, rows=REVISED),
    "revisions, strictly before": replace(LAST, rows=REVISED, strict=True),
    "a window": window(size=6),
    "a window with a delay, at the other time": replace(
        window(size=6, delay=2), timestamp_field="u"
    ),
    "a window with its right end": window(size=4, closed_right=True),
    "strictly before, a window with its right end": replace(
        window(size=4, closed_right=True), strict=True
    ),
    "windows on a grid": window(size=7, every=5, offset=1),
    "a lifetime, at the other time": replace(window(size=None), timestamp_field="u"),
    "a window of revisions": replace(window(size=8), rows=REVISED),
}


def test_each_bucket_has_the_stored_rows_that_its_spine_rows_need(
    spark: "SparkSession", request: pytest.FixtureRequest
) -> None:
    seed = int(request.config.getoption("--hypothesis-seed") or 0)
    session = own_session(spark)
    [key_set] = key_sets(USES.values())
    for each in range(rounds(1, 30)):
        require_enough_rows(session, key_set, np.random.default_rng([seed, each]))


def require_enough_rows(
    session: "SparkSession", key_set: KeySet, rng: np.random.Generator
) -> None:
    """Fail if the rows in a bucket answer one of its spine rows otherwise than all rows do."""
    spine, stored, edges = spine_of(rng), stored_rows(rng), edges_of(rng)
    task = SliceTask(Query("call", key_set.uses, "t"), times=SpineTimes(null_times="keep"))
    moments = Moments(task, spark_frame(session, spine), key_set)
    hot = _with_spans(moments, edges)
    sent = placed(moments, spark_frame(session, stored), hot)
    spine_rows: dict[tuple[int, int], list[dict[str, Any]]] = defaultdict(list)
    buckets = bucket_numbers(key_set, hot, spine, spine).tolist()
    for row, bucket in zip(in_micros(spine, ("t", "u")), buckets, strict=True):
        spine_rows[row["card"], bucket].append(row)

    rows = in_micros(stored, ("event_timestamp", "available_timestamp"))
    for number, (name, use) in enumerate(USES.items(), 1):
        known = rows if use.rows.has_sequence else [row | {"_seq": None} for row in rows]
        of_key = [known[key * STORED_ROWS : (key + 1) * STORED_ROWS] for key in range(KEYS)]
        copies = [each for place, found in sent.items() if place[0] == number for each in found]
        assert len(copies) < sum(STORED_ROWS * key.buckets for key in hot), name
        for (key, bucket), needing in spine_rows.items():
            found = [known[x] for x in sent[number, key, bucket]]
            expected = reference.answer(use, needing, of_key[key])
            assert reference.answer(use, needing, found) == expected, (name, key, bucket)


def placed(
    moments: Moments, features: DataFrame, hot: tuple[HotKey, ...]
) -> dict[tuple[int, int, int], list[int]]:
    """Return ``x`` of the stored rows that are sent, by the number of the use, key and bucket."""
    [facts] = spine_facts(moments.task, moments.spine, [moments.key_set])
    sent: dict[tuple[int, int, int], list[int]] = defaultdict(list)
    for number, use in enumerate(moments.key_set.uses, 1):
        side = StoredSide(moments.key_set, use, span=facts.spans[use.timestamp_field])
        read = stored_side(side, features).toArrow()
        x = value_name(stored_names(use).index("x"))
        for part in (read.slice(0, CUT), read.slice(CUT)):  # of two tasks
            for rows in in_buckets(moments.key_set, use, hot, part):
                columns = (rows[name].to_pylist() for name in (key_name(0), BUCKET, x))
                for key, bucket, found in zip(*columns, strict=True):
                    sent[number, key, bucket].append(found)
    return sent


def edges_of(rng: np.random.Generator) -> list[HotKey]:
    """Return all keys with edges, of which some are equal."""
    return [
        HotKey((key,), tuple(sorted(rng.integers(-12, 40, rng.integers(1, 5)).tolist())), {})
        for key in range(KEYS)
    ]


def spine_of(rng: np.random.Generator) -> pa.Table:
    """Return spine rows with two moments, of which some are null."""
    count = KEYS * SPINE_ROWS
    times = {
        name: pa.array(rng.integers(-10, 40, count), UTC_MICROS, mask=rng.random(count) < 0.1)
        for name in ("t", "u")
    }
    card = np.repeat(np.arange(KEYS), SPINE_ROWS)
    return pa.table({"card": card, **times, "number": np.arange(count)})


def stored_rows(rng: np.random.Generator) -> pa.Table:
    """Return rows that are late, deleted, revisions of others, and that have no available time."""
    count = KEYS * STORED_ROWS
    events = rng.integers(-10, 40, count)
    available = events + np.where(rng.random(count) < 0.5, rng.integers(-3, 20, count), 0)
    return pa.table(
        {
            "id": np.repeat(np.arange(KEYS), STORED_ROWS),
            "event_timestamp": pa.array(events, UTC_MICROS),
            "available_timestamp": pa.array(available, UTC_MICROS, mask=rng.random(count) < 0.2),
            "_seq": pa.array(rng.integers(0, 3, count), mask=rng.random(count) < 0.3),
            "_deleted": rng.random(count) < 0.2,
            "event": rng.integers(0, 5, count),
            "x": np.arange(count),
            "_row_hash": rng.permutation(count),
        }
    )


def in_micros(rows: pa.Table, names: tuple[str, ...]) -> list[dict[str, Any]]:
    """Return rows with their times as numbers."""
    for name in names:
        at = rows.schema.get_field_index(name)
        rows = rows.set_column(at, name, rows[name].cast(pa.int64()))
    return rows.to_pylist()
