"""CSV and JSON lines: what other programs write is read unchanged, and what is unclear refused."""

import csv
import gzip
import io
from collections.abc import Callable, Iterable

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from featurestore.definitions.model.types import (
    Array,
    Field,
    Float32,
    Float64,
    Int64,
    String,
    Timestamp,
)
from featurestore.engines.files import csv_blocks
from featurestore.engines.files import json_rows as json_rows_module
from featurestore.engines.files.csv_rows import csv_rows
from featurestore.engines.files.json_rows import json_rows
from featurestore.engines.files.problem import FileProblemError
from featurestore.engines.files.task import FileRows, FileTask

FIELDS = (Field("k", String), Field("v", Float64))
ITEMS = (Field("k", String), Field("v", Int64), Field("l", Array(Float32)))
TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"))


def csv_task(**options: object) -> FileTask:
    return FileTask("read s", format="csv", fields=FIELDS, schema=pa.schema([]), **options)  # type: ignore[arg-type]  # named by the test


def rows_of(parts: Iterable[FileRows]) -> list[dict[str, object]]:
    return [
        {name: values[at].as_py() for name, values in part.columns.items()}
        for part in parts
        for at in range(part.count)
    ]


def rows_of_csv(data: bytes, **options: object) -> list[dict[str, object]]:
    return rows_of(csv_rows(io.BytesIO(data), csv_task(**options)))


def rows_of_json(data: bytes) -> list[dict[str, object]]:
    task = FileTask("read s", format="json", fields=ITEMS, schema=pa.schema([]), optional=("l",))
    return rows_of(json_rows(io.BytesIO(data), task))


@given(st.lists(st.tuples(TEXT, st.integers(0, 9)), min_size=1), st.sampled_from(["\n", "\r\n"]))
def test_every_text_comes_back_as_a_csv_writer_wrote_it(
    rows: list[tuple[str, int]], end: str
) -> None:
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator=end, quoting=csv.QUOTE_NONNUMERIC)
    writer.writerows([("k", "v"), *rows])

    read = rows_of_csv(file.getvalue().encode())

    assert [(row["k"], row["v"]) for row in read] == [(text, float(n)) for text, n in rows]


@given(st.lists(TEXT, min_size=1), st.integers(1, 9))
def test_the_size_of_blocks_does_not_matter(texts: list[str], size: int) -> None:
    file = io.StringIO(newline="")
    csv.writer(file).writerows([("k", "v"), *((text, 1) for text in texts)])
    data = file.getvalue().encode()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_blocks, "BLOCK_BYTES", size)
        read = rows_of_csv(data)

    assert [row["k"] or "" for row in read] == texts


def test_columns_are_found_by_their_names_and_others_are_ignored() -> None:
    assert rows_of_csv(b"v,w,k\n1,2,a\n") == [{"k": "a", "v": 1.0}]


def test_columns_that_nothing_declares_may_have_any_names() -> None:
    assert rows_of_csv(b"k,,v,,\n1,,2,,\n") == [{"k": "1", "v": 2.0}]


def test_names_of_columns_may_have_the_line_breaks_of_unicode() -> None:
    assert rows_of_csv("a\u2028\x85b,k,v\nx,c,1\n".encode()) == [{"k": "c", "v": 1.0}]


def test_an_unquoted_null_value_is_null_and_a_quoted_one_is_text() -> None:
    assert rows_of_csv(b'k,v\n,\n"",\nNA,1\n') == [
        {"k": None, "v": None},
        {"k": "", "v": None},
        {"k": "NA", "v": 1.0},
    ]
    assert rows_of_csv(b'k,v\nNA,"NA"\n"NA",2\n', null_values=("NA",)) == [
        {"k": None, "v": None},
        {"k": "NA", "v": 2.0},
    ]


def test_delimiters_and_encodings_are_options() -> None:
    data = "k;v\nZ\u00fcrich;1\n".encode("cp1252")

    assert rows_of_csv(data, delimiter=";", encoding="cp1252") == [{"k": "Z\u00fcrich", "v": 1.0}]
    assert rows_of_csv("k,v\n\u00e9,1".encode("utf-16"), encoding="utf-16")[0]["k"] == "\u00e9"
    assert rows_of_csv(b"\xef\xbb\xbfk,v\na,1")[0]["k"] == "a"


@pytest.mark.parametrize(
    ("data", "parts"),
    [
        (b'k,v\n"a"b,1\n', ["line 2", "quote"]),
        (b'k,v\na,1\n"b,2\nc,3\n', ["line 3", "quote"]),
        (b"k,v\nZ\xfcrich,1\n", ["utf-8", "line 2", "0xfc"]),
        (b"k,v\na\n", ["1 values", "a"]),
        (b"k,v\na,1,5\n", ["3 values", "a,1,5"]),
        (b"k,k,v\na,1,1\n", ["'k' twice"]),
        (b"k,w\na,1\n", ["no column 'v'", "w"]),
        (b"K , V\na,1\n", ["no column 'k'", "'K '"]),
        (b"a,1\nb,2\n", ["first line"]),
        (b"sep=,\nk,v\n", ["first line", "sep="]),
        (b"k,v\na,much\n", ["'v'", "'much'", "Float64"]),
        (b"k" * 200_000 + b"\na", ["header"]),
    ],
)
def test_a_csv_file_that_is_unclear_is_refused(data: bytes, parts: list[str]) -> None:
    with pytest.raises(FileProblemError) as refused:
        rows_of_csv(data)

    assert all(part in refused.value.found for part in parts)


@pytest.mark.parametrize(
    ("header", "declared", "expected"), [("k;v", ",", ";"), ("k\tv", ",", "\t"), ("k,v", ";", ",")]
)
def test_another_delimiter_is_recognised(header: str, declared: str, expected: str) -> None:
    with pytest.raises(FileProblemError) as refused:
        rows_of_csv(f"{header}\na\n".encode(), delimiter=declared)

    assert f"delimiter={expected!r}" in refused.value.fix


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_a_record_without_end_is_refused_before_it_fills_the_memory(
    monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(csv_blocks, "BLOCK_BYTES", 100)
    monkeypatch.setattr(csv_blocks, "LONGEST_RECORD", 1000)
    monkeypatch.setattr(json_rows_module, "LONGEST_RECORD", 1000)
    data = b'k,v\n"' + b"x" * 5000 if kind == "csv" else b'\n{"k":"' + b"x" * 5000

    with pytest.raises(FileProblemError, match="line 2"):
        rows_of_csv(data) if kind == "csv" else rows_of_json(data)


@pytest.mark.parametrize(
    ("data", "word"),
    [
        ("k,v\n".encode("utf-16"), "utf-16"),
        (gzip.compress(b"k,v\na,1\n"), ".gz"),
        (b"PK\x03\x04\xff", "zip"),
        (b"PAR1\xff", "Parquet"),
    ],
    ids=["UTF-16", "gzip", "zip", "Parquet"],
)
@pytest.mark.parametrize("read", [rows_of_csv, rows_of_json])
def test_a_file_of_another_kind_is_recognised(
    read: Callable[[bytes], object], data: bytes, word: str
) -> None:
    with pytest.raises(FileProblemError) as refused:
        read(data)

    assert word in refused.value.fix


def test_files_without_rows_have_none() -> None:
    assert (
        rows_of_csv(b"")
        == rows_of_csv(b"\r\n\n")
        == rows_of_csv(b"k,v\n")
        == rows_of_json(b"\n")
        == []
    )


def test_json_values_are_read_exactly() -> None:
    data = (
        b'{"k":"a","v":1,"l":[1,null,2.5]}\n\n{"k":null,"v":"12","l":null}\r\n{"v":3,"new":[{}]}'
    )

    assert rows_of_json(data) == [
        {"k": "a", "v": 1, "l": [1.0, None, 2.5]},
        {"k": None, "v": 12, "l": None},
        {"k": None, "v": 3, "l": None},
    ]


@pytest.mark.parametrize(
    ("data", "parts"),
    [
        (b'{"k":"a","v":1}{"k":"b","v":2}', ["line 1", "more than one"]),
        (b'[{"k":"a","v":1}]', ["line 1", "no JSON object"]),
        (b'{\n"k":1}', ["line 1", "no JSON object"]),
        (b'{"k":"a","v":1}\n{"k":"a","v":1', ["line 2", "no JSON object"]),
        (b'{"k":"a","k":"b","v":1}', ["line 1", "'k' twice"]),
        (b'{"k":"a","v":1}\n{"K":"a","v":1}', ["line 2", "'k'"]),
        (b'{"k":"a","amount":1}', ["'v'", "amount"]),
        (b'{"k":7,"v":1}', ["'k'", "'7'", "String"]),
        (b'{"k":"a","v":1.5}', ["'v'", "'1.5'", "Int64"]),
        (b'{"k":"a","v":true}', ["'v'", "'true'"]),
        (b'{"k":"a","v":1,"l":[16777217]}', ["'l'", "'16777217'"]),
        (b'{"k":"\\ud800","v":1}', ["'k'", "surrogate"]),
        (b'{"k":"\xe9","v":1}', ["utf-8", "0xe9"]),
    ],
)
def test_a_json_file_that_is_unclear_is_refused(data: bytes, parts: list[str]) -> None:
    with pytest.raises(FileProblemError) as refused:
        rows_of_json(data)

    assert all(part in refused.value.found for part in parts)


@pytest.mark.parametrize("text", ["2026-01-01T00:00:00", "soon"])
def test_a_time_in_a_list_without_an_offset_is_refused_with_its_text(text: str) -> None:
    fields = (Field("seen", Array(Timestamp)),)
    task = FileTask("read s", format="json", fields=fields, schema=pa.schema([]))
    data = f'{{"seen":["2026-01-01T01:00:00+01:00","{text}"]}}'.encode()

    with pytest.raises(FileProblemError, match=repr(text)) as refused:
        rows_of(json_rows(io.BytesIO(data), task))

    assert "offset" in refused.value.fix
