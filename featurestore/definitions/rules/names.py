"""Rules of names: each is an identifier, and names one definition of its kind."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import fields

from featurestore.definitions.model.manifest import Definition, Manifest
from featurestore.definitions.model.on_demand import OnDemandFeatureView
from featurestore.definitions.model.view import FeatureView
from featurestore.definitions.rules.issue import Issue, label

_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9_]{0,62}")
_FORM = "Begin with a letter; use letters, digits and underscores, at most 63 in all."


def definitions_have_plain_names(manifest: Manifest) -> Iterator[Issue]:
    """Yield entities, sources, views and services whose name is not an identifier."""
    for definition in manifest.definitions:
        if not is_plain(definition.name):
            yield Issue(definition.origin, f"{label(definition)}: the name is not valid. {_FORM}")


def columns_have_plain_names(manifest: Manifest) -> Iterator[Issue]:
    """Yield join keys, fields and aggregations whose name is not an identifier."""
    for entity in manifest.entities:
        for key in entity.join_keys:
            if not is_plain(key.name):
                text = f"{label(entity)}: the join key name {key.name!r} is not valid. {_FORM}"
                yield Issue(key.origin, text)
    for view in declared_views(manifest):
        for column in view.schema:
            if not is_plain(column.name):
                text = f"{label(view)}: the field name {column.name!r} is not valid. {_FORM}"
                yield Issue(column.origin, text)
    for view in manifest.views:
        for aggregation in view.aggregations:
            if aggregation.name is not None and not is_plain(aggregation.name):
                text = f"{label(view)}: the aggregation name {aggregation.name!r} is not valid."
                yield Issue(aggregation.origin, f"{text} {_FORM}")


def names_are_unique(manifest: Manifest) -> Iterator[Issue]:
    """Yield definitions whose name another definition of the same kind has."""
    kinds: tuple[Sequence[Definition], ...] = (
        manifest.entities,
        manifest.sources,
        # One kind, because "view:feature" names a feature of either.
        declared_views(manifest),
        manifest.services,
    )
    for definitions in kinds:
        first: dict[str, Definition] = {}
        for definition in sorted(definitions, key=lambda d: (d.origin.file, d.origin.line)):
            earlier = first.setdefault(definition.name, definition)
            if earlier is not definition:
                yield Issue(definition.origin, _second(definition, earlier))


RULES = (definitions_have_plain_names, columns_have_plain_names, names_are_unique)


def declared_views(manifest: Manifest) -> tuple[FeatureView | OnDemandFeatureView, ...]:
    """Return the stored views and the on-demand views."""
    return (*manifest.views, *manifest.on_demand_views)


def is_plain(name: str) -> bool:
    """Return whether a name is a letter followed by letters, digits and underscores.

    Example:
        >>> is_plain("card_activity"), is_plain("7d"), is_plain("card-activity")
        (True, False, False)
    """
    return _NAME.fullmatch(name) is not None


def _second(definition: Definition, earlier: Definition) -> str:
    text = f"{label(definition)} is declared twice; the first is at {earlier.origin}"
    if type(definition) is not type(earlier):
        return f"{text}. Rename one."
    differing = [
        field.name
        for field in fields(definition)
        if field.compare and getattr(definition, field.name) != getattr(earlier, field.name)
    ]
    return f"{text} and differs in {', '.join(differing)}. Import the first, or rename one."
