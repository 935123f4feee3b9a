"""Summaries of old runs: a record for the runs of a day, in the place of two for each run.

A continuous process stores a batch every few seconds. Each is a run with two records in the
ledger, which each run and `status` read. What only a single run has, such as its id, is lost with
its records; it is still in the commit of its rows.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from itertools import groupby, pairwise

from featurestore.store.ledger.runs import Outcome, RunRecord, Runs


def sum_up(ledger: Runs, view: str, keep: int) -> datetime | None:
    """Sum up the oldest runs of a view if there are many, day by day.

    Only runs that stored rows on a current table are summed up: builds, repairs, releases and
    failures stay as they are.

    Args:
        ledger: The ledger of runs.
        view: The view. The caller holds its lock, and the ledger has all runs of its commits.
        keep: The number of newest runs that stay as they are. Nothing is done before there are
            half as many more that are in no summary yet.

    Returns:
        The start of the oldest run that stays as it is; None if nothing was done.

    Example:
        >>> from featurestore.store.layout import Layout
        >>> sum_up(Runs(Layout("no/such/root")), "spending", keep=1000) is None
        True
    """
    stored = [run for run in ledger.records(view) if _has_stored(run)]
    old, kept = stored[:-keep], stored[-keep:]
    if sum(run.kind == "run" for run in old) <= keep // 2:
        return None
    ledger.substitute(view, old, summaries(old))
    return kept[0].started_at


def summaries(runs: Sequence[RunRecord]) -> list[RunRecord]:
    """Return a summary of the runs of each build and UTC day.

    Args:
        runs: Ended runs of a view and summaries of such runs, the oldest first.

    Example:
        >>> from datetime import UTC
        >>> noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
        >>> run = RunRecord(
        ...     "r1", view="v", table_id="t1", kind="run", status="done", started_at=noon
        ... )
        >>> [(each.kind, each.runs) for each in summaries([run, replace(run, run_id="r2")])]
        [('summary', 2)]
    """
    days = groupby(runs, key=lambda run: (run.table_id, run.started_at.date()))
    return [_summary([*day]) for _, day in days]


def summed(outcomes: Sequence[Outcome]) -> Outcome:
    """Return the result of several runs together: their counts, and the end of the last one.

    Args:
        outcomes: The results, of the oldest run first; at least one.

    Example:
        >>> summed([Outcome(rows_out=2, version=1), Outcome(rows_out=3, version=2)]).rows_out
        5
    """
    events = [each.max_event_timestamp for each in outcomes if each.max_event_timestamp]
    failures = sum((Counter(each.failures) for each in outcomes), Counter[str]())
    return Outcome(
        version=outcomes[-1].version,
        batches=sum(each.batches for each in outcomes),
        rows_in=sum(each.rows_in for each in outcomes),
        rows_out=sum(each.rows_out for each in outcomes),
        null_rows=sum(each.null_rows for each in outcomes),
        null_unique_rows=sum(each.null_unique_rows for each in outcomes),
        rows_quarantined=sum(each.rows_quarantined for each in outcomes),
        failures=dict(failures),
        max_event_timestamp=max(events, default=None),
        source_offset=outcomes[-1].source_offset,
    )


def last_start(run: RunRecord) -> datetime:
    """Return the start of a run; of a summary, the end of its last run, which is seconds later.

    Example:
        >>> from datetime import UTC
        >>> noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
        >>> run = RunRecord(
        ...     "r1", view="v", table_id="t1", kind="run", status="done", started_at=noon
        ... )
        >>> last_start(run) == noon
        True
    """
    return run.ended_at or run.started_at if run.kind == "summary" else run.started_at


def seconds_between(earlier: RunRecord, later: RunRecord) -> float:
    """Return the seconds from the last start of a run or summary to the first one of another.

    Example:
        >>> from datetime import UTC
        >>> noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
        >>> run = RunRecord(
        ...     "r1", view="v", table_id="t1", kind="run", status="done", started_at=noon
        ... )
        >>> seconds_between(run, replace(run, started_at=noon.replace(minute=1)))
        60.0
    """
    return (later.started_at - last_start(earlier)).total_seconds()


def _has_stored(run: RunRecord) -> bool:
    # Records of older releases have no sequence: they stay as they are.
    is_own = run.kind in ("run", "summary") and run.status == "done" and run.sequence > 0
    return is_own and run.outcome.version is not None


def _summary(runs: Sequence[RunRecord]) -> RunRecord:
    return replace(
        runs[-1],
        kind="summary",
        started_at=runs[0].started_at,
        outcome=summed([run.outcome for run in runs]),
        runs=sum(run.runs for run in runs),
        longest_pause=max(
            (
                *(run.longest_pause for run in runs),
                *(seconds_between(earlier, later) for earlier, later in pairwise(runs)),
            )
        ),
    )
