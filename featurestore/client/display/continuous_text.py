"""Continuous materializations as sentences."""

from collections.abc import Mapping
from datetime import datetime

from featurestore.jobs.continuous.backlog import Backlog, Continuous, UpstreamBacklog
from featurestore.jobs.continuous.state import ContinuousState
from featurestore.sizes import round_bytes


def continuous_text(continuous: Continuous, now: datetime) -> str:
    """Return since when a view is materialized continuously, its last batch, and its backlog.

    Args:
        continuous: The continuous materialization, from the view's status.
        now: The present moment.

    Example:
        >>> from datetime import UTC
        >>> since = datetime(2026, 1, 31, tzinfo=UTC)
        >>> state = ContinuousState("v", since=since, trigger_seconds=5)
        >>> continuous_text(Continuous(state, Backlog("files", 0), 0.0), since)
        'continuous since 2026-01-31 00:00:00Z, every 5 s; no batch yet; nothing is behind'
    """
    state = continuous.state
    begun = f"continuous since {state.since:%Y-%m-%d %H:%M:%SZ}, every {state.trigger_seconds:g} s"
    parts = [begun, _last_batch(state), _behind(continuous, now)]
    if state.failures:
        parts.append(_failures(state, now))
    return "; ".join(parts)


def died_texts(views: Mapping[str, Continuous]) -> list[str]:
    """Return a sentence for each process that has died, with the views that it kept up to date.

    Args:
        views: The continuous materialization of each view, by the view's name.

    Example:
        >>> from datetime import UTC
        >>> since = datetime(2026, 1, 31, tzinfo=UTC)
        >>> state = ContinuousState("v", since=since, trigger_seconds=5, host="a", pid=7)
        >>> died_texts({"v": Continuous(state, is_running=False)})  # doctest: +ELLIPSIS
        ['a continuous process died (host a, pid 7, since 2026-01-31 00:00:00Z, no batch yet)...']
    """
    dead: dict[tuple[str, int], dict[str, ContinuousState]] = {}
    for view, each in views.items():
        if not each.is_running:
            dead.setdefault((each.state.host, each.state.pid), {})[view] = each.state
    return [_died(states) for states in dead.values()]


def _died(states: Mapping[str, ContinuousState]) -> str:
    first = min(states.values(), key=lambda state: state.since)
    ends = [state.last_batch_at for state in states.values() if state.last_batch_at is not None]
    last = f"last batch at {max(ends):%Y-%m-%d %H:%M:%SZ}" if ends else "no batch yet"
    are = "are" if len(states) > 1 else "is"
    return (
        f"a continuous process died (host {first.host}, pid {first.pid}, since "
        f"{first.since:%Y-%m-%d %H:%M:%SZ}, {last}): {', '.join(states)} {are} no longer kept up "
        f"to date. Start it again: featurestore materialize --continuous {' '.join(states)}"
    )


def _failures(state: ContinuousState, now: datetime) -> str:
    count = "once" if state.failures == 1 else f"{state.failures:,} times in a row"
    if state.retry_at is None:
        return f"failed {count}, given up"
    if state.retry_at <= now:
        return f"failed {count}, is tried again now"
    return f"failed {count}, next try at {state.retry_at:%H:%M:%SZ}"


def _last_batch(state: ContinuousState) -> str:
    if state.last_batch_at is None:
        return "no batch yet"
    return (
        f"last batch {state.last_batch_rows:,} rows at {state.last_batch_at:%H:%M:%SZ} "
        f"in {state.last_batch_seconds:.1f} s"
    )


def _behind(continuous: Continuous, now: datetime) -> str:
    backlog = continuous.backlog
    if backlog is None:
        return "its backlog is not known"
    above = [_upstream(each, now) for each in continuous.upstream]
    if backlog.count:
        return "; ".join([f"behind: {_amount(backlog, now)}", *above])
    return "; ".join(above) or "nothing is behind"


def _upstream(above: UpstreamBacklog, now: datetime) -> str:
    if above.backlog is None:
        return f"the backlog of its upstream view {above.view} is not known"
    return f"its upstream view {above.view} is behind: {_amount(above.backlog, now)}"


def _amount(backlog: Backlog, now: datetime) -> str:
    unit = backlog.unit if backlog.count != 1 else backlog.unit.removesuffix("s")
    size = "" if backlog.size is None else f", {round_bytes(backlog.size)}"
    least = "at least " if backlog.is_more else ""
    return f"{least}{backlog.count:,} {unit}{size}{_age(backlog.oldest_at, now)}"


def _age(moment: datetime | None, now: datetime) -> str:
    if moment is None:
        return ""
    return f", the oldest is {max((now - moment).total_seconds(), 0):.0f} s old"
