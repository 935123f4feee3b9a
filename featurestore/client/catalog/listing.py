"""What is applied, as lists: views, features, entities, sources and services."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypedDict

from featurestore.credentials import without_credentials
from featurestore.definitions.model.manifest import Definition, Manifest
from featurestore.definitions.model.source import RequestSource, Source
from featurestore.definitions.model.view import FeatureView
from featurestore.errors import NotFoundError, nearest
from featurestore.registry.features import Feature, View, features_of, uses_of, views_of
from featurestore.registry.health import kind_of
from featurestore.registry.meaning import meaning_of, source_type, window_text


@dataclass(frozen=True)
class ListedView:
    """A view.

    Args:
        name: Its name.
        kind: ``"view"`` or ``"on-demand view"``.
        entities: The names of its entities.
        source: The name of its source, or of its upstream view; empty for an on-demand view.
        features: The number of its features.
        schedule: Its schedule; None without one.
        owner: Its owner.
        tags: Its tags.
        description: Its description.
    """

    name: str
    kind: str
    entities: tuple[str, ...]
    source: str
    features: int
    schedule: str | None
    owner: str
    tags: tuple[str, ...]
    description: str


@dataclass(frozen=True)
class ListedFeature:
    """A feature.

    Args:
        name: Its name in the view.
        view: The view's name.
        type: The type of its values.
        meaning: What it is, in one line.
        column: The column that it is, or that it aggregates; empty for rows.
        function: Its function; None without an aggregation.
        window: Its window; None without one.
        services: The services that have it.
        owner: The owner of its view.
        description: The description of its column.
    """

    name: str
    view: str
    type: str
    meaning: str
    column: str
    function: str | None
    window: str | None
    services: tuple[str, ...]
    owner: str
    description: str


@dataclass(frozen=True)
class ListedEntity:
    """An entity.

    Args:
        name: Its name.
        join_keys: Its keys with their types, such as ``"card_id String"``.
        views: The views that describe it.
        owner: Its owner.
        tags: Its tags.
        description: Its description.
    """

    name: str
    join_keys: tuple[str, ...]
    views: tuple[str, ...]
    owner: str
    tags: tuple[str, ...]
    description: str


@dataclass(frozen=True)
class ListedSource:
    """A source.

    Args:
        name: Its name.
        type: What it is, such as ``"files (csv)"``.
        path: Its path, without credentials; None for values of the request.
        views: The views that read it.
        owner: Its owner.
        tags: Its tags.
        description: Its description.
    """

    name: str
    type: str
    path: str | None
    views: tuple[str, ...]
    owner: str
    tags: tuple[str, ...]
    description: str


@dataclass(frozen=True)
class ListedService:
    """A service.

    Args:
        name: Its name.
        features: The number of its features.
        views: The views that they are of.
        owner: Its owner.
        tags: Its tags.
        description: Its description.
    """

    name: str
    features: int
    views: tuple[str, ...]
    owner: str
    tags: tuple[str, ...]
    description: str


def listed_views(manifest: Manifest) -> Iterator[ListedView]:
    """Yield the views, stored ones first."""
    for view in views_of(manifest):
        stored = view if isinstance(view, FeatureView) else None
        yield ListedView(
            view.name,
            kind=kind_of(view),
            entities=tuple(entity.name for entity in stored.entities) if stored else (),
            source=stored.source.name if stored else "",
            features=len(view.feature_names),
            schedule=stored.schedule if stored else None,
            **_label(view),
        )


def view_of(manifest: Manifest, name: str, call: str) -> View:
    """Return the view of a name.

    Args:
        manifest: The definitions.
        name: The name.
        call: The user's call, for the message.

    Raises:
        NotFoundError: There is no such view.
    """
    for view in views_of(manifest):
        if view.name == name:
            return view
    fix = nearest(name, (view.name for view in views_of(manifest)))
    raise NotFoundError(call, f"no view {name!r} is applied", fix)


def listed_features(manifest: Manifest, view: View | None = None) -> Iterator[ListedFeature]:
    """Yield the features of all views, or of one view."""
    uses = uses_of(manifest)
    for each in views_of(manifest) if view is None else (view,):
        for feature in features_of(each):
            yield listed_feature(feature, uses)


def listed_feature(
    feature: Feature, uses: Mapping[tuple[str, str], tuple[tuple[str, str], ...]]
) -> ListedFeature:
    """Return a feature as it is listed.

    Args:
        feature: The feature.
        uses: The services of each feature, by `uses_of`.
    """
    column, aggregation = feature.column, feature.aggregation
    services = [service for service, _ in uses.get((feature.view.name, feature.name), ())]
    return ListedFeature(
        feature.name,
        feature.view.name,
        type=feature.dtype,
        meaning=meaning_of(feature),
        column="" if column is None else column.name,
        function=None if aggregation is None else aggregation.function,
        window=window_text(feature) or None,
        services=tuple(dict.fromkeys(services)),
        owner=without_credentials(feature.view.owner),
        description="" if column is None else without_credentials(column.description),
    )


def listed_entities(manifest: Manifest) -> Iterator[ListedEntity]:
    """Yield the entities."""
    for entity in manifest.entities:
        keys = tuple(f"{key.name} {key.dtype}" for key in entity.join_keys)
        views = tuple(view.name for view in manifest.views if entity in view.entities)
        yield ListedEntity(entity.name, join_keys=keys, views=views, **_label(entity))


def listed_sources(manifest: Manifest) -> Iterator[ListedSource]:
    """Yield the sources."""
    for source in manifest.sources:
        path = None if isinstance(source, RequestSource) else without_credentials(source.location)
        views = readers_of(source, manifest)
        yield ListedSource(
            source.name, type=source_type(source), path=path, views=views, **_label(source)
        )


def listed_services(manifest: Manifest) -> Iterator[ListedService]:
    """Yield the services."""
    for service in manifest.services:
        names = [name for use in service.references for name in use.feature_names]
        views = tuple(dict.fromkeys(use.view.name for use in service.references))
        yield ListedService(service.name, features=len(names), views=views, **_label(service))


def readers_of(source: Source, manifest: Manifest) -> tuple[str, ...]:
    """Return the names of the views that read a source."""
    stored = [view.name for view in manifest.views if view.source == source]
    return (*stored, *(v.name for v in manifest.on_demand_views if source in v.requests))


class _Label(TypedDict):
    owner: str
    tags: tuple[str, ...]
    description: str


def _label(definition: Definition) -> _Label:
    return {
        "owner": without_credentials(definition.owner),
        "tags": tuple(map(without_credentials, definition.tags)),
        "description": without_credentials(definition.description),
    }
