"""The kernel equals the reference at the limits of values, dates and durations."""

import datetime as dt
import math
import struct
import tempfile
from decimal import Decimal as PythonDecimal
from pathlib import Path

from hypothesis import assume, given
from hypothesis import strategies as st

from featurestore.definitions.model.types import (
    Array,
    Binary,
    Boolean,
    Date,
    Decimal,
    Float32,
    Float64,
    Int32,
    Int64,
    String,
    Timestamp,
)
from featurestore.engines import reference
from tests.effort import examples
from tests.engines.kernel.compare import check, wrong_cells
from tests.engines.kernel.worlds import FIRST, LAST, LONGEST, Kit, World, worlds
from tests.engines.stored_world import ask_world, write_world


def nan_of(bits: int) -> float:
    """Return a NaN with a payload."""
    return struct.unpack("<d", struct.pack("<Q", bits))[0]


def decimals(*texts: str) -> st.SearchStrategy:
    """Return decimals from texts; arithmetic would round them to 28 digits."""
    return st.sampled_from([PythonDecimal(text) for text in texts])


NINES = "9" * 38
WHOLE = [-(2**63), -(2**63) + 1, -(2**62), -1, 0, 1, 2**53 + 1, 2**62, 2**63 - 2, 2**63 - 1]
REAL = [
    *(0.0, -0.0, 5e-324, -5e-324, 2.2250738585072014e-308, 1e16, 1e-16, 1 + 2**-52, 0.1),
    *(1.7976931348623157e308, -1.7976931348623157e308, 8.98846567431158e307),
    *(math.inf, -math.inf, math.nan, nan_of(0xFFF8000000000123), nan_of(0x7FF0000000000001)),
]
SINGLE = [0.0, -0.0, 2.0**-149, 3.4028234663852886e38, -3.4028234663852886e38, math.nan, math.inf]
WORDS = [
    *("", "\0", "a", "a\0", "A", " ", "\u00e9", "e\u0301", "\u00e9\0", "ß", "ss", "z" * 40),
    *("\ud7ff", "\uffff", "\U00010000", "\U0001f600"),  # UTF-16 has another order
]
DAYS = [dt.date.min, dt.date.max, dt.date(1969, 12, 31), dt.date(1970, 1, 1)]
MOMENTS = [
    dt.datetime(1, 1, 1, tzinfo=dt.UTC),
    dt.datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=dt.UTC),
    dt.datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=dt.UTC),
]
KEYS = {
    "id": (Int64, st.sampled_from(WHOLE)),
    "n": (Int32, st.sampled_from([-(2**31), 2**31 - 1, 0])),
    "name": (String, st.sampled_from(WORDS)),
    "born": (Date, st.sampled_from(DAYS)),
    "active": (Boolean, st.booleans()),
}
VALUES = {
    "whole": (Int64, st.sampled_from(WHOLE)),
    "small": (Int32, st.sampled_from([-(2**31), 2**31 - 1, 0, 1, -1])),
    "real": (Float64, st.sampled_from(REAL) | st.floats()),
    "single": (Float32, st.sampled_from(SINGLE) | st.floats(width=32)),
    "word": (String, st.sampled_from(WORDS)),
    "big": (
        Decimal(38, 0),
        decimals(NINES, f"-{NINES}", "0", "1", "-1", "5e37", "-5e37", str(2**64), str(-(2**96))),
    ),
    "fine": (Decimal(38, 38), decimals(f"0.{NINES}", f"-0.{NINES}", "0", "1e-38", "0.5")),
    "price": (Decimal(20, 5), decimals("999999999999999.99999", "-1.5", "0.00001", "0")),
    "day": (Date, st.sampled_from(DAYS)),
    "seen": (Timestamp, st.sampled_from(MOMENTS)),
    "flag": (Boolean, st.booleans()),
    "bits": (Binary, st.sampled_from([b"", b"\0", b"\xff", b"\xff\0"])),
    "path": (Array(Float64), st.lists(st.none() | st.sampled_from([math.nan, -0.0]), max_size=2)),
}
EDGES = Kit(
    keys=KEYS,
    joined=((), ("id",), ("name",), ("active",), ("born", "active", "n"), ("n", "id", "name")),
    values=VALUES,
    by=("word", "small", "flag", "day", "whole"),
    units=(1,),
    starts=(0, -15),
)
FAR = Kit(
    keys=KEYS,
    joined=((), ("active",), ("id",)),
    values={name: VALUES[name] for name in ("small", "word", "real")},
    by=("word",),
    units=(1, 10**15, 10**17),
    starts=(0, -15, FIRST - 10, LAST - 20, FIRST // 10**15 - 2),
    durations=(1, LONGEST, 2**61, LAST, -FIRST, LAST - FIRST),
)


@given(worlds(kit=EDGES))
@examples(100)
def test_values_and_keys_at_the_edges_of_their_types(world: World) -> None:
    check(world)


@given(worlds(kit=FAR))
@examples(100)
def test_moments_and_durations_at_the_edges_of_time(world: World) -> None:
    check(world)


@given(worlds(kit=EDGES))
@examples(30)
def test_values_and_keys_at_the_edges_from_delta_tables(world: World) -> None:
    check_from_delta(world)


@given(worlds(kit=FAR))
@examples(30)
def test_moments_and_durations_at_the_edges_from_delta_tables(world: World) -> None:
    check_from_delta(world)


def check_from_delta(world: World) -> None:
    """Compare every cell of a world without overflows."""
    try:
        expected = reference.answer(world.query, world.spine, world.rows)
    except reference.IntegerOverflowError:
        assume(False)
    with tempfile.TemporaryDirectory() as folder:
        table = write_world(world, Path(folder) / "table", commits=2, row_group=3)
        answer = ask_world(world, table, rows_per_chunk=2)
    assert wrong_cells(world, expected, answer) == []
