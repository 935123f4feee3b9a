"""Damaged tables, checkpoints and sources: no row is lost in silence, and the way out works."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import CommitProperties, DeltaTable, Transaction, write_deltalake

from featurestore.client.status import ViewStatus, view_statuses
from featurestore.errors import SourceError, TableError
from featurestore.jobs.materialize.job import RunResult
from featurestore.jobs.materialize.start import materialize
from tests.jobs.materialize.test_file_sources import materialized, put, source_of
from tests.jobs.world import SPENDING, World, other

OTHER = other(SPENDING, name="other")


def two_runs(world: World) -> tuple[RunResult, Path]:
    """Build the table of one payment, add another, and return the build and its table."""
    world.views = [SPENDING, OTHER]
    world.pay(("a", 0, 1.0))
    built = by_name(world)["spending"]
    world.pay(("b", 1, 2.0))
    by_name(world)
    return built, Path(world.layout.features("spending", built.table_id))


def by_name(world: World, **options: object) -> dict[str, RunResult]:
    return {run.view: run for run in materialize(world.job, **options)}  # type: ignore[arg-type]


def statuses(world: World) -> dict[str, ViewStatus]:
    return {view.view: view for view in view_statuses(world.job.applied(), world.layout)}


def commit(table: Path, version: int) -> Path:
    for checksums in (table / "_delta_log").glob(".*.crc"):
        checksums.unlink()
    return table / "_delta_log" / f"{version:020}.json"


def empty(table: Path) -> None:
    commit(table, 1).write_bytes(b"")


def cut(table: Path) -> None:
    commit(table, 1).write_bytes(commit(table, 1).read_bytes()[:150])


def cut_after_a_line(table: Path) -> None:
    lines = commit(table, 1).read_text().splitlines(keepends=True)
    commit(table, 1).write_text("".join(line for line in lines if '"add"' not in line))


def lose(table: Path) -> None:
    commit(table, 1).unlink()


@pytest.mark.slow
@pytest.mark.parametrize("damage", [empty, cut, cut_after_a_line, lose])
def test_a_table_that_lost_its_newest_commit_is_refused_and_a_full_build_repairs_it(
    world: World, damage: Callable[[Path], None]
) -> None:
    _, table = two_runs(world)
    damage(table)
    world.pay(("c", 2, 3.0))

    before, runs, after = statuses(world), by_name(world), statuses(world)

    assert [before["spending"].state, before["other"].state] == ["damaged", "current"]
    assert [runs["spending"].status, runs["other"].status] == ["failed", "done"]
    assert isinstance(runs["spending"].error, TableError)
    assert "`featurestore materialize spending --full`" in runs["spending"].error.fix
    assert (after["spending"].last_run, after["other"].rows) == ("failed", 3)
    assert by_name(world, full=True)["spending"].status == "done"
    assert world.rows() == [("a", 0, 1.0), ("b", 1, 2.0), ("c", 2, 3.0)]
    assert statuses(world)["spending"].state == "current"


def remove_metadata(checkpoint: Path) -> None:
    (checkpoint / "metadata").unlink()


def cut_offsets(checkpoint: Path) -> None:
    (checkpoint / "offsets" / "1").write_text("v1\n{")


def empty_offsets(checkpoint: Path) -> None:
    (checkpoint / "offsets" / "1").write_text("")


def other_application(checkpoint: Path) -> None:
    """Commit to the table as the stream does, with a higher number."""
    table_id = checkpoint.parent.name
    table = checkpoint.parents[2] / "features" / "spending" / table_id
    rows = pa.table(DeltaTable(table).scan()).slice(0, 0)
    transaction = Transaction(f"{table_id}/0", 50)
    properties = CommitProperties(app_transactions=[transaction])
    write_deltalake(table, rows, mode="append", commit_properties=properties)


@pytest.mark.slow
@pytest.mark.parametrize(
    "damage", [remove_metadata, cut_offsets, empty_offsets, other_application]
)
def test_a_stream_that_cannot_go_on_resumes_after_the_last_commit_without_loss(
    world: World, damage: Callable[[Path], None]
) -> None:
    built, _ = two_runs(world)
    damage(world.folder / "store" / "checkpoints" / built.table_id / "0")
    world.pay(("c", 2, 3.0))

    runs = by_name(world)

    assert [runs["spending"].status, runs["other"].status] == ["done", "done"]
    assert runs["spending"].message.endswith("it went on at version 2")
    assert world.rows() == [("a", 0, 1.0), ("b", 1, 2.0), ("c", 2, 3.0)]
    world.pay(("d", 3, 4.0))
    assert by_name(world)["spending"].rows_out == 1


def put_back(world: World) -> None:
    """Put back the source from a copy of its first version, and append other payments."""
    source = world.folder / "payments"
    for version in (1, 2):
        commit(source, version).unlink()
    for hour in (10, 11, 12):
        world.pay(("x", hour, 9.0))


def put_back_only(world: World) -> None:
    commit(world.folder / "payments", 1).unlink()
    commit(world.folder / "payments", 2).unlink()


def replace_table(world: World) -> None:
    shutil.rmtree(world.folder / "payments")
    for hour in range(5):
        world.pay(("x", hour, 9.0))


@pytest.mark.slow
@pytest.mark.parametrize("change", [put_back, put_back_only, replace_table])
def test_a_source_that_is_another_table_is_refused_until_the_user_chooses(
    world: World, change: Callable[[World], None]
) -> None:
    world.pay(("a", 0, 1.0))
    world.materialize()
    world.pay(("b", 1, 2.0))
    world.pay(("c", 2, 3.0))
    world.materialize()
    change(world)

    refused = [world.materialize(), world.materialize()]

    assert [run.status for run in refused] == ["failed", "failed"]
    assert all(isinstance(run.error, SourceError) for run in refused)
    assert str(world.folder / "payments") in refused[0].message
    assert world.rows() == [("a", 0, 1.0), ("b", 1, 2.0), ("c", 2, 3.0)]
    assert world.materialize(full=True).status == "done"
    present = pa.table(DeltaTable(world.folder / "payments").scan())
    assert len(world.rows()) == present.num_rows
    world.pay(("z", 20, 1.0))
    assert world.materialize().rows_out == 1


def test_a_lost_checkpoint_is_no_reason_to_build_from_the_files_that_are_left(
    world: World,
) -> None:
    source = source_of("parquet")
    first = put(world, "a.parquet", ("a", 0, 1.0))
    put(world, "b.parquet", ("b", 1, 2.0))
    built = materialized(world, source)
    kept = first.rename(world.folder / "a.parquet")
    shutil.rmtree(world.folder / "store" / "checkpoints" / built.table_id)
    put(world, "c.parquet", ("c", 2, 3.0))

    refused = materialized(world, source)

    assert refused.status == "failed"
    assert isinstance(refused.error, SourceError)
    assert str(first) in refused.error.found
    assert world.rows() == [("a", 0, 1.0), ("b", 1, 2.0)]
    kept.rename(first)
    assert (materialized(world, source).kind, len(world.rows())) == ("build", 3)
    first.unlink()
    shutil.rmtree(world.folder / "store" / "checkpoints")
    assert world.materialize(full=True).status == "done"
    assert world.rows() == [("b", 1, 2.0), ("c", 2, 3.0)]


def test_a_run_whose_rows_are_all_left_out_says_so_and_counts_them(world: World) -> None:
    world.pay(("a", 0, 1.0))
    world.materialize()
    world.pay((None, 1, 2.0), ("b", None, 3.0))

    left_out, nothing = world.materialize(), world.materialize()

    assert (left_out.status, left_out.version, nothing.status) == ("done", 1, "nothing")
    assert (left_out.rows_in, left_out.rows_out, left_out.null_rows) == (2, 0, 2)
    assert world.rows() == [("a", 0, 1.0)]
    log = world.folder / "store/features/spending" / left_out.table_id / "_delta_log"
    actions = [json.loads(line) for line in (log / f"{1:020}.json").read_text().splitlines()]
    assert not [action for action in actions if "add" in action]


@pytest.mark.slow
def test_a_change_that_is_taken_back_takes_up_the_table_of_before(world: World) -> None:
    world.pay(("a", 0, 1.0))
    first = world.materialize()
    doubled = other(SPENDING, transform="SELECT card_id, at, amount * 2 AS amount FROM {source}")
    world.views = [doubled]
    second = world.materialize()
    world.pay(("b", 1, 2.0))
    world.views = [SPENDING]

    back = world.materialize()

    assert second.table_id != first.table_id
    assert (back.table_id, back.rows_in, back.rows_out) == (first.table_id, 1, 1)
    assert world.rows() == [("a", 0, 1.0), ("b", 1, 2.0)]
    assert statuses(world)["spending"].state == "current"
    world.pay(("c", 2, 3.0))
    assert world.materialize().kind == "run"
    assert world.rows()[2:] == [("c", 2, 3.0)]
