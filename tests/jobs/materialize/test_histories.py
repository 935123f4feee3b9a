"""Random histories of a view, with crashes: its rows are those of a model in plain Python."""

import shutil
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import mkdtemp

import pandera.polars as pandera
import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
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

from featurestore.definitions.model.aggregation import Aggregation
from featurestore.definitions.model.source import DeltaSource
from featurestore.definitions.model.view import FeatureView
from featurestore.engines.kernel import answer_view
from featurestore.errors import FeatureStoreError, RequestError
from featurestore.jobs.doctor.doctor import examine
from featurestore.jobs.doctor.streams import STREAM
from featurestore.jobs.maintain.maintain import maintain
from featurestore.jobs.materialize.job import Job, RunResult
from featurestore.jobs.materialize.start import materialize
from featurestore.jobs.quarantine.release import release
from featurestore.query.compile import compile_view
from featurestore.store.columns import UTC_MICROS
from featurestore.store.commit import batch_commits
from featurestore.store.delta.log import is_table
from featurestore.store.fault_points import RELEASE_POINTS, RUN_POINTS, VARIABLE, InjectedError
from featurestore.store.ledger.runs import Runs
from featurestore.store.ledger.tables import TableRecord, Tables
from featurestore.store.quarantine import read_quarantine
from tests.effort import examples, is_soak
from tests.jobs.faults import IN_BATCHES
from tests.jobs.history import LEFT_OUT, Build, Payment, Rules
from tests.jobs.soak_figures import FIGURES
from tests.jobs.world import SPENDING, World, moment_of, other

SOURCE = DeltaSource(
    "payments",
    path="payments",
    timestamp_field="at",
    available_timestamp_field="seen",
    sequence_field="number",
    unique_by=("payment",),
)
CARDS = ("a", "b")
COLUMNS = ("card_id", "event_timestamp", "available_timestamp", "_seq", "payment", "amount")
POINTS = [point for point in RUN_POINTS if point != "latest.published"]  # no such table here
# Few values, so that rows meet; hours before and after the present, and no key or time at times.
CHOICES = st.lists(
    st.tuples(
        st.sampled_from([*CARDS, "a", None]),
        st.sampled_from([0, 1, -500, 500, None]),
        st.sampled_from([1.0, LEFT_OUT, 70.0, 500.0]),
    ),
    min_size=1,
    max_size=4,
)
LIMITS = st.sampled_from([100.0, 1000.0])
ACTIONS = st.sampled_from(["raise", "enospc"])
Choices = list[tuple[str | None, int | None, float]]


def view_of(rules: Rules) -> FeatureView:
    """The view by a definition and its expectations."""
    factor, kept = rules.factor, f"WHERE amount <> {LEFT_OUT}"
    sql = f"SELECT * EXCEPT (amount), amount * {factor} AS amount FROM {{source}} {kept}"
    checks = pandera.Column(float, pandera.Check.le(rules.limit))
    return other(
        SPENDING,
        source=SOURCE,
        aggregations=(Aggregation("amount", "sum", windows=("lifetime",)),),
        transform=None if factor == 1.0 else sql,
        expectations=pandera.DataFrameSchema({"amount": checks}),
    )


class Histories(RuleBasedStateMachine):
    """A view, and the rows that its builds must have."""

    def __init__(self, spark: SparkSession, environment: pytest.MonkeyPatch) -> None:
        super().__init__()
        self.folder = Path(mkdtemp())
        self.rules = Rules()
        self.world = World(self.folder, spark, [view_of(self.rules)], files_per_batch=1)
        self.environment = environment
        self.source: list[Payment] = []
        self.builds: dict[str, Build] = {}
        self.releases: Counter[str] = Counter()

    @property
    def job(self) -> Job:
        return replace(self.world.job, compact_small_files=2)

    @property
    def current(self) -> TableRecord | None:
        return Tables(self.world.layout).current(SPENDING.name)

    @initialize(rows=CHOICES)
    def begin(self, rows: Choices) -> None:
        self.append(rows)

    # The source.

    @rule(rows=CHOICES)
    def append(self, rows: Choices) -> None:
        """Append payments: some late, in the future, bad, or without a key or a time."""
        first = len(self.source)
        self._write(
            [
                Payment(
                    card,
                    hour=hour,
                    payment=f"p{first + each}",
                    number=first + each,
                    amount=amount,
                    seen=self.world.now,
                )
                for each, (card, hour, amount) in enumerate(rows)
            ]
        )

    @rule(data=st.data(), amount=st.sampled_from([2.0, 500.0]))
    def correct(self, data: st.DataObject, amount: float) -> None:
        """Append a correction of a payment; it may be bad, so that the payment stays."""
        row = data.draw(st.sampled_from(self.source))
        number = len(self.source)
        self._write([replace(row, number=number, amount=amount, seen=self.world.now)])

    @rule(data=st.data())
    def repeat(self, data: st.DataObject) -> None:
        """Append a row once more."""
        self._write([data.draw(st.sampled_from(self.source))])

    def _write(self, rows: list[Payment]) -> None:
        table = pa.table(
            {
                "card_id": pa.array([row.card for row in rows], pa.string()),
                "at": pa.array([moment_of(row.hour) for row in rows], UTC_MICROS),
                "seen": pa.array([row.seen for row in rows], UTC_MICROS),
                "number": pa.array([row.number for row in rows], pa.int64()),
                "payment": [row.payment for row in rows],
                "amount": [row.amount for row in rows],
            }
        )
        write_deltalake(self.folder / "payments", table, mode="append")
        self.source += rows
        self.world.now += timedelta(hours=1)

    # Runs.

    @rule()
    def run(self) -> None:
        self._require_done(*materialize(self.job))

    @rule()
    def build_again(self) -> None:
        self._require_done(*materialize(self.job, full=True))

    @rule()
    def run_with_a_second_runner(self) -> None:
        with ThreadPoolExecutor(2) as pool:
            runs = [pool.submit(materialize, self.job, wait=True) for _ in range(2)]
        self._require_done(*(result for run in runs for result in run.result()))

    @rule(rows=CHOICES, point=st.sampled_from(POINTS), action=ACTIONS)
    def crash(self, rows: Choices, point: str, action: str) -> None:
        """Fail a run that has new rows to read."""
        self.append(rows)
        self._fail(f"{point}={action}", full=False)

    @rule(point=st.sampled_from(POINTS), nth=st.sampled_from([1, 2]), action=ACTIONS, more=CHOICES)
    def crash_a_build(self, point: str, nth: int, action: str, more: Choices) -> None:
        """Fail a build, perhaps in its second batch; more rows come before the next run."""
        self._fail(f"{point}={action}@{nth if point in IN_BATCHES else 1}", full=True)
        self.append(more)

    def _fail(self, fault: str, *, full: bool) -> None:
        with self.environment.context() as armed:
            armed.setenv(VARIABLE, fault)
            try:
                materialize(self.job, full=full)
            except (FeatureStoreError, InjectedError):
                assert fault.startswith(("lock.acquired", "lock.released"))

    # Definitions and the quarantine.

    @rule()
    def change_the_definition(self) -> None:
        """Change it, or change it back, so that the earlier table is taken up."""
        self._define(replace(self.rules, factor=3.0 - self.rules.factor))

    @rule(limit=LIMITS)
    def change_the_expectations(self, limit: float) -> None:
        """Expect more of the rows, or less."""
        self._define(replace(self.rules, limit=limit))

    def _define(self, rules: Rules) -> None:
        self.rules = rules
        self.world.views = [view_of(rules)]

    @precondition(lambda self: self.current is not None)
    @rule(point=st.sampled_from([None, *RELEASE_POINTS]), limit=LIMITS)
    def release(self, point: str | None, limit: float) -> None:
        """Release what passes the expectations by now, perhaps with a crash."""
        self._define(replace(self.rules, limit=limit))
        build = self._current_build()
        is_possible = build.factor == self.rules.factor and bool(build.releasable(self.rules))
        with self.environment.context() as armed:
            if point is not None:
                armed.setenv(VARIABLE, f"{point}=raise")
            try:
                done = release(self.job, SPENDING.name)
            except RequestError:
                assert not is_possible
            except InjectedError:
                assert is_possible
            else:
                assert is_possible
                assert done.rows_out == len(build.releasable(self.rules))
        self._follow()
        self.world.now += timedelta(hours=1)

    # The store.

    @rule(hours=st.sampled_from([0, 500]))
    def maintain(self, hours: int) -> None:
        self.world.now += timedelta(hours=hours)
        assert {done.error for done in maintain(self.job)} <= {None}

    @rule(folder=st.sampled_from(["runs/runs", "checkpoints"]))
    def lose_the_ledger_of_runs_or_the_checkpoints(self, folder: str) -> None:
        shutil.rmtree(self.folder / "store" / folder, ignore_errors=True)

    # The comparison.

    @invariant()
    def each_table_has_the_rows_that_it_has_read(self) -> None:
        for record in self._follow():
            build, uri = self.builds[record.table_id], self._uri(record)
            if is_table(uri):
                rows = pa.table(DeltaTable(uri).scan()).select(COLUMNS).to_pylist()
                stored = sorted(tuple(row.values()) for row in rows)
                FIGURES.compare(build.rows(), stored)
                assert stored == build.rows()

    def _follow(self) -> list[TableRecord]:
        """Let the model read what the builds have read, and return these builds."""
        tables = Tables(self.world.layout)
        records = [tables.current(SPENDING.name), tables.building(SPENDING.name)]
        present = [record for record in records if record is not None]
        for record in present:
            build = self.builds.setdefault(record.table_id, Build(self.rules.factor))
            notes = [commit.notes for commit in batch_commits(self._uri(record))]
            read = sum(each.rows_in for each in notes if not each.release)
            assert build.read == read or build.factor == self.rules.factor
            assert build.read <= read <= len(self.source)
            build.read_until(self.source, read, self.rules)
            released = sum(each.release for each in notes)
            if released > self.releases[record.table_id]:
                build.release(self.rules, self.world.now)
                self.releases[record.table_id] = released
        return present

    def _current_build(self) -> Build:
        self._follow()
        assert self.current is not None
        return self.builds[self.current.table_id]

    def _uri(self, record: TableRecord) -> str:
        return self.world.layout.features(record.view, record.table_id)

    def _require_done(self, *results: RunResult) -> None:
        """Assert what holds after a run that succeeded, whatever was before it."""
        assert {result.status for result in results} <= {"done", "nothing"}, results
        build, current = self._current_build(), self.current
        assert current is not None
        assert (build.factor, build.read) == (self.rules.factor, len(self.source))
        self._require_quarantine(build, current)
        self._require_balance(build, current)
        self._require_answers(build)
        states = Counter(each.state for each in Tables(self.world.layout).records())
        assert (states["current"], states["building"]) == (1, 0)
        # A stream whose checkpoint is lost goes on without it at the next new rows.
        assert {finding.code for finding in examine(self.job)} <= {STREAM}

    def _require_quarantine(self, build: Build, current: TableRecord) -> None:
        rows = read_quarantine(self.world.layout, current)
        found = Counter(
            (row.values["_seq"], row.values["amount"], row.reasons, row.state) for row in rows
        )
        FIGURES.compare(build.quarantine().elements(), found.elements())
        assert found == build.quarantine()

    def _require_balance(self, build: Build, current: TableRecord) -> None:
        """Assert that rows in are rows stored, in quarantine, and left out."""
        own = [
            run
            for run in Runs(self.world.layout).records(SPENDING.name)
            if run.table_id == current.table_id
        ]
        read = [run.outcome for run in own if run.kind != "release"]
        kept_out = len(build.bad) + len(build.released)
        assert sum(each.rows_in for each in read) == build.read
        assert sum(each.rows_quarantined for each in read) == kept_out
        assert sum(each.rows_out for each in read) == build.read - kept_out - build.left_out
        assert sum(run.outcome.rows_out for run in own) == len(build.stored)

    def _require_answers(self, build: Build) -> None:
        """Assert that a reader gets the payments as they were last corrected."""
        query = compile_view(view_of(self.rules))
        late = pa.array([moment_of(100_000)] * len(CARDS), UTC_MICROS)
        spine = pa.table({"card_id": list(CARDS), "event_timestamp": late})
        table = self.world.table()
        rows = pa.table(table.scan()).cast(pa.schema(table.schema().to_arrow()))
        sums = answer_view(query, spine, rows)[query.outputs[0]].to_pylist()
        assert sums == [build.sum_of(card) for card in CARDS]

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
            examples(2),
            stateful_step_count=20 if is_soak() else 8,
            phases=[Phase.explicit, Phase.reuse, Phase.generate],  # to shrink takes hours
            suppress_health_check=list(HealthCheck),
        ),
    )
