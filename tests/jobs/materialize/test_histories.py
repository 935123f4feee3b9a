"""Random histories of a view, with crashes: its rows are those of a model in plain Python."""

import shutil
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import mkdtemp

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from pyspark.sql import SparkSession

from featurestore.errors import FeatureStoreError
from featurestore.jobs.doctor.doctor import examine
from featurestore.jobs.doctor.streams import STREAM
from featurestore.jobs.maintain.maintain import maintain
from featurestore.jobs.materialize.job import Job, RunResult
from featurestore.jobs.materialize.start import materialize
from featurestore.store.fault_points import FAULT_POINTS, VARIABLE, InjectedError
from featurestore.store.ledger.runs import Runs
from featurestore.store.ledger.tables import Tables
from tests.effort import examples
from tests.jobs.soak_figures import FIGURES
from tests.jobs.world import SPENDING, Payment, World, other

DOUBLED = other(SPENDING, transform="SELECT card_id, at, amount * 2 AS amount FROM {source}")
FACTORS = {SPENDING: 1.0, DOUBLED: 2.0}
# Few values, so that rows repeat; hours before and after the present, and no key or time at times.
PAYMENTS = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", None]),
        st.sampled_from([0, 1, -500, 500, None]),
        st.sampled_from([1.0, 2.0]),
    ),
    min_size=1,
    max_size=4,
)


class Histories(RuleBasedStateMachine):
    """A view, and the rows that it must have."""

    def __init__(self, spark: SparkSession, environment: pytest.MonkeyPatch) -> None:
        super().__init__()
        self.folder = Path(mkdtemp())
        self.world = World(self.folder, spark, files_per_batch=1)
        self.environment = environment
        self.source: list[Payment] = []
        self.is_new = True  # whether there are rows or definitions that no run has seen

    @property
    def job(self) -> Job:
        return replace(self.world.job, compact_small_files=2)

    @property
    def expected(self) -> list[tuple[object, ...]]:
        """The rows that the table must have after a run."""
        factor = FACTORS[self.world.views[0]]
        rows = [row for row in self.source if row[0] is not None and row[1] is not None]
        return sorted((card, float(hour or 0), amount * factor) for card, hour, amount in rows)

    @initialize(rows=PAYMENTS)
    def begin(self, rows: list[Payment]) -> None:
        self.append(rows)

    @rule(rows=PAYMENTS)
    def append(self, rows: list[Payment]) -> None:
        self.world.pay(*rows)
        self.source += rows
        self.is_new = True

    @rule()
    def run(self) -> None:
        self._require_done(*materialize(self.job))

    @precondition(lambda self: self.is_new)
    @rule(
        point=st.sampled_from(FAULT_POINTS),
        action=st.sampled_from(["raise", "enospc"]),
        nth=st.sampled_from([1, 1, 2]),
    )
    def crash(self, point: str, action: str, nth: int) -> None:
        with self.environment.context() as armed:
            armed.setenv(VARIABLE, f"{point}={action}@{nth}")
            try:
                materialize(self.job)
            except (FeatureStoreError, InjectedError):
                assert point in ("lock.acquired", "lock.released")

    @rule()
    def run_with_a_second_runner(self) -> None:
        with ThreadPoolExecutor(2) as pool:
            runs = [pool.submit(materialize, self.job, wait=True) for _ in range(2)]
        self._require_done(*(result for run in runs for result in run.result()))

    @rule()
    def build_again(self) -> None:
        self._require_done(*materialize(self.job, full=True))

    @rule()
    def change_the_definition(self) -> None:
        """Change it, or change it back, so that the earlier table is taken up."""
        (view,) = self.world.views
        self.world.views = [next(each for each in FACTORS if each != view)]
        self.is_new = True

    @rule(hours=st.sampled_from([0, 500]))
    def maintain_it(self, hours: int) -> None:
        self.world.now += timedelta(hours=hours)
        assert {done.error for done in maintain(self.job)} <= {None}

    @rule()
    def lose_the_ledger_of_runs(self) -> None:
        shutil.rmtree(self.world.layout.runs(), ignore_errors=True)

    @rule()
    def lose_the_checkpoints(self) -> None:
        shutil.rmtree(self.folder / "store" / "checkpoints", ignore_errors=True)

    @invariant()
    def readers_see_no_row_that_the_source_has_not(self) -> None:
        if Tables(self.world.layout).current(SPENDING.name) is None:
            return
        factors = set(FACTORS.values())
        present = [
            {(card, float(hour or 0), amount * factor) for card, hour, amount in self.source}
            for factor in factors
        ]
        assert any(set(self.world.rows()) <= rows for rows in present)

    def _require_done(self, *results: RunResult) -> None:
        assert {result.status for result in results} <= {"done", "nothing"}, results
        stored = self.world.rows()
        FIGURES.compare(self.expected, stored)
        assert stored == self.expected
        current = Tables(self.world.layout).current(SPENDING.name)
        assert current is not None
        outcomes = [
            run.outcome
            for run in Runs(self.world.layout).records(SPENDING.name)
            if run.table_id == current.table_id
        ]
        assert sum(each.rows_out for each in outcomes) == len(stored)
        assert sum(each.rows_in for each in outcomes) == len(self.source)
        states = Counter(build.state for build in Tables(self.world.layout).records())
        assert (states["current"], states["building"]) == (1, 0)
        # A stream whose checkpoint is lost goes on without it at the next new rows.
        assert {finding.code for finding in examine(self.job)} <= {STREAM}
        self.is_new = False

    def teardown(self) -> None:
        shutil.rmtree(self.folder)


@pytest.mark.slow
@pytest.mark.soak
def test_histories_with_crashes_end_with_the_rows_of_the_model(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_state_machine_as_test(
        lambda: Histories(spark, monkeypatch),
        settings=settings(
            examples(4),
            stateful_step_count=8,
            phases=[Phase.explicit, Phase.reuse, Phase.generate],  # to shrink takes hours
            suppress_health_check=list(HealthCheck),
        ),
    )
