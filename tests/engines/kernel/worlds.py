"""Generated small worlds: a query, a spine and rows, as dictionaries and as Arrow tables."""

import datetime as dt
import hashlib
import math
from dataclasses import dataclass, replace
from decimal import Decimal as PythonDecimal

import pyarrow as pa
from hypothesis import strategies as st

from featurestore.definitions.model.aggregation import output_type
from featurestore.definitions.model.functions import (
    FUNCTION_SPECS,
    FunctionSpec,
    functions_that_take,
    parse_function,
)
from featurestore.definitions.model.types import (
    Boolean,
    DataType,
    Date,
    Decimal,
    Float32,
    Float64,
    Int32,
    Int64,
    String,
    Timestamp,
)
from featurestore.query.nodes import Aggregate, Column, KeyBinding, Rows, ViewQuery, Window
from featurestore.store.columns import arrow_type
from featurestore.times import to_micros

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)

VALUES: dict[str, DataType] = {
    "whole": Int64,
    "small": Int32,
    "real": Float64,
    "single": Float32,
    "word": String,
    "price": Decimal(10, 2),
    "day": Date,
    "seen": Timestamp,
    "flag": Boolean,
}

KEYS: dict[str, tuple[DataType, st.SearchStrategy]] = {
    "id": (Int64, st.sampled_from([1, 1, 1, 2, 3])),
    "wide": (Int64, st.sampled_from([0, 0, -(2**63), 2**63 - 1])),
    "name": (String, st.sampled_from(["a", "a", "", "ab", "é", "z"])),
    "born": (Date, st.sampled_from([dt.date(1969, 1, 1), dt.date(2000, 1, 1)])),
    "active": (Boolean, st.booleans()),
}

REALS = [
    0.0,
    -0.0,
    0.1,
    0.2,
    -0.3,
    1e300,
    -1e300,
    1e-300,
    1.5,
    7.25,
    math.nan,
    math.inf,
    -math.inf,
]

VALUE_STRATEGIES = {
    "whole": st.sampled_from([0, 1, -2, 3, 2**62, -(2**62), 2**53 + 1]),
    "small": st.integers(-3, 3),
    "real": st.sampled_from(REALS) | st.floats(-10, 10),
    "single": st.sampled_from([0.5, -0.25, 2.0, math.nan]) | st.floats(-4, 4, width=32),
    "word": st.sampled_from(["", "a", "aa", "b", "é"]),
    "price": st.sampled_from([PythonDecimal(text) for text in ("-1.50", "0.00", "0.01", "99.99")]),
    "day": st.sampled_from([dt.date(1969, 12, 31), dt.date(2000, 1, 1), dt.date(2000, 1, 2)]),
    "seen": st.sampled_from([EPOCH, EPOCH - dt.timedelta(microseconds=1)]),
    "flag": st.booleans(),
}


BY = ("word", "small", "flag", "day")


def texts_of(spec: FunctionSpec) -> set[str]:
    """Return a function as it can be written: with its usual, its least and its most number."""
    if spec.numbered is None:
        return {spec.name}
    few = min(spec.numbered.least + 8, spec.numbered.most)
    named = spec.numbered.other_names.values()
    numbers = (spec.numbered.sample, spec.numbered.least, few, spec.numbered.most, *named)
    return {spec.written(number) for number in numbers}


TEXTS = tuple(text for spec in FUNCTION_SPECS.values() for text in sorted(texts_of(spec)))
NAMED = (("order", "part"), ("event_timestamp", "part"))
"""Columns that may identify an event, besides a column of its own."""
FIRST = to_micros(dt.datetime(1, 1, 1, tzinfo=dt.UTC))
LAST = to_micros(dt.datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=dt.UTC))
LONGEST = 2**62 - 1
"""The longest duration that can be declared, in microseconds."""
SIZES = st.sampled_from([0, 4, 8])


@dataclass(frozen=True, kw_only=True)
class Kit:
    """The parts of generated worlds.

    Args:
        keys: The key columns: their types and values.
        joined: The columns of each possible key.
        values: The value columns: their types and values.
        by: The value columns that can be categories.
        units: Steps of time, in microseconds; times are few steps from each other.
        starts: The first moment of a world, in steps.
        durations: Lengths of windows, delays and so on, besides those of a few steps.
    """

    keys: dict[str, tuple[DataType, st.SearchStrategy]]
    joined: tuple[tuple[str, ...], ...]
    values: dict[str, tuple[DataType, st.SearchStrategy]]
    by: tuple[str, ...]
    units: tuple[int, ...]
    starts: tuple[int, ...]
    durations: tuple[int, ...] = ()

    def steps(self, unit: int, most: int, least: int = 0) -> st.SearchStrategy[int]:
        """Return durations of ``least`` to ``most`` steps, or of the other lengths."""
        few = st.integers(least, most).map(lambda n: min(n * unit, LONGEST))
        return few | st.sampled_from(self.durations) if self.durations else few


ORDINARY = Kit(
    keys=KEYS,
    joined=((), ("id",), ("wide",), ("name",), ("id", "name"), ("born", "active")),
    values={name: (dtype, VALUE_STRATEGIES[name]) for name, dtype in VALUES.items()},
    by=BY,
    units=(1, 1, 1, 3_600_000_000, 10**15),
    starts=(0, -15),
)


@dataclass(frozen=True)
class World:
    """A query, a spine and stored rows."""

    query: ViewQuery
    spine: list[dict]
    rows: list[dict]

    def spine_table(self) -> pa.Table:
        """Return the spine as Arrow."""
        return spine_table(self.query, self.spine)

    def rows_table(self) -> pa.Table:
        """Return the rows as Arrow."""
        return rows_table(self.query, self.rows)


def spine_table(query: ViewQuery, spine: list[dict]) -> pa.Table:
    """Return spine rows as Arrow."""
    types = {key.spine_column: arrow_type(key.dtype) for key in query.keys}
    types[query.timestamp_field] = pa.timestamp("us", tz="UTC")
    return _table(types, spine)


def rows_table(query: ViewQuery, rows: list[dict]) -> pa.Table:
    """Return stored rows as Arrow."""
    moment = pa.timestamp("us", tz="UTC")
    types = {key.key: arrow_type(key.dtype) for key in query.keys}
    types |= {"event_timestamp": moment, "available_timestamp": moment}
    types |= {"_seq": pa.int64()} if query.rows.has_sequence else {}
    types |= {"_deleted": pa.bool_()} if query.rows.has_deleted else {}
    kinds = VALUES | {"part": String}
    named = [name for name in query.rows.unique_by if name not in types]
    types |= {name: arrow_type(kinds.get(name, Int64)) for name in named}
    dtypes = {feature.column: feature.dtype for feature in (*query.columns, *query.aggregates)}
    dtypes |= {each.by: each.result.key for each in query.aggregates if each.by}
    types |= {name: arrow_type(dtypes[name]) for name in query.value_columns}
    return _table(types | {"_row_hash": pa.int64()}, rows)


def _table(types: dict[str, pa.DataType], rows: list[dict]) -> pa.Table:
    return pa.table(
        {name: pa.array([row.get(name) for row in rows], kind) for name, kind in types.items()}
    )


@st.composite
def worlds(
    draw: st.DrawFn, *, aggregates: bool | None = None, late: bool = True, kit: Kit = ORDINARY
) -> World:
    """Generate a world; with ``late=False`` each row is visible at its event plus the delay."""
    keys, unit = draw(st.sampled_from(kit.joined)), draw(st.sampled_from(kit.units))
    rule = Rows(
        available_delay=draw(st.just(0) | kit.steps(unit, 3)),
        unique_by=draw(st.sampled_from([(), (), ("order",), *NAMED])),
        has_sequence=draw(st.booleans()),
        has_deleted=draw(st.booleans()),
    )
    query = ViewQuery(
        "view",
        keys=tuple(KeyBinding(name, f"spine_{name}", kit.keys[name][0]) for name in keys),
        timestamp_field="at",
        rows=rule,
        ttl=draw(st.none() | kit.steps(unit, 12)),
        strict=draw(st.booleans()),
    )
    windows = draw(st.booleans()) if aggregates is None else aggregates
    query = replace(query, **draw(_aggregates(kit, unit) if windows else _columns(kit)))
    start = draw(st.sampled_from(kit.starts))
    moment = st.integers(start, start + 30).map(lambda n: within(n * unit))
    # Few different moments, so that ties, edges and exact matches are frequent.
    moment = st.sampled_from(draw(st.lists(moment, min_size=1, max_size=7)))
    key_parts = {f"spine_{name}": seldom_null(kit.keys[name][1]) for name in keys}
    spine_row = st.fixed_dictionaries(key_parts | {"at": seldom_null(moment)})
    spine = draw(st.lists(spine_row, min_size=draw(SIZES), max_size=8))
    row = _row(kit, query, moment, unit, late=late)
    return World(query, spine, draw(st.lists(row, min_size=draw(SIZES), max_size=16)))


def within(micros: int) -> int:
    """Return the nearest moment that Python, Spark and Delta all have."""
    return min(max(micros, FIRST), LAST)


def seldom_null(values: st.SearchStrategy) -> st.SearchStrategy:
    """Return the values, and null in one of ten cases."""
    return st.integers(0, 9).flatmap(lambda n: values if n else st.none())


def _columns(kit: Kit) -> st.SearchStrategy[dict]:
    names = st.lists(st.sampled_from(list(kit.values)), min_size=1, max_size=3, unique=True)
    return names.map(
        lambda chosen: {"columns": tuple(Column(n, n, kit.values[n][0]) for n in chosen)}
    )


@st.composite
def _aggregates(draw: st.DrawFn, kit: Kit, unit: int) -> dict:
    windows = st.builds(
        Window,
        size=st.none() | kit.steps(unit, 20, 1),
        delay=st.just(0) | kit.steps(unit, 4),
        closed_right=st.booleans(),
        every=st.none() | kit.steps(unit, 9, 1),
        offset=kit.steps(unit, 8),
    )
    choices = [("*", None, "count")] + [
        (name, dtype, function)
        for name, (dtype, _) in kit.values.items()
        for function in TEXTS
        if output_type(function, dtype) is not None
    ]
    chosen = draw(st.lists(st.tuples(st.sampled_from(choices), windows), min_size=1, max_size=4))
    return {"aggregates": tuple(_aggregate(draw, kit, n, *each) for n, each in enumerate(chosen))}


def _aggregate(draw: st.DrawFn, kit: Kit, n: int, choice: tuple, window: Window) -> Aggregate:
    column, dtype, function = choice
    by = draw(st.sampled_from([None, *kit.by])) if function in functions_that_take("by") else None
    result = output_type(function, dtype, by and kit.values[by][0])
    name, number = parse_function(function)
    numeric = result in (Int64, Float64)
    return Aggregate(
        f"f{n}",
        column=column,
        dtype=dtype,
        function=name,
        number=number,
        window=window,
        result=result,
        empty=draw(st.sampled_from([None, -7])) if numeric else None,
        by=by,
        ddof=draw(st.sampled_from([0, 1])),
    )


@st.composite
def _row(
    draw: st.DrawFn,
    kit: Kit,
    query: ViewQuery,
    moment: st.SearchStrategy,
    unit: int,
    *,
    late: bool,
) -> dict:
    row = {key.key: draw(seldom_null(kit.keys[key.key][1])) for key in query.keys}
    event = row["event_timestamp"] = draw(seldom_null(moment))
    lag = draw(st.sampled_from([0, 0, 0, -2, 1, 2, 5, 12, None] if late else [0]))
    available = None if event is None or lag is None else event + lag * unit
    row["available_timestamp"] = (
        None if available is None else within(available + query.rows.available_delay)
    )
    row["_seq"] = draw(st.none() | st.integers(0, 2)) if query.rows.has_sequence else None
    row["_deleted"] = (
        draw(st.sampled_from([False, False, False, None, True]))
        if query.rows.has_deleted
        else None
    )
    row["order"] = draw(st.none() | st.integers(0, 2)) if query.rows.unique_by else None
    row["part"] = draw(st.sampled_from([None, "", "a"])) if query.rows.unique_by else None
    for name in query.value_columns:
        row[name] = draw(seldom_null(kit.values[name][1]))
    row["_row_hash"] = content_hash(row)
    return row


def content_hash(row: dict) -> int:
    """Return a hash of 64 bits of the row's content."""
    digest = hashlib.blake2b(repr(sorted(row.items())).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little", signed=True)
