"""What users of other feature stores complain of, each as a test with the complaint's name."""

from pathlib import Path

import pytest

from featurestore.cli.main import main
from featurestore.jobs.materialize.lock import view_lock
from featurestore.store.ledger.runs import Runs
from tests.jobs.schedule.ledger import at
from tests.jobs.schedule.project import DEFINITIONS, Project


@pytest.fixture
def project(tmp_path: Path, spark) -> Project:
    """Two scheduled views, each with rows of one hour before noon that are materialized."""
    made = Project(tmp_path / "shop", spark)
    made.pay(("a", -1, 1.0))
    made.pay(("b", -1, 1.0), source="refunds")
    assert made.tick("12:00") == [("refunded", "done", 1), ("spending", "done", 1)]
    return made


def test_apply_resets_the_watermark(project: Project) -> None:
    project.redefine("*/15", "*/30")
    project.redefine("latest=False", 'latest=False, owner="risk", ttl="7d"')
    project.pay(("a", 0, 2.0))

    assert not any(state.is_due for state in project.store.due())
    assert project.tick("12:30") == [("refunded", "nothing", 0), ("spending", "done", 1)]


def test_a_future_end_date_blocks_later_runs(project: Project) -> None:
    project.pay(("future", 24 * 365 * 70, 9.0))
    assert project.tick("12:15") == [("refunded", "nothing", 0), ("spending", "done", 1)]
    project.pay(("a", 0, 2.0), ("late", -99, 3.0))

    assert project.tick("12:30")[1] == ("spending", "done", 2)

    assert project.amounts("a", "late", "future") == [2.0, 3.0, None]


def test_the_watermark_moves_before_the_job_succeeded(project: Project) -> None:
    project.pay(("a", 0, 2.0))
    hidden = project.folder / "payments"
    hidden.rename(project.folder / "hidden")
    assert project.tick("12:15")[1] == ("spending", "failed", 0)
    assert [s.view for s in project.store.due() if s.is_due] == ["spending"]
    (project.folder / "hidden").rename(hidden)

    assert project.tick("12:16") == [("spending", "done", 1)]

    assert project.amounts("a") == [2.0]


def test_all_is_pushed_again_when_nothing_changed(project: Project) -> None:
    versions = [status.version for status in project.store.status()]

    assert project.tick("12:15") == [("refunded", "nothing", 0), ("spending", "nothing", 0)]
    assert project.tick("12:16") == []

    assert [status.version for status in project.store.status()] == versions


def test_no_history_of_runs(project: Project) -> None:
    (project.folder / "refunds").rename(project.folder / "hidden")
    project.tick("12:15")
    (project.folder / "hidden").rename(project.folder / "refunds")
    project.tick("12:16")

    runs = Runs(project.store.layout).records("refunded")

    assert [(run.started_at, run.status, run.outcome.rows_in) for run in runs] == [
        (at("12:00"), "done", 1),
        (at("12:15"), "failed", 0),
        (at("12:16"), "nothing", 0),
    ]
    assert "refunds" in (runs[1].outcome.error or "")


def test_reads_are_refused_during_a_run(project: Project) -> None:
    answers = []
    project.pay(("a", 0, 2.0))
    project.now = at("12:15")

    def read(event: object) -> None:
        answers.append(project.amounts("a"))

    project.store.materialize("spending", due=True, progress=read)

    assert len(answers) > 3
    assert answers[0] == [1.0]
    assert answers[-1] == [2.0]


def test_partial_failure_exits_0(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    (project.folder / "refunds").rename(project.folder / "hidden")
    project.pay(("a", 0, 2.0))

    with pytest.raises(SystemExit) as ended:  # the clock is today's: both views are due
        main(["materialize", "--due", "-p", str(project.folder)])

    assert ended.value.code == 1
    assert project.amounts("a") == [2.0]
    with view_lock(project.store.layout, "spending", "r1", at("12:00")):
        pass  # it is free


def test_the_schedule_is_not_in_the_definition(project: Project) -> None:
    first, rest = DEFINITIONS.split("refunded =")
    project.define(first.replace("*/15", "0") + "refunded =" + rest)

    [view] = [view for view in project.store.applied().views if view.name == "spending"]

    assert view.schedule == "0 * * * *"
    assert project.tick("12:15") == [("refunded", "nothing", 0)]
    assert [run[0] for run in project.tick("13:00")] == ["refunded", "spending"]
