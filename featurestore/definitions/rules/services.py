"""Services: known features and keys, and output names that do not collide."""

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
    """Yield services, and uses of views, without any feature."""
    for service in manifest.services:
        if not service.features:
            text = f"{label(service)} has no features: give it views, or views[[names]]"
            yield Issue(service.origin, text)
    for service, use, place in _uses(manifest):
        if use.features == ():
            text = f"{label(service)} takes no feature of {label(use.view)}: name some, or all"
            yield Issue(place, text)


def features_exist(manifest: Manifest) -> Iterator[Issue]:
    """Yield features that the view does not have."""
    for service, use, place in _uses(manifest):
        for name in use.features or ():
            if name not in use.view.feature_names:
                near = nearest(name, use.view.feature_names)
                text = f"{label(service)}: {label(use.view)} has no feature {name!r}. {near}"
                yield Issue(place, text)


def renamed_keys_exist(manifest: Manifest) -> Iterator[Issue]:
    """Yield keys in ``with_join_keys`` that the view does not have, and empty columns."""
    for service, use, place in _uses(manifest):
        if isinstance(use, FeatureReference):
            for problem in renaming_problems(use):
                yield Issue(place, f"{label(service)}: {problem}")


def strict_uses_have_no_windows(manifest: Manifest) -> Iterator[Issue]:
    """Yield ``strictly_before()`` of views with aggregations, whose windows it would not move."""
    for service, use, place in _uses(manifest):
        if isinstance(use, FeatureReference):
            for problem in strictness_problems(use):
                yield Issue(place, f"{label(service)}: {problem}")


def prefixes_are_plain(manifest: Manifest) -> Iterator[Issue]:
    """Yield prefixes that make names which are no identifiers."""
    for service, use, place in _uses(manifest):
        if use.prefix and not is_plain(use.prefix):
            text = f"prefix {use.prefix!r} is not letters, digits and underscores"
            yield Issue(place, f"{label(service)}: {text}")


def outputs_do_not_collide(manifest: Manifest) -> Iterator[Issue]:
    """Yield features of a service that come out under one name, or under a spine column's."""
    for service in manifest.services:
        first: dict[str, tuple[str, Use | None]]
        first = {name: (what, None) for name, what in _spine_columns(service)}
        for use, place in _placed(service):
            alike: list[_Alike] = []
            for name in use.feature_names:
                output, what = use.prefix + name, f"{use.view.name}:{name}"
                if output in first:
                    alike.append(_Alike(output, what, *first[output]))
                first.setdefault(output, (what, use))
            for text in _told(use, alike):
                yield Issue(place, f"{label(service)}: {text}")


def key_columns_have_one_type(manifest: Manifest) -> Iterator[Issue]:
    """Yield spine columns that fill join keys of different types."""
    for service in manifest.services:
        first: dict[str, tuple[DataType, str]] = {}
        for use, place in _placed_keys(service):
            for key in use.view.join_keys:
                column = dict(use.join_keys).get(key.name, key.name)
                dtype, view = first.setdefault(column, (key.dtype, use.view.name))
                # Integers of any width match by value.
                if key.dtype != dtype and not {key.dtype, dtype} <= set(INTEGERS):
                    text = f"spine column {column!r} is {dtype} for view {view!r}, {key.dtype} for"
                    text = (
                        f"{label(service)}: {text} {label(use.view)}; rename one by with_join_keys"
                    )
                    yield Issue(place, text)


def request_columns_have_one_type(manifest: Manifest) -> Iterator[Issue]:
    """Yield request values that share a spine column with a key, or another, of a foreign type."""
    for service in manifest.services:
        first: dict[str, tuple[DataType, str]] = {
            dict(use.join_keys).get(key.name, key.name): (key.dtype, label(use.view))
            for use in service.stored_uses
            for key in use.view.join_keys
        }
        for source, given, place in _placed_requests(service):
            dtype, owner = first.setdefault(given.name, (given.dtype, label(source)))
            # Numbers are taken by value, whatever their widths.
            if given.dtype != dtype and not (is_number(given.dtype) and is_number(dtype)):
                text = f"spine column {given.name!r} is {dtype} for {owner}, {given.dtype} for"
                yield Issue(place, f"{label(service)}: {text} {label(source)}; rename one")


_PREFIX = "give one a prefix: view.with_prefix('...')"

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
    known = [key.name for key in use.view.join_keys]
    for key, column in use.join_keys:
        if key not in known:
            yield f"{label(use.view)} has no join key {key!r}. {nearest(key, known)}"
        if not column:
            yield f"with_join_keys gives {key!r} an empty column"
    if use.timestamp_field == "":
        yield f"{label(use.view)} is used .at(''); name a time column of the spine"


def strictness_problems(use: FeatureReference) -> Iterator[str]:
    """Yield what is wrong with a use's ``strictly_before``."""
    if use.strict and use.view.aggregations:
        right = [each.column for each in use.view.aggregations if each.closed == "right"]
        closed = f', and leave out closed="right" of {right[0]!r}' if right else ""
        yield (
            f"strictly_before() does nothing for {label(use.view)}, whose aggregations have "
            f'windows: they end before t by closed="left", the default; take it away{closed}'
        )


def _uses(manifest: Manifest) -> Iterator[tuple[FeatureService, Use, Origin]]:
    for service in manifest.services:
        for use, place in _placed(service):
            yield service, use, place


def _placed(service: FeatureService) -> Iterator[tuple[Use, Origin]]:
    # A view that stands in the list as it is has no place of its own there.
    for use, written in zip(service.references, service.features, strict=True):
        yield use, use.origin if use is written else service.origin


def _placed_keys(service: FeatureService) -> Iterator[tuple[FeatureReference, Origin]]:
    for use, place in _placed(service):
        stored = (use,) if isinstance(use, FeatureReference) else use.view.uses
        yield from ((each, place) for each in stored)


def _placed_requests(service: FeatureService) -> Iterator[tuple[RequestSource, Field, Origin]]:
    for use, place in _placed(service):
        for source in () if isinstance(use, FeatureReference) else use.view.requests:
            yield from ((source, given, place) for given in source.schema)


def _spine_columns(service: FeatureService) -> Iterator[tuple[str, str]]:
    for source, given, _ in _placed_requests(service):
        yield given.name, f"the spine's column {given.name!r}, of {label(source)},"
    for use in service.stored_uses:
        for key in use.view.join_keys:
            column = dict(use.join_keys).get(key.name, key.name)
            yield column, f"the spine's key column {column!r}"
        if use.timestamp_field is not None:
            yield use.timestamp_field, f"the spine's time column {use.timestamp_field!r}"


class _Alike(NamedTuple):
    """A feature whose name another one has, of a use before, or a column of the spine."""

    output: str
    what: str
    known: str
    owner: Use | None


def _told(use: Use, alike: Sequence[_Alike]) -> Iterator[str]:
    """Yield what is wrong: once for each use before, however many features come out alike."""
    # By identity: two equal uses are two.
    single: list[_Alike] = []
    for owner in {id(each.owner): each.owner for each in alike}.values():
        found = [each for each in alike if each.owner is owner]
        if owner is None or owner is use or len(found) == 1:
            single += found
            continue
        names = ", ".join(each.output for each in found)
        if owner.view == use.view:
            text = f"{label(use.view)} is used twice, and gives {names} twice; take one use away"
            yield f"{text}, or, for other keys, {_PREFIX}"
        else:
            yield f"{label(owner.view)} and {label(use.view)} both give {names}; {_PREFIX}"
    for each in single:
        yield f"{each.known} and {each.what} both come out as {each.output!r}; {_PREFIX}"
