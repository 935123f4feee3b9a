"""The rules that definitions must keep, one small function each; `check` runs them all."""

from collections.abc import Callable, Iterable

from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.references import complete
from featurestore.definitions.rules import (
    aggregations,
    columns,
    derived,
    dtypes,
    names,
    on_demand,
    services,
    sources,
    transforms,
    views,
)
from featurestore.definitions.rules.argument_types import shape_issues, well_formed
from featurestore.definitions.rules.issue import Issue

__all__ = ["Issue", "Rule", "check"]

RULES = (
    *names.RULES,
    *dtypes.RULES,
    *columns.RULES,
    *sources.RULES,
    *views.RULES,
    *derived.RULES,
    *transforms.RULES,
    *aggregations.RULES,
    *on_demand.RULES,
    *services.RULES,
)


Rule = Callable[[Manifest], Iterable[Issue]]
"""Looks at definitions whose arguments have right types, and yields what is wrong with them."""


def check(manifest: Manifest, more: Iterable[Rule] = ()) -> list[Issue]:
    """Return every problem of the definitions, in the order of files and lines.

    Objects with arguments of a wrong Python type are reported for that alone; the other rules
    look at the rest.

    Args:
        manifest: The definitions.
        more: Rules that need more than the standard library.

    Example:
        >>> from featurestore.definitions.model.service import FeatureService
        >>> [issue] = check(Manifest.of([FeatureService("fraud_v1", features=())]))
        >>> issue.message
        "service 'fraud_v1' has no features: give it views, or views[[names]]"
    """
    everything = complete(manifest)
    sound = well_formed(everything)
    found = [*shape_issues(everything)]
    for rule in (*RULES, *more):
        found.extend(rule(sound))
    return sorted(dict.fromkeys(found), key=lambda issue: (issue.origin.file, issue.origin.line))
