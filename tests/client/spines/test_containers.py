"""Whatever holds the rows of a spine, the same keys and moments are bound."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import featurestore as fs
from featurestore.client.spines.read import read_spine
from featurestore.engines.bind import bind
from featurestore.errors import SpineError
from featurestore.query.nodes import Column, KeyBinding, Query, ViewQuery
from featurestore.query.requirements import spine_types

KEYS = (KeyBinding("id", "id", fs.Int64), KeyBinding("name", "name", fs.String))
VIEW = ViewQuery("v", keys=KEYS, timestamp_field="at", columns=(Column("x", "x", fs.Float64),))
QUERY = Query("call()", (VIEW,), "at")
SCHEMA = pa.schema([("id", pa.int64()), ("name", pa.string()), ("at", pa.timestamp("us", "UTC"))])
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)

ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.none() | st.integers(-(2**63), 2**63 - 1),
            "name": st.none() | st.text(st.characters(exclude_categories=["Cs", "Cc"])),
            # The years that nanoseconds of 64 bits reach: those of pandas 2.
            "at": st.datetimes(datetime(1678, 1, 1), datetime(2262, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
        }
    ),
    min_size=1,
)


def arrow(rows: list[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(rows, SCHEMA)


def of_file(suffix: str, write: Callable[[list, Path], None]) -> Callable[[list], pa.Table]:
    """Return a function that writes rows to a file and reads the file as a spine."""

    def read(rows: list[dict[str, Any]]) -> pa.Table:
        with TemporaryDirectory() as folder:
            path = Path(folder, f"spine{suffix}")
            write(rows, path)
            return read_spine(path, spine_types(QUERY))

    return read


def texts(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows with their moments as texts of one offset."""
    zone = timezone(timedelta(hours=5, minutes=30))
    return [row | {"at": row["at"].astimezone(zone).isoformat()} for row in rows]


CONTAINERS: dict[str, Callable[[list[dict[str, Any]]], Any]] = {
    "dicts": lambda rows: rows,
    "dicts with texts": texts,
    "dicts with pandas times": lambda rows: [r | {"at": pd.Timestamp(r["at"])} for r in rows],
    "arrow": arrow,
    "arrow views": lambda rows: arrow(rows).cast(
        pa.schema([SCHEMA.field("id"), pa.field("name", pa.string_view()), SCHEMA.field("at")])
    ),
    "arrow chunks": lambda rows: pa.concat_tables(
        arrow(rows[n : n + 1]) for n in range(len(rows))
    ),
    "pandas": lambda rows: arrow(rows).to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get),
    "pandas objects": lambda rows: pd.DataFrame(rows, dtype=object),
    "pandas categories": lambda rows: pd.DataFrame(rows, dtype=object).astype(
        {"name": "category"}
    ),
    "pandas of arrow": lambda rows: arrow(rows).to_pandas(types_mapper=pd.ArrowDtype),
    "pandas nanoseconds": lambda rows: pd.DataFrame(rows, dtype=object).astype(
        {"at": "datetime64[ns, UTC]"}
    ),
    "polars": lambda rows: pl.from_arrow(arrow(rows)),
    "polars categories": lambda rows: pl.from_arrow(arrow(rows)).with_columns(
        pl.col("name").cast(pl.Categorical), pl.col("id").cast(pl.Int128)
    ),
    "duckdb": lambda rows: duckdb.from_arrow(arrow(rows)).project('id::hugeint AS id, name, "at"'),
    "parquet": of_file(".parquet", lambda rows, path: pq.write_table(arrow(rows), path)),
    "feather": of_file(".feather", lambda rows, path: feather.write_feather(arrow(rows), path)),
    "csv": of_file(".csv", lambda rows, path: pacsv.write_csv(arrow(rows), path)),
    "csv of pandas": of_file(
        ".csv",
        lambda rows, path: pd.DataFrame(
            [row | {"name": row["name"] or "x"} for row in texts(rows)], dtype=object
        ).to_csv(path, index=False),
    ),
    "json": of_file(
        ".jsonl",
        lambda rows, path: path.write_text("\n".join(map(json.dumps, texts(rows)))) and None,
    ),
}


@pytest.mark.parametrize("container", CONTAINERS)
@given(rows=ROWS)
def test_every_container_has_the_same_keys_and_moments(container: str, rows: list) -> None:
    if container == "csv of pandas":  # pandas writes a null and an empty text alike
        rows = [row | {"name": row["name"] or "x"} for row in rows]
    expected = bind(QUERY, arrow(rows))

    bound = bind(QUERY, read_spine(CONTAINERS[container](rows), spine_types(QUERY)))

    assert bound.schema == expected.schema
    assert bound.to_pylist() == expected.to_pylist()


NAIVE = NOON.replace(tzinfo=None)
FINE = pd.Timestamp("2026-03-01T12:00:00.000000001Z")


def dicts(times: list[Any]) -> list[dict[str, Any]]:
    """Return rows with these times."""
    return [{"id": n, "name": "a", "at": time} for n, time in enumerate(times)]


OBJECTS: dict[str, Callable[[list[dict[str, Any]]], Any]] = {
    "dicts": lambda rows: rows,
    "pandas": lambda rows: pd.DataFrame(rows, dtype=object),
    "polars": lambda rows: pl.DataFrame(
        [pl.Series(name, [row[name] for row in rows], pl.Object) for name in SCHEMA.names]
    ),
}


@pytest.mark.parametrize("container", OBJECTS)
@pytest.mark.parametrize(
    "times",
    [
        [NOON, NAIVE],
        [NAIVE, NOON],
        [NOON, NOON.date()],
        [NOON.date(), NOON],
        [NOON, "2026-03-01T12:00:00Z"],
        [NOON, 1_772_366_400],
        [FINE, NOON],
        ["2026-03-01T12:00:00Z", "2026-03-01T12:00:00"],
        ["2026-03-01T12:00:00Z", "2026-03-01T12:00:00.0000001Z"],
        [NOON.date()],
        [12.5],
        [True],
    ],
)
@pytest.mark.parametrize("zone", [None, "Europe/Paris"])
def test_every_container_refuses_times_that_are_no_moments(
    container: str, times: list, zone: str | None
) -> None:
    with pytest.raises(SpineError) as refused:
        bind(
            QUERY, read_spine(OBJECTS[container](dicts(times)), spine_types(QUERY)), timezone=zone
        )

    assert "'at'" in refused.value.found


@pytest.mark.parametrize("container", OBJECTS)
@pytest.mark.parametrize("missing", [None, pd.NaT, pd.NA, float("nan")])
def test_every_container_has_the_same_missing_times(container: str, missing: object) -> None:
    spine = read_spine(OBJECTS[container](dicts([NOON, missing])), spine_types(QUERY))

    assert bind(QUERY, spine, null_times="keep")["at"].to_pylist() == [NOON, None]
    with pytest.raises(SpineError, match="1 of 2"):
        bind(QUERY, spine)
