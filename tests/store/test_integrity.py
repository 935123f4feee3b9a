"""A table that has lost rows is found out, by its own log and by the ledger of runs."""

from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import CommitProperties, DeltaTable, write_deltalake

from featurestore.errors import TableError
from featurestore.store.commit import CommitNotes
from featurestore.store.integrity import lost_commit, require_whole_version, table_damage
from featurestore.store.ledger.runs import Outcome, RunRecord

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def write(table: Path, run_id: str, rows: int = 10) -> None:
    """Append a batch of a run, with the notes that it writes."""
    notes = CommitNotes(
        run_id,
        view="v",
        table_id="t",
        generation=0,
        batch_id=0,
        source_offset=None,
        rows_in=rows,
        rows_out=rows,
        null_rows=0,
        max_event_timestamp=None,
        started_at=NOON,
    )
    properties = CommitProperties(custom_metadata={"userMetadata": notes.to_json()})
    data = pa.table({"x": list(range(rows))})
    write_deltalake(table, data, mode="append", commit_properties=properties)


def run(run_id: str, version: int | None) -> RunRecord:
    return RunRecord(
        run_id,
        view="v",
        table_id="t",
        kind="run",
        status="done",
        started_at=NOON,
        outcome=Outcome(version=version),
    )


def commit(table: Path, version: int) -> Path:
    return table / "_delta_log" / f"{version:020}.json"


RUNS = (run("r0", 0), run("r1", 1), run("r2", 2), run("r3", None))


@pytest.fixture
def table(tmp_path: Path) -> Path:
    for run_id in ("r0", "r1", "r2"):
        write(tmp_path, run_id)
    return tmp_path


def test_a_whole_table_has_no_damage_also_after_it_was_compacted(table: Path) -> None:
    assert table_damage(str(table), RUNS) is None

    DeltaTable(table).optimize.compact()
    write(table, "r4")

    assert table_damage(str(table), (*RUNS, run("r4", 4))) is None


@pytest.mark.parametrize("version", [0, 1, 2])
def test_an_empty_commit_is_named(table: Path, version: int) -> None:
    commit(table, version).write_bytes(b"")

    assert f"{version}.json is empty" in (table_damage(str(table), RUNS) or "")


def test_a_commit_that_was_cut_after_a_line_lacks_rows(table: Path) -> None:
    lines = commit(table, 2).read_text().splitlines(keepends=True)
    commit(table, 2).write_text("".join(line for line in lines if '"add"' not in line))

    damage = table_damage(str(table), ())

    assert damage is not None
    assert str(commit(table, 2)) in damage
    assert "0 rows" in damage
    assert "10 rows" in damage


def test_a_lost_newest_commit_is_known_from_the_ledger(table: Path) -> None:
    commit(table, 2).unlink()

    damage = table_damage(str(table), RUNS)

    assert damage is not None
    assert "version 2" in damage
    assert "version 1" in damage


def test_a_version_that_was_used_again_is_known_from_the_ledger(table: Path) -> None:
    commit(table, 2).unlink()
    write(table, "another run")

    damage = table_damage(str(table), RUNS)

    assert damage is not None
    assert "version 2" in damage
    assert "run r2" in damage


def test_the_commit_of_another_program_under_our_number_is_damage(table: Path) -> None:
    commit(table, 2).unlink()
    write_deltalake(table, pa.table({"x": [1]}), mode="append")

    assert table_damage(str(table), RUNS) is not None


def test_rows_of_another_program_are_found_with_its_name_and_a_compaction_is_not(
    table: Path,
) -> None:
    write_deltalake(table, pa.table({"x": [1]}).slice(0, 0), mode="append")
    DeltaTable(table).optimize.compact()
    before = table_damage(str(table), RUNS)
    write_deltalake(table, pa.table({"x": [1]}), mode="append")
    write(table, "r4")

    damage = table_damage(str(table), ())

    assert before is None
    assert damage is not None
    assert "version 5 " in damage
    assert "delta-rs" in damage
    assert lost_commit(str(table)) is None


def test_deleted_rows_are_found(table: Path) -> None:
    DeltaTable(table).delete("x = 3")

    assert "version 3 " in (table_damage(str(table), RUNS) or "")


def test_a_table_that_no_run_has_written_is_not_compared(tmp_path: Path) -> None:
    write_deltalake(tmp_path, pa.table({"x": [1]}))

    assert table_damage(str(tmp_path), (run("r3", None),)) is None


@pytest.mark.parametrize("lines", [0, 1])
@pytest.mark.parametrize("version", [0, 1, 2])
def test_a_version_with_a_cut_commit_is_refused(table: Path, version: int, lines: int) -> None:
    text = commit(table, version).read_text()
    commit(table, version).write_text("".join(text.splitlines(keepends=True)[:lines]))

    with pytest.raises(TableError) as caught:
        require_whole_version(str(table), 2)

    assert str(commit(table, version)) in caught.value.found


def test_a_whole_version_and_one_that_was_cleaned_up_are_accepted(table: Path) -> None:
    DeltaTable(table).create_checkpoint()
    commit(table, 2).unlink()

    for version in range(3):
        require_whole_version(str(table), version)
