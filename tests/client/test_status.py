"""The status of each view: one view's damage never hides another's."""

import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from deltalake import write_deltalake

from featurestore.client.status import ViewStatus, view_statuses
from featurestore.definitions.code.fingerprint import table_fingerprint
from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.source import DeltaSource, FileSource
from featurestore.definitions.model.types import Field, Int64
from featurestore.definitions.model.view import FeatureView
from featurestore.jobs.continuous.state import continuous_lock, new_state, write_state
from featurestore.jobs.materialize.lock import view_lock
from featurestore.jobs.materialize.reconcile import with_interrupted
from featurestore.store.layout import Layout
from featurestore.store.ledger.runs import Outcome, RunKind, RunRecord, Runs
from featurestore.store.ledger.tables import TableRecord, Tables
from featurestore.store.quarantine import mark_released, mark_rows
from tests.store.quarantine_rows import put_rows
from tests.tables import feature_table

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
PAID = DeltaSource("paid", path="paid", timestamp_field="at")
VIEWS = tuple(
    FeatureView(name, entities=(), source=PAID, schema=(Field("x", Int64),))
    for name in ("whole", "broken")
)


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """Two views, each with a table of two commits that the ledger knows."""
    layout = Layout(str(tmp_path / "store"))
    for view in VIEWS:
        for version in range(2):
            rows = feature_table({}, [version], {"x": [1]})
            write_deltalake(layout.features(view.name, "t"), rows, mode="append")
        Tables(layout).record(
            TableRecord(
                view.name,
                table_id="t",
                fingerprint=table_fingerprint(view),
                state="current",
                at=NOON,
            )
        )
    return layout


def log(layout: Layout) -> Path:
    return Path(layout.features("broken", "t"), "_delta_log")


def statuses(layout: Layout) -> dict[str, ViewStatus]:
    return {view.view: view for view in view_statuses(Manifest.of([*VIEWS]), layout)}


@pytest.mark.parametrize("content", [b"", b'{"add": {"pa', b"\xff\x00"])
@pytest.mark.parametrize("version", [0, 1])
def test_a_damaged_table_is_the_status_of_its_own_view_only(
    layout: Layout, content: bytes, version: int
) -> None:
    (log(layout) / f"{version:020}.json").write_bytes(content)

    found = statuses(layout)

    assert (found["whole"].state, found["whole"].rows, found["whole"].error) == (
        "current",
        2,
        None,
    )
    assert (found["broken"].state, found["broken"].version) == ("damaged", None)
    assert f"{version}.json" in (found["broken"].error or "")
    assert "`featurestore materialize broken --full`" in (found["broken"].error or "")


def test_a_changed_id_of_a_build_is_the_status_of_its_own_view_only(layout: Layout) -> None:
    record = Tables(layout).current("broken")
    assert record is not None
    Tables(layout).record(replace(record, table_id="../../t"))

    found = statuses(layout)

    assert (found["whole"].state, found["broken"].state) == ("current", "damaged")
    assert "../../t" in (found["broken"].error or "")


def test_a_table_that_the_ledger_has_lost_is_damaged(layout: Layout) -> None:
    shutil.rmtree(layout.tables())
    shutil.rmtree(layout.builds("whole"))

    found = statuses(layout)

    assert (found["whole"].state, found["broken"].state) == ("never materialized", "damaged")
    assert layout.tables() in (found["broken"].error or "")


def test_a_table_without_its_log_is_damaged(layout: Layout) -> None:
    for file in log(layout).iterdir():
        file.unlink()

    assert statuses(layout)["broken"].state == "damaged"
    assert statuses(layout)["whole"].state == "current"


def test_a_table_that_is_older_than_the_ledger_is_damaged(layout: Layout) -> None:
    run = RunRecord(
        "r1",
        view="broken",
        table_id="t",
        kind="run",
        status="done",
        started_at=NOON,
        outcome=Outcome(version=2),
    )
    Runs(layout).record(run)

    found = statuses(layout)["broken"]

    assert (found.state, found.last_run) == ("damaged", "done")
    assert "version 2" in (found.error or "")


def test_the_rows_in_quarantine_are_counted(layout: Layout) -> None:
    uri = layout.quarantine("whole", "t")
    rows = ("stored", 0, -1, 1.0), ("released", 0, -1, 1.0), ("unfinished", 0, 0, 1.0)
    put_rows(uri, *rows)
    mark_rows(uri, ["released"], "r")
    mark_released(uri, "r", NOON)

    found = statuses(layout)

    assert (found["whole"].rows_quarantined, found["broken"].rows_quarantined) == (1, 0)


@pytest.mark.parametrize("damage", ["commit", "file"])
def test_a_damaged_quarantine_hides_no_table(layout: Layout, damage: str) -> None:
    uri = layout.quarantine("whole", "t")
    put_rows(uri, ("stored", 0, -1, 1.0))
    if damage == "commit":
        Path(uri, "_delta_log", f"{0:020}.json").write_bytes(b"")
    else:
        next(Path(uri).glob("*.parquet")).unlink()

    found = statuses(layout)

    assert (found["whole"].state, found["whole"].rows) == ("current", 2)
    assert found["whole"].rows_quarantined is None
    assert "`featurestore materialize whole --full`" in (found["whole"].error or "")
    assert found["broken"].error is None


def test_the_last_run_is_the_last_record_also_if_the_clock_was_set_back(layout: Layout) -> None:
    for year, status in ((2026, "done"), (2025, "failed")):
        Runs(layout).record(
            RunRecord(
                str(year),
                view="whole",
                table_id="t",
                kind="run",
                status=status,  # type: ignore[arg-type]  # both are a RunStatus
                started_at=NOON.replace(year=year),
                outcome=Outcome(error="it failed" if status == "failed" else None),
            )
        )

    found = statuses(layout)["whole"]

    assert (found.last_run, found.error) == ("failed", "it failed")
    assert found.last_run_at == NOON.replace(year=2025)


def run(status: str, hour: int, error: str | None = None) -> RunRecord:
    moment = NOON.replace(hour=hour)
    return RunRecord(
        f"r{hour}{status}",
        view="whole",
        table_id="t",
        kind="run",
        status=status,  # type: ignore[arg-type]  # drawn by the test
        started_at=moment,
        outcome=Outcome(error=error),
    )


@pytest.mark.parametrize("kind", ["run", "build", "repair", "release"])
def test_a_run_whose_process_was_killed_is_interrupted(layout: Layout, kind: RunKind) -> None:
    Runs(layout).record(replace(run("running", 9), kind=kind))

    with view_lock(layout, "whole", "r9", NOON):
        active = statuses(layout)["whole"]
    killed = statuses(layout)["whole"]

    assert (active.last_run, active.error) == ("running", None)
    assert (killed.last_run, killed.last_run_at) == ("interrupted", NOON.replace(hour=9))
    assert ("materialize whole" in str(killed.error)) == (kind != "repair")
    assert [each.status for each in Runs(layout).records()] == ["running"]  # nothing is recorded


def test_a_run_that_began_after_the_first_reading_is_not_interrupted(layout: Layout) -> None:
    Runs(layout).record(run("running", 9))
    first = Runs(layout).records()
    Runs(layout).record(run("running", 10))

    found = with_interrupted(layout, first)

    assert [each.status for each in found] == ["interrupted", "running"]


def test_a_view_is_fresh_or_due_by_its_schedule_and_its_last_failure_is_kept(
    layout: Layout,
) -> None:
    scheduled = replace(VIEWS[0], schedule="@hourly")
    manifest = Manifest.of([scheduled, VIEWS[1]])
    Runs(layout).record(run("failed", 9, "the disk is full"), run("done", 10))

    fresh, other = (
        {view.view: view for view in view_statuses(manifest, layout, now=NOON.replace(hour=10))}[
            name
        ]
        for name in ("whole", "broken")
    )
    [_, due] = view_statuses(manifest, layout, now=NOON.replace(minute=5))
    [_, soon] = view_statuses(manifest, layout, now=NOON.replace(hour=11, minute=5))

    assert (fresh.freshness, fresh.due_since, fresh.late_seconds) == ("fresh", None, None)
    assert fresh.next_tick == NOON.replace(hour=11)
    assert (due.view, due.freshness, due.due_since) == ("whole", "due", NOON.replace(hour=11))
    assert due.late_seconds == 3_900
    assert [each.is_late for each in (fresh, soon, due, other)] == [False, False, True, False]
    assert (due.error, due.last_failure) == (None, "the disk is full")
    assert due.last_failure_at == NOON.replace(hour=9)
    assert (other.schedule, other.freshness, other.next_tick) == (None, None, None)


def test_a_reference_that_only_the_registry_names_is_not_resolved(
    layout: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "1.parquet").write_bytes(b"x")
    monkeypatch.setenv("EXAMPLE_FOLDER", str(tmp_path / "in"))
    paid = FileSource("paid", path="${env:EXAMPLE_FOLDER}", format="parquet", timestamp_field="at")
    manifest = Manifest.of([paid, replace(VIEWS[0], source=paid)])

    with continuous_lock(layout, "whole"):
        write_state(layout, new_state("whole", NOON, 5.0))
        [changed] = view_statuses(manifest, layout, now=NOON)
        [declared] = view_statuses(manifest, layout, now=NOON, loaded=lambda: manifest)

    assert changed.continuous is not None and declared.continuous is not None
    assert changed.continuous.backlog is None
    assert declared.continuous.backlog is not None
    assert declared.continuous.backlog.count == 1
