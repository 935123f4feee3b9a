"""The simulation of larger clusters: its arithmetic, its limits and its command."""

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import page, results, scaling
from benchmarks.scaling import Cluster, Job, Stage, breaks_at, report, simulate, stages, uses
from benchmarks.spark.measured import INPUT_CASES, Measured, NotMeasuredError, read_measured

MEASURED = Measured(
    feature_read_bytes=40.0,
    spine_bytes=16.0,
    exchange_bytes=30.0,
    written_bytes=150.0,
    feature_seconds=1e-7,
    spine_seconds=2e-7,
    task_seconds=0.1,
    worker_bytes=300e6,
)
EVEN = Cluster(executors=10, cores=4, slow=0.0)


def test_equal_tasks_take_as_many_rounds_as_there_are_tasks_for_each_core() -> None:
    stage = Stage("s", 81, seconds=2.0, storage_bytes=0.0, network_bytes=0.0, waits=0.5)

    assert simulate(stage, EVEN) == pytest.approx(3 * 2.5)


def test_many_rounds_are_the_same_as_if_each_was_simulated() -> None:
    stage = Stage("s", 40 * 1_000, 2.0, storage_bytes=0.0, network_bytes=0.0, waits=0.0)

    assert simulate(stage, EVEN) == pytest.approx(2_000.0)


def test_slow_executors_take_fewer_tasks() -> None:
    stage = Stage("s", 300, seconds=1.0, storage_bytes=0.0, network_bytes=0.0, waits=0.0)

    # 20 cores take 2 s for a task: together 30 tasks a second.
    assert simulate(stage, replace(EVEN, slow=0.5)) == pytest.approx(10.0)


def test_a_task_waits_for_its_share_of_the_storage() -> None:
    stage = Stage("s", 1, seconds=1.0, storage_bytes=100e6, network_bytes=0.0, waits=0.0)

    # A core of four has 50 MB of 200 in a second.
    assert simulate(stage, EVEN) == pytest.approx(3.0)


def test_all_rows_are_exchanged_and_read_once_but_for_the_ends_of_ranges() -> None:
    job = Job(rows=1e9, spine=1e8, views=2, task_rows=1e6)

    exchange, answer = stages(job, EVEN, MEASURED)

    assert answer.tasks == 100
    assert exchange.tasks * exchange.storage_bytes == pytest.approx(2 * 1e8 * 16)
    assert answer.tasks * answer.network_bytes == pytest.approx(1e8 * 30)
    assert answer.storage_bytes == pytest.approx((1e7 + 2 * 50_000) * 40 + 1e6 * 150)
    assert answer.seconds == pytest.approx(0.1 + 1e7 * 1e-7 + 1e6 * 2 * 2e-7)


def test_a_limit_breaks_at_the_factor_at_which_its_share_is_one() -> None:
    job = Job(rows=1e9, spine=1e8)

    factor = breaks_at("local disk of an executor", job, EVEN, MEASURED)

    # 10 executors with 100 GB, 30 bytes a row.
    assert factor == pytest.approx(10 * 100e9 / (1e8 * 30), rel=1e-3)
    assert factor is not None
    larger = replace(job, rows=job.rows * factor, spine=job.spine * factor)
    share = {use.name: use.share for use in uses(larger, EVEN, MEASURED)}
    assert share["local disk of an executor"] == pytest.approx(1.0, rel=1e-3)


def test_more_executors_move_the_limit_of_time() -> None:
    job = Job()

    few, many = (
        breaks_at("time", job, replace(EVEN, executors=count, block_us=0), MEASURED)
        for count in (10, 100)
    )

    assert few is not None
    assert many is not None
    assert many == pytest.approx(10 * few, rel=0.05)


def test_the_report_names_the_limit_that_breaks_first() -> None:
    text = report(Job(), replace(EVEN, disk_gb=1.0), MEASURED)

    assert "breaks first: local disk of an executor" in text


def test_the_costs_of_a_row_are_differences_of_two_cases(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "FOLDER", tmp_path)
    of_plain = {"seconds_without_rows": 0.2, "spine_bytes": 8_000_000}
    of_plain |= {"shuffle_bytes": 15_000_000, "written_bytes": 75_000_000}
    of_plain |= {"worker_read_bytes": 400_000_000, "worker_peak_bytes": 600e6}
    for case, seconds in zip(INPUT_CASES, (5.0, 6.0, 7.0), strict=True):
        measured = of_plain | {"task_seconds": seconds}
        results.save(f"spark_{case}", {"rows": [], "ways": [{"measured": measured}]})

    found = read_measured()

    assert found == Measured(
        feature_read_bytes=40.0,
        spine_bytes=16.0,
        exchange_bytes=30.0,
        written_bytes=150.0,
        feature_seconds=1e-7,
        spine_seconds=pytest.approx(8e-7),
        task_seconds=0.2,
        worker_bytes=300e6,
    )


def test_without_results_the_command_says_what_to_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(results, "FOLDER", tmp_path)

    assert scaling.main(["--rows", "1e9"]) == 2

    assert "make bench-spark" in capsys.readouterr().err
    with pytest.raises(NotMeasuredError):
        read_measured()


def test_the_page_shows_the_simulation_of_the_newest_results(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "FOLDER", tmp_path)
    monkeypatch.setattr(page, "SCALING", tmp_path / "scaling.md")
    page.SCALING.write_text(f"before\n{page.BEGIN_SCALING}stale\n{page.END}after\n")
    measured = dict.fromkeys(
        ("spine_bytes", "shuffle_bytes", "written_bytes", "worker_read_bytes"), 1e7
    ) | {"worker_peak_bytes": 1e8, "seconds_without_rows": 0.1}
    for case, seconds in zip(INPUT_CASES, (5.0, 6.0, 7.0), strict=True):
        ways = [{"measured": measured | {"task_seconds": seconds}}]
        results.save(f"spark_{case}", {"rows": [], "ways": ways})

    (text,) = page.scaling_page().values()

    assert "stale" not in text
    assert "| bytes exchanged for each spine row | 20.0 |" in text
    assert "breaks first" in text
