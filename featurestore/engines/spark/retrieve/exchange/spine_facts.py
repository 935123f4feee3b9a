"""What the spine's rows of each key set have in common, from one job for all key sets."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame

from featurestore.engines.spark.retrieve.exchange.blocks import BYTES_PER_BIND, gathered
from featurestore.engines.spark.retrieve.exchange.buckets import Span
from featurestore.engines.spark.retrieve.exchange.in_task import in_task
from featurestore.engines.spark.retrieve.exchange.key_sets import KeySet, has_all_keys
from featurestore.engines.spark.retrieve.task import SliceTask, bind_part

_NAMES = ("key_set", "moment", "rows", "bytes", "first", "last")
_FACTS = ", ".join(f"{name} long" for name in _NAMES)
_Facts = tuple[int, int, Span | None]
"""A number of rows, their bytes, and the first and last moment of one time column."""


@dataclass(frozen=True)
class SpineFacts:
    """What the spine's rows of a key set have in common.

    Args:
        rows: The number of rows with all keys.
        row_bytes: The mean bytes of one, with all columns of the user.
        spans: For each time column, the earliest and the latest moment; None without any.
    """

    rows: int
    row_bytes: int
    spans: Mapping[str, Span | None]


def spine_facts(
    task: SliceTask, spine: DataFrame, sets: Sequence[KeySet]
) -> tuple[SpineFacts, ...]:
    """Return the number of rows of a spine, and its first and last moments, for each key set.

    Args:
        task: The whole call.
        spine: The spine, which Spark reads once.
        sets: The key sets.
    """
    if not sets:
        return ()
    # Each task returns a row for a key set and a time column.
    found = spine.mapInArrow(partial(_facts_in_task, task, tuple(sets)), _FACTS).toArrow()
    of_tasks: dict[tuple[int, int], list[_Facts]] = {}
    for row in found.to_pylist():
        facts = row["rows"], row["bytes"], span(row["first"], row["last"])
        of_tasks.setdefault((row["key_set"], row["moment"]), []).append(facts)
    return tuple(_facts(key_set, number, of_tasks) for number, key_set in enumerate(sets))


def span(first: int | None, last: int | None) -> Span | None:
    """Return the moments from a first to a last one; None if there are none.

    Example:
        >>> span(3, 5), span(None, None)
        (Span(first=3, last=5), None)
    """
    return None if first is None or last is None else Span(first, last)


def joined(spans: Sequence[Span | None]) -> Span | None:
    """Return the moments of several spans; None if there are none.

    Example:
        >>> joined([Span(3, 5), None, Span(1, 4)])
        Span(first=1, last=5)
    """
    known = [each for each in spans if each is not None]
    if not known:
        return None
    return Span(min(each.first for each in known), max(each.last for each in known))


def _facts(
    key_set: KeySet, number: int, of_tasks: Mapping[tuple[int, int], Sequence[_Facts]]
) -> SpineFacts:
    of_moments = [of_tasks.get((number, moment), ()) for moment in range(len(key_set.moments))]
    spans = {
        name: joined([each for _, _, each in found])
        for name, found in zip(key_set.moments, of_moments, strict=True)
    }
    rows = sum(count for count, _, _ in of_moments[0])
    size = sum(of_task for _, of_task, _ in of_moments[0])
    return SpineFacts(rows, -(-size // max(rows, 1)), spans)


def _facts_in_task(
    task: SliceTask, sets: tuple[KeySet, ...], batches: Iterator[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    found: dict[tuple[int, int], _Facts] = {}
    with in_task():
        for rows in gathered(batches, BYTES_PER_BIND):
            bound = bind_part(task, rows)
            for number, key_set in enumerate(sets):
                inside = bound.filter(pa.array(has_all_keys(key_set, bound)))
                size = rows.nbytes * inside.num_rows // rows.num_rows
                for moment, name in enumerate(key_set.moments):
                    ends = pc.min_max(inside[name].cast(pa.int64())).as_py()
                    earlier, earlier_size, seen = found.get((number, moment), (0, 0, None))
                    both = joined([seen, span(ends["min"], ends["max"])])
                    count = earlier + inside.num_rows
                    found[number, moment] = count, earlier_size + size, both
    rows_of_facts = [
        (*place, count, size, *((None, None) if seen is None else (seen.first, seen.last)))
        for place, (count, size, seen) in found.items()
    ]
    schema = pa.schema([(name, pa.int64()) for name in _NAMES])
    yield pa.RecordBatch.from_pylist(
        [dict(zip(_NAMES, row, strict=True)) for row in rows_of_facts], schema
    )
