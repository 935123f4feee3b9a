"""A JSON file's values are read exactly, and declared types give texts their meaning."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from math import isnan
from pathlib import Path

import pyarrow as pa
import pytest

import featurestore as fs
from featurestore.errors import SpineError
from tests.client.spines.files import reader

TYPES = {
    "name": fs.String,
    "id": fs.Int64,
    "day": fs.Date,
    "at": fs.Timestamp,
    "price": fs.Decimal(10, 2),
    "x": fs.Float64,
    "single": fs.Float32,
}


read = reader("spine.jsonl", TYPES)


@pytest.mark.parametrize(
    "text",
    [
        '{"id": 1}\n\n{"id": 2, "name": "x"}\n',
        '\ufeff{"id": 1}\r\n{"id": 2, "name": "x"}\r\n',
        '[{"id": 1},\n {"id": 2, "name": "x"}]',
    ],
)
def test_lines_and_arrays_of_objects_are_rows(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text).to_pylist() == [{"id": 1, "name": None}, {"id": 2, "name": "x"}]


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("name", '"007"', "007"),
        ("name", '"2026-01-05"', "2026-01-05"),
        ("day", '"2026-01-05"', date(2026, 1, 5)),
        ("at", '"2026-01-05T01:00:00+01:00"', datetime(2026, 1, 5, tzinfo=UTC)),
        ("price", '"1.50"', Decimal("1.50")),
        ("price", "1.10", Decimal("1.10")),
        ("x", '"Infinity"', float("inf")),
        ("x", "1.50", 1.5),
        ("single", "0.1", 0.10000000149011612),
        ("note", '"2026-01-05T00:00:00Z"', "2026-01-05T00:00:00Z"),
        ("note", "12345678901234567890", 12345678901234567890),
        ("note", "0.1234567890123456789", Decimal("0.1234567890123456789")),
        ("note", '"a\\u2028b"', "a\u2028b"),
        ("note", "true", True),
    ],
)
def test_a_value_is_what_json_says_or_what_is_declared(
    tmp_path: Path, name: str, value: str, expected: object
) -> None:
    assert read(tmp_path, f'{{"{name}": {value}}}')[name].to_pylist() == [expected]


@pytest.mark.parametrize(
    ("values", "dtype", "expected"),
    [
        (
            [[["a", 1]], [], None, [["b", None], ["a", 2]]],
            pa.map_(pa.string(), pa.int64()),
            [[("a", 1)], [], None, [("b", None), ("a", 2)]],
        ),
        ([[[True, 1]]], pa.map_(pa.bool_(), pa.int64()), [[(True, 1)]]),
        (
            [[["a", 1.5], ["b", "Infinity"]]],
            pa.map_(pa.string(), pa.float64()),
            [[("a", 1.5), ("b", float("inf"))]],
        ),
        ([[[1, 2.5]]], pa.list_(pa.list_(pa.float64())), [[[1.0, 2.5]]]),
        ([[["a", "b"]], []], pa.list_(pa.list_(pa.string())), [[["a", "b"]], []]),
    ],
)
def test_pairs_of_two_kinds_are_the_maps_that_out_writes(
    tmp_path: Path, values: list, dtype: pa.DataType, expected: list
) -> None:
    lines = "".join(json.dumps({"x": value, "id": 1}) + "\n" for value in values)

    table = read(tmp_path, lines)

    assert table.column_names == ["x", "id"]
    assert table["x"].type == dtype
    assert table["x"].to_pylist() == expected


@pytest.mark.parametrize("value", [[["a", 1], ["b", True]], [["a", 1], [2, "b"]], [["a", 1, 2]]])
def test_lists_of_several_kinds_that_are_no_maps_are_refused(tmp_path: Path, value: list) -> None:
    with pytest.raises(SpineError, match="'x'"):
        read(tmp_path, json.dumps({"x": [["a", 1]]}) + "\n" + json.dumps({"x": value}))


def test_numbers_of_one_column_have_one_type(tmp_path: Path) -> None:
    special = read(tmp_path, '{"x": 1.5}\n{"x": "NaN"}\n{"x": NaN}', {})["x"]
    decimals = read(tmp_path, '{"x": 0.1234567890123456789}\n{"x": 0.5}\n{"x": 1}', {})["x"]

    assert [isnan(value) for value in special.to_pylist()] == [False, True, True]
    assert decimals.to_pylist() == [Decimal("0.1234567890123456789"), Decimal("0.5"), 1]


def test_numbers_in_lists_have_one_type_too(tmp_path: Path) -> None:
    special = read(tmp_path, '{"x": [1.5, "NaN"]}\n{"x": ["Infinity"]}\n{"x": null}', {})["x"]
    decimals = read(tmp_path, '{"x": [0.1234567890123456789]}\n{"x": []}', {})["x"]
    texts = read(tmp_path, '{"x": ["NaN", "a"]}', {})["x"]

    structs = read(
        tmp_path, '{"x": {"a": 1.5, "b": ["NaN"]}}\n{"x": {"a": "NaN", "b": [2.5]}}', {}
    )

    [first, second] = structs["x"].to_pylist()
    assert (first["a"], isnan(second["a"])) == (1.5, True)
    assert (isnan(first["b"][0]), second["b"]) == (True, [2.5])
    [[number, nan], [infinity], missing] = special.to_pylist()
    assert (number, isnan(nan), infinity, missing) == (1.5, True, float("inf"), None)
    assert decimals.to_pylist() == [[Decimal("0.1234567890123456789")], []]
    assert texts.to_pylist() == [["NaN", "a"]]


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("", "empty"),
        ("[]", "empty"),
        ('{"id": 1}\n{"id": 2', "line 2"),
        ('{"id": 1}\n{"id": 2} {"id": 3}', "line 2"),
        ('{"id": 1}\n5', "line 2"),
        ('{"id": 1}\nnull', "line 2"),
        ('{"id": 1, "id": 2}', "'id'"),
        ('{"id": 1}\n\n{"id": "a"}', "line 3"),
        ('{"name": "\\ud800"}', "line 1"),
        ('{"id": 1}\n{"day": "soon"}', "line 2"),
        ('{"id": 1}\n{"price": 1.105}', "line 2"),
        ('{"id": 1}\n{"single": 1e39}', "line 2"),
        ('{"at": "2026-01-01T00:00:00Z"}\n{"at": "2026-01-01T00:00:00"}', "line 2"),
        ("[" * 100_000, "line 1"),
        ('{"id": ' + "9" * 5000 + "}", "line 1"),
        (b'{"id": 1}\n{"name": "caf\xe9"}', "line 2"),
    ],
)
def test_a_file_that_is_no_json_of_rows_is_refused_with_its_line(
    tmp_path: Path, text: str | bytes, fact: str
) -> None:
    with pytest.raises(SpineError) as refused:
        read(tmp_path, text)

    assert str(tmp_path / "spine.jsonl") in refused.value.call
    assert fact in refused.value.found


def test_numbers_may_be_in_quotes_as_in_the_files_of_sources(tmp_path: Path) -> None:
    assert read(tmp_path, json.dumps({"id": "7"}))["id"].to_pylist() == [7]
    assert read(tmp_path, '{"id": 7.0}')["id"].to_pylist() == [7]


def test_texts_in_lists_have_the_meaning_of_their_type(tmp_path: Path) -> None:
    declared = {"days": fs.Array(fs.Date), "at": fs.Array(fs.Timestamp), "x": fs.Array(fs.Float32)}
    text = """{"days": ["2026-01-05", null], "at": ["2026-01-05T01:00:00+01:00"], "x": [0.1]}
        {"days": null, "at": [], "x": []}"""

    table = read(tmp_path, text, declared)

    assert table["days"].to_pylist() == [[date(2026, 1, 5), None], None]
    assert table["at"].to_pylist() == [[datetime(2026, 1, 5, tzinfo=UTC)], []]
    assert table["x"].to_pylist() == [[0.10000000149011612], []]


def test_a_wrong_text_in_a_list_is_refused_with_its_line(tmp_path: Path) -> None:
    declared = {"days": fs.Array(fs.Date)}

    with pytest.raises(SpineError) as refused:
        read(tmp_path, '{"days": ["2026-01-05"]}\n{"days": ["2026-01-06", "soon"]}', declared)

    assert ("line 2" in refused.value.found, "'soon'" in refused.value.found) == (True, True)
