"""The benchmarks on Spark: their cases, what is run once, and the comparison of memory."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from benchmarks.contest import ContestError, Result, Way
from benchmarks.generate import write_parquet
from benchmarks.measure import Row
from benchmarks.results import cells
from benchmarks.spark.cases import SPARK_CASES, SparkCase
from benchmarks.spark.measure import Runs, measure
from benchmarks.spark.measured import INPUT_CASES
from benchmarks.spark.workloads import SPARK_WORKLOADS, SPINES, write_spine
from benchmarks.workload import Workload

SMALL = Workload("small", keys=50, rows=100, spine=400, views=1, features=1)
ANSWER = {"x": [100.0, 3.5, 700.0]}
WAY, PLAIN = Way("ours", "spark_ours scan", "twice"), Way("ours", "spark_ours scan")


def result(way: Way, seconds: float, peak: int) -> Result:
    return Result(way, (seconds,), ANSWER, peak, {"tasks": 3.0})


def test_a_way_of_several_cases_runs_once_and_keeps_its_name_in_each() -> None:
    ran = []

    def runs_way(way: Way) -> Result:
        ran.append(way)
        return result(way, 1.0, 1)

    runs = Runs(runs_way)
    named = replace(PLAIN, name="the plain case")

    assert [runs.result(way).way.name for way in (PLAIN, named)] == ["ours", "the plain case"]
    assert len(ran) == 1


def test_a_way_that_failed_is_not_run_again() -> None:
    ran = []

    def fails(way: Way) -> Result:
        ran.append(way)
        raise ContestError("no memory")

    runs = Runs(fails)

    for _ in range(2):
        with pytest.raises(ContestError, match="no memory"):
            runs.result(PLAIN)
    assert len(ran) == 1


def test_the_peak_memory_is_compared_with_that_of_the_plain_case() -> None:
    peaks = {WAY: 3_000_000_000, PLAIN: 2_500_000_000}
    case = SparkCase("twice", "twice", WAY, flat_to=PLAIN)

    measured = measure(case, Runs(lambda way: result(way, 1.0, peaks[way])))

    (row,) = [Row(**each) for each in measured["rows"]]
    assert (row.ratio, row.share, row.met) == (1.2, 1.0, True)
    assert cells(row)[-4:] == ("2.5 GB", "1.2", "≤ 1.2", "yes")


def test_each_case_has_a_workload_and_a_spine_that_exist() -> None:
    ways = [way for case in SPARK_CASES.values() for way in case.ways]
    spines = {way.options[way.options.index("--spine") + 1] for way in ways if way.options}

    assert {way.workload for way in ways} == set(SPARK_WORKLOADS)
    assert spines == {"spine", *SPINES}
    assert set(INPUT_CASES) < set(SPARK_CASES)


def test_further_spines_have_their_sizes_and_shares_of_a_key(tmp_path: Path) -> None:
    write_parquet(SMALL, tmp_path)
    for name in SPINES:
        write_spine(name, SMALL, tmp_path)

    keys = {name: pq.read_table(tmp_path / f"{name}.parquet")["id"].to_numpy() for name in SPINES}

    assert {name: len(each) for name, each in keys.items()} == {
        "spine_a_fifth": 80,
        "spine_twice": 800,
        "spine_hot": 400,
        "spine_uniform": 400,
    }
    assert np.mean(keys["spine_hot"] == 0) > 0.4
    assert np.mean(keys["spine_uniform"] == 0) < 0.1
