"""One contestant's point-in-time join on the workload, in a process of its own.

Prints one JSON line: seconds (the best of several runs), rows, and column sums to compare by.
Run: ``python -m benchmarks.contestants duckdb DATA``.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import polars as pl
import pyarrow.parquet as pq

import featurestore as fs

REPEATS = 3
THREADS = 2

Answer = tuple[int, list[float]]


def views(data: Path) -> dict[str, list[str]]:
    """Return the features of each view."""
    return {
        folder.name: [
            name
            for name in pq.read_schema(folder / "part-0.parquet").names
            if name not in ("id", "ts")
        ]
        for folder in sorted(data.glob("v*"))
    }


def scan(data: Path) -> Answer:
    """The floor: read every needed column once."""
    connection = _duckdb()
    rows, sums = 0, []
    for view, names in views(data).items():
        picks = ", ".join(f"sum({name})" for name in names)
        row = connection.execute(
            f"select count(*), max(id), max(epoch_us(ts)), {picks} from '{data}/{view}/*.parquet'"
        ).fetchone()
        rows, sums = rows + row[0], sums + list(row[3:])
    return rows, sums


def duckdb_asof(data: Path) -> Answer:
    """DuckDB's ASOF join, one a view, to an Arrow table."""
    names = views(data)
    picks = ", ".join(f"{view}.{name}" for view in names for name in names[view])
    joins = " ".join(
        f"asof left join '{data}/{view}/*.parquet' {view} "
        f"on s.id = {view}.id and s.ts >= {view}.ts"
        for view in names
    )
    table = (
        _duckdb()
        .execute(f"select s.*, {picks} from '{data}/spine.parquet' s {joins}")
        .to_arrow_table()
    )
    return table.num_rows, [_sum(table[name]) for view in names for name in names[view]]


def polars_asof(data: Path) -> Answer:
    """Polars' join_asof, one a view, by the streaming engine."""
    names = views(data)
    answer = pl.scan_parquet(data / "spine.parquet").sort("ts")
    for view in names:
        right = pl.scan_parquet(data / view / "*.parquet").sort("ts")
        answer = answer.join_asof(right, on="ts", by="id", check_sortedness=False)
    frame = answer.collect(engine="streaming")
    return frame.height, [frame[name].sum() for view in names for name in names[view]]


def ours(data: Path) -> Answer:
    """Featurestore's local engine, from the pinned Delta tables to an Arrow table."""
    store = fs.FeatureStore(data)
    spine = pq.read_table(data / "spine.parquet")
    frame = store.get_historical_features("bench", spine, timestamp_field="ts")
    table = frame.to_arrow()
    return table.num_rows, [_sum(table[name]) for name in frame.features]


CONTESTANTS: dict[str, Callable[[Path], Answer]] = {
    "scan": scan,
    "duckdb": duckdb_asof,
    "polars": polars_asof,
    "featurestore": ours,
}


def main() -> None:
    """Run one contestant several times and print its best as one JSON line."""
    name, data = sys.argv[1], Path(sys.argv[2])
    seconds = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        rows, sums = CONTESTANTS[name](data)
        seconds.append(time.perf_counter() - start)
    print(
        json.dumps(
            {"name": name, "seconds": min(seconds), "all": seconds, "rows": rows, "sums": sums}
        )
    )


def _duckdb() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute(f"set threads={THREADS}; set timezone='UTC'")
    return connection


def _sum(column) -> float:
    return float(pl.from_arrow(column).sum())


if __name__ == "__main__":
    main()
