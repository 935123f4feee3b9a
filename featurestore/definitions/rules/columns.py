"""Rules of columns: join keys have a key type; no name occurs twice or is reserved."""

from collections.abc import Iterable, Iterator

from featurestore.definitions.model.entity import Entity
from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.on_demand import OnDemandFeatureView
from featurestore.definitions.model.source import DeltaSource
from featurestore.definitions.model.types import FLOATS, JOIN_KEY_TYPES, Field
from featurestore.definitions.model.view import FeatureView
from featurestore.definitions.reserved import RESERVED
from featurestore.definitions.rules.dtypes import type_problem
from featurestore.definitions.rules.issue import Issue, label


def entities_have_join_keys(manifest: Manifest) -> Iterator[Issue]:
    """Yield entities without join keys."""
    for entity in manifest.entities:
        if not entity.join_keys:
            text = f"{label(entity)} has no join keys. Add join_keys=(Field(...),)"
            yield Issue(entity.origin, f"{text}, or use entities=() in views without keys.")


def join_keys_have_key_types(manifest: Manifest) -> Iterator[Issue]:
    """Yield join keys of a type whose values cannot be compared exactly."""
    allowed = ", ".join(map(str, JOIN_KEY_TYPES))
    for entity in manifest.entities:
        for key in entity.join_keys:
            if key.dtype not in JOIN_KEY_TYPES and not type_problem(key.dtype):
                text = f"{label(entity)}: join key {key.name!r} is of type {key.dtype}."
                text += f" Use one of {allowed}"
                cast = ": cast it in the source or in a transform, e.g. to Int64 or String"
                yield Issue(key.origin, f"{text}{cast if key.dtype in FLOATS else ''}.")


def columns_are_unique(manifest: Manifest) -> Iterator[Issue]:
    """Yield columns that occur twice in an entity, a view or a source's schema."""
    for entity in manifest.entities:
        yield from _repeated(entity, entity.join_keys)
    for view in manifest.views:
        yield from _repeated(view, (*view.join_keys, *view.schema))
    for source in manifest.sources:
        if not isinstance(source, DeltaSource):
            yield from _repeated(source, source.schema)
    for on_demand in manifest.on_demand_views:
        yield from _repeated(on_demand, on_demand.schema)


def columns_are_not_reserved(manifest: Manifest) -> Iterator[Issue]:
    """Yield join keys, fields and ``unique_by`` columns with a reserved name."""
    for entity in manifest.entities:
        yield from _reserved(entity, entity.join_keys)
    for on_demand in manifest.on_demand_views:
        yield from _reserved(on_demand, on_demand.schema)
    for view in manifest.views:
        yield from _reserved(view, view.schema)
        roles = view.source_roles
        renamed = {roles.timestamp_field, roles.available_timestamp_field, roles.sequence_field}
        stored = set(roles.unique_by) & set(view.unique_columns)
        for name in sorted(stored.intersection(RESERVED) - renamed):
            text = f"{label(view.source)}: unique_by column {name!r} {_reserved_text(name)}"
            yield Issue(view.source.origin, text)


RULES = (
    entities_have_join_keys,
    join_keys_have_key_types,
    columns_are_unique,
    columns_are_not_reserved,
)


def _repeated(owner: object, columns: Iterable[Field]) -> Iterator[Issue]:
    # Spark and Delta compare column names without regard to case.
    first: dict[str, Field] = {}
    for column in columns:
        earlier = first.get(column.name.casefold())
        if earlier is not None:
            text = f"{label(owner)} has the column {column.name!r} twice: the first is"
            text += f" {earlier.name!r} at {earlier.origin}. Remove or rename one"
            yield Issue(column.origin, f"{text} (upper and lower case count as equal).")
        first.setdefault(column.name.casefold(), column)


def _reserved(
    owner: Entity | FeatureView | OnDemandFeatureView, columns: Iterable[Field]
) -> Iterator[Issue]:
    for column in columns:
        if column.name.casefold() in RESERVED:
            text = f"{label(owner)}: column {column.name!r} {_reserved_text(column.name)}"
            yield Issue(column.origin, text)


def _reserved_text(name: str) -> str:
    return (
        "has the name of a column that the store adds itself. "
        f"Rename it, e.g. to {name.strip('_') + '_value'!r}."
    )
