"""Rows as files: each value comes back exactly, or its column is refused by name."""

import csv
import json
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from featurestore.cli.files import require_file, write_file
from featurestore.client.plain_types import plain_column
from featurestore.client.spines.read import read_spine
from featurestore.errors import RequestError

LARGE = 2**53 + 1
NOON = datetime(2026, 1, 2, 12, 30, tzinfo=UTC)
WORDS = pa.array(["é", None, ""])


def encoded(values: pa.Array, words: list[object]) -> pa.Array:
    return pa.DictionaryArray.from_arrays(values, pa.array(words))


CASES = [
    # values, in JSON, in CSV
    (pa.array([2**64 - 1, None], pa.uint64()), [2**64 - 1, None], ["18446744073709551615", ""]),
    (pa.array([LARGE, None]), [LARGE, None], [str(LARGE), ""]),
    (pa.array([float("nan"), None]), ["NaN", None], ["nan", ""]),
    (pa.array([float("inf"), -float("inf")]), ["Infinity", "-Infinity"], ["inf", "-inf"]),
    (pa.array([1.5, None], pa.float16()), [1.5, None], ["1.5", ""]),
    (pa.array([True, None]), [True, None], ["true", ""]),
    (pa.array(["a", None]).dictionary_encode(), ["a", None], ["a", ""]),
    (encoded(pa.array([0, 1], pa.int8()), ["a", None]), ["a", None], ["a", ""]),
    (pa.array(["a", None], pa.string_view()), ["a", None], ["a", ""]),
    (pa.RunEndEncodedArray.from_arrays([1, 2], [7, None]), [7, None], ["7", ""]),
    (pa.nulls(2), [None, None], ["", ""]),
    (pa.array([Decimal("1.10"), None]), ["1.10", None], ["1.10", ""]),
    (pa.array([b"\xff", None]), ["ff", None], ["ff", ""]),
    (pa.array([b"ab", None], pa.binary(2)), ["6162", None], ["6162", ""]),
    (pa.array([date(1, 1, 1), None]), ["0001-01-01", None], ["0001-01-01", ""]),
    (pa.array([time(1, 2, 3), None]), ["01:02:03", None], ["01:02:03.000000", ""]),
    (pa.array([1, None], pa.time64("ns")), ["00:00:00.000000001", None],
     ["00:00:00.000000001", ""]),
    (pa.array([NOON, None], pa.timestamp("us", tz="UTC")), ["2026-01-02T12:30:00+00:00", None],
     ["2026-01-02 12:30:00.000000Z", ""]),
    (pa.array([1, None], pa.timestamp("ns", tz="UTC")), ["1970-01-01T00:00:00.000000001Z", None],
     ["1970-01-01 00:00:00.000000001Z", ""]),
    (pa.array([-1500, None], pa.duration("ms")), ["-PT1.5S", None], ["-PT1.5S", ""]),
    (pa.array([1, None], pa.duration("ns")), ["PT0.000000001S", None], ["PT0.000000001S", ""]),
    (pa.ExtensionArray.from_storage(pa.uuid(), pa.array([UUID(int=5).bytes, None], pa.binary(16))),
     [str(UUID(int=5)), None], [str(UUID(int=5)), ""]),
]  # fmt: skip
NESTED = [
    (pa.array([[LARGE, None], None]), [[LARGE, None], None]),
    (pa.array([[1.5, float("nan")], []]), [[1.5, "NaN"], []]),
    (pa.array([{"a": float("inf")}, None]), [{"a": "Infinity"}, None]),
    (pa.array([[("a", 1)], None], pa.map_(pa.string(), pa.int64())), [[["a", 1]], None]),
    (pa.array([[NOON], None]), [["2026-01-02T12:30:00+00:00"], None]),
    (pa.array([[1], []], pa.list_view(pa.int64())), [[1], []]),
]


def refuse(constant: str) -> object:
    raise ValueError(constant)


@pytest.mark.parametrize(
    ("values", "expected"),
    [case[:2] for case in CASES] + NESTED,
    ids=lambda v: str(getattr(v, "type", "")),
)
def test_json_lines_have_each_value_for_a_strict_reader(tmp_path: Path, values, expected) -> None:
    write_file(pa.table({"x": values}), tmp_path / "rows.jsonl")

    lines = (tmp_path / "rows.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line, parse_constant=refuse) for line in lines] == [
        {"x": each} for each in expected
    ]


@pytest.mark.parametrize(("values", "expected"), [(case[0], case[2]) for case in CASES])
def test_csv_has_each_value(tmp_path: Path, values, expected) -> None:
    write_file(pa.table({"n": [1, 2], "x": values}), tmp_path / "rows.csv")

    with (tmp_path / "rows.csv").open(encoding="utf-8", newline="") as file:
        assert [row["x"] for row in csv.DictReader(file)] == expected


def test_in_csv_an_empty_text_is_no_null(tmp_path: Path) -> None:
    write_file(pa.table({"x": WORDS, "n": [1, 2, 3]}), tmp_path / "rows.csv")

    assert (tmp_path / "rows.csv").read_text("utf-8") == '"x","n"\n"é",1\n,2\n"",3\n'


@pytest.mark.parametrize("values", [case[0] for case in CASES] + [case[0] for case in NESTED])
def test_parquet_has_each_value(tmp_path: Path, values) -> None:
    write_file(pa.table({"x": values}), tmp_path / "rows.parquet")

    read = plain_column(pq.read_table(tmp_path / "rows.parquet")["x"])
    written = plain_column(pa.chunked_array([values]))
    assert read.equals(written) or str(read.to_pylist()) == str(written.to_pylist())


FAR = pa.array([9_404_918_380_800, None], pa.timestamp("s"))
INTERVAL = pa.array([pa.MonthDayNano([1, 2, 3])] * 2)
BROKEN = pa.Array.from_buffers(pa.string(), 1, pa.array([b"\xff"]).buffers())


@pytest.mark.parametrize(
    ("values", "suffix"),
    [
        (FAR, ".jsonl"),
        (FAR, ".csv"),
        (pa.array([253_402_300_800_000_000], pa.timestamp("us", "Asia/Tokyo")), ".csv"),
        (FAR.cast(pa.date32()), ".csv"),
        (pa.array([-1_000_000], pa.int32()).cast(pa.date32()), ".csv"),
        (BROKEN, ".jsonl"),
        (BROKEN, ".csv"),
        (INTERVAL, ".csv"),
        (INTERVAL, ".parquet"),
    ],
)
def test_a_column_that_a_format_cannot_hold_is_refused_by_name(tmp_path, values, suffix) -> None:
    with pytest.raises(RequestError) as error:
        write_file(pa.table({"odd": values}), tmp_path / f"rows{suffix}")

    assert "'odd'" in error.value.found
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", [".JSONL", ".Csv", ".PARQUET"])
def test_suffixes_may_have_capital_letters(tmp_path: Path, suffix) -> None:
    rows = pa.table({"x": [1, 2]})

    write_file(rows, tmp_path / f"rows{suffix}")

    assert read_spine(tmp_path / f"rows{suffix}", {})["x"].to_pylist() == [1, 2]


@pytest.mark.parametrize("name", ["rows", "rows.txt", "s3://bucket/rows.csv"])
def test_a_file_that_cannot_be_written_is_refused_before_rows_are_computed(name) -> None:
    with pytest.raises(RequestError) as refused:
        require_file(name)

    assert refused.value.call == f"--out {name}"
    assert ("--engine spark" in refused.value.fix) == (not name.endswith(".txt"))
