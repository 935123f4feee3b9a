"""The checks of the views that a caller selects, compared with what the caller names."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from featurestore.client.monitoring.baselines import (
    WORDS,
    is_file,
    moment_of,
    profile_of_file,
    profile_of_training_set,
    profiles_of_training_sets,
    require_run,
)
from featurestore.definitions.model.drift import TRAINING_SET
from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.view import FeatureView
from featurestore.errors import RequestError
from featurestore.jobs.monitor.compared import Comparison
from featurestore.jobs.monitor.monitor import monitor, read_profiles
from featurestore.jobs.monitor.observation import Observation
from featurestore.monitoring.profile import Profile
from featurestore.monitoring.records import StoredProfiles
from featurestore.query.selection import Selection, selected_views, selection_text
from featurestore.store.layout import Layout

_MOST_COMPARED = 5_000  # PERF: each takes half a millisecond


def monitor_views(  # noqa: PLR0913 - the arguments of the call
    applied: Manifest,
    layout: Layout,
    selection: Selection | None,
    *,
    now: datetime,
    against: str | None = None,
    run: str | None = None,
    since: str | datetime | timedelta | None = None,
) -> list[Observation]:
    """Return what the checks of views have found: see `FeatureStore.monitor`.

    Args:
        applied: The applied definitions.
        layout: The addresses of the tables.
        selection: Views, or services for all views that they need. None for all views.
        now: The present moment.
        against: What is compared with.
        run: The run whose profiles are compared.
        since: A moment or a duration.

    Raises:
        RequestError: Both ``run`` and ``since`` are given.
    """
    call = f"monitor({'' if selection is None else selection_text(selection)})"
    chosen = applied.views if selection is None else selected_views(applied, selection, call)
    views = [view for view in chosen if isinstance(view, FeatureView)]
    _require_one(call, run, since)
    comparison = Comparison(
        now,
        against=against,
        run=run,
        since=None if since is None else moment_of(call, since, now),
        baseline=None if against is None else _baseline(layout, views, against, now),
        undeclared=_are_few(views),
    )
    profiles = _profiles_to_compare(call, layout, views, comparison)
    observations = monitor(
        applied,
        layout,
        views,
        profiles=profiles,
        comparison=comparison,
        training_set=profiles_of_training_sets(layout),
    )
    return [each for each in observations if each.declared or each.state == "undeclared"]


def _require_one(call: str, run: str | None, since: str | datetime | timedelta | None) -> None:
    if run is None or since is None:
        return
    found = f"both run={run!r} and since={since!r}"
    fix = "Leave one out: run for one run, since for all since then."
    raise RequestError(call, found, fix)


def monitor_features(
    applied: Manifest,
    layout: Layout,
    recent: StoredProfiles,
    *,
    now: datetime,
) -> dict[str, tuple[Observation, ...]]:
    """Return what the checks have found, by view, with the drift of features without thresholds.

    In a store of more than 5,000 features, those without thresholds are not compared.

    Args:
        applied: The applied definitions.
        layout: The addresses of the tables.
        recent: The last profiles of each view.
        now: The present moment.

    Example:
        >>> from datetime import UTC
        >>> now = datetime(2026, 1, 1, tzinfo=UTC)
        >>> monitor_features(Manifest(), Layout("no/such/root"), StoredProfiles(), now=now)
        {}
    """
    # More profiles of a view are read only where the first one is needed.
    with_first = [
        view.name for view in applied.views if any(each.against == "first" for each in view.drift)
    ]
    all_of_them = read_profiles(layout, with_first)
    found = monitor(
        applied,
        layout,
        applied.views,
        profiles=replace(recent, whole={**recent.whole, **all_of_them.whole}),
        comparison=Comparison(now, undeclared=_are_few(applied.views)),
        training_set=profiles_of_training_sets(layout),
    )
    by_view: dict[str, list[Observation]] = {}
    for each in found:
        by_view.setdefault(each.view, []).append(each)
    return {view: tuple(own) for view, own in by_view.items()}


def _are_few(views: Sequence[FeatureView]) -> bool:
    """Return whether views have so few features that those without thresholds are compared."""
    return sum(len(view.feature_names) for view in views) <= _MOST_COMPARED


def _baseline(
    layout: Layout, views: Sequence[FeatureView], against: str, now: datetime
) -> Profile | None:
    """Return the profile of the file or of the training set that a caller names, if it does."""
    if is_file(against):
        return profile_of_file(against, views, now)
    if against.startswith(TRAINING_SET):
        return profile_of_training_set(layout, against.removeprefix(TRAINING_SET))
    return None


def _profiles_to_compare(
    call: str, layout: Layout, views: Sequence[FeatureView], comparison: Comparison
) -> StoredProfiles:
    """Return the profiles that checks need. A run that a caller names must have one."""
    now, since = comparison.now, comparison.since
    against = None if comparison.baseline else comparison.against
    named = {"run": comparison.run, "against": None if against in WORDS else against}
    profiles = read_profiles(
        layout,
        [view.name for view in views],
        since=None if since is None else since - (now - since),  # and the same time before
        runs=[run for run in named.values() if run is not None],
    )
    known = {each.run_id: None for own in profiles.whole.values() for each in own}
    for argument, run in named.items():
        if run is not None:
            require_run(call, argument, run, known)
    return profiles
