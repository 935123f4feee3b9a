"""The demo from end to end, three times, on a small part of one domain's data."""

from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from demo.ecommerce.data import load_ratings
from demo.fraud.simulator import Size, simulate
from demo.healthcare.data import Cohort, load_cohort
from demo.runner import Data, main, run
from featurestore import FeatureStore

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

ROOT = Path(__file__).parents[2]
SETTINGS = f"""
project = "demo"
root = "store"
definitions = "{(ROOT / "feature_defs").as_posix()}"
"""


@pytest.fixture(scope="module")
def data() -> Data:
    whole = load_cohort()
    return Data(
        Cohort(whole.patients.head(50), whole.labs.head(50), whole.diagnoses.head(50)),
        load_ratings().head(50),
        # The first load ends a little more than a day before the simulation: one more day follows.
        simulate(Size(payments=7_000, cards=150, merchants=80, days=150)),
        7_040,
    )


def test_a_later_run_does_only_new_work(spark: "SparkSession", data: Data, tmp_path: Path) -> None:
    (tmp_path / "featurestore.toml").write_text(SETTINGS, encoding="utf-8")

    def run_demo() -> tuple[int, str]:
        output = StringIO()
        [report] = run(tmp_path, data, Console(file=output, width=140), ["fraud"])
        return report.rows, output.getvalue()

    first_rows, first = run_demo()
    second_rows, second = run_demo()
    third_rows, third = run_demo()

    assert "data/healthcare/lab_results" in first
    assert "build" in first
    assert "data/healthcare/lab_results" not in second
    assert "build" not in second
    assert first_rows < second_rows == third_rows
    assert "5 of 5 views" in third
    assert "last run" in third
    assert "last run" not in second
    assert len(FeatureStore(tmp_path).history()) == 1
    site = tmp_path / "site" / "index.html"
    assert site.is_file()
    assert third.rstrip().endswith(f"open {site}")


def test_an_unknown_domain_is_an_error_that_lists_the_domains() -> None:
    with pytest.raises(SystemExit, match="Known: healthcare, ecommerce"):
        main(["frod"])
