"""The checks of a view's runs: they succeed, keep the schedule, and store the usual rows."""

from collections.abc import Iterator, Sequence
from dataclasses import KW_ONLY, dataclass
from datetime import datetime, timedelta
from itertools import accumulate, pairwise

from featurestore.definitions.model.view import FeatureView
from featurestore.jobs.monitor.compared import time_text
from featurestore.jobs.monitor.observation import Observation, judged
from featurestore.jobs.schedule.cron import interval_from, next_tick
from featurestore.jobs.schedule.due import SUCCESSES
from featurestore.monitoring.anomalies import GREATEST_SCORE, LEAST_NUMBERS, usual
from featurestore.store.ledger.run_summaries import last_start, seconds_between
from featurestore.store.ledger.runs import RunRecord

GREATEST_BAD_SHARE = 0.05
"""The greatest share of bad rows in a run that is no breach."""

# More runs say more about last year than about yesterday.
_MOST_RUNS = 30
_MOST_TICKS = 10_000


@dataclass(frozen=True)
class ViewRuns:
    """The runs of one view.

    Args:
        view: The view.
        runs: Its recorded runs, the oldest first.
        now: The present moment.
        since: The moment from which missing runs are looked for.
    """

    view: FeatureView
    _: KW_ONLY
    runs: Sequence[RunRecord]
    now: datetime
    since: datetime

    @property
    def successes(self) -> list[RunRecord]:
        """The runs that read all rows that the source had, and summaries of such runs."""
        return [
            run
            for run in self.runs
            if run.status in SUCCESSES and run.kind in ("run", "build", "summary")
        ]


def run_observations(runs: ViewRuns) -> Iterator[Observation]:
    """Yield what the checks of a view's runs have found.

    Args:
        runs: The runs of the view.
    """
    yield _newest_run(runs)
    if runs.view.schedule is not None:
        yield _late(runs, runs.view.schedule)
        yield _missing_runs(runs, runs.view.schedule)
    yield _row_count(runs)
    yield _quarantine(runs)


def _newest_run(runs: ViewRuns) -> Observation:
    name = runs.view.name
    ended = [run for run in runs.runs if run.status != "running"]
    if not ended:
        found, fix = "it was never materialized", f"Run `featurestore materialize {name}`."
        return Observation(name, check="run", state="not compared", found=found, fix=fix)
    newest = ended[-1]
    why = f": {newest.outcome.error}" if newest.outcome.error else ""
    return judged(
        name,
        "run",
        is_breach=newest.status not in SUCCESSES,
        found=f"the run at {time_text(newest.started_at)} ended as {newest.status}{why}",
        fix=f"Correct what it names, and run `featurestore materialize {name}`.",
    )


def _late(runs: ViewRuns, schedule: str) -> Observation:
    """Return whether a view is late: a whole interval of its schedule has passed without a run."""
    name, successes = runs.view.name, runs.successes
    fix = f"Run `featurestore materialize --due`, and see `featurestore status {name}`."
    if not successes:
        found = "it has a schedule, and no run has succeeded"
        return judged(name, "late", is_breach=True, found=found, fix=fix)
    last = last_start(successes[-1])
    due = next_tick(schedule, last)
    grace = interval_from(schedule, due)
    late = max(timedelta(), runs.now - due)
    return judged(
        name,
        "late",
        is_breach=late >= grace,
        found=f"the last success was at {time_text(last)}, then one is due at {time_text(due)}",
        fix=fix,
        value=late.total_seconds(),
        threshold=grace.total_seconds(),
    )


def _missing_runs(runs: ViewRuns, schedule: str) -> Observation:
    """Return whether there are ticks for which no run began before the next tick."""
    name, since = runs.view.name, runs.since
    gaps = [
        (earlier, missing)
        for earlier, later in _pauses(runs.successes)
        if later > since and (missing := _ticks(schedule, max(earlier, since), later) - 1) > 0
    ]
    missing = sum(number for _, number in gaps)
    after = f", the first after {time_text(gaps[0][0])}" if gaps else ""
    runs_are = "run of its schedule is" if missing == 1 else "runs of its schedule are"
    return judged(
        name,
        "missing",
        is_breach=missing > 0,
        found=f"{missing or 'no'} {runs_are} missing{after}",
        fix=(
            "Later runs have read the rows, so nothing is to be repaired. See why the scheduler "
            "started no run at that time."
        ),
        value=float(missing),
        threshold=0.0,
    )


def _pauses(successes: Sequence[RunRecord]) -> Iterator[tuple[datetime, datetime]]:
    """Yield the last start before each run or summary, and its own first start.

    Runs have begun again and again from the start of a summary to its end.
    """
    ordered = sorted(successes, key=lambda run: run.started_at)
    latest = accumulate(map(last_start, ordered), max)
    for earlier, later in zip(latest, ordered[1:], strict=False):
        yield earlier, later.started_at


def _ticks(schedule: str, after: datetime, until: datetime) -> int:
    """Return the number of ticks after one moment and until another one."""
    ticks, tick = 0, next_tick(schedule, after)
    while tick <= until and ticks < _MOST_TICKS:
        ticks, tick = ticks + 1, next_tick(schedule, tick)
    return ticks


def _row_count(runs: ViewRuns) -> Observation:
    """Return whether the newest run has stored about as many rows as the runs before it."""
    name, with_rows = runs.view.name, _with_rows(runs, ("run",))
    if (silent := _silence(runs)) is not None:
        return silent
    counts = [run.outcome.rows_out for run in with_rows[-_MOST_RUNS - 1 :]]
    expected = usual(counts[:-1])
    if expected is None:
        before = max(0, len(counts) - 1)
        found = (
            f"{LEAST_NUMBERS} or more earlier runs that stored rows are needed, and builds do not "
            f"count; there were {before} so far"
        )
        return Observation(name, check="rows", state="not compared", found=found)
    newest = counts[-1]
    least, greatest = max(0, round(expected.least)), round(expected.greatest)
    return judged(
        name,
        "rows",
        is_breach=abs(expected.score(newest)) > GREATEST_SCORE,
        found=f"the newest run stored {newest:,} rows; usual are {least:,} to {greatest:,}",
        fix=(
            "See whether the source has lost or repeated rows, and correct it there. If this is "
            "the usual number from now on, nothing is to be done."
        ),
        value=float(newest),
        threshold=float(greatest if newest > expected.median else least),
    )


def _silence(runs: ViewRuns) -> Observation | None:
    """Return that runs have found no rows for an unusually long time; None if they have."""
    with_rows = _with_rows(runs, ("run", "summary"))
    times = [seconds_between(earlier, later) for earlier, later in pairwise(with_rows)]
    expected = usual(times[-_MOST_RUNS:])
    if expected is None:
        return None
    # A weekend may be longer than 30 runs tell.
    greatest = max(expected.greatest, *times, *(run.longest_pause for run in with_rows))
    last = last_start(with_rows[-1])
    # Until the last run that has looked: whether there are runs at all is another check.
    seconds = (last_start(runs.successes[-1]) - last).total_seconds()
    if seconds <= greatest:
        return None
    return judged(
        runs.view.name,
        "rows",
        is_breach=True,
        found=(
            f"runs have found no row since {time_text(last)}; usual are up to "
            f"{timedelta(seconds=round(greatest))} between two runs with rows"
        ),
        fix="See whether the source still gets rows, and correct it there.",
        value=0.0,
    )


def _quarantine(runs: ViewRuns) -> Observation:
    """Return whether few rows of the newest run were bad."""
    name = runs.view.name
    with_rows = _with_rows(runs, ("run", "build"))
    if not with_rows:
        found = "no run has read a row"
        return Observation(name, check="quarantine", state="not compared", found=found)
    outcome = with_rows[-1].outcome
    share = outcome.rows_quarantined / outcome.rows_in
    return judged(
        name,
        "quarantine",
        is_breach=share > GREATEST_BAD_SHARE,
        found=f"{outcome.rows_quarantined:,} of {outcome.rows_in:,} rows of a run were bad",
        fix=f"See why: `featurestore quarantine show {name}`.",
        value=share,
        threshold=GREATEST_BAD_SHARE,
    )


def _with_rows(runs: ViewRuns, kinds: Sequence[str]) -> list[RunRecord]:
    return [
        run
        for run in runs.runs
        if run.status == "done" and run.kind in kinds and run.outcome.rows_in > 0
    ]
