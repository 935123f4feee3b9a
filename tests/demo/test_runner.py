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
        # The first load ends a little more than two days before the simulation: two days follow,
        # one in the first run.
        simulate(Size(payments=7_000, cards=150, merchants=80, days=150)),
        6_980,
    )


def test_a_later_run_does_only_new_work(spark: "SparkSession", data: Data, tmp_path: Path) -> None:
    (tmp_path / "featurestore.toml").write_text(SETTINGS, encoding="utf-8")

    def run_demo() -> tuple[int, str]:
        output = StringIO()
        [report] = run(tmp_path, data, Console(file=output, width=140), ["fraud"])
        return report.rows, output.getvalue()

    first_rows, first = run_demo()
    compared = _compared_features(FeatureStore(tmp_path))
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
    store = FeatureStore(tmp_path)
    assert len(store.history()) == 1
    assert "amount_sum_1h" in compared
    assert [each.version for each in store.training_sets()] == [1]  # 0 is that of the first run
    assert {each.name for each in store.impact("transactions.amount").models} == {"fraud_boosting"}
    assert [(tmp_path / each.uri).is_file() for each in store.models()] == [True, True]
    site = tmp_path / "site" / "index.html"
    assert site.is_file()
    assert third.rstrip().endswith(f"open {site}")


def _compared_features(store: FeatureStore) -> set[str]:
    """Return the features whose values have been compared with those of the run before."""
    return {each.feature for each in store.monitor("card_activity") if each.value is not None}


def test_an_unknown_domain_is_an_error_that_lists_the_domains() -> None:
    with pytest.raises(SystemExit, match="Known: healthcare, ecommerce"):
        main(["frod"])
