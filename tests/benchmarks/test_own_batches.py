"""The benchmarks of batches store rows with and without what they measure."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pyspark.sql import DataFrame, SparkSession

from benchmarks import expectations, profiles

PAIRS = {"expectations": expectations.pair, "profiles": profiles.pair}


@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS.keys())
def test_each_pair_of_batches_is_stored_and_timed(
    spark: SparkSession,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    pair: Callable[[DataFrame, Path, int], tuple[float, float]],
) -> None:
    monkeypatch.setattr(expectations, "ROWS", 1_000)
    rows = expectations.source_rows(spark, tmp_path / "paid")

    plain, other = pair(rows, tmp_path, 0)

    assert rows.count() == 1_000
    assert plain > 0
    assert other > 0
