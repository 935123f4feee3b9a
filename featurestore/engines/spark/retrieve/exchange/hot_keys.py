"""Keys with very many rows, found by counts, and where to divide them by time."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from functools import partial, reduce
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F  # noqa: N812  # pyspark's own convention
from pyspark.sql import types as T  # noqa: N812  # pyspark's own convention

from featurestore.engines.spark.retrieve.exchange.blocks import BYTES_PER_BIND, gathered
from featurestore.engines.spark.retrieve.exchange.buckets import (
    HotKey,
    Span,
    Times,
    bucket_numbers,
    choose_edges,
    reach_of,
    sends_few_copies,
)
from featurestore.engines.spark.retrieve.exchange.in_task import in_task
from featurestore.engines.spark.retrieve.exchange.key_sets import KeySet
from featurestore.engines.spark.retrieve.exchange.layout import BUCKET, SOURCE, TIME, key_name
from featurestore.engines.spark.retrieve.exchange.spine_facts import joined, span
from featurestore.engines.spark.retrieve.task import SliceTask, bind_part
from featurestore.engines.spark.types import spark_type

MOST_HOT_KEYS = 1000
"""At most this many keys of a key set are divided: those with the most rows."""

_QUANTILES = 128
_SAMPLED_ROWS = 100_000
_SAMPLED_ROWS_OF_A_KEY = 1_000
_ACCURACY = 10_000
_ROWS, _TIMES = "rows", "times"
_NO_TIMES = Times(0, ())


@dataclass(frozen=True)
class Moments:
    """Reads the keys and moments of the spine in Spark tasks.

    Args:
        task: The whole call.
        spine: The spine.
        key_set: The key set.
    """

    task: SliceTask
    spine: DataFrame
    key_set: KeySet

    def rows(self, hot: Sequence[HotKey] = ()) -> DataFrame:
        """Return the keys, the bucket, and the moments of rows with all keys.

        The columns have the names of `key_name`, and `moment_name` for each time column.

        Args:
            hot: The hot keys; a row of another key has the bucket 0.
        """
        fields = [
            *(
                T.StructField(key_name(number), spark_type(dtype))
                for number, dtype in enumerate(self.key_set.types)
            ),
            T.StructField(BUCKET, T.LongType()),
            *(
                T.StructField(moment_name(number), T.LongType())
                for number in range(len(self.key_set.moments))
            ),
        ]
        read = partial(_moments_in_task, self.task, self.key_set, tuple(hot))
        return with_all_keys(
            self.spine.mapInArrow(read, T.StructType(fields)), len(self.key_set.columns)
        )


@dataclass(frozen=True)
class Candidates:
    """The rows in which hot keys are looked for.

    Args:
        moments: Reads the spine.
        stored: For each use of a view, its keys and event times that may matter; the columns are
            named by `key_name` and `TIME`.
        rows: About how many rows there are.
        rows_per_bucket: About how many rows of a key a task shall hold.
    """

    moments: Moments
    _: KW_ONLY
    stored: Sequence[DataFrame]
    rows: int
    rows_per_bucket: int

    @property
    def most(self) -> int:
        """A key with more rows than this is divided."""
        return 2 * self.rows_per_bucket


def moment_name(position: int) -> str:
    """Return the name of the column with the moments of a time column."""
    return f"moment{position}"


def with_all_keys(rows: DataFrame, keys: int) -> DataFrame:
    """Return the rows without a null in a key."""
    for number in range(keys):
        rows = rows.where(F.col(key_name(number)).isNotNull())
    return rows


def find_hot_keys(candidates: Candidates) -> tuple[HotKey, ...]:
    """Return the keys to divide, with the moments of their buckets.

    One job counts the rows of each key, in a sample if there are many rows. Only if a key has too
    many, two more jobs look at such keys. With few rows there is no job.

    Args:
        candidates: The rows.
    """
    key_set = candidates.moments.key_set
    names = _keys(key_set)
    if candidates.rows <= candidates.most:
        return ()
    rows, share = _all_times(candidates), _share(candidates)
    sampled = rows if share == 1.0 else rows.sample(share, seed=0)
    counted = sampled.groupBy(*names).agg(F.count(F.lit(1)).alias(_ROWS))
    many = counted.where(F.col(_ROWS) > candidates.most * share)
    found = many.orderBy(F.desc(_ROWS)).limit(MOST_HOT_KEYS).collect()
    if not found:
        return ()
    keys = [tuple(row[name] for name in names) for row in found]
    times = _times(candidates, rows, keys)
    divided = (HotKey(key, _edges(candidates, of_key), {}) for key, of_key in times.items())
    hot = [key for key in divided if key.edges]
    known = _with_spans(candidates.moments, hot) if hot else ()
    return tuple(key for key in known if _is_worth_it(candidates, key, times[key.key]))


def hot_key_frame(like: DataFrame, keys: Sequence[tuple[Any, ...]], key_set: KeySet) -> DataFrame:
    """Return keys as a small DataFrame, with the columns of `key_name`.

    Args:
        like: A DataFrame of the session.
        keys: The keys.
        key_set: The key set.
    """
    fields = [
        T.StructField(key_name(number), spark_type(dtype))
        for number, dtype in enumerate(key_set.types)
    ]
    return like.sparkSession.createDataFrame(list(keys), T.StructType(fields))


def _keys(key_set: KeySet) -> list[str]:
    return [key_name(number) for number in range(len(key_set.columns))]


def _share(candidates: Candidates) -> float:
    """Return the share of the rows in which keys are counted.

    A key with so many rows that it is divided has hundreds of them in the sample.
    """
    share = max(_SAMPLED_ROWS / candidates.rows, _SAMPLED_ROWS_OF_A_KEY / candidates.most)
    return min(1.0, share)


def _all_times(candidates: Candidates) -> DataFrame:
    """Return (keys, source, time) of the spine's rows and of the stored rows."""
    names = _keys(candidates.moments.key_set)
    moments = candidates.moments.rows()
    spine = moments.select(*names, F.lit(0).alias(SOURCE), F.col(moment_name(0)).alias(TIME))
    stored = (
        rows.select(*names, F.lit(number).alias(SOURCE), TIME)
        for number, rows in enumerate(candidates.stored, 1)
    )
    return reduce(DataFrame.unionAll, stored, spine).where(F.col(TIME).isNotNull())


def _times(
    candidates: Candidates, rows: DataFrame, keys: Sequence[tuple[Any, ...]]
) -> dict[tuple[Any, ...], dict[int, Times]]:
    """Return for each key the times of the spine's rows, and of the stored rows of each use."""
    names = _keys(candidates.moments.key_set)
    if names:
        hot = hot_key_frame(rows, keys, candidates.moments.key_set)
        rows = rows.join(F.broadcast(hot), names, "left_semi")
    steps = [(number + 0.5) / _QUANTILES for number in range(_QUANTILES)]
    quantiles = F.percentile_approx(TIME, steps, _ACCURACY).alias(_TIMES)
    found = rows.groupBy(*names, SOURCE).agg(F.count(F.lit(1)).alias(_ROWS), quantiles).collect()
    times: dict[tuple[Any, ...], dict[int, Times]] = {}
    for row in found:
        key = tuple(row[name] for name in names)
        times.setdefault(key, {})[row[SOURCE]] = Times(row[_ROWS], tuple(row[_TIMES]))
    return times


def _is_worth_it(candidates: Candidates, key: HotKey, times: Mapping[int, Times]) -> bool:
    uses = enumerate(candidates.moments.key_set.uses, 1)
    stored = [(use, times[number]) for number, use in uses if number in times]
    return sends_few_copies(key, times.get(0, _NO_TIMES), stored)


def _edges(candidates: Candidates, times: Mapping[int, Times]) -> tuple[int, ...]:
    reaches = [reach_of(use) for use in candidates.moments.key_set.uses]
    uses = [(times[n], reach) for n, reach in enumerate(reaches, 1) if n in times]
    return choose_edges(times.get(0, _NO_TIMES), uses, candidates.rows_per_bucket)


def _with_spans(moments: Moments, hot: Sequence[HotKey]) -> tuple[HotKey, ...]:
    """Return the hot keys with the moments of the spine's rows in each of their buckets."""
    key_set = moments.key_set
    names, numbers = _keys(key_set), range(len(key_set.moments))
    rows = moments.rows(hot).where(F.col(BUCKET) > 0)
    extremes = [
        function(moment_name(n)).alias(f"{function.__name__}{n}")
        for n in numbers
        for function in (F.min, F.max)
    ]
    found = rows.groupBy(*names, BUCKET).agg(*extremes).collect()
    by_key: dict[tuple[Any, ...], dict[int, Row]] = {}
    for row in found:
        by_key.setdefault(tuple(row[name] for name in names), {})[row[BUCKET]] = row
    return tuple(_key_with_spans(key, by_key.get(key.key, {}), key_set) for key in hot)


def _key_with_spans(key: HotKey, rows: Mapping[int, Row], key_set: KeySet) -> HotKey:
    spans = {}
    for number, name in enumerate(key_set.moments):
        alone = [
            span(rows[n][f"min{number}"], rows[n][f"max{number}"]) if n in rows else None
            for n in range(1, key.buckets + 1)
        ]
        spans[name] = tuple(_of_equal_buckets(key, alone))
    return replace(key, spans=spans)


def _of_equal_buckets(key: HotKey, spans: Sequence[Span | None]) -> list[Span | None]:
    """Return one span for all buckets that share their moments.

    Which of them a row is in depends on the values of the user's columns.
    """
    starts = (None, *key.edges)
    shared: dict[int | None, Span | None] = {}
    for start, each in zip(starts, spans, strict=True):
        shared[start] = joined([each, shared.get(start)])
    return [shared[start] for start in starts]


def _moments_in_task(
    task: SliceTask,
    key_set: KeySet,
    hot: tuple[HotKey, ...],
    batches: Iterator[pa.RecordBatch],
) -> Iterator[pa.RecordBatch]:
    with in_task():
        for rows in gathered(batches, BYTES_PER_BIND):
            bound = bind_part(task, rows)
            columns = {key_name(n): bound[name] for n, name in enumerate(key_set.columns)}
            columns[BUCKET] = pa.array(bucket_numbers(key_set, hot, bound, rows))
            for number, name in enumerate(key_set.moments):
                columns[moment_name(number)] = bound[name].cast(pa.int64())
            yield from pa.table(columns).combine_chunks().to_batches()
