"""The lines and totals of `materialize --continuous`, and the options that need it."""

from datetime import timedelta
from pathlib import Path

import pytest

from featurestore.cli.continuous import BatchEvents, Total
from featurestore.cli.produce import materialize
from featurestore.client.display.log_lines import LogLines
from featurestore.errors import RequestError
from featurestore.jobs.materialize.progress import ProgressEvent
from tests.jobs.world import NOON


def batch(rows: int) -> list[ProgressEvent]:
    return [
        ProgressEvent("v", "starting"),
        ProgressEvent("v", "waiting"),
        ProgressEvent("v", "checking"),
        ProgressEvent("v", "reading", message="version 1 of payments"),
        ProgressEvent("v", "reading", batches=1, rows=rows),
        ProgressEvent("v", "done", rows=rows, seconds=1.5, message="stored"),
    ]


def test_spark_starts_once_and_each_batch_has_two_lines() -> None:
    printed: list[str] = []
    events = BatchEvents(LogLines(printed.append, lambda: NOON), {})

    for event in (*batch(2), *batch(3)):
        events(event)

    words = [line.split("v: ")[1].split()[0] for line in printed]
    assert words == ["starting", "reading", "done", "reading", "done"]


def test_a_long_step_gets_a_line_and_an_idle_view_gets_none() -> None:
    printed: list[str] = []
    now = [NOON]
    lines = LogLines(printed.append, lambda: now[0])
    events = BatchEvents(lines, {})

    for event in batch(2)[:-1]:
        events(event)
    now[0] += timedelta(seconds=61)
    lines.print_silent(60)
    events(ProgressEvent("v", "nothing"))
    now[0] += timedelta(seconds=61)
    lines.print_silent(60)
    events(ProgressEvent("v", "checking"))
    lines.print_silent(60)

    assert len(printed) == 3
    assert "2 rows" in printed[-1]


def test_totals_are_since_the_beginning() -> None:
    totals: dict[str, Total] = {}
    events = BatchEvents(LogLines(lambda line: None), totals)

    for event in (*batch(2), ProgressEvent("v", "failed", rows=9), *batch(3)):
        events(event)
    events(ProgressEvent("v", "nothing"))
    events(ProgressEvent("w", "skipped"))

    assert totals == {
        "v": Total("done", batches=2, rows=5, failures=1, seconds=3.0),
        "w": Total("skipped"),
    }


def test_a_wrong_duration_is_named_as_it_was_typed(tmp_path: Path) -> None:
    (tmp_path / "featurestore.toml").write_text('project = "p"\n', "utf-8")

    with pytest.raises(RequestError) as refused:
        materialize(project=tmp_path, continuous=True, trigger="500ms")

    assert refused.value.call == "materialize --continuous"
    assert refused.value.found.startswith("--trigger is '500ms'")
    assert "--trigger='5s'" in refused.value.fix


@pytest.mark.parametrize("option", ["trigger", "latest_every"])
def test_an_option_of_continuous_runs_is_refused_without_it(tmp_path: Path, option: str) -> None:
    (tmp_path / "featurestore.toml").write_text('project = "p"\n', "utf-8")

    with pytest.raises(RequestError) as refused:
        materialize(project=tmp_path, **{option: "3s"})  # type: ignore[arg-type]  # by its name

    assert "--continuous" in refused.value.fix
