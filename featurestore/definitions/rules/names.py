"""Names are identifiers, and each stands for one object of its kind."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import fields

from featurestore.definitions.model.manifest import Definition, Manifest
from featurestore.definitions.model.on_demand import OnDemandFeatureView
from featurestore.definitions.model.view import FeatureView
from featurestore.definitions.rules.issue import Issue, label

_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9_]{0,62}")
_FORM = "a name is a letter, then letters, digits and underscores, 63 at most"


def definitions_have_plain_names(manifest: Manifest) -> Iterator[Issue]:
    """Yield entities, sources, views and services whose name is no identifier."""
    for definition in manifest.definitions:
        if not is_plain(definition.name):
            yield Issue(definition.origin, f"{label(definition)}: {_FORM}")


def columns_have_plain_names(manifest: Manifest) -> Iterator[Issue]:
    """Yield join keys, fields and aggregations' own names that are no identifiers."""
    for entity in manifest.entities:
        for key in entity.join_keys:
            if not is_plain(key.name):
                yield Issue(key.origin, f"join key {key.name!r} of {label(entity)}: {_FORM}")
    for view in declared_views(manifest):
        for column in view.schema:
            if not is_plain(column.name):
                yield Issue(column.origin, f"field {column.name!r} of {label(view)}: {_FORM}")
    for view in manifest.views:
        for aggregation in view.aggregations:
            if aggregation.name is not None and not is_plain(aggregation.name):
                text = f"aggregation name {aggregation.name!r} of {label(view)}: {_FORM}"
                yield Issue(aggregation.origin, text)


def names_are_unique(manifest: Manifest) -> Iterator[Issue]:
    """Yield each second object of one kind and name, with the place of the first."""
    kinds: tuple[Sequence[Definition], ...] = (
        manifest.entities,
        manifest.sources,
        # One kind: features are asked for as view:feature, of whichever.
        declared_views(manifest),
        manifest.services,
    )
    for definitions in kinds:
        first: dict[str, Definition] = {}
        for definition in sorted(definitions, key=lambda d: (d.origin.file, d.origin.line)):
            known = first.setdefault(definition.name, definition)
            if known is not definition:
                yield Issue(definition.origin, _second(definition, known))


RULES = (definitions_have_plain_names, columns_have_plain_names, names_are_unique)


def declared_views(manifest: Manifest) -> tuple[FeatureView | OnDemandFeatureView, ...]:
    """Return the views of both kinds, stored and on demand."""
    return (*manifest.views, *manifest.on_demand_views)


def is_plain(name: str) -> bool:
    """Return whether a name is a letter followed by letters, digits and underscores.

    Example:
        >>> is_plain("card_activity"), is_plain("7d"), is_plain("card-activity")
        (True, False, False)
    """
    return _NAME.fullmatch(name) is not None


def _second(definition: Definition, known: Definition) -> str:
    found = f"{label(definition)} is declared a second time, after {known.origin}"
    if type(definition) is not type(known):
        return f"{found}: rename one"
    differing = [
        field.name
        for field in fields(definition)
        if field.compare and getattr(definition, field.name) != getattr(known, field.name)
    ]
    return f"{found}, with another {', '.join(differing)}: import the first, or rename one"
