"""Generated worlds for the shapes: the rows of a source, the rows to store, and a spine."""

import datetime as dt
import math
from dataclasses import dataclass
from decimal import Decimal

import pyarrow as pa
from hypothesis import strategies as st

from featurestore.definitions.model.view import FeatureView
from featurestore.query.compile import compile_reference
from featurestore.query.nodes import ViewQuery
from featurestore.store.columns import (
    AVAILABLE_TIME,
    DELETED,
    EVENT_TIME,
    ROW_HASH,
    SEQUENCE,
    UTC_MICROS,
    arrow_type,
)
from featurestore.times import parse_duration
from tests.engines.kernel.worlds import VALUE_STRATEGIES, World, content_hash, seldom_null
from tests.laws.shapes import VALUES, Shape

SECOND = 1_000_000
SPINE_TIME = "moment"

KEYS = {
    "id": st.sampled_from([1, 1, 1, 2, 2**62, -(2**63)]),
    "name": st.sampled_from(["a", "a", "", "ab", "é", "e\u0301", "\U0001f600"]),
    "born": st.sampled_from([dt.date(1969, 1, 1), dt.date(2000, 1, 1)]),
    "active": st.booleans(),
    "small_id": st.sampled_from([0, 0, -(2**31)]),
}
# No sum may overflow: one error would hide the answers of all other worlds in the table.
CELLS = VALUE_STRATEGIES | {
    "whole": st.sampled_from([0, 1, -2, 3, 2**58, -(2**58), 2**53 + 1]),
    "real": st.sampled_from([0.0, -0.0, 0.1, -0.3, 1e300, 1e-300, 7.25, math.nan, math.inf]),
    "word": st.sampled_from(["", "a", "aa", "é", "e\u0301", "\U0001f600", "\uffff"]),
    "price": st.sampled_from([Decimal(text) for text in ("-1.50", "0.00", "0.01", "99999999.99")]),
    "bits": st.sampled_from([b"", b"\x00", b"\xff\x00"]),
    "path": st.lists(st.none() | st.integers(-2, 2), max_size=2),
}
LAGS = st.sampled_from([0, 0, 0, -2, 1, 2, 5, 12, None])
JITTER = st.sampled_from([0, 0, 0, 0, 1, -1, 999])


@dataclass(frozen=True)
class Sample:
    """A tiny world of one shape; times are microseconds.

    Args:
        rows: The source's rows.
        spine: The spine rows, without the world's number.
    """

    rows: tuple[dict, ...]
    spine: tuple[dict, ...]


@st.composite
def samples(draw: st.DrawFn, shape: Shape) -> Sample:
    """Generate a world with few keys and moments, so that ties and exact matches are frequent."""
    seconds = draw(st.lists(st.tuples(st.integers(0, 30), JITTER), min_size=1, max_size=7))
    moment = st.sampled_from([shape.start + n * SECOND + off for n, off in seconds])
    names = [key.name for key in shape.view.join_keys if key.name != "world"]
    keys = {name: seldom_null(KEYS[name]) for name in names}
    row = st.fixed_dictionaries(
        keys
        | {"at": seldom_null(moment), "lag": LAGS}
        | {name: seldom_null(CELLS[name]) for name in source_values(shape.view)}
        | {"n": st.none() | st.integers(0, 2), "change": st.none() | st.integers(0, 2)}
        | {"gone": st.sampled_from([False, False, False, None, True])}
    )
    spine_row = st.fixed_dictionaries(
        {f"spine_{name}": values for name, values in keys.items()}
        | {SPINE_TIME: seldom_null(moment)}
    )
    size = st.sampled_from([0, 4, 8])
    rows = draw(st.lists(row, min_size=2 * draw(size), max_size=20))
    spine = draw(st.lists(spine_row, min_size=max(1, draw(size)), max_size=8))
    return Sample(tuple(map(_with_available_at, rows)), tuple(spine))


def source_values(view: FeatureView) -> list[str]:
    """Return the source's columns that are stored unchanged, without keys and special columns."""
    named = [field.name for field in view.schema]
    return named + [name for name in view.unique_columns if name in VALUES and name not in named]


def source_table(shape: Shape, numbered: list[tuple[int, dict]]) -> pa.Table:
    """Return source rows with their world's number, in types narrower than the declared ones."""
    view = shape.view
    types = {key.name: arrow_type(key.dtype) for key in view.join_keys}
    types |= {name: arrow_type(VALUES[name]) for name in source_values(view)}
    moment = pa.int64() if view.source.unit else UTC_MICROS
    types |= {"at": moment, "available_at": moment, "gone": pa.bool_()}
    types |= {"n": pa.int16(), "change": pa.int32()}
    types |= {"small": pa.int16()} if "small" in types else {}
    rows = [row | {"world": number} for number, row in numbered]
    return pa.table(
        {name: pa.array([row[name] for row in rows], kind) for name, kind in types.items()}
    )


def spine_table(shape: Shape, numbered: list[tuple[int, dict]]) -> pa.Table:
    """Return spine rows, each with its world's number."""
    types = {f"spine_{key.name}": arrow_type(key.dtype) for key in shape.view.join_keys}
    rows = [row | {"spine_world": number} for number, row in numbered]
    return pa.table(
        {
            name: pa.array([row[name] for row in rows], kind)
            for name, kind in (types | {SPINE_TIME: UTC_MICROS}).items()
        }
    )


def stored_row(view: FeatureView, number: int, row: dict) -> dict | None:
    """Return the row that materialization must store for a source row; None for none."""
    keys = {key.name: number if key.name == "world" else row[key.name] for key in view.join_keys}
    if row["at"] is None or None in keys.values():
        return None
    source, delay = view.source, parse_duration(view.available_delay)
    available = row["available_at"] if source.available_timestamp_field else row["at"]
    stored = keys | {
        EVENT_TIME: row["at"],
        AVAILABLE_TIME: None if available is None else available + delay,
    }
    stored |= {SEQUENCE: row["n"]} if source.sequence_field else {}
    stored |= {DELETED: row["gone"]} if source.deleted_field else {}
    stored |= {name: row[name] for name in view.unique_columns if name in row}
    return stored | {field.name: row[field.name] for field in view.schema}


def queries(shape: Shape) -> tuple[ViewQuery, ...]:
    """Return the queries of the shape's uses."""
    return tuple(compile_reference(use, SPINE_TIME) for use in shape.uses)


def world_of(query: ViewQuery, number: int, spine: list[dict], stored: list[dict]) -> World:
    """Return a single world, as the reference and the shrinking take it."""
    numbered = [row | {"spine_world": number} for row in spine]
    hashed = [{ROW_HASH: content_hash(row)} | row for row in stored]
    return World(query, numbered, hashed)


def _with_available_at(row: dict) -> dict:
    lag = row.pop("lag")
    available = None if row["at"] is None or lag is None else row["at"] + lag * SECOND
    return row | {"available_at": available}
