"""A CSV file's values are its texts; declared types and nothing else change them."""

import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import featurestore as fs
from featurestore.client.spines.read import read_spine
from featurestore.errors import SpineError
from tests.client.spines.files import reader

TYPES = {
    "name": fs.String,
    "id": fs.Int64,
    "small": fs.Int32,
    "flag": fs.Boolean,
    "day": fs.Date,
    "at": fs.Timestamp,
    "price": fs.Decimal(10, 2),
    "x": fs.Float64,
    "single": fs.Float32,
}


read = reader("spine.csv", TYPES)


def values(tmp_path: Path, name: str, *texts: str, declared: Any = TYPES) -> list:
    """Return the values of a column with these texts."""
    return read(tmp_path, "\n".join([name, *texts]), declared)[name].to_pylist()


@pytest.mark.parametrize("text", ["007", "NA", "null", "1e5", "true", "2026-01-05", " x ", "0x10"])
@pytest.mark.parametrize("quoted", [False, True])
def test_a_declared_text_is_the_text_of_the_file(tmp_path: Path, text: str, quoted: bool) -> None:
    assert values(tmp_path, "name", f'"{text}"' if quoted else text) == [text]


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("id", "007", 7),
        ("id", " +8 ", 8),
        ("id", '"9"', 9),
        ("id", str(2**63 - 1), 2**63 - 1),
        ("id", "7.0", 7),
        ("id", "1e5", 100_000),
        ("small", str(2**31 - 1), 2**31 - 1),
        ("flag", "True", True),
        ("flag", "0", False),
        ("day", "2026-01-31", date(2026, 1, 31)),
        ("at", "2026-01-31 10:00:00+01:00", datetime(2026, 1, 31, 9, tzinfo=UTC)),
        ("price", "1.5", Decimal("1.50")),
        ("x", "1e5", 100_000.0),
        ("x", "-inf", float("-inf")),
        ("single", "1.5", 1.5),
    ],
)
def test_a_declared_type_says_what_a_text_means(
    tmp_path: Path, name: str, text: str, value: object
) -> None:
    assert values(tmp_path, name, text) == [value]


@pytest.mark.parametrize("name", TYPES)
def test_a_value_that_is_empty_is_null(tmp_path: Path, name: str) -> None:
    table = read(tmp_path, f"{name},other\n,1\n")

    assert table[name].to_pylist() == [None]


def test_a_text_that_is_empty_is_no_null(tmp_path: Path) -> None:
    assert values(tmp_path, "name", '""') == [""]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("id", "7.5"),
        ("id", "0x10"),
        ("small", str(2**31)),
        ("id", "1_000"),
        ("id", "NA"),
        ("id", str(2**63)),
        ("flag", "yes"),
        ("day", "2026-02-30"),
        ("day", "2026-01-31T00:00:00"),
        ("price", "1.105"),
        ("price", "123456789.00"),
        ("x", "1e400"),
        ("x", "1e-400"),
        ("x", str(2**53 + 1)),
        ("x", "1,5"),
        ("single", "1e39"),
        ("single", "16777217"),
    ],
)
def test_a_text_of_another_type_is_refused_with_its_line(
    tmp_path: Path, name: str, text: str
) -> None:
    with pytest.raises(SpineError) as refused:
        read(tmp_path, f'other,{name}\n"two\nlines",\n\n1,"{text}"\n')

    assert str(tmp_path / "spine.csv") in refused.value.call
    facts = (repr(name), str(TYPES[name]), "line 5", repr(text))
    assert [fact for fact in facts if fact not in refused.value.found] == []


def test_lists_are_refused_with_the_files_that_hold_them(tmp_path: Path) -> None:
    with pytest.raises(SpineError) as refused:
        read(tmp_path, "name,x\na,[1]\n", {"x": fs.Array(fs.Int64)})

    assert ("'x'" in refused.value.found, ".jsonl" in refused.value.fix) == (True, True)
    assert read(tmp_path, "name,x\na,\n", {"x": fs.Array(fs.Int64)})["x"].to_pylist() == [None]


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["00501", "10115"], ["00501", "10115"]),
        (["12345678901234567890"], ["12345678901234567890"]),
        (["1.10", "1.2"], ["1.10", "1.2"]),
        (["1", "2.0"], ["1", "2.0"]),
        (["1e5"], ["1e5"]),
        (["NA", "nan"], ["NA", "nan"]),
        (["2026-01-05"], ["2026-01-05"]),
        (["True", "true"], ["True", "true"]),
        (["", ""], [None, None]),
        (["1", "", "-3"], [1, None, -3]),
        (["1.5", "2"], [1.5, 2.0]),
        (["1.5", "2.0", "1e-05"], [1.5, 2.0, 0.00001]),
        (["True", "False"], [True, False]),
    ],
)
def test_another_column_changes_only_if_its_values_are_written_so(
    tmp_path: Path, texts: list[str], expected: list
) -> None:
    table = read(tmp_path, "\n".join(["row,other", *(f"{n},{t}" for n, t in enumerate(texts))]))

    assert table["other"].to_pylist() == expected
    assert list(map(type, table["other"].to_pylist())) == list(map(type, expected))


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("", "empty"),
        ("\n\n", "empty"),
        ("id,x\n1,2\n1,2,3\n", "line 3"),
        ("id,x\n1\n", "line 2"),
        ('id,x\n"a\nb",2\n1,2,3\n', "line 4"),
        ('id,x\n1,"2\n3,4\n', "line 2"),
        ('id,x\n1,2\n"1"2,3\n', "line 3"),
        ("id;x\n1;2\n", "';'"),
        ("id\tx\n1\t2\n", "'\\t'"),
        ("id,id\n1,2\n", "'id'"),
        ("id,x\n1,caf\xe9\n".encode("latin-1"), "line 2"),
        ("caf\xe9,x\n1,2\n".encode("latin-1"), "line 1"),
        ("id,x\n1,2\n".encode("utf-16"), "UTF-16"),
    ],
)
def test_a_file_that_is_no_csv_is_refused_with_its_line(
    tmp_path: Path, text: str | bytes, fact: str
) -> None:
    with pytest.raises(SpineError) as refused:
        read(tmp_path, text)

    assert str(tmp_path / "spine.csv") in refused.value.call
    assert fact in refused.value.found


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_ends_and_byte_order_marks_do_not_matter(tmp_path: Path, end: str, mark: str) -> None:
    table = read(tmp_path, f"{mark}id,name{end}1,x{end}")

    assert table.to_pylist() == [{"id": 1, "name": "x"}]


def test_a_file_without_rows_has_typed_columns(tmp_path: Path) -> None:
    table = read(tmp_path, "id,name,at\n")

    assert table.num_rows == 0
    assert table.schema.types == [pa.int64(), pa.string(), pa.timestamp("us", "UTC")]


def test_the_suffix_may_be_in_capitals(tmp_path: Path) -> None:
    (tmp_path / "SPINE.CSV").write_text("id\n1\n")

    assert read_spine(tmp_path / "SPINE.CSV", TYPES)["id"].to_pylist() == [1]


def test_types_may_be_declared_after_the_rows_are_used(tmp_path: Path) -> None:
    (tmp_path / "keys.csv").write_text("name\n007\n")

    grid = fs.time_grid(
        str(tmp_path / "keys.csv"), start="2026-01-01", end="2026-01-03", every="1d"
    )

    assert read_spine(grid, TYPES)["name"].to_pylist() == ["007", "007"]
    assert read_spine(grid, {"name": fs.Int64})["name"].to_pylist() == [7, 7]


CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))


@given(st.lists(st.tuples(CELLS, CELLS), min_size=1))
def test_texts_come_back_whatever_is_in_them(tmp_path_factory, rows: list) -> None:
    file = io.StringIO(newline="")
    csv.writer(file, quoting=csv.QUOTE_ALL).writerows([("name", "other"), *rows])

    folder = tmp_path_factory.mktemp("csv", numbered=True)
    table = read(folder, file.getvalue(), {"name": fs.String, "other": fs.String})

    assert [tuple(row.values()) for row in table.to_pylist()] == rows
