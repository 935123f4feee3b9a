"""Rules of services: existing features and keys, and columns that do not collide."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.service import FeatureService, Use
from featurestore.definitions.model.source import RequestSource
from featurestore.definitions.model.types import INTEGERS, DataType, Field, is_number
from featurestore.definitions.model.view import FeatureReference
from featurestore.definitions.origin import Origin
from featurestore.definitions.rules.issue import Issue, label
from featurestore.definitions.rules.names import is_plain
from featurestore.errors import nearest


def services_have_features(manifest: Manifest) -> Iterator[Issue]:
    """Yield services without features, and uses of views without features."""
    for service in manifest.services:
        if not service.features:
            text = f"{label(service)} has no features"
            yield Issue(service.origin, f"{text}. Add views, or view[[names]], to features=.")
    for service, use, origin in _all_uses(manifest):
        if use.features == ():
            text = f"{label(service)} uses no feature of {label(use.view)}"
            yield Issue(origin, f"{text}. Name features, or remove [[]] for all of them.")


def features_exist(manifest: Manifest) -> Iterator[Issue]:
    """Yield features that the view does not have."""
    for service, use, origin in _all_uses(manifest):
        for name in use.features or ():
            if name not in use.view.feature_names:
                near = nearest(name, use.view.feature_names)
                text = f"{label(service)}: {label(use.view)} has no feature {name!r}. {near}"
                yield Issue(origin, text)


def renamed_keys_exist(manifest: Manifest) -> Iterator[Issue]:
    """Yield keys in ``with_join_keys`` that the view does not have, and empty column names."""
    for service, use, origin in _all_uses(manifest):
        if isinstance(use, FeatureReference):
            for problem in renaming_problems(use):
                yield Issue(origin, f"{label(service)}: {problem}")


def strict_uses_have_no_windows(manifest: Manifest) -> Iterator[Issue]:
    """Yield uses of ``strictly_before()`` on views with aggregations, where it has no effect."""
    for service, use, origin in _all_uses(manifest):
        if isinstance(use, FeatureReference):
            for problem in strictness_problems(use):
                yield Issue(origin, f"{label(service)}: {problem}")


def prefixes_are_plain(manifest: Manifest) -> Iterator[Issue]:
    """Yield prefixes that are not identifiers."""
    for service, use, origin in _all_uses(manifest):
        if problem := prefix_problem(use.prefix):
            yield Issue(origin, f"{label(service)}: {problem}")


def outputs_do_not_collide(manifest: Manifest) -> Iterator[Issue]:
    """Yield features whose name another feature of the service, or a spine column, has."""
    for service in manifest.services:
        first: dict[str, tuple[str, Use | None]]
        first = {name: (what, None) for name, what in _spine_columns(service)}
        for use, origin in _uses(service):
            collisions: list[_Collision] = []
            for name in use.feature_names:
                output, feature = use.prefix + name, f"{use.view.name}:{name}"
                if output in first:
                    collisions.append(_Collision(output, feature, *first[output]))
                first.setdefault(output, (feature, use))
            for text in _collision_messages(use, collisions):
                yield Issue(origin, f"{label(service)}: {text}")


def key_columns_have_one_type(manifest: Manifest) -> Iterator[Issue]:
    """Yield spine columns that are join keys of different types."""
    for service in manifest.services:
        first: dict[str, tuple[DataType, str]] = {}
        for use, origin in _stored_uses(service):
            for key in use.view.join_keys:
                column = dict(use.join_keys).get(key.name, key.name)
                dtype, view = first.setdefault(column, (key.dtype, use.view.name))
                # Integers of any width match by value.
                if key.dtype != dtype and not {key.dtype, dtype} <= set(INTEGERS):
                    types = f"{dtype} for view {view!r}, but {key.dtype} for {label(use.view)}"
                    text = f"{label(service)}: spine column {column!r} is {types}. Rename one:"
                    yield Issue(origin, f"{text} view.with_join_keys({{{key.name!r}: ...}}).")


def request_columns_have_one_type(manifest: Manifest) -> Iterator[Issue]:
    """Yield request columns that are also a key or another request column of a different type."""
    for service in manifest.services:
        first: dict[str, tuple[DataType, str]] = {
            dict(use.join_keys).get(key.name, key.name): (key.dtype, label(use.view))
            for use in service.stored_uses
            for key in use.view.join_keys
        }
        for source, column, origin in _request_columns(service):
            dtype, owner = first.setdefault(column.name, (column.dtype, label(source)))
            # Numbers match by value, whatever their widths.
            if column.dtype != dtype and not (is_number(column.dtype) and is_number(dtype)):
                text = f"{label(service)}: spine column {column.name!r} is {dtype} for {owner}"
                text += f", but {column.dtype} for {label(source)}. Rename one."
                yield Issue(origin, text)


_PREFIX = "view.with_prefix('...')"

RULES = (
    services_have_features,
    features_exist,
    renamed_keys_exist,
    strict_uses_have_no_windows,
    prefixes_are_plain,
    outputs_do_not_collide,
    key_columns_have_one_type,
    request_columns_have_one_type,
)


def renaming_problems(use: FeatureReference) -> Iterator[str]:
    """Yield what is wrong with a use's ``with_join_keys`` and ``at``."""
    keys = [key.name for key in use.view.join_keys]
    for key, column in use.join_keys:
        if key not in keys:
            yield f"{label(use.view)} has no join key {key!r}. {nearest(key, keys)}"
        if not column:
            yield f"with_join_keys maps {key!r} to an empty name. Name a column of the spine."
    if use.timestamp_field == "":
        yield f"{label(use.view)} is used with .at(''). Name a time column of the spine."


def strictness_problems(use: FeatureReference) -> Iterator[str]:
    """Yield what is wrong with a use's ``strictly_before``."""
    if use.strict and use.view.aggregations:
        right = [each.column for each in use.view.aggregations if each.closed == "right"]
        closed = f', and closed="right" from the aggregation of {right[0]!r}' if right else ""
        yield (
            f"strictly_before() has no effect on {label(use.view)}: windows end before t "
            f'by closed="left", the default. Remove strictly_before(){closed}.'
        )


def prefix_problem(prefix: str) -> str:
    """Return what is wrong with a prefix and what to write, or ``""`` for a valid one.

    Example:
        >>> prefix_problem("payer_"), prefix_problem("1_")[:25]
        ('', "the prefix '1_' is not va")
    """
    if not prefix or is_plain(prefix):
        return ""
    fix = "Begin with a letter; use letters, digits and underscores."
    return f"the prefix {prefix!r} is not valid. {fix}"


def _all_uses(manifest: Manifest) -> Iterator[tuple[FeatureService, Use, Origin]]:
    for service in manifest.services:
        for use, origin in _uses(service):
            yield service, use, origin


def _uses(service: FeatureService) -> Iterator[tuple[Use, Origin]]:
    """Yield the service's uses of views, each with the line to correct."""
    # A view itself in the list of features has the origin of its declaration, not of its use.
    for use, listed in zip(service.references, service.features, strict=True):
        yield use, use.origin if use is listed else service.origin


def _stored_uses(service: FeatureService) -> Iterator[tuple[FeatureReference, Origin]]:
    for use, origin in _uses(service):
        stored = (use,) if isinstance(use, FeatureReference) else use.view.uses
        yield from ((each, origin) for each in stored)


def _request_columns(service: FeatureService) -> Iterator[tuple[RequestSource, Field, Origin]]:
    for use, origin in _uses(service):
        for source in () if isinstance(use, FeatureReference) else use.view.requests:
            yield from ((source, column, origin) for column in source.schema)


def _spine_columns(service: FeatureService) -> Iterator[tuple[str, str]]:
    """Yield the name of each spine column that the service needs, and how messages name it."""
    for source, column, _ in _request_columns(service):
        yield column.name, f"the spine's column {column.name!r} of {label(source)}"
    for use in service.stored_uses:
        for key in use.view.join_keys:
            column_name = dict(use.join_keys).get(key.name, key.name)
            yield column_name, f"the spine's key column {column_name!r}"
        if use.timestamp_field is not None:
            yield use.timestamp_field, f"the spine's time column {use.timestamp_field!r}"


class _Collision(NamedTuple):
    """A feature whose name is in use already.

    Attributes:
        output: The name.
        feature: The feature, as ``view:feature``.
        earlier: The earlier feature of that name, or the spine's column.
        owner: The use with the earlier feature; None for a spine column.
    """

    output: str
    feature: str
    earlier: str
    owner: Use | None


def _collision_messages(use: Use, collisions: Sequence[_Collision]) -> Iterator[str]:
    """Yield the collisions of one use: one message for all collisions with another use."""
    # By identity: two equal uses are two.
    for owner in {id(each.owner): each.owner for each in collisions}.values():
        common = [each for each in collisions if each.owner is owner]
        names = ", ".join(each.output for each in common)
        if owner is use:
            yield f"{label(use.view)} is used with {names} listed twice. Remove one of the two."
        elif owner is not None and owner.view == use.view:
            text = f"{label(use.view)} is used twice, so {names} would occur twice. Remove one use"
            yield f"{text}, or, for other keys, give one a prefix: {_PREFIX}."
        elif owner is not None and len(common) > 1:
            text = f"{label(owner.view)} and {label(use.view)} both have {names}"
            yield f"{text}. Give one a prefix: {_PREFIX}."
        else:
            yield from map(_collision_message, common)


def _collision_message(collision: _Collision) -> str:
    both = f"{collision.earlier} and {collision.feature}"
    prefixed = "the feature" if collision.owner is None else "one"
    return f"{both} both have the name {collision.output!r}. Give {prefixed} a prefix: {_PREFIX}."
