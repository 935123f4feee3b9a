"""Small files are joined into sorted ones: the same rows, and exact statistics."""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import CommitProperties, DeltaTable, Transaction, write_deltalake
from hypothesis import given
from hypothesis import strategies as st

from featurestore.errors import StorageError, TableError
from featurestore.store.columns import UTC_MICROS
from featurestore.store.delta import compaction, replacement
from featurestore.store.delta.compaction import compact, planned, small_files
from featurestore.store.delta.file_statistics import file_statistics
from featurestore.store.delta.pruning import may_hold
from featurestore.store.delta.snapshot import open_snapshot

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
ORDER = ("k", "event_timestamp")


def rows_of(keys: list[str], start: int = 0) -> pa.Table:
    """Rows of many types, one for each key."""
    count = len(keys)
    moments = [NOON + timedelta(microseconds=start + i) for i in range(count)]
    return pa.table(
        {
            "k": pa.array(keys, pa.string()),
            "event_timestamp": pa.array(moments[::-1], UTC_MICROS),
            "price": pa.array([Decimal("1.50")] * count, pa.decimal128(10, 2)),
            "vector": pa.array([[1.0, None]] * count, pa.list_(pa.float32())),
            "day": pa.array([date(2026, 1, 1)] * count, pa.date32()),
            "flag": pa.array([None, *[True] * (count - 1)], pa.bool_()),
            "n": pa.array(range(start, start + count), pa.int32()),
        }
    )


def write(table: Path, *commits: pa.Table) -> None:
    for at, rows in enumerate(commits):
        properties = CommitProperties(app_transactions=[Transaction("t/0", at)])
        write_deltalake(table, rows, mode="append", commit_properties=properties)


def stored(table: Path, version: int | None = None) -> list[dict[str, object]]:
    return pa.table(DeltaTable(table, version=version).scan()).to_pylist()


def by_number(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    return sorted(rows, key=lambda row: str(row["n"]))


def actions(table: Path, version: int) -> list[dict[str, dict[str, object]]]:
    lines = (table / "_delta_log" / f"{version:020}.json").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_a_compaction_changes_no_row_and_says_so(tmp_path: Path) -> None:
    write(tmp_path, rows_of(["b", "a"]), rows_of(["a", "c", "b"], 10))
    before = stored(tmp_path)

    done = compact(str(tmp_path), ORDER)

    assert (done.version, done.files_before, done.files_after) == (2, 2, 1)
    assert by_number(stored(tmp_path)) == by_number(before)
    changes = [
        next(iter(each.values())) for each in actions(tmp_path, 2) if "commitInfo" not in each
    ]
    assert [change["dataChange"] for change in changes] == [False, False, False]
    assert DeltaTable(tmp_path).transaction_version("t/0") == 1


def test_rows_are_sorted_by_keys_and_event_time(tmp_path: Path) -> None:
    write(tmp_path, rows_of(["b", "a", "b"]), rows_of(["a", "c", "b"], 10))

    compact(str(tmp_path), ORDER)

    (path,) = open_snapshot(str(tmp_path)).files["path"].to_pylist()
    rows = pq.read_table(tmp_path / path)
    assert rows["k"].to_pylist() == ["a", "a", "b", "b", "b", "c"]
    assert rows.equals(rows.sort_by([(name, "ascending") for name in ORDER]))


def test_a_file_has_the_types_and_checksums_of_sparks_files(tmp_path: Path) -> None:
    write(tmp_path, rows_of(["b"]), rows_of(["a"], 10))

    compact(str(tmp_path), ORDER)

    (path,) = open_snapshot(str(tmp_path)).files["path"].to_pylist()
    footer = pq.ParquetFile(tmp_path / path)
    kinds = {column.path: column.physical_type for column in footer.schema}
    assert footer.metadata.metadata is None
    assert kinds["price"] == "INT64"
    assert kinds["event_timestamp"] == "INT64"
    assert "vector.list.element" in kinds
    assert pq.read_table(tmp_path / path, page_checksum_verification=True).num_rows == 2


def test_a_reader_that_has_pinned_a_version_reads_on(tmp_path: Path) -> None:
    write(tmp_path, rows_of(["b"]), rows_of(["a"], 10))
    before = stored(tmp_path)

    compact(str(tmp_path), ORDER)

    assert stored(tmp_path, version=1) == before


def test_many_rows_become_files_with_ranges_of_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replacement, "ROWS_PER_FILE", 4)
    keys = [f"k{i:02}" for i in range(10)]
    write(tmp_path, rows_of(keys[::2]), rows_of(keys[1::2], 10))

    compact(str(tmp_path), ORDER)

    files = open_snapshot(str(tmp_path)).files
    spans = sorted(
        zip(
            *(files[side].combine_chunks().field("k").to_pylist() for side in ("min", "max")),
            strict=True,
        )
    )
    assert spans == [("k00", "k03"), ("k04", "k07"), ("k08", "k09")]


def test_large_files_are_left_and_groups_fit_into_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compaction, "_FEWEST_ROWS", 5)
    monkeypatch.setattr(compaction, "_MOST_ROWS", 5)
    write(tmp_path, rows_of(list("abcdef")), *(rows_of(["x", "y"], 10 * i) for i in range(1, 6)))

    foreseen = planned(open_snapshot(str(tmp_path)))
    first = compact(str(tmp_path), ORDER, most_commits=1)
    rest = compact(str(tmp_path), ORDER)

    assert (foreseen.files_before, foreseen.files_after) == (6, 4)
    assert (first.files_before, first.files_after) == (6, 5)
    assert (rest.files_before, rest.files_after) == (5, 4)
    assert len(stored(tmp_path)) == 16


@pytest.mark.parametrize("repeats", [True, False])
def test_files_that_are_full_by_the_bytes_of_their_values_are_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, repeats: bool
) -> None:
    for module in (compaction, replacement):
        monkeypatch.setattr(module, "BYTES_PER_FILE", 1 << 20, raising=False)
        monkeypatch.setattr(module, "BYTES_PER_GROUP", 1 << 17, raising=False)
    monkeypatch.setattr(compaction, "_FEWEST_VALUES", 1 << 19)
    monkeypatch.setattr(compaction, "_MOST_VALUES", 1 << 21)
    monkeypatch.setattr(compaction, "_LEAST_OPENED", 1 << 12)
    widths = ("é" * 2000 if repeats else f"{at:04}" * 1000 for at in range(800))
    whole = rows_of([*widths])
    write(tmp_path, whole.slice(0, 0))
    snapshot = open_snapshot(str(tmp_path))
    full = replacement.write_files(snapshot, whole)
    replacement.replace_files(snapshot, {}, full, "{}", changes_rows=True)
    write_deltalake(tmp_path, rows_of(["a"], 1000), mode="append")
    write_deltalake(tmp_path, rows_of(["b"], 1001), mode="append")

    done = compact(str(tmp_path), ORDER)

    assert len(full) == 4
    assert all(file.size < 1 << 19 for file in full)
    assert {file.path for file in full} < {*open_snapshot(str(tmp_path)).files["path"].to_pylist()}
    assert (done.files_after, small_files(open_snapshot(str(tmp_path)))) == (5, 1)


def test_nothing_is_committed_without_two_small_files(tmp_path: Path) -> None:
    write(tmp_path, rows_of(["b"]))

    done = compact(str(tmp_path), ORDER)

    assert (done.version, done.files_before, done.files_after) == (None, 1, 1)
    assert DeltaTable(tmp_path).version() == 0


def test_a_commit_of_another_program_stops_it_and_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, rows_of(["b"]), rows_of(["a"], 10))
    commit = compaction.replace_files

    def late(*args: object, changes_rows: bool) -> int:
        write(tmp_path, rows_of(["z"], 20))
        return commit(*args, changes_rows=changes_rows)  # type: ignore[arg-type]  # passed through

    monkeypatch.setattr(compaction, "replace_files", late)
    with pytest.raises(StorageError) as raised:
        compact(str(tmp_path), ORDER)

    assert raised.value.call == f"compact {tmp_path}"
    assert len(stored(tmp_path)) == 3
    assert len(list(tmp_path.glob("*.parquet"))) == 3


def test_a_flipped_bit_is_an_error_and_not_joined(tmp_path: Path) -> None:
    write(tmp_path, *(rows_of([key], at) for at, key in enumerate(("fa7d20c9", "9b3e81f6"))))
    compact(str(tmp_path), ORDER)
    write(tmp_path, rows_of(["z"], 20))
    (path,) = set(DeltaTable(tmp_path, version=2).file_uris())
    file = Path(path.removeprefix("file://"))
    content = bytearray(file.read_bytes())
    content[content.index(b"fa7d20c9")] ^= 1
    file.write_bytes(content)

    with pytest.raises(TableError) as raised:
        compact(str(tmp_path), ORDER)

    assert file.name in raised.value.found


TEXTS = st.text(max_size=40) | st.just("\U0010ffff" * 40) | st.text("ab", min_size=30, max_size=40)
MOMENTS = st.integers(-(10**15), 10**15)


@given(st.lists(st.none() | TEXTS, min_size=1), st.data())
def test_statistics_keep_each_file_that_holds_a_value(
    texts: list[str | None], data: st.DataObject
) -> None:
    count = len(texts)
    moments = data.draw(st.lists(MOMENTS, min_size=count, max_size=count))
    numbers = data.draw(st.lists(st.floats(), min_size=count, max_size=count))
    rows = pa.table(
        {
            "k": pa.array(texts, pa.string()),
            "at": pa.array(moments, pa.int64()).cast(UTC_MICROS),
            "x": numbers,
        }
    )

    statistics = json.loads(file_statistics(rows))

    bounds = {}
    for side, name in (("min", "minValues"), ("max", "maxValues")):
        values = statistics[name]
        at = datetime.fromisoformat(values["at"])
        bounds[side] = pa.array(
            [{"k": values.get("k"), "at": at}], pa.struct([("k", pa.string()), ("at", UTC_MICROS)])
        )
    files = pa.table(bounds)
    for text, moment in zip(texts, rows["at"], strict=True):
        assert may_hold(files, "at", moment, moment).all()
        assert text is None or may_hold(files, "k", text, text).all()
    assert statistics["numRecords"] == count
    assert statistics["nullCount"]["k"] == texts.count(None)
    if "x" in statistics["maxValues"]:
        assert statistics["maxValues"]["x"] == max(numbers)


def test_small_files_are_counted(tmp_path: Path) -> None:
    write(tmp_path, rows_of(["b"]), rows_of(["a"], 10))

    assert small_files(open_snapshot(str(tmp_path))) == 2


KEYS = {
    "text": pa.array(["é", "b", "Z", "\U0001f600"], pa.string()),
    "number": pa.array([3, -1, 2, 0], pa.int32()),
    "day": pa.array([date(2026, 1, 3), date(1, 1, 1), date(9999, 1, 1), date(2026, 1, 2)]),
    "flag": pa.array([True, False, True, False]),
    "price": pa.array([Decimal(n) for n in ("1.5", "-2.5", "0.0", "9.5")], pa.decimal128(20, 1)),
    "blob": pa.array([b"b", b"\xff", b"", b"a"], pa.binary()),
    ".dotted [name]": pa.array([3, 1, 2, 0], pa.int64()),
}


@pytest.mark.parametrize("key", KEYS)
def test_keys_of_each_type_are_sorted_with_nested_values(tmp_path: Path, key: str) -> None:
    moments = pa.array([NOON] * 4, UTC_MICROS)
    maps = pa.array(
        [[("a", [1.5])], [], None, [("b", None)]], pa.map_(pa.string(), pa.list_(pa.float64()))
    )
    rows = pa.table({key: KEYS[key], "event_timestamp": moments, "map": maps})
    write(tmp_path, rows.slice(0, 2), rows.slice(2))
    before = sorted(map(str, stored(tmp_path)))

    compact(str(tmp_path), [key, "event_timestamp"])

    (path,) = open_snapshot(str(tmp_path)).files["path"].to_pylist()
    values = pq.read_table(tmp_path / path)[key].to_pylist()
    assert values == sorted(KEYS[key].to_pylist())
    assert sorted(map(str, stored(tmp_path))) == before


def test_a_view_without_keys_is_sorted_by_time(tmp_path: Path) -> None:
    write(tmp_path, rows_of(["b", "a"]), rows_of(["a", "c", "b"], 10))

    compact(str(tmp_path), ["event_timestamp"])

    (path,) = open_snapshot(str(tmp_path)).files["path"].to_pylist()
    times = pq.read_table(tmp_path / path)["event_timestamp"].to_pylist()
    assert times == sorted(times)


def test_a_table_without_rows_is_joined_too(tmp_path: Path) -> None:
    empty = rows_of(["b"]).slice(0, 0)
    write(tmp_path, empty, empty, rows_of(["a"]))

    compact(str(tmp_path), ORDER)

    assert [row["k"] for row in stored(tmp_path)] == ["a"]
