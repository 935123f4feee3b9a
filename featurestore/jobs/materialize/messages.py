"""The sentences of a run's result: what it stored, left out, or skipped."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime

from featurestore.jobs.materialize.job import RunResult
from featurestore.store.ledger.runs import Outcome

# Few events are older, and times of a wrong unit are, or lie after the year 9999.
_PLAUSIBLE = datetime(1980, 1, 1, tzinfo=UTC)
_MOST_REASONS = 8
NOTHING_NEW = "no new data: nothing was committed"
EARLIER_BUILD = "the view has this definition again, so its earlier table was taken up"


def run_summary(
    did: Outcome,
    version: int | None,
    unique: Sequence[str],
    *,
    warnings: Collection[str] = (),
    is_empty: bool = False,
) -> str:
    """Return how many rows a run stored, and how many it put into the quarantine, and why.

    Args:
        did: The outcome of the run.
        version: The table's version afterwards.
        unique: The columns that, with the keys, identify an event.
        warnings: The names of the checks whose failing rows are stored.
        is_empty: Whether the table has no row at all.

    Example:
        >>> run_summary(
        ...     Outcome(rows_in=3, rows_out=2, rows_quarantined=1, failures={"null_key": 1}), 0, ()
        ... )
        'stored 2 of 3 rows as version 0, quarantined 1 (null_key 1)'
        >>> did = Outcome(rows_in=3, rows_out=3, failures={"city:isin": 2})
        >>> run_summary(did, 0, (), warnings=["city:isin"])
        'stored 3 of 3 rows as version 0, with warnings (city:isin 2)'
        >>> run_summary(Outcome(), 0, (), is_empty=True)
        'stored 0 of 0 rows as version 0: the source has no row yet, so every answer is empty'
    """
    stored = f"stored {did.rows_out:,} of {did.rows_in:,} rows as version {version}"
    if did.rows_quarantined:
        bad = {name: n for name, n in did.failures.items() if name not in warnings}
        stored += f", quarantined {did.rows_quarantined:,}{_reasons(bad)}"
    if warned := {name: n for name, n in did.failures.items() if name in warnings}:
        stored += f", with warnings{_reasons(warned)}"
    if is_empty and not did.rows_in:
        stored += ": the source has no row yet, so every answer is empty"
    return stored + null_unique_note(did.null_unique_rows, unique)


def _reasons(failures: Mapping[str, int]) -> str:
    """Return the checks with their numbers of rows, the most rows first."""
    if not failures:
        return ""
    counts = sorted(failures.items(), key=lambda item: (-item[1], item[0]))
    named = [f"{name} {count:,}" for name, count in counts[:_MOST_REASONS]]
    more = len(counts) - len(named)
    return f" ({', '.join(named)}{f' and {more} more checks' if more else ''})"


def unit_note(unit: str | None, did: Outcome) -> str:
    """Return that a source's ``unit`` may be wrong; ``""`` if its times are plausible.

    Milliseconds read as seconds lie in the year 55,000, seconds read as milliseconds in 1970.

    Args:
        unit: The source's unit; None if its times are no integers.
        did: The outcome of the run.

    Example:
        >>> unit_note("s", Outcome(rows_in=2, null_rows=2))
        "; 2 rows have no time of years 1 to 9999 or a null key: check unit='s'"
    """
    if unit is None:
        return ""
    newest = did.max_event_timestamp
    if newest is not None and newest < _PLAUSIBLE:
        return f"; the newest event is of {newest.date()}: check unit={unit!r}"
    if newest is None and did.null_rows:
        return (
            f"; {did.null_rows:,} rows have no time of years 1 to 9999 or a null key: "
            f"check unit={unit!r}"
        )
    return ""


def null_unique_note(count: int, unique: Sequence[str]) -> str:
    """Return what happens to rows with a null in ``unique_by``; ``""`` if there are none.

    Example:
        >>> null_unique_note(2, ["order_id"])
        '; 2 have a null in order_id: of these, only the newest row of each key exists'
    """
    if not count:
        return ""
    names = ", ".join(unique)
    return f"; {count:,} have a null in {names}: of these, only the newest row of each key exists"


def upstream_note(source: str, version: int | None) -> str:
    """Return from which version of its upstream view a derived view is made.

    Args:
        source: The upstream view's name.
        version: The version of its table; None if the view is not derived.

    Example:
        >>> upstream_note("spending", 0)
        "; derived from version 0 of view 'spending'"
    """
    return "" if version is None else f"; derived from version {version} of view {source!r}"


def recovery_note(runs: int) -> str:
    """Return how many crashed runs were recorded; ``""`` for none.

    Example:
        >>> recovery_note(1)
        '; recorded 1 earlier run that had crashed'
    """
    return f"; recorded {runs} earlier run{'s' * (runs > 1)} that had crashed" if runs else ""


def skip_reason(upstream: RunResult) -> str:
    """Return why a derived view was not run. The upstream view's own result has the cause."""
    return f"its upstream view {upstream.view!r} {_ENDS[upstream.status]}"


_ENDS = {
    "failed": "failed",
    "interrupted": "was interrupted",
    "skipped": "was skipped",
}
