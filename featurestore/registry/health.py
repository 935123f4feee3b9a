"""What a feature store's definitions and tables lack: issues with codes, and a score.

Pure functions of a manifest and of what the ledgers know. The website, ``lint`` and the MCP server
show their answers.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Protocol

from featurestore.definitions.code.sql import normal_sql
from featurestore.definitions.model.aggregation import Aggregation
from featurestore.definitions.model.entity import Entity
from featurestore.definitions.model.manifest import Definition, Manifest
from featurestore.definitions.model.on_demand import OnDemandFeatureView
from featurestore.definitions.model.service import FeatureService
from featurestore.definitions.model.view import Code, FeatureView
from featurestore.definitions.model.window import grid_of
from featurestore.definitions.origin import Origin
from featurestore.errors import RequestError, nearest
from featurestore.notebook import html_table
from featurestore.registry.features import View, views_of

CODES: Mapping[str, str] = {
    "no-owner": "nobody is named as the owner",
    "no-description": "there is no description",
    "unused": "features that nothing uses",
    "duplicate": "features that are almost equal to others",
    "unvalidated": "no expectations are declared",
    "never-materialized": "there is no table yet",
    "not-current": "the table needs a run or a repair",
    "failed": "the last run failed",
    "stale": "no run for a whole interval of the schedule",
}
"""The codes of issues and what they mean, in the order in which they are shown."""

_OF_FEATURES = ("unused", "duplicate")
_OF_DEFINITIONS = ("no-owner", "no-description")
_SHOWN_NAMES = 5
_NO_TABLE = ("never materialized", "building")
_NOT_CURRENT = ("changed", "outdated", "damaged")


class ViewState(Protocol):
    """What the ledgers know of a view; `ViewStatus` has it."""

    @property
    def state(self) -> str: ...
    @property
    def is_late(self) -> bool: ...
    @property
    def schedule(self) -> str | None: ...
    @property
    def last_run(self) -> str | None: ...
    @property
    def error(self) -> str | None: ...


@dataclass(frozen=True)
class HealthIssue:
    """Something that a definition or its table lacks.

    Args:
        code: A key of `CODES`.
        kind: ``"view"``, ``"on-demand view"``, ``"service"``, ``"entity"`` or ``"source"``.
        name: The name of the definition.
        reason: What was found.
        fix: What to do, as a sentence.
        features: The features of the view that it concerns; empty if it concerns the whole.
        origin: The file and line of the definition.
    """

    code: str
    kind: str
    name: str
    reason: str
    fix: str
    features: tuple[str, ...] = ()
    origin: str = ""


@dataclass(frozen=True, repr=False)
class Health:
    """The issues of a project, and its score.

    Args:
        score: The mean score of all definitions, from 0 to 100, rounded down; None without any.
        scores: The score of each definition, by its kind and its name.
        issues: The issues, by the order of `CODES`, then by kind and name.
    """

    score: int | None
    scores: Mapping[tuple[str, str], int]
    issues: tuple[HealthIssue, ...]

    def of(self, kind: str, name: str) -> tuple[HealthIssue, ...]:
        """Return the issues of one definition.

        Args:
            kind: The kind, as in `HealthIssue`.
            name: The name.
        """
        return tuple(self._issues_of.get((kind, name), ()))

    def __repr__(self) -> str:
        """Return the score and the number of issues in one line."""
        return f"Health(score {self.score}, {len(self.issues)} issues)"

    def _repr_html_(self) -> str:
        columns = ("code", "kind", "name", "reason", "fix", "origin")
        rows = [[getattr(each, name) for name in columns] for each in self.issues]
        return html_table(repr(self), columns if rows else (), rows)

    @cached_property
    def _issues_of(self) -> Mapping[tuple[str, str], list[HealthIssue]]:
        issues: dict[tuple[str, str], list[HealthIssue]] = {}
        for each in self.issues:
            issues.setdefault((each.kind, each.name), []).append(each)
        return issues


def health(
    manifest: Manifest,
    states: Mapping[str, ViewState] | None = None,
    *,
    trained: Collection[tuple[str, str]] = (),
    ignore: Collection[str] = (),
) -> Health:
    """Return what definitions and their tables lack.

    A definition's score is the mean of its checks in percent, rounded down: 1 for a check that
    found nothing, else 0; for a check of features the share of features without an issue.

    Args:
        manifest: The definitions, applied or not.
        states: What the ledgers know of each view, by its name. Views that are not here, such as
            those that are not applied yet, are checked as definitions only.
        trained: Features that saved training sets use, each as the names of view and feature.
        ignore: Codes to leave out; ``"code:name"`` for the definitions with a name, or
            ``"code:kind name"`` for one of them.

    Raises:
        RequestError: A code to ignore is unknown.

    Example:
        >>> card = Entity("card", join_keys=(), owner="risk@example.com")
        >>> found = health(Manifest.of([card]))
        >>> found.score, [issue.code for issue in found.issues]
        (50, ['no-description'])
    """
    _require_codes(ignore)
    states = states or {}
    found = [
        issue
        for issue in _all(manifest, states, frozenset(trained))
        if not _ignored(issue.code, issue.kind, issue.name, ignore)
    ]
    order = list(CODES)
    found.sort(key=lambda issue: order.index(issue.code))
    scores = _scores(manifest, states, found, ignore)
    score = sum(scores.values()) // len(scores) if scores else None
    return Health(score, scores, tuple(found))


def left_out(ignore: Collection[str], only: Collection[str] | None) -> list[str]:
    """Return what `health` shall ignore so that it looks for some codes only.

    Args:
        ignore: Codes to ignore, ``"code:name"`` or ``"code:kind name"``.
        only: The codes to look for; None for all.

    Raises:
        RequestError: A code is unknown.

    Example:
        >>> left_out(["unused:rate"], ["unused", "stale"])[:3]
        ['unused:rate', 'no-owner', 'no-description']
    """
    _require_codes(only or ())
    return [*ignore, *(code for code in CODES if only is not None and code not in only)]


def kind_of(definition: Definition) -> str:
    """Return the kind of a definition as messages and pages name it.

    Example:
        >>> kind_of(Entity("card", join_keys=()))
        'entity'
    """
    kinds: Mapping[type, str] = {
        FeatureView: "view",
        OnDemandFeatureView: "on-demand view",
        FeatureService: "service",
        Entity: "entity",
    }
    return kinds.get(type(definition), "source")


def used_features(manifest: Manifest) -> set[tuple[str, str]]:
    """Return the features that services, on-demand views and derived views use.

    Args:
        manifest: The definitions.

    Returns:
        Each feature as the names of its view and of itself. A view that is derived from stored
        rows uses the features of a view without aggregations: they are its columns.

    Example:
        >>> used_features(Manifest())
        set()
    """
    uses = [use for service in manifest.services for use in service.references]
    inputs = [use for view in manifest.on_demand_views for use in view.uses]
    used = {(use.view.name, name) for use in (*uses, *inputs) for name in use.feature_names}
    for view in manifest.views:
        if view.lineage and not view.lineage[0].aggregations:
            upstream = view.lineage[0]
            used |= {(upstream.name, name) for name in upstream.feature_names}
    return used


def _all(
    manifest: Manifest, states: Mapping[str, ViewState], trained: frozenset[tuple[str, str]]
) -> Iterator[HealthIssue]:
    for definition in _definitions(manifest):
        yield from _labels(definition)
    used = used_features(manifest) | trained
    for view in views_of(manifest):
        yield from _unused(view, used)
    yield from _duplicates(manifest.views)
    for stored in manifest.views:
        yield from _unvalidated(stored)
        if stored.name in states:
            yield from _table(stored, states[stored.name])


def _definitions(manifest: Manifest) -> tuple[Definition, ...]:
    """Return all definitions, those that people look for first."""
    return (*views_of(manifest), *manifest.services, *manifest.entities, *manifest.sources)


def _labels(definition: Definition) -> Iterator[HealthIssue]:
    if not definition.owner:
        fix = "Write owner='team@example.com': who answers questions about it?"
        yield _issue("no-owner", definition, "it has no owner", fix)
    if not definition.description:
        fix = "Write description='...': what is it?"
        yield _issue("no-description", definition, "it has no description", fix)


def _unused(view: View, used: Collection[tuple[str, str]]) -> Iterator[HealthIssue]:
    names = tuple(name for name in view.feature_names if (view.name, name) not in used)
    if not names:
        return
    count = len(view.feature_names)
    which = "none of its features" if len(names) == count else f"{len(names)} of {count} features"
    verb = "is used" if len(names) == count else "are not used"
    reason = f"{which} {verb} by a service, a view or a saved training set"
    listed = "" if len(names) == count else f": {_listed(names)}"
    fix = "Add them to a service, or remove them."
    yield _issue("unused", view, reason + listed, fix, names)


def _duplicates(views: Iterable[FeatureView]) -> Iterator[HealthIssue]:
    """Yield the features that compute what an earlier feature computes."""
    first: dict[object, str] = {}
    for view in views:
        equal: dict[str, str] = {}
        for name, key in _computations(view):
            known = first.setdefault(key, f"{view.name}:{name}")
            if known != f"{view.name}:{name}":
                equal[name] = known
        if equal:
            pairs = [f"{name} as {known}" for name, known in equal.items()]
            reason = f"the same column, function and window: {_listed(pairs)}"
            fix = "Use the other feature, or say in the description how they differ."
            yield _issue("duplicate", view, reason, fix, tuple(equal))


def _computations(view: FeatureView) -> Iterator[tuple[str, object]]:
    """Yield each feature with what it computes, but for details such as the value if empty."""
    keys = tuple(key.name for key in view.join_keys)
    rows = view.source.name, bool(view.lineage), keys, _code(view.transform)
    if not view.aggregations:
        for column in view.schema:
            yield column.name, (*rows, column.name, "newest")
    for aggregation in view.aggregations:
        pairs = zip(aggregation.feature_names, aggregation.windows, strict=True)
        for name, window in pairs:
            yield name, (*rows, *_function(aggregation), str(grid_of(window)))


def _function(aggregation: Aggregation) -> tuple[str | None, ...]:
    return aggregation.column, aggregation.function, aggregation.by, aggregation.delay


def _code(transform: object) -> object:
    """Return what is equal for equal transforms: other rows make other features."""
    if isinstance(transform, str):
        return normal_sql(transform)
    return transform.fingerprint if isinstance(transform, Code) else transform


def _unvalidated(view: FeatureView) -> Iterator[HealthIssue]:
    if view.expectations is None:
        fix = "Declare expectations=: docs/expectations.md shows how."
        yield _issue("unvalidated", view, "no rows of it are checked", fix)


def _table(view: FeatureView, state: ViewState) -> Iterator[HealthIssue]:
    run = f"Run `featurestore materialize {view.name}`."
    if state.state in _NO_TABLE:
        building = state.state == "building"
        reason = "its first build has not ended" if building else "it was never materialized"
        yield _issue("never-materialized", view, reason, run)
    if state.state in _NOT_CURRENT:
        fix = f"Run `featurestore doctor {view.name}`." if state.state == "damaged" else run
        yield _issue("not-current", view, f"its table is {state.state}", fix)
    if state.last_run == "failed":
        fix = f"Read the error with `featurestore status {view.name}`, then run it again."
        yield _issue("failed", view, "its last run failed", fix)
    if state.is_late and state.state not in _NO_TABLE:
        reason = f"no run since its last tick, for a whole interval of {state.schedule!r}"
        yield _issue("stale", view, reason, "Run `featurestore materialize --due`.")


def _scores(
    manifest: Manifest,
    states: Mapping[str, ViewState],
    found: Iterable[HealthIssue],
    ignore: Collection[str],
) -> dict[tuple[str, str], int]:
    lost: dict[tuple[str, str], Fraction] = {}
    counts = {(kind_of(view), view.name): len(view.feature_names) for view in views_of(manifest)}
    for issue in found:
        key = issue.kind, issue.name
        share = Fraction(len(issue.features), counts[key]) if issue.features else 1
        lost[key] = lost.get(key, Fraction()) + share
    scores = {}
    for definition in _definitions(manifest):
        key = kind_of(definition), definition.name
        checks = [code for code in _checks(definition, states) if not _ignored(code, *key, ignore)]
        passed = len(checks) - lost.get(key, Fraction())
        scores[key] = int(100 * passed / len(checks)) if checks else 100
    return scores


def _checks(definition: Definition, states: Mapping[str, ViewState]) -> tuple[str, ...]:
    """Return the codes that a definition may have."""
    if isinstance(definition, OnDemandFeatureView):
        return (*_OF_DEFINITIONS, "unused")
    if not isinstance(definition, FeatureView):
        return _OF_DEFINITIONS
    checks = (*_OF_DEFINITIONS, *_OF_FEATURES, "unvalidated")
    if definition.name not in states:
        return checks
    scheduled = ("stale",) if definition.schedule is not None else ()
    return (*checks, "never-materialized", "not-current", "failed", *scheduled)


def _ignored(code: str, kind: str, name: str, ignore: Collection[str]) -> bool:
    return any(each in ignore for each in (code, f"{code}:{name}", f"{code}:{kind} {name}"))


def _issue(
    code: str, definition: Definition, reason: str, fix: str, features: tuple[str, ...] = ()
) -> HealthIssue:
    origin: Origin = definition.origin
    return HealthIssue(
        code,
        kind_of(definition),
        definition.name,
        reason=reason,
        fix=fix,
        features=features,
        origin=str(origin),
    )


def _listed(names: Collection[str]) -> str:
    more = len(names) - _SHOWN_NAMES
    shown = ", ".join(list(names)[:_SHOWN_NAMES])
    return f"{shown} and {more} more" if more > 0 else shown


def _require_codes(ignore: Iterable[str]) -> None:
    for each in ignore:
        code = each.partition(":")[0]
        if code not in CODES:
            form = "Write a code, code:name or code:kind name"
            fix = f"{nearest(code, CODES)} {form}, also in lint_ignore of featurestore.toml."
            raise RequestError("lint", f"there is no code {code!r}", fix)
