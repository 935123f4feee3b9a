"""The demo from end to end, on a little of one domain's data, three times."""

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
        # The first load is a day and a little before the end: there is one more day, then none.
        simulate(Size(payments=7_000, cards=150, merchants=80, days=150)),
        7_040,
    )


def test_a_further_run_does_only_what_is_new(
    spark: "SparkSession", data: Data, tmp_path: Path
) -> None:
    (tmp_path / "featurestore.toml").write_text(SETTINGS, encoding="utf-8")

    def run_and_listen() -> tuple[int, str]:
        said = StringIO()
        [report] = run(tmp_path, data, Console(file=said, width=140), ["fraud"])
        return report.rows, said.getvalue()

    first_rows, first = run_and_listen()
    second_rows, second = run_and_listen()
    third_rows, third = run_and_listen()

    assert "data/healthcare/lab_results" in first
    assert "build" in first
    assert "data/healthcare/lab_results" not in second
    assert "build" not in second
    assert first_rows < second_rows == third_rows
    assert "nothing new for 5 of 5 views" in third
    assert "nothing new since the last run: its scores" in third
    assert len(FeatureStore(tmp_path).history()) == 1


def test_an_unknown_domain_is_refused() -> None:
    with pytest.raises(SystemExit, match="Known: healthcare, ecommerce"):
        main(["frod"])
