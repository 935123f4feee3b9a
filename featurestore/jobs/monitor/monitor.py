"""All checks of views, from the registry, the ledgers and the profiles. No table is read."""

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime, timedelta

from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.view import FeatureReference, FeatureView
from featurestore.errors import TableError
from featurestore.jobs.materialize.reconcile import with_interrupted
from featurestore.jobs.monitor.compared import Comparison, ViewProfiles
from featurestore.jobs.monitor.drift import drift_observations
from featurestore.jobs.monitor.event_times import event_time_gap
from featurestore.jobs.monitor.observation import STATES, Observation
from featurestore.jobs.monitor.runs import ViewRuns, run_observations
from featurestore.jobs.schedule.cron import require_schedules
from featurestore.monitoring.profile import Profile
from featurestore.monitoring.records import StoredProfiles, last_of_each_kind
from featurestore.store.layout import Layout
from featurestore.store.ledger.profiles import ProfileHead, Profiles
from featurestore.store.ledger.runs import RunRecord, Runs

_RUNS_SINCE = timedelta(days=1)
_LAST = 30  # the number of profiles of each kind that checks look at
_DAMAGED = (
    "It is left out of all comparisons. `featurestore materialize {view}` records a new one once "
    "there are new rows."
)


def monitor(
    applied: Manifest,
    layout: Layout,
    views: Sequence[FeatureView],
    *,
    profiles: StoredProfiles,
    comparison: Comparison,
    training_set: Callable[[str], Profile | None],
) -> list[Observation]:
    """Return what the checks of views have found, breaches first.

    Args:
        applied: The applied definitions.
        layout: The addresses of the tables.
        views: The views to check.
        profiles: Their profiles, from `read_profiles`.
        comparison: What to compare, if not what the views declare.
        training_set: Returns the profile of a saved training set; None if there is none.

    Raises:
        TableError: A schedule in the registry is no cron text, or the ledger of runs is damaged.

    Example:
        >>> from datetime import UTC, datetime
        >>> now = datetime(2026, 1, 1, tzinfo=UTC)
        >>> monitor(Manifest(), Layout("no/such/root"), [], profiles=StoredProfiles(),
        ...         comparison=Comparison(now), training_set=lambda name: None)
        []
    """
    require_schedules(views)
    runs = with_interrupted(layout, Runs(layout).records())
    found: list[Observation] = []
    for view in views:
        own = ViewProfiles(
            view,
            profiles=profiles.whole.get(view.name, ()),
            training_set=training_set,
            prefixes=_prefixes(applied, view),
        )
        found.extend(_of_view(own, _runs_of(view, runs, comparison), comparison))
        found.extend(_damaged(view, profiles.damaged.get(view.name, ())))
    return sorted(found, key=lambda each: STATES.index(each.state))


def read_profiles(
    layout: Layout,
    views: Sequence[str],
    *,
    since: datetime | None = None,
    runs: Collection[str] = (),
) -> StoredProfiles:
    """Return the profiles of views that checks need, and why some of them cannot be read.

    These are the first one and the last 30 of each kind, and what a caller asks for.

    Args:
        layout: The addresses of the tables.
        views: The names of the views.
        since: Return all profiles since this moment, too.
        runs: Return the profiles of these runs, too.

    Example:
        >>> read_profiles(Layout("no/such/root"), ["activity"]).whole
        {}
    """
    whole: dict[str, Sequence[Profile]] = {}
    damaged: dict[str, Sequence[str]] = {}
    for view in views:
        try:
            heads = Profiles(layout).heads(view)
            found = StoredProfiles.of(heads, Profiles(layout).load(_chosen(heads, since, runs)))
        except TableError as error:
            damaged[view] = [f"the ledger of profiles cannot be read: {error.found}"]
            continue
        whole |= found.whole
        damaged |= found.damaged
    return StoredProfiles(whole=whole, damaged=damaged)


def _chosen(
    heads: Sequence[ProfileHead], since: datetime | None, runs: Collection[str]
) -> set[ProfileHead]:
    first = {each.kind: each for each in reversed(heads)}
    compared = {
        each for each in heads if each.run_id in runs or (since is not None and each.at >= since)
    }
    return {*first.values(), *last_of_each_kind(heads, _LAST), *compared}


def _of_view(own: ViewProfiles, runs: ViewRuns, comparison: Comparison) -> Iterator[Observation]:
    yield from run_observations(runs)
    if (gap := event_time_gap(own)) is not None:
        yield gap
    yield from drift_observations(own, comparison)


def _runs_of(view: FeatureView, runs: Sequence[RunRecord], comparison: Comparison) -> ViewRuns:
    own = [run for run in runs if run.view == view.name]
    since = comparison.since or comparison.now - _RUNS_SINCE
    return ViewRuns(view, runs=own, now=comparison.now, since=since)


def _damaged(view: FeatureView, damaged: Sequence[str]) -> Iterator[Observation]:
    fix = _DAMAGED.format(view=view.name)
    for found in damaged:
        yield Observation(view.name, check="profile", state="breach", found=found, fix=fix)


def _prefixes(applied: Manifest, view: FeatureView) -> tuple[str, ...]:
    """Return what services write before the names of a view's features."""
    uses = (use for service in applied.services for use in service.references)
    own = {
        use.prefix
        for use in uses
        if isinstance(use, FeatureReference) and use.view.name == view.name
    }
    return tuple(sorted({"", *own}))
