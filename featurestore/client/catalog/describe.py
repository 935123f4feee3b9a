"""What one definition or feature is: `Description`."""

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from featurestore.client.catalog.listing import listed_feature, readers_of
from featurestore.client.catalog.snippets import feature_snippets, service_snippets, view_snippets
from featurestore.credentials import without_credentials
from featurestore.definitions.model.entity import Entity
from featurestore.definitions.model.manifest import Definition, Manifest
from featurestore.definitions.model.on_demand import OnDemandFeatureView
from featurestore.definitions.model.service import FeatureService
from featurestore.definitions.model.view import FeatureView
from featurestore.errors import NotFoundError, RequestError, nearest
from featurestore.notebook import html_lines, html_table
from featurestore.registry.facts import facts
from featurestore.registry.features import Feature, View, features_of, uses_of, views_of
from featurestore.registry.health import kind_of
from featurestore.registry.meaning import interval_of, rules_of
from featurestore.store.layout import Layout

_LANGUAGES = {"python": "Python", "shell": "Shell", "sql": "SQL (DuckDB)"}
_LABELS = ("description", "owner", "tags", "type")
KINDS = ("view", "on-demand view", "service", "entity", "source", "feature")


@dataclass(frozen=True, repr=False)
class Description:
    """What a definition or a feature is.

    Args:
        kind: A kind of `KINDS`.
        name: Its name.
        view: The view of a feature; empty for others.
        description: Its description.
        owner: Its owner; for a feature, that of its view.
        tags: Its tags; for a feature, those of its view.
        origin: The file and line of its definition.
        used_by: The services and views that use it.
        facts: Its fields as texts, by their names; for a feature its type, meaning and rules.
        snippets: Lines that read it, by language: ``"python"``, ``"shell"`` and ``"sql"``; none
            for entities and sources.
    """

    kind: str
    name: str
    view: str
    description: str
    owner: str
    tags: tuple[str, ...]
    origin: str
    used_by: tuple[str, ...]
    facts: Mapping[str, str]
    snippets: Mapping[str, str]

    def __repr__(self) -> str:
        """Return it as a table, as wide as the terminal, with the snippets below."""
        # PERF: rich is 40 ms of imports, which a program that prints nothing does not need.
        from featurestore.client.display.text_table import table_text  # noqa: PLC0415

        return "\n".join([table_text([self.kind, self.title], self.rows()), *self.snippet_lines()])

    def _repr_html_(self) -> str:
        table = html_table(f"{self.kind} {self.title}", ["field", "value"], self.rows())
        return table + html_lines(self.snippet_lines())

    def snippet_lines(self) -> list[str]:
        """Return the lines that read it, under the names of their languages."""
        return [
            line
            for language, text in self.snippets.items()
            for line in ("", f"{_LANGUAGES[language]}:", *(f"    {x}" for x in text.splitlines()))
        ]

    def rows(self) -> list[tuple[str, str]]:
        """Return its fields with their texts, those without a text left out."""
        fields = {
            "description": self.description,
            "owner": self.owner,
            "tags": ", ".join(self.tags),
            "defined in": self.origin,
            "used by": ", ".join(self.used_by),
            **self.facts,
        }
        return [(name, text) for name, text in fields.items() if text]

    @property
    def title(self) -> str:
        """Its name, for a feature with its view."""
        return f"{self.view}:{self.name}" if self.view else self.name


def describe(manifest: Manifest, layout: Layout, name: str, kind: str | None) -> Description:
    """Return what a name stands for.

    Args:
        manifest: The applied definitions.
        layout: The addresses of the tables.
        name: The name of a definition, or of a feature, with or without its view.
        kind: The kind of what is meant; None if the name is enough.

    Raises:
        NotFoundError: Nothing has the name.
        RequestError: Several things have the name, or there is no such kind.
    """
    call = f"describe({name!r})"
    if kind is not None and kind not in KINDS:
        raise RequestError(call, f"there is no kind {kind!r}", nearest(kind, KINDS))
    found = [
        each
        for each in [*_definitions(manifest, name), *_features(manifest, name)]
        if kind is None or _kind(each) == kind
    ]
    if len(found) > 1:
        names = [f"{_kind(each)} {_full_name(each)}" for each in found]
        fix = "Pass view:feature for a feature, or the kind of a definition."
        raise RequestError(call, f"{len(found)} have this name: {', '.join(names)}", fix)
    if not found:
        near = nearest(name, _names(manifest, name, kind))
        fix = f"{near} To find it by words, run `featurestore search {shlex.quote(name)}`."
        raise NotFoundError(call, f"no {kind or 'definition or feature'} of this name", fix)
    [one] = found
    if isinstance(one, Feature):
        return _feature_description(one, manifest, layout)
    return _definition_description(one, manifest)


def _definitions(manifest: Manifest, name: str) -> list[Definition]:
    return [each for each in manifest.definitions if each.name == name]


def _features(manifest: Manifest, name: str) -> list[Feature]:
    view, colon, feature = name.rpartition(":")
    return [
        each
        for owner in views_of(manifest)
        if not colon or owner.name == view
        if feature in owner.feature_names
        for each in features_of(owner)
        if each.name == feature
    ]


def _names(manifest: Manifest, name: str, kind: str | None) -> set[str]:
    """Return the names that could have been meant."""
    views = views_of(manifest)
    of_view, colon, _ = name.rpartition(":")
    if colon:
        return {
            f"{view.name}:{feature}"
            for view in views
            if view.name == of_view
            for feature in view.feature_names
        } or {f"{view.name}:{name.rpartition(':')[2]}" for view in views}
    features = {feature for view in views for feature in view.feature_names}
    definitions = {
        each.name for each in manifest.definitions if kind is None or kind_of(each) == kind
    }
    return definitions | (features if kind in (None, "feature") else set())


def _kind(found: Definition | Feature) -> str:
    return "feature" if isinstance(found, Feature) else kind_of(found)


def _full_name(found: Definition | Feature) -> str:
    return f"{found.view.name}:{found.name}" if isinstance(found, Feature) else found.name


def _feature_description(feature: Feature, manifest: Manifest, layout: Layout) -> Description:
    uses = uses_of(manifest)
    listed, view = listed_feature(feature, uses), feature.view
    interval = interval_of(feature)
    own = {
        "type": listed.type,
        "meaning": listed.meaning,
        "event times": "" if interval is None else str(interval),
        "rules": "\n".join(map(without_credentials, rules_of(feature))),
    }
    columns = [
        f"{service} as {column}" if column != feature.name else service
        for service, column in uses.get((view.name, feature.name), ())
    ]
    inputs = [
        each.name
        for each in manifest.on_demand_views
        if any(use.view == view and feature.name in use.feature_names for use in each.uses)
    ]
    return Description(
        "feature",
        name=feature.name,
        view=view.name,
        description=listed.description,
        owner=listed.owner,
        tags=tuple(map(without_credentials, view.tags)),
        origin=str((feature.aggregation or feature.column or view).origin),
        used_by=(*columns, *inputs),
        facts={name: text for name, text in own.items() if text},
        snippets=feature_snippets(feature, layout),
    )


def _definition_description(definition: Definition, manifest: Manifest) -> Description:
    return Description(
        kind_of(definition),
        name=definition.name,
        view="",
        description=without_credentials(definition.description),
        owner=without_credentials(definition.owner),
        tags=tuple(map(without_credentials, definition.tags)),
        origin=str(definition.origin),
        used_by=tuple(dict.fromkeys(_users(definition, manifest))),
        facts={
            name: without_credentials(text)
            for name, text in facts(definition).items()
            if name not in _LABELS
        },
        snippets=_snippets(definition),
    )


def _snippets(definition: Definition) -> dict[str, str]:
    if isinstance(definition, FeatureView | OnDemandFeatureView):
        return view_snippets(definition)
    return service_snippets(definition) if isinstance(definition, FeatureService) else {}


def _users(definition: Definition, manifest: Manifest) -> Iterator[str]:
    if isinstance(definition, FeatureView | OnDemandFeatureView):
        yield from _users_of_view(definition, manifest)
    elif isinstance(definition, Entity):
        yield from (view.name for view in manifest.views if definition in view.entities)
    elif not isinstance(definition, FeatureService):
        yield from readers_of(definition, manifest)


def _users_of_view(view: View, manifest: Manifest) -> Iterator[str]:
    for service in manifest.services:
        if any(use.view.name == view.name for use in service.references):
            yield service.name
    yield from (each.name for each in manifest.views if view in each.lineage[:1])
    for computed in manifest.on_demand_views:
        if any(use.view.name == view.name for use in computed.uses):
            yield computed.name
