"""The rules of definitions, one small function each; `check` runs all of them."""

from collections.abc import Callable, Iterable
from dataclasses import replace

from featurestore.credentials import without_credentials
from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.references import complete, referenced_objects
from featurestore.definitions.origin import origin_of
from featurestore.definitions.rules import (
    aggregations,
    columns,
    credentials,
    dtypes,
    file_sources,
    kafka_sources,
    names,
    on_demand,
    services,
    sources,
    transforms,
    views,
)
from featurestore.definitions.rules.argument_types import arguments_have_their_types, well_formed
from featurestore.definitions.rules.issue import Issue
from featurestore.definitions.rules.stored_views import derived, drift, snapshots

__all__ = ["Issue", "Rule", "check", "without_problems"]

RULES = (
    *names.RULES,
    *dtypes.RULES,
    *columns.RULES,
    *sources.RULES,
    *file_sources.RULES,
    *kafka_sources.RULES,
    *credentials.RULES,
    *views.RULES,
    *derived.RULES,
    *snapshots.RULES,
    *drift.RULES,
    *transforms.RULES,
    *aggregations.RULES,
    *on_demand.RULES,
    *services.RULES,
)


_FOR_ALL: "tuple[Rule, ...]" = (views.durations_are_durations, aggregations.windows_are_durations)
"""Rules that look at durations only, whatever the types of the other arguments."""

Rule = Callable[[Manifest], Iterable[Issue]]
"""A check of definitions whose arguments have the right types; it yields the problems."""


def check(manifest: Manifest, more: Iterable[Rule] = ()) -> list[Issue]:
    """Return every problem of the definitions, sorted by file and line.

    A definition with an argument of a wrong Python type is reported for that and for its
    durations alone. The other rules check the rest.

    Args:
        manifest: The definitions.
        more: Further rules, which need more than the standard library.

    Example:
        >>> from featurestore.definitions.model.service import FeatureService
        >>> [issue] = check(Manifest.of([FeatureService("fraud_v1", features=())]))
        >>> issue.message
        "service 'fraud_v1' has no features. Add views, or view[[names]], to features=."
    """
    everything = complete(manifest)
    checked = well_formed(everything)
    issues = _issues(arguments_have_their_types, everything)
    for rule in (*RULES, *more):
        issues.extend(_issues(rule, everything if rule in _FOR_ALL else checked))
    return sorted(dict.fromkeys(issues), key=lambda issue: (issue.origin.file, issue.origin.line))


def without_problems(manifest: Manifest, issues: Iterable[Issue]) -> Manifest:
    """Return the definitions that have no problem, neither in themselves nor in what they use.

    Args:
        manifest: The definitions.
        issues: Their problems.

    Example:
        >>> from featurestore.definitions.model.service import FeatureService
        >>> manifest = Manifest.of([FeatureService("fraud_v1", features=())])
        >>> without_problems(manifest, check(manifest)).services
        ()
    """
    lines = {issue.origin for issue in issues}
    return Manifest.of(
        [
            each
            for each in complete(manifest).definitions
            if lines.isdisjoint(origin_of(part) for part in referenced_objects([each]))
        ]
    )


def _issues(rule: Rule, manifest: Manifest) -> list[Issue]:
    name = getattr(rule, "__name__", "")
    return [
        replace(issue, message=without_credentials(issue.message), rule=name)
        for issue in rule(manifest)
    ]
