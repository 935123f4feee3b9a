"""The decision of a materialization, from evidence only."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from featurestore.errors import FeatureStoreError, RequestError, SourceError, TableError
from featurestore.jobs.materialize.decide import Situation, Step, decide, ended
from featurestore.jobs.materialize.job import Request
from featurestore.jobs.materialize.refusal import Evidence
from featurestore.store.interval import Interval
from featurestore.store.ledger.tables import TableRecord

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
CURRENT = TableRecord("v", table_id="old", fingerprint="f", state="current", at=NOON)
BUILDING = replace(CURRENT, table_id="half", state="building")
NEW = replace(CURRENT, table_id="new", state="building")
WHOLE = Evidence(table_exists=True)


def situation(
    current: TableRecord | None = None,
    building: TableRecord | None = None,
    evidence: Evidence = WHOLE,
    fingerprint: str = "f",
    interrupted: bool = False,
    retired: tuple[TableRecord, ...] = (),
) -> Situation:
    return Situation(
        "v",
        fingerprint=fingerprint,
        current=current,
        building=building,
        evidence=lambda record: evidence,
        interrupted=interrupted,
        table_id="new",
        now=NOON,
        retired=retired,
    )


def test_a_view_without_a_table_is_built_and_the_build_has_its_start() -> None:
    step = decide(situation(), Request(start=NOON))

    assert step == Step("build", table=replace(NEW, start=NOON), records=(step.table,))


def test_a_current_table_is_updated_by_a_run() -> None:
    assert decide(situation(CURRENT), Request()) == Step("run", table=CURRENT)


@pytest.mark.parametrize(
    ("state", "request_"),
    [
        (situation(CURRENT, fingerprint="other"), Request()),
        (situation(CURRENT), Request(full=True)),
        (situation(CURRENT, evidence=Evidence(table_exists=False)), Request()),
        (
            situation(CURRENT, evidence=Evidence(table_exists=True, checkpoint_problem="lost")),
            Request(),
        ),
    ],
    ids=["definition changed", "full", "table gone", "checkpoint lost, no way to resume"],
)
def test_a_table_that_no_run_can_update_is_rebuilt(state: Situation, request_: Request) -> None:
    step = decide(state, request_)

    assert (step.kind, step.table.table_id, step.table.state) == ("build", "new", "building")


def test_a_new_build_of_the_upstream_view_is_a_new_build() -> None:
    derived = replace(CURRENT, upstream="u1")

    assert decide(replace(situation(derived), upstream="u1"), Request()).kind == "run"
    step = decide(replace(situation(derived), upstream="u2"), Request())
    assert (step.kind, step.table.upstream) == ("build", "u2")
    half = decide(
        replace(situation(None, replace(BUILDING, upstream="u1")), upstream="u2"), Request()
    )
    assert [(record.table_id, record.state) for record in half.records] == [
        ("half", "retired"),
        ("new", "building"),
    ]


def test_a_rebuild_of_a_lost_table_keeps_its_start() -> None:
    lost = situation(replace(CURRENT, start=NOON), evidence=Evidence(table_exists=False))

    assert decide(lost, Request()).table.start == NOON


def test_a_lost_checkpoint_starts_a_generation_at_the_next_version() -> None:
    evidence = Evidence(
        table_exists=True, checkpoint_problem="lost", resumes_at=7, new_generation=1
    )

    step = decide(situation(CURRENT, evidence=evidence), Request())

    assert (step.kind, step.starts_at, step.table.generation) == ("run", 7, 1)
    assert step.records == (step.table,)
    assert step.note == "lost; it went on at version 7"


def test_a_generation_without_a_commit_is_used_again() -> None:
    evidence = Evidence(table_exists=True, checkpoint_problem="lost", resumes_at=7)

    step = decide(situation(replace(CURRENT, generation=1), evidence=evidence), Request())

    assert (step.starts_at, step.table.generation, step.records) == (7, 1, ())


def test_a_build_that_has_not_ended_is_continued() -> None:
    assert decide(situation(CURRENT, BUILDING), Request()) == Step("build", table=BUILDING)


@pytest.mark.parametrize(
    ("state", "request_"),
    [
        (situation(None, BUILDING, fingerprint="other"), Request()),
        (situation(None, BUILDING), Request(start=NOON)),
        (situation(None, BUILDING), Request(full=True)),
        (
            situation(None, BUILDING, Evidence(table_exists=True, checkpoint_problem="lost")),
            Request(),
        ),
        (situation(None, BUILDING, Evidence(table_exists=True, changed_files=("a",))), Request()),
    ],
    ids=["definition changed", "other start", "full after a failure", "lost", "files changed"],
)
def test_a_build_that_cannot_continue_is_retired(state: Situation, request_: Request) -> None:
    step = decide(state, request_)

    assert step.table.table_id == "new"
    assert step.records == (replace(BUILDING, state="retired"), step.table)


def test_an_interrupted_full_build_is_continued_by_the_same_request() -> None:
    step = decide(situation(CURRENT, BUILDING, interrupted=True), Request(full=True))

    assert step == Step("build", table=BUILDING)


def test_start_is_refused_for_a_table_that_exists() -> None:
    with pytest.raises(RequestError) as refused:
        decide(situation(CURRENT), Request(start=NOON))

    assert "'v', start=" in refused.value.call
    assert "full=True" in refused.value.fix


def test_changed_files_are_an_error_with_their_names() -> None:
    changed = Evidence(table_exists=True, changed_files=("a.csv", "b.csv", "c.csv", "d.csv"))

    with pytest.raises(SourceError) as refused:
        decide(situation(CURRENT, evidence=changed), Request())

    assert refused.value.found.endswith(": a.csv, b.csv, c.csv and 1 more")
    assert "`featurestore materialize v --full`" in refused.value.fix


def test_the_days_of_changed_files_are_in_the_command_that_repairs_them() -> None:
    days = Interval(NOON.replace(hour=0), NOON.replace(hour=0) + timedelta(days=2))
    changed = Evidence(table_exists=True, changed_files=("a.csv",), changed_days=lambda: days)

    with pytest.raises(SourceError) as refused:
        decide(situation(CURRENT, evidence=changed), Request())

    command = (
        f"`featurestore materialize v --start {days.start:%Y-%m-%d} --end {days.end:%Y-%m-%d}`"
    )
    assert command in refused.value.fix


def test_an_ended_build_replaces_the_previous_one() -> None:
    records = ended(Step("build", table=NEW), situation(CURRENT))

    assert records == (replace(NEW, state="current"), replace(CURRENT, state="retired"))


OLD = replace(CURRENT, table_id="before", fingerprint="g", state="retired")


def test_a_definition_that_was_taken_back_takes_up_the_newest_build_that_fits() -> None:
    older, other = replace(OLD, table_id="older"), replace(OLD, table_id="o", fingerprint="h")
    changed = situation(CURRENT, fingerprint="g", retired=(older, OLD, other))

    step = decide(changed, Request())

    assert (step.kind, step.table) == ("build", replace(OLD, state="building"))
    assert step.records == (step.table,)
    assert ended(step, changed) == (
        replace(OLD, state="current"),
        replace(CURRENT, state="retired"),
    )


@pytest.mark.parametrize(
    ("evidence", "request_"),
    [
        (WHOLE, Request(full=True)),
        (WHOLE, Request(start=NOON)),
        (Evidence(table_exists=False), Request()),
        (Evidence(table_exists=True, table_damage="it is cut"), Request()),
        (Evidence(table_exists=True, source_change="it was replaced"), Request()),
        (Evidence(table_exists=True, checkpoint_problem="it is gone"), Request()),
        (Evidence(table_exists=True, changed_files=("a",)), Request()),
    ],
)
def test_an_earlier_build_that_cannot_go_on_is_not_taken_up(
    evidence: Evidence, request_: Request
) -> None:
    changed = situation(CURRENT, evidence=evidence, fingerprint="g", retired=(OLD,))

    assert decide(changed, request_).table.table_id == "new"


@pytest.mark.parametrize(
    "evidence",
    [
        Evidence(table_exists=True, table_damage="it is cut"),
        Evidence(table_exists=True, checkpoint_problem="it is gone"),
        Evidence(table_exists=True, changed_files=("b.csv",)),
    ],
)
def test_an_earlier_build_is_not_replaced_by_one_that_lacks_rows_of_it(evidence: Evidence) -> None:
    state = replace(evidence, lost_files="a.csv is gone")
    changed = situation(CURRENT, evidence=state, fingerprint="g", retired=(OLD,))

    with pytest.raises(SourceError) as refused:
        decide(changed, Request())

    assert "a.csv" in refused.value.found
    assert any(
        each in refused.value.found
        for each in (evidence.table_damage, evidence.checkpoint_problem, *evidence.changed_files)
        if each
    )
    assert "`featurestore materialize v --full`" in refused.value.fix
    assert decide(changed, Request(full=True)).table.table_id == "new"


def test_an_earlier_build_that_began_later_is_not_taken_up() -> None:
    partial = replace(OLD, start=NOON)
    changed = situation(CURRENT, fingerprint="g", retired=(partial,))

    assert decide(changed, Request()).table.table_id == "new"
    assert decide(changed, Request(start=NOON)).table.table_id == partial.table_id


@pytest.mark.parametrize(
    ("evidence", "kind", "part"),
    [
        (Evidence(table_exists=True, table_damage="a commit is empty"), TableError, "empty"),
        (Evidence(table_exists=True, source_change="it was put back"), SourceError, "put back"),
        (Evidence(source_change="it was replaced"), SourceError, "replaced"),
        (
            Evidence(table_exists=True, checkpoint_problem="it is gone", lost_files="a.csv"),
            SourceError,
            "a.csv",
        ),
        (Evidence(table_exists=False, lost_files="a.csv"), SourceError, "a.csv"),
    ],
)
def test_a_run_is_refused_where_rows_would_be_lost_and_a_full_build_is_not(
    evidence: Evidence, kind: type[FeatureStoreError], part: str
) -> None:
    with pytest.raises(kind) as refused:
        decide(situation(CURRENT, evidence=evidence), Request())

    assert part in refused.value.found
    assert "`featurestore materialize v --full`" in refused.value.fix
    assert decide(situation(CURRENT, evidence=evidence), Request(full=True)).kind == "build"


def test_a_build_that_has_not_ended_begins_again_if_its_source_changed() -> None:
    evidence = Evidence(table_exists=True, source_change="it was replaced")

    assert decide(situation(None, BUILDING, evidence), Request()).table.table_id == "new"


def test_tables_that_the_ledger_has_lost_are_built_again_only_if_wanted() -> None:
    """The source may no longer have all of their rows."""
    lost = replace(situation(), unrecorded="the ledger has no record")

    with pytest.raises(TableError) as caught:
        decide(lost, Request())

    assert caught.value.found == "the ledger has no record"
    assert "--full" in caught.value.fix
    assert decide(lost, Request(full=True)).kind == "build"
