"""Columns of each Arrow type that a spine may have: three values, of which the second is null."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID

import pyarrow as pa

LARGE = 2**53 + 1
FIRST, LAST = datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59, 999_999)  # noqa: DTZ001 - naive
NOON = datetime(2026, 3, 1, 12, 30, 5, 678_901, tzinfo=UTC)
UUIDS = pa.array([UUID(int=5).bytes, None, UUID(int=6).bytes], pa.binary(16))


def _scalars() -> list[pa.Array]:
    integers = [
        pa.array([2**bits - 1, None, 0], kind)
        for kind, bits in (
            (pa.int8(), 7),
            (pa.int16(), 15),
            (pa.int32(), 31),
            (pa.int64(), 63),
            (pa.uint8(), 8),
            (pa.uint16(), 16),
            (pa.uint32(), 32),
            (pa.uint64(), 64),
        )
    ]
    floats = [
        pa.array([1.5, None, -0.25], kind) for kind in (pa.float16(), pa.float32(), pa.float64())
    ]
    decimals = [
        pa.array([Decimal("1.10"), None, Decimal("-2.25")], kind)
        for kind in (
            pa.decimal32(5, 2),
            pa.decimal64(12, 2),
            pa.decimal128(10, 2),
            pa.decimal256(60, 2),
        )
    ]
    decimals.append(pa.array([Decimal("1200"), None, Decimal("-300")], pa.decimal128(5, -2)))
    texts = [
        pa.array(["é", None, ""], kind)
        for kind in (pa.string(), pa.large_string(), pa.string_view())
    ]
    binaries = [
        pa.array([b"\xff\x00", None, b"ab"], kind)
        for kind in (pa.binary(), pa.large_binary(), pa.binary_view(), pa.binary(2))
    ]
    others = [pa.nulls(3), pa.array([True, None, False])]
    return integers + floats + decimals + texts + binaries + others


def _times() -> list[pa.Array]:
    dates = [
        pa.array([date(1, 1, 1), None, date(9999, 12, 31)], kind)
        for kind in (pa.date32(), pa.date64())
    ]
    clocks = [
        pa.array([time(1, 2, 3), None, time(0)], kind)
        for kind in (pa.time32("s"), pa.time32("ms"), pa.time64("us"), pa.time64("ns"))
    ]
    whole = [FIRST, None, LAST.replace(microsecond=0)]
    naive = [
        pa.array(whole, pa.timestamp("s")),
        pa.array(whole, pa.timestamp("ms")),
        pa.array([FIRST, None, LAST], pa.timestamp("us")),
        pa.array([NOON.replace(tzinfo=None), None, None], pa.timestamp("ns")),
    ]
    zoned = [
        pa.array([NOON, None, NOON], pa.timestamp("us", tz=zone))
        for zone in ("UTC", "America/New_York", "+05:30")
    ]
    durations = [
        pa.array([timedelta(days=5), None, timedelta(seconds=-1)], pa.duration(unit))
        for unit in ("s", "ms", "us", "ns")
    ]
    return dates + clocks + naive + zoned + durations


def _encoded() -> list[pa.Array]:
    codes = pa.array([1, None, 0], pa.uint32())
    words = (
        pa.array(["lo", "hi"]),
        pa.array(["lo", "hi"], pa.string_view()),
        pa.array([7, LARGE]),
        pa.array([1.5, 2.5]),
        pa.array([True, False]),
        pa.array([Decimal("1.10"), Decimal("2.20")]),
        pa.array([date(1, 1, 1), date(9999, 12, 31)]),
        pa.array([NOON, NOON + timedelta(1)], pa.timestamp("us", tz="UTC")),
        pa.array([timedelta(0), timedelta(1)]),
    )
    return [
        *(pa.DictionaryArray.from_arrays(codes, each) for each in words),
        pa.DictionaryArray.from_arrays(codes, words[0], ordered=True),
        pa.DictionaryArray.from_arrays(pa.array([1, 0, 1], pa.int8()), pa.array([None, "hi"])),
        pa.DictionaryArray.from_arrays(pa.array([1, None, 0], pa.int8()), pa.array(["hi", "hi"])),
        pa.RunEndEncodedArray.from_arrays([1, 2, 3], pa.array([LARGE, None, 7])),
        pa.RunEndEncodedArray.from_arrays([1, 2, 3], pa.array(["hi", None, ""])),
        pa.ExtensionArray.from_storage(pa.uuid(), UUIDS),
        pa.ExtensionArray.from_storage(pa.bool8(), pa.array([1, None, 0], pa.int8())),
        pa.ExtensionArray.from_storage(pa.json_(), pa.array(["[1]", None, "2"])),
    ]


def _nested() -> list[pa.Array]:
    integers = [[LARGE, None], None, [7, 8]]
    lists = [
        pa.array(integers, kind(pa.int64()))
        for kind in (pa.list_, pa.large_list, pa.list_view, pa.large_list_view)
    ]
    items = (
        ([2**64 - 1, None], pa.uint64()),
        ([True, None], pa.bool_()),
        ([1.5, None], pa.float64()),
        (["a", None], pa.string()),
        (["a", None], pa.string_view()),
        ([Decimal("1.10"), None], pa.decimal128(5, 2)),
        ([date(1, 1, 1), None], pa.date32()),
        ([LAST, None], pa.timestamp("us")),
        ([NOON, None], pa.timestamp("us", tz="America/New_York")),
        ([timedelta(1), None], pa.duration("us")),
        ([None], pa.null()),
        ([[LARGE, None], None], pa.list_(pa.int64())),
        ([{"a": LARGE}, {"a": None}], pa.struct([("a", pa.int64())])),
    )
    return [
        *lists,
        pa.array(integers, pa.list_(pa.int64(), 2)),
        *(pa.array([values, None, []], pa.list_(kind)) for values, kind in items),
        pa.array([{"a": LARGE, "b": "x"}, None, {"a": None, "b": None}]),
        pa.array([{"a": [{"c": LARGE}]}, None, {"a": None}]),
        pa.array([[("a", LARGE), ("b", None)], None, []], pa.map_(pa.string(), pa.int64())),
        pa.array([[(1, [2.5])], None, []], pa.map_(pa.int64(), pa.list_(pa.float64()))),
    ]


COLUMNS = [*_scalars(), *_times(), *_encoded(), *_nested()]


def chunked(column: pa.Array) -> pa.ChunkedArray:
    """Return the values in two chunks, each a slice of one array."""
    return pa.chunked_array([column.slice(0, 1), column.slice(1)])
