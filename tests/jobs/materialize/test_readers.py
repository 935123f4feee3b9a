"""Reads during runs, builds, compactions and changes of a definition are answered, and whole."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

import featurestore as fs
from tests.effort import rounds
from tests.jobs.soak_figures import FIGURES

NOW = datetime(2026, 1, 9, tzinfo=UTC)
SETTINGS = 'project = "shop"\ncompact_small_files = 2\n'
DEFINITIONS = """
import featurestore as fs

card = fs.Entity("card", join_keys=(fs.Field("card_id", fs.String),))
payments = fs.DeltaSource("payments", path="payments", timestamp_field="at")
spending = fs.FeatureView(
    "spending", entities=(card,), source=payments,
    schema=(fs.Field("amount", fs.Float64),),
    aggregations=(fs.Aggregation("amount", "sum", windows=("lifetime",)),),
)
"""
WITH_POINTS = DEFINITIONS.replace("Float64),)", 'Float64), fs.Field("points", fs.Int64))')
CARDS = ({"card_id": "a"}, {"card_id": "b"}, {"card_id": "c"})


@dataclass
class Reads:
    """The reads of one thread: how many there were, and those that went wrong."""

    store: Callable[[], fs.FeatureStore]
    number: int = 0
    refused: int = 0
    torn: int = 0
    problem: object = None

    def run(self, stop: threading.Event) -> None:
        """Read until the end; each commit pays the same amount to each card."""
        store, before = self.store(), 0.0
        while not stop.is_set():
            self.number += 1
            try:
                rows = store.get_latest_features(["spending"], list(CARDS)).to_arrow()
            except fs.FeatureStoreError as error:
                self.refused, self.problem = self.refused + 1, error
                continue
            sums = rows["amount_sum_lifetime"].to_pylist()
            if len(set(sums)) > 1 or sums[0] is None or sums[0] < before:
                self.torn, self.problem = self.torn + 1, (before, sums)
            before = sums[0] or before


@pytest.mark.slow
@pytest.mark.soak
@pytest.mark.filterwarnings("ignore:view 'spending' is answered by its definition")
def test_reads_beside_runs_are_never_refused_and_never_torn(
    tmp_path: Path, spark: SparkSession
) -> None:
    (tmp_path / "feature_defs").mkdir()
    (tmp_path / "featurestore.toml").write_text(SETTINGS)

    def opened() -> fs.FeatureStore:
        return fs.FeatureStore(tmp_path, spark=spark, clock=lambda: NOW)

    store = opened()

    def define(text: str) -> None:
        (tmp_path / "feature_defs" / "shop.py").write_text(text)
        store.apply(store.plan())

    def pay() -> None:
        at = datetime(2026, 1, 1, tzinfo=UTC)
        rows = [{**card, "at": at, "amount": 1.0, "points": 1} for card in CARDS]
        store.write_source("payments", rows)

    define(WITH_POINTS)  # so that the source has its columns
    pay()
    store.materialize()
    threads = [Reads(opened), Reads(opened)]
    stop = threading.Event()
    started = [threading.Thread(target=reads.run, args=(stop,)) for reads in threads]
    for thread in started:
        thread.start()
    paid = 1
    try:
        while paid <= rounds(4, soak=30) or sum(r.number for r in threads) < rounds(50, 10_000):
            pay()
            paid += 1
            if paid % 3 == 0:
                define(DEFINITIONS if paid % 2 else WITH_POINTS)
            store.materialize(full=paid % 3 == 1)
            if paid % 4 == 0:
                store.maintain(retention="1h")
    finally:
        stop.set()
        for thread in started:
            thread.join()

    sums = store.get_latest_features(["spending"], list(CARDS)).to_arrow()["amount_sum_lifetime"]
    assert sums.to_pylist() == [float(paid)] * len(CARDS)
    FIGURES.reads += sum(reads.number for reads in threads)
    FIGURES.refused += sum(reads.refused for reads in threads)
    FIGURES.torn += sum(reads.torn for reads in threads)
    assert [reads.problem for reads in threads] == [None, None]
    assert min(reads.number for reads in threads) > 10
