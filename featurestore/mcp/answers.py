"""The answers of the tools, as plain data. They need no package of the protocol."""

import json
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Literal

from featurestore.client.catalog.describe import Description
from featurestore.client.catalog.search import FoundDefinition
from featurestore.client.display.json_text import json_text
from featurestore.client.feature_store import FeatureStore
from featurestore.client.lineage.impact import trained_features
from featurestore.client.spines.key_values import typed_row
from featurestore.client.status import ViewStatus
from featurestore.errors import RequestError
from featurestore.registry.features import uses_of
from featurestore.registry.health import HealthIssue
from featurestore.registry.lineage.columns import SourceColumn
from featurestore.registry.lineage.impact import Features, Impacts
from featurestore.times import system_clock

MOST_RESULTS = 100
"""The most results of one answer: an assistant reads all that it gets."""
Kind = Literal["view", "on-demand view", "service", "entity", "source", "feature"]
Value = str | int | float | bool | None


@dataclass(frozen=True)
class Overview:
    """What there is.

    Args:
        project: The project's name.
        version: The number of the applied version.
        counts: The number of definitions of each kind, and of features.
        states: The number of views in each state, such as ``"current"``.
        score: The health score, from 0 to 100.
        services: The services with their descriptions, at most 100.
        views: The views with their descriptions, at most 100.
    """

    project: str
    version: int
    counts: Mapping[str, int]
    states: Mapping[str, int]
    score: int | None
    services: Mapping[str, str]
    views: Mapping[str, str]


@dataclass(frozen=True)
class SearchAnswer:
    """What a search has found.

    Args:
        total: The number of all results.
        results: The best of them.
    """

    total: int
    results: tuple[FoundDefinition, ...]


@dataclass(frozen=True)
class Snippets:
    """Lines that read a feature.

    Args:
        kind: The kind of what they read.
        name: Its name; a feature with its view.
        snippets: The lines, by language.
    """

    kind: str
    name: str
    snippets: Mapping[str, str]


@dataclass(frozen=True)
class Lineage:
    """What a feature is made from, and what uses it. Columns are texts such as ``"paid.amount"``.

    Args:
        feature: The feature, with its view.
        values: The source columns from which its values are computed.
        rows: The columns that decide which rows count, for which key and at which time.
        possible: Columns that a function may use.
        any_column_of: Sources of which a function may use any column.
        services: The services that have it.
        training_sets: The saved training sets that have it, by their newest versions.
        models: The models that learned from it.
    """

    feature: str
    values: tuple[str, ...]
    rows: tuple[str, ...]
    possible: tuple[str, ...]
    any_column_of: tuple[str, ...]
    services: tuple[str, ...]
    training_sets: tuple[str, ...]
    models: tuple[str, ...]


@dataclass(frozen=True)
class Freshness:
    """The states of views.

    Args:
        as_of: The moment of the answer.
        total: The number of all of them.
        views: The state of each view, at most 100.
    """

    as_of: datetime
    total: int
    views: tuple[ViewStatus, ...]


@dataclass(frozen=True)
class HealthAnswer:
    """What definitions and tables lack.

    Args:
        score: The score, from 0 to 100; None without definitions.
        total: The number of all issues.
        issues: The first of them.
    """

    score: int | None
    total: int
    issues: tuple[HealthIssue, ...]


def overview(store: FeatureStore) -> Overview:
    """Return what there is."""
    applied = store.applied()
    views, services, states = store.views(), store.services(), dict[str, int]()
    for status in store.status():
        states[status.state] = states.get(status.state, 0) + 1
    latest = store.registry.latest()
    return Overview(
        store.settings.title,
        version=latest.version if latest else 0,
        counts={
            "views": len(views),
            "features": sum(view.features for view in views),
            "services": len(services),
            "entities": len(applied.entities),
            "sources": len(applied.sources),
        },
        states=states,
        score=store.health(applied).score,
        services={each.name: each.description for each in services[:MOST_RESULTS]},
        views={each.name: each.description for each in views[:MOST_RESULTS]},
    )


def search(store: FeatureStore, text: str, limit: int) -> SearchAnswer:
    """Return what has the most words of a text."""
    found = store.search(text, limit=None)
    return SearchAnswer(len(found), tuple(found[: _within(f"search({text!r})", limit)]))


def describe(store: FeatureStore, name: str, kind: Kind | None) -> Description:
    """Return what a name stands for."""
    return store.describe(name, kind)


def snippet(store: FeatureStore, name: str) -> Snippets:
    """Return the lines that read a feature, a view or a service."""
    kinds = {each.name: each.kind for each in store.views()}
    kinds |= {each.name: "service" for each in store.services()}
    found = store.describe(name, kinds.get(name))  # not a feature of the same name
    if not found.snippets:
        fix = "Ask for a feature, a view or a service."
        raise RequestError(f"snippet({name!r})", f"nothing reads a {found.kind} alone", fix)
    return Snippets(found.kind, found.title, found.snippets)


def freshness(store: FeatureStore, view: str | None) -> Freshness:
    """Return the state of each view, or of one."""
    found = store.status(view)
    return Freshness(system_clock(), len(found), tuple(found[:MOST_RESULTS]))


def health(store: FeatureStore, limit: int) -> HealthAnswer:
    """Return what the applied definitions and their tables lack."""
    found = store.health(store.applied())
    issues = found.issues[: _within("health()", limit)]
    return HealthAnswer(found.score, len(found.issues), issues)


def lineage(store: FeatureStore, feature: str) -> Lineage:
    """Return what a feature is made from, and what uses it."""
    found = store.describe(feature, "feature")
    key, applied = (found.view, found.name), store.applied()
    impacts = Impacts(applied, **trained_features(store.layout))
    inputs = impacts.lineage.features[key]
    services = uses_of(applied).get(key, ())
    trained = dict(impacts.trained)
    return Lineage(
        found.title,
        values=_columns(inputs.values),
        rows=_columns(inputs.rows),
        possible=_columns(inputs.possible),
        any_column_of=tuple(sorted(inputs.every)),
        services=tuple(dict.fromkeys(service for service, _ in services)),
        training_sets=_with(key, trained["training set"]),
        models=_with(key, trained["model"]),
    )


def impact(store: FeatureStore, column: str) -> dict[str, Any]:
    """Return what a source column reaches: at most 100 features, and the number of all."""
    found = store.impact(column)
    shown = replace(found, features=found.features[:MOST_RESULTS])
    return {**asdict(shown), "total": len(found.features), "is_unused": found.is_unused}


def explain(
    store: FeatureStore, features: str | Sequence[str], row: Mapping[str, Value], at: str | None
) -> dict[str, Any]:
    """Return the value of each feature for one row, with the reason.

    Args:
        store: The store.
        features: A service, views, or features as ``view:feature``.
        row: The keys and request values of the row.
        at: The moment, as ISO 8601; None for now.
    """
    names = [features] if isinstance(features, str) else list(features)
    now = system_clock().replace(microsecond=0)
    with warnings.catch_warnings(record=True) as notes:
        warnings.simplefilter("always", UserWarning)
        texts = {name: _text(value) for name, value in row.items()}
        rows, missing = typed_row(store.served(names), names, texts, at, now)
        frame = store.get_historical_features(names, rows)
        shown = frame.features[:MOST_RESULTS]
        explained = [frame.explain(0, name) for name in shown]
    cells = [
        {
            "feature": each.feature,
            "view": each.view,
            "value": each.value,
            "reason": each.reason,
            "text": list(each.lines),
            "table_version": each.version,
        }
        for each in explained
    ]
    answer = {
        "at": at or now,
        "features": cells,
        "left_out": len(frame.features) - len(shown),
        "keys_without_value": missing,
        "notes": [str(note.message) for note in notes],
    }
    return dict(json.loads(json_text(answer)))


def _columns(columns: Iterable[SourceColumn]) -> tuple[str, ...]:
    return tuple(sorted(map(str, columns)))


def _with(key: tuple[str, str], features: Features) -> tuple[str, ...]:
    return tuple(name for name, keys in features.items() if key in keys)


def _within(call: str, limit: int) -> int:
    if not 1 <= limit <= MOST_RESULTS:
        fix = f"Pass a whole number from 1 to {MOST_RESULTS}."
        raise RequestError(call, f"limit is {limit}", fix)
    return limit


def _text(value: Value) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else str(value)
