"""A table that has lost rows is found out, by its own log and by the ledger of runs."""

from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import CommitProperties, DeltaTable, write_deltalake

from featurestore.store.commit import CommitNotes
from featurestore.store.integrity import table_damage
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
    assert "stored 10" in damage


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
