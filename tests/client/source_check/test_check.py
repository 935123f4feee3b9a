"""What `plan` and `validate` see of sources without Spark: all of it at once."""

import json
import os
import shutil
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import write_deltalake

import featurestore as fs
from featurestore.definitions.rules.issue import NO_DATA

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)

HEAD = """
import featurestore as fs

user = fs.Entity("user", join_keys=(fs.Field("id", fs.Int64),))
"""
VIEW = """
view = fs.FeatureView(
    "view", entities=(user,), source=source, schema=(fs.Field("amount", fs.Float64),)
)
"""


@pytest.fixture
def declare(tmp_path: Path):
    """Return the messages about a project with this source and this view."""
    (tmp_path / "featurestore.toml").write_text('project = "t"\n')
    (tmp_path / "feature_defs").mkdir()
    (tmp_path / "data").mkdir()

    def messages(source: str, view: str = VIEW) -> list[str]:
        text = f"{HEAD}source = fs.{source}\n{view}"
        (tmp_path / "feature_defs" / "d.py").write_text(text)
        store = fs.FeatureStore(tmp_path)
        issues = store.source_issues()
        assert list(store.plan().source_issues) == issues
        assert all(each.origin.file == "feature_defs/d.py" for each in issues)
        return [each.message for each in issues]

    return messages


DELTA = 'DeltaSource("source", path="data/rows", timestamp_field="at")'
PARQUET = 'FileSource("source", path="data", format="parquet", timestamp_field="at")'


def csv_source(amount: str = "Float64", more: str = "") -> str:
    fields = ", ".join(
        f'fs.Field("{name}", fs.{kind})'
        for name, kind in (("id", "Int64"), ("at", "Timestamp"), ("amount", amount))
    )
    return (
        'FileSource("source", path="data", format="csv", timestamp_field="at", '
        f"schema=({fields}), {more})"
    )


def rows(**columns: pa.Array) -> pa.Table:
    right = {
        "id": pa.array([1], pa.int64()),
        "at": pa.array([NOON], pa.timestamp("us", tz="UTC")),
        "amount": pa.array([1.5]),
    }
    return pa.table({name: each for name, each in (right | columns).items() if each is not None})


def naive() -> pa.Array:
    return pa.array([NOON.replace(tzinfo=None)], pa.timestamp("us"))


def test_sources_that_fit_have_no_issues(declare, tmp_path):
    write_deltalake(str(tmp_path / "data" / "rows"), rows())
    assert declare(DELTA) == []

    shutil.rmtree(tmp_path / "data" / "rows")
    (tmp_path / "data" / "a.csv").write_text("id,at,amount\n1,2026-01-31T12:00:00Z,1.5\n")
    assert declare(csv_source()) == []


def test_a_source_without_data_may_still_get_it(declare, tmp_path):
    (tmp_path / "data" / "row").mkdir()

    [message] = declare(DELTA)

    assert "'row'" in message
    issue = fs.FeatureStore(tmp_path).source_issues()[0]
    assert issue.rule == NO_DATA


@pytest.mark.parametrize("write", ["delta", "parquet"])
@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"amount": pa.array(["1.5"])}, [("'amount'", "String", "Float64")]),
        ({"id": pa.array([True])}, [("'id'", "Boolean", "Int64")]),
        ({"at": naive()}, [("'at'", "timezone=")]),
        ({"at": pa.array([date(2026, 1, 31)])}, [("'at'", "timezone=")]),
        ({"at": pa.array([1], pa.int64())}, [("'at'", "unit=")]),
        ({"at": pa.array([1.5])}, [("'at'", "Float64")]),
        ({"amount": None, "amuont": pa.array([1.5])}, [("'amount'", "'amuont'")]),
        ({"at": None, "att": naive()}, [("'at'", "'att'")]),
        (
            {"id": pa.array(["x"]), "at": naive(), "amount": None},
            [("'id'", "String"), ("'at'", "timezone="), ("'amount'",)],
        ),
    ],
)
def test_columns_types_and_naive_times_are_all_seen(declare, tmp_path, write, changed, words):
    if write == "delta":
        write_deltalake(str(tmp_path / "data" / "rows"), rows(**changed))
    else:
        pq.write_table(rows(**changed), tmp_path / "data" / "a.parquet")

    messages = declare(DELTA if write == "delta" else PARQUET)

    assert len(messages) == len(words)
    for several in words:
        assert any(all(word in message for word in several) for message in messages), messages


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("id,at,amuont\n1,2026-01-31T12:00:00Z,1\n", [("'amount'", "'amuont'")]),
        ("id,at,amount\n1,2026-01-31 12:00:00,1\n", [("'at'", "timezone=", "row 1")]),
        ("id,at,amount\n1,2026-01-31,1\n", [("'at'", "timezone=")]),
        ("id,at,amount\n1,2026-01-31T12:00:00Z,n/a\n", [("'amount'", "'n/a'", "Float64")]),
        ("id,at,amount\nx,2026-01-31 12:00,n/a\n", [("'x'",), ("timezone=",), ("'n/a'",)]),
        (
            "id,at,amount\n1,31.12.2025,1\n",
            [("'at'", "'31.12.2025'", "row 1", "to_timestamp_ntz")],
        ),
        ("id,at,amount\n1,2026-02-30 12:00Z,1\n", [("'at'", "'2026-02-30 12:00Z'")]),
        ('id,at,amount\n1,2026-01-31T12:00Z,"1,5"\n', [("'amount'", "'1,5'", "replace(")]),
        ("id;at;amount\n1;2026-01-31T12:00Z;1\n", [("delimiter=';'",)]),
        ("id,at,amount\n1,2026-01-31T12:00Z,NA\n", [("'NA'", "null_values=")]),
        ("id\n", [("'at'",), ("'amount'",)]),
        ("1,2026-01-31T12:00Z,1\n", [("first line",)]),
        ("id,at,amount\n", []),
        ("", []),
    ],
)
def test_the_header_and_the_first_rows_of_csv(declare, tmp_path, text, words):
    (tmp_path / "data" / "a.csv").write_text(text)

    messages = declare(csv_source())

    assert len(messages) == len(words), messages
    for several in words:
        assert any(all(word in message for word in several) for message in messages), messages


def test_a_zone_or_a_unit_makes_naive_times_right(declare, tmp_path):
    pq.write_table(rows(at=naive()), tmp_path / "data" / "a.parquet")
    assert declare(PARQUET.replace('"at")', '"at", timezone="UTC")')) == []

    pq.write_table(rows(at=pa.array([1], pa.int64())), tmp_path / "data" / "a.parquet")
    assert declare(PARQUET.replace('"at")', '"at", unit="s")')) == []


def test_only_the_newest_file_is_looked_at(declare, tmp_path):
    pq.write_table(rows(amount=pa.array(["x"])), tmp_path / "data" / "z.parquet")
    os.utime(tmp_path / "data" / "z.parquet", (1, 1))
    pq.write_table(rows(), tmp_path / "data" / "a.parquet")

    assert declare(PARQUET) == []


def test_times_of_json_lines(declare, tmp_path):
    line = {"id": 1, "at": "2026-01-31 12:00:00", "amount": 1.5}
    (tmp_path / "data" / "a.json").write_text(json.dumps(line) + "\n")

    [message] = declare(csv_source().replace('"csv"', '"json"'))

    assert "timezone=" in message


@pytest.mark.parametrize("text", ['[{"id": 1}]', "5", "null", "[" * 100_000])
def test_lines_of_json_that_are_no_objects_are_named_and_stop_no_plan(declare, tmp_path, text):
    (tmp_path / "data" / "a.json").write_text(text + "\n")

    [message] = declare(csv_source().replace('"csv"', '"json"'))

    assert "line 1 is no JSON object" in message


def test_times_of_sparks_parquet_files_are_moments(declare, tmp_path):
    file = tmp_path / "data" / "a.parquet"
    # Spark writes times in 96 bits by default, and no schema of Arrow.
    pq.write_table(rows(), file, use_deprecated_int96_timestamps=True, store_schema=False)

    assert declare(PARQUET) == []


def test_columns_of_folders_are_columns(declare, tmp_path):
    (tmp_path / "data" / "id=1").mkdir()
    pq.write_table(rows(id=None), tmp_path / "data" / "id=1" / "a.parquet")

    assert declare(PARQUET) == []


def test_a_transform_may_make_any_column(declare, tmp_path):
    write_deltalake(str(tmp_path / "data" / "rows"), rows(amount=None))
    select = VIEW.replace("schema=", 'transform="SELECT *, 1.5 AS amount FROM {source}", schema=')

    assert declare(DELTA, select) == []


@pytest.mark.parametrize("name", ["a.parquet", "a.csv"])
def test_a_damaged_file_is_named_as_a_run_would_name_it(declare, tmp_path, name):
    (tmp_path / "data" / name).write_bytes(b"\xff\xfe\x00PAR1")

    [message] = declare(PARQUET if name == "a.parquet" else csv_source())

    assert name in message


@pytest.mark.parametrize(
    ("amount", "text", "words"),
    [
        ("Decimal(10, 2)", "1.239", ("'amount'", "1.239", "Decimal(10, 2)")),
        ("Int64", "1.5", ("'amount'", "1.5", "Int64")),
        ("Float32", "1e39", ("'amount'", "1e39", "Float32")),
    ],
)
def test_values_that_a_type_does_not_hold_are_seen_in_the_first_rows(
    declare, tmp_path, amount, text, words
):
    (tmp_path / "data" / "a.csv").write_text(f"id,at,amount\n1,2026-01-31T12:00:00Z,{text}\n")

    [message] = declare(csv_source(amount), VIEW.replace("Float64", amount))

    assert all(word in message for word in words)


def test_the_sources_own_ways_of_csv_are_used(declare, tmp_path):
    text = "id;at;amount\n1;2026-01-31T12:00:00Z;NA\n"
    (tmp_path / "data" / "a.csv").write_text(text, encoding="utf-16")
    more = 'delimiter=";", encoding="utf-16", null_values=("NA",)'

    assert declare(csv_source(more=more)) == []


@pytest.mark.parametrize(("zone", "count"), [("UTC", 0), ("Europe/Berlin", 1)])
def test_a_local_time_that_came_twice_is_seen(declare, tmp_path, zone, count):
    (tmp_path / "data" / "a.csv").write_text("id,at,amount\n1,2026-10-25 02:30,1\n")

    messages = declare(csv_source(more=f'timezone="{zone}"'))

    assert [("2026-10-25 02:30" in each, zone in each) for each in messages] == [
        (True,) * 2
    ] * count


def test_an_empty_folder_of_no_format_is_an_issue_that_is_no_lack_of_data(declare, tmp_path):
    [message] = declare(csv_source().replace('format="csv", ', ""))

    assert "format=" in message
    assert [each.rule for each in fs.FeatureStore(tmp_path).source_issues()] == [""]
    assert len(declare(csv_source())) == 1
    assert [each.rule for each in fs.FeatureStore(tmp_path).source_issues()] == [NO_DATA]


@pytest.mark.parametrize(
    ("amount", "count"), [(pa.array([1.0, None]), 0), (pa.array([1.5, None]), 1), (pa.nulls(2), 0)]
)
def test_a_views_types_are_those_of_parquet_files_without_a_schema(
    declare, tmp_path, amount, count
):
    table = pa.table({"id": [1, 2], "at": pa.array([NOON] * 2), "amount": amount})
    pq.write_table(table, tmp_path / "data" / "a.parquet")

    messages = declare(PARQUET, VIEW.replace("Float64", "Int32"))

    assert ["'1.5'" in each for each in messages] == [True] * count


def test_a_table_of_wider_columns_is_seen_since_they_are_cast(declare, tmp_path):
    write_deltalake(str(tmp_path / "data" / "rows"), rows(amount=pa.array([1], pa.int64())))

    [message] = declare(DELTA, VIEW.replace("Float64", "Int32"))

    assert ("'amount'" in message, "Int64" in message) == (True, True)


def test_a_transform_may_make_the_times(declare, tmp_path):
    pq.write_table(rows(at=pa.array(["31.12.2025"])), tmp_path / "data" / "a.parquet")
    select = VIEW.replace("schema=", 'transform="SELECT * FROM {source}", schema=')

    assert declare(PARQUET, select) == []
    [message] = declare(PARQUET)
    assert "'31.12.2025'" in message


@pytest.mark.parametrize("write", ["delta", "parquet", "csv"])
def test_the_time_of_a_snapshots_source_is_ignored_as_by_a_run(declare, tmp_path, write):
    text = naive() if write != "csv" else None
    if write == "delta":
        write_deltalake(str(tmp_path / "data" / "rows"), rows(at=text))
    elif write == "parquet":
        pq.write_table(rows(at=text), tmp_path / "data" / "a.parquet")
    else:
        (tmp_path / "data" / "a.csv").write_text("id,at,amount\n1,2026-01-31 12:00:00,1.5\n")
    source = {"delta": DELTA, "parquet": PARQUET, "csv": csv_source()}[write]
    snapshot = VIEW.replace("schema=", "snapshot=True, schema=")
    both = snapshot + VIEW.replace('"view"', '"events"')

    assert declare(source, snapshot) == []
    [message] = declare(source, both)
    assert "'at'" in message


def test_an_optional_column_may_be_missing(declare, tmp_path):
    (tmp_path / "data" / "a.csv").write_text("id,at\n1,2026-01-31T12:00:00Z\n")

    assert declare(csv_source(more='optional_columns=("amount",)')) == []


def test_a_single_file_and_a_pattern_are_looked_at(declare, tmp_path):
    pq.write_table(rows(at=naive()), tmp_path / "data" / "a.parquet")

    for path in ("data/a.parquet", "data/*.parquet"):
        [message] = declare(f'FileSource("source", path="{path}", timestamp_field="at")')
        assert "timezone=" in message


def test_a_delta_folder_given_as_parquet_is_seen(declare, tmp_path):
    write_deltalake(str(tmp_path / "data"), rows())

    [message] = declare(PARQUET)

    assert "DeltaSource" in message


def test_files_of_several_formats_are_seen(declare, tmp_path):
    (tmp_path / "data" / "a.csv").write_text("id,at,amount\n1,2026-01-31T12:00:00Z,1\n")
    (tmp_path / "data" / "b.json").write_text("{}\n")

    [message] = declare(csv_source().replace('format="csv", ', ""))

    assert ("a.csv" in message, "b.json" in message) == (True, True)


@pytest.mark.parametrize(
    ("source", "path"),
    [
        (DELTA, "data/log"),
        (DELTA, "featurestore.toml"),
        (PARQUET, "data/x\\0y"),
        (PARQUET, "data/notes.txt"),
    ],
)
def test_what_cannot_be_read_is_an_issue_and_stops_no_plan(declare, tmp_path, source, path):
    (tmp_path / "data" / "log" / "_delta_log").mkdir(parents=True)
    (tmp_path / "data" / "log" / "_delta_log" / f"{0:020}.json").write_text("")
    (tmp_path / "data" / "notes.txt").write_text("no rows")

    wrong = source.replace('path="data/rows"', f'path="{path}"')
    [message] = declare(wrong.replace('path="data"', f'path="{path}"'))

    assert "'source'" in message


@pytest.mark.parametrize("kind", [pa.timestamp("us"), pa.date32()])
def test_a_local_time_of_a_delta_table_that_is_declared_as_a_moment_is_seen(
    declare, tmp_path, kind
):
    table = rows().set_column(2, "amount", pa.array([0], pa.int32()).cast(pa.date32()).cast(kind))
    write_deltalake(str(tmp_path / "data" / "rows"), table)

    [message] = declare(DELTA, VIEW.replace("Float64", "Timestamp"))

    assert "'amount'" in message
    assert "Timestamp" in message
