"""A checkpoint of another build, put in the place of a view's own one, counts as a lost one."""

import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from featurestore.engines.spark.source.checkpoint_owner import (
    OWNER_FILE,
    CheckpointOwner,
    owner_of,
)
from featurestore.errors import RequestError, SourceError
from featurestore.jobs.doctor.doctor import examine as doctor
from featurestore.jobs.doctor.finding import Finding
from featurestore.jobs.materialize.job import RunResult
from featurestore.jobs.repair.plan import prepare_repair
from featurestore.jobs.repair.repair import repair
from featurestore.store.interval import Interval
from featurestore.store.ledger.tables import TableRecord, Tables
from tests.jobs.materialize.test_file_sources import put, source_of
from tests.jobs.world import NOON, SPENDING, World, other

DAY = Interval(NOON, NOON + timedelta(hours=1))
FILES = source_of("parquet")
OTHERS = replace(FILES, name="refunds", path="refunds")
OWN = other(SPENDING, name="own", source=FILES)
SAME = other(SPENDING, name="foreign", source=FILES)
ELSEWHERE = other(SPENDING, name="foreign", source=OTHERS)


def run(world: World, view: str, *, full: bool = False) -> RunResult:
    return world.materialize(views=[view], full=full)


def current(world: World, view: str = "own") -> TableRecord:
    record = Tables(world.layout).current(view)
    assert record is not None
    return record


def checkpoint_of(world: World, view: str = "own") -> Path:
    record = current(world, view)
    return Path(world.layout.checkpoint(record.table_id, record.generation))


def swap(world: World) -> Path:
    """Put the checkpoint of the other view in the place of the own one; return its address."""
    own = checkpoint_of(world)
    shutil.rmtree(own)
    shutil.copytree(checkpoint_of(world, "foreign"), own)
    return own


def findings(world: World) -> list[Finding]:
    return doctor(world.job, ["own"])


def clause(world: World, place: Path) -> str:
    build = current(world, "foreign").table_id
    return f"the checkpoint at {place} is that of view 'foreign' (build {build})"


def test_files_that_another_view_of_the_same_source_has_read_are_stored(world: World) -> None:
    world.views = [OWN, SAME]
    put(world, "a.parquet", ("a", 0, 1.0))
    built = run(world, "own", full=True)
    put(world, "b.parquet", ("b", 1, 2.0))
    run(world, "foreign", full=True)
    place = swap(world)
    (found,) = findings(world)

    result = run(world, "own")

    assert (found.code, found.found) == ("D401", clause(world, place))
    assert (result.status, result.kind, result.rows_out) == ("done", "build", 2)
    assert clause(world, place) in result.message
    assert result.table_id != built.table_id
    assert world.rows(view="own") == [("a", 0, 1.0), ("b", 1, 2.0)]
    assert findings(world) == []
    put(world, "c.parquet", ("c", 2, 3.0))
    assert [run(world, view).rows_out for view in ("own", "foreign")] == [1, 1]
    assert world.rows(view="own") == world.rows(view="foreign")


def test_a_checkpoint_of_another_source_names_no_file_of_it(world: World) -> None:
    world.views = [OWN, ELSEWHERE]
    gone = put(world, "a.parquet", ("a", 0, 1.0))
    put(world, "b.parquet", ("b", 1, 2.0))
    put(world, "../refunds/r.parquet", ("r", 0, 9.0))
    built = run(world, "own")
    run(world, "foreign")
    place = swap(world)
    kept = gone.rename(world.folder / "kept.parquet")
    (found,) = findings(world)

    refused = run(world, "own")

    assert isinstance(refused.error, SourceError)
    assert refused.error.found == (
        f"{clause(world, place)}, so the table must be built again; "
        f"but files that it read are gone: {gone}"
    )
    assert (found.code, found.found) == ("D401", clause(world, place))
    assert "r.parquet" not in f"{found.fix} {refused.error}"
    assert (current(world).table_id, len(world.rows(view="own"))) == (built.table_id, 2)
    with pytest.raises(SourceError, match="files that it read are gone"):
        prepare_repair(world.job, OWN, DAY)
    kept.rename(gone)
    with pytest.raises(RequestError, match="is that of view 'foreign'"):
        prepare_repair(world.job, OWN, DAY)
    assert (run(world, "own").kind, findings(world)) == ("build", [])
    assert world.rows(view="own") == [("a", 0, 1.0), ("b", 1, 2.0)]


def test_a_checkpoint_of_another_build_of_a_table_source_goes_on_after_the_last_commit(
    world: World,
) -> None:
    world.views = [other(SPENDING, name="own"), other(SPENDING, name="foreign")]
    world.pay(("a", 0, 1.0))
    built = run(world, "own")
    world.pay(("b", 1, 2.0))
    run(world, "foreign")
    place = swap(world)
    (found,) = findings(world)

    result = run(world, "own")

    assert (found.code, found.found) == ("D401", clause(world, place))
    assert (result.kind, result.rows_out, result.table_id) == ("run", 1, built.table_id)
    assert f"{clause(world, place)}; it went on at version 1" in result.message
    assert world.rows(view="own") == [("a", 0, 1.0), ("b", 1, 2.0)]
    assert (current(world).generation, findings(world)) == (1, [])
    world.pay(("c", 2, 3.0))
    assert [run(world, view).rows_out for view in ("own", "foreign")] == [1, 1]
    assert world.rows(view="own") == world.rows(view="foreign")


def test_all_generations_of_another_build_are_passed_over(world: World) -> None:
    world.views = [other(SPENDING, name="own"), other(SPENDING, name="foreign")]
    world.pay(("a", 0, 1.0))
    run(world, "own")
    run(world, "foreign")
    shutil.rmtree(checkpoint_of(world, "foreign"))
    world.pay(("b", 1, 2.0))
    run(world, "foreign")  # in its second generation
    shutil.copytree(checkpoint_of(world, "foreign"), checkpoint_of(world).with_name("1"))
    shutil.copytree(checkpoint_of(world, "foreign"), checkpoint_of(world), dirs_exist_ok=True)

    result = run(world, "own")

    assert (result.kind, result.rows_out, current(world).generation) == ("run", 1, 2)
    assert world.rows(view="own") == [("a", 0, 1.0), ("b", 1, 2.0)]


@pytest.mark.parametrize("is_table", [True, False], ids=["table", "files"])
def test_an_empty_table_is_not_refused_for_a_checkpoint_of_another_view(
    world: World, is_table: bool
) -> None:
    source = SPENDING.source if is_table else source_of("csv")
    world.views = [
        other(SPENDING, name="own", source=source),
        other(SPENDING, name="foreign", source=source),
    ]
    (world.folder / "files").mkdir()
    world.pay()
    run(world, "own")
    world.pay(("a", 0, 1.0))
    put(world, "a.csv", ("a", 0, 1.0))
    run(world, "foreign")
    shutil.rmtree(checkpoint_of(world), ignore_errors=True)  # without a batch, there may be none
    shutil.copytree(checkpoint_of(world, "foreign"), checkpoint_of(world))

    result = run(world, "own")

    assert (result.status, result.kind, result.rows_out) == ("done", "build", 1)
    assert world.rows(view="own") == [("a", 0, 1.0)]


@pytest.mark.parametrize("is_table", [True, False], ids=["table", "files"])
def test_a_checkpoint_of_an_earlier_release_goes_on_and_says_then_whose_it_is(
    world: World, is_table: bool
) -> None:
    world.views = [other(SPENDING, name="own", source=SPENDING.source if is_table else FILES)]
    world.pay(("a", 0, 1.0))
    put(world, "a.parquet", ("a", 0, 1.0))
    built = run(world, "own")
    (checkpoint_of(world) / OWNER_FILE).unlink()
    unread = findings(world), run(world, "own").status
    world.pay(("b", 1, 2.0))
    put(world, "b.parquet", ("b", 1, 2.0))

    result = run(world, "own")

    assert unread == ([], "nothing")
    assert (result.kind, result.rows_out, result.table_id) == ("run", 1, built.table_id)
    assert world.rows(view="own") == [("a", 0, 1.0), ("b", 1, 2.0)]
    owner = CheckpointOwner("own", table_id=built.table_id, generation=0)
    assert owner_of(str(checkpoint_of(world))) == owner


@pytest.mark.parametrize("is_table", [True, False], ids=["table", "files"])
def test_the_checkpoint_of_a_repaired_table_is_its_own(world: World, is_table: bool) -> None:
    world.views = [other(SPENDING, name="own", source=SPENDING.source if is_table else FILES)]
    world.pay(("a", 0, 1.0), ("b", 2, 2.0))
    put(world, "a.parquet", ("a", 0, 1.0), ("b", 2, 2.0))
    run(world, "own")
    (repaired,) = repair(world.job, ["own"], DAY)
    world.pay(("c", 3, 3.0))
    put(world, "c.parquet", ("c", 3, 3.0))

    result = run(world, "own")

    assert repaired.status == "done"
    assert (result.kind, result.rows_out, result.table_id) == ("run", 1, repaired.table_id)
    assert world.rows(view="own") == [("a", 0, 1.0), ("b", 2, 2.0), ("c", 3, 3.0)]
    assert findings(world) == []
