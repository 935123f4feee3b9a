"""Definitions as JSON and back, by one rule for all dataclasses. The JSON contains no code to run.

An object is ``{"kind": class, field: value}``. Fields at their default are omitted, so that a new
field of a later release changes no document. A definition that a view or service uses is a
reference by name. A transform function is its `Code`.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, Field, fields
from functools import singledispatch

from featurestore.definitions.code.expectations import declared_expectations
from featurestore.definitions.code.fingerprint import Json, canonical_json, digest, function_code
from featurestore.definitions.model.aggregation import Aggregation
from featurestore.definitions.model.drift import Drift
from featurestore.definitions.model.entity import Entity
from featurestore.definitions.model.expectations import DeclaredCheck, DeclaredExpectations
from featurestore.definitions.model.manifest import Definition, Manifest
from featurestore.definitions.model.on_demand import OnDemandFeatureView, OnDemandReference
from featurestore.definitions.model.service import FeatureService
from featurestore.definitions.model.source import (
    DeltaSource,
    FileSource,
    KafkaSource,
    RequestSource,
)
from featurestore.definitions.model.types import Array, Decimal, Scalar
from featurestore.definitions.model.types import Field as Column
from featurestore.definitions.model.view import Code, FeatureReference, FeatureView
from featurestore.definitions.model.window import Sliding, Tumbling
from featurestore.definitions.origin import Origin, set_origin
from featurestore.errors import TableError

__all__ = ["SCHEMA", "canonical_json", "decode", "document_fingerprint", "encode", "fingerprint"]

SCHEMA = "featurestore.manifest/1"
"""The form of the document. Raise the number when older releases cannot read a new form."""

_PARTS = (
    *(Aggregation, Array, Code, Column, Decimal, FeatureReference, Scalar),
    *(OnDemandReference, Sliding, Tumbling),
    *(DeclaredCheck, DeclaredExpectations, Drift),
)
# In this order, each kind refers only to definitions of earlier kinds.
_SECTIONS = ("entities", "sources", "views", "on_demand_views", "services")
# Omitted if empty, like a field at its default: earlier releases did not write them.
_LATER_SECTIONS = ("on_demand_views",)
_SECTION_OF: Mapping[type, str] = {
    Entity: "entities",
    DeltaSource: "sources",
    FileSource: "sources",
    KafkaSource: "sources",
    RequestSource: "sources",
    FeatureView: "views",
    OnDemandFeatureView: "on_demand_views",
    FeatureService: "services",
}

_KINDS: Mapping[str, type] = {kind.__name__: kind for kind in (*_PARTS, *_SECTION_OF)}

_Decoded = dict[tuple[str, str], Definition]


def encode(manifest: Manifest) -> dict[str, Json]:
    """Return the manifest as plain data, for `canonical_json`.

    Example:
        >>> encode(Manifest())["schema"]
        'featurestore.manifest/1'
    """
    sections: dict[str, Json] = {
        section: [_object(definition) for definition in getattr(manifest, section)]
        for section in _SECTIONS
        if section not in _LATER_SECTIONS or getattr(manifest, section)
    }
    return {"schema": SCHEMA, **sections}


def decode(document: Mapping[str, Json]) -> Manifest:
    """Return the manifest of a document; its transform functions are `Code`, which cannot run.

    Raises:
        TableError: A newer release wrote the document.

    Example:
        >>> decode(encode(Manifest()))
        Manifest(entities=(), sources=(), views=(), on_demand_views=(), services=())
    """
    if document.get("schema") != SCHEMA:
        form = document.get("schema")
        raise _unreadable(f"its form is {form!r}, and this release reads {SCHEMA!r}")
    decoded: _Decoded = {}
    for section in _SECTIONS:
        for data in _in_order(_items(document.get(section))):
            definition = _decode_value(data, decoded)
            if not isinstance(definition, Definition):
                kind = type(definition).__name__
                raise _unreadable(f"it lists a {kind}, which is not a definition")
            if _reference(definition) in decoded:
                raise _unreadable(f"it lists {definition.name!r} twice in {section}")
            decoded[_reference(definition)] = definition
    return Manifest.of(list(decoded.values()))


def fingerprint(manifest: Manifest) -> str:
    """Return the fingerprint of all definitions; their files and lines do not count.

    Example:
        >>> fingerprint(Manifest()) == fingerprint(Manifest())
        True
    """
    return document_fingerprint(encode(manifest))


def document_fingerprint(document: Json) -> str:
    """Return the fingerprint of the definitions in a document, which need not be decoded.

    Example:
        >>> document_fingerprint(encode(Manifest())) == fingerprint(Manifest())
        True
    """
    return digest(_meaning(document))


def _meaning(data: Json) -> Json:
    """Return a document without origins and without the texts of functions."""
    if isinstance(data, Mapping):
        ignored = {"origin", "text"} if data.get("kind") == "Code" else {"origin"}
        return {name: _meaning(value) for name, value in data.items() if name not in ignored}
    return [_meaning(item) for item in data] if isinstance(data, list) else data


@singledispatch
def _encoded(value: object) -> Json:
    """Return a field's value as plain data."""
    return _object(value) if type(value).__name__ in _KINDS else _encoded(function_code(value))


@_encoded.register(type(None))
@_encoded.register(bool)
@_encoded.register(int)
@_encoded.register(str)
def _(value: bool | int | str | None) -> Json:
    return value


@_encoded.register
def _(value: float) -> Json:
    # JSON has neither NaN nor infinities.
    return value if math.isfinite(value) else {"kind": "float", "value": repr(value)}


@_encoded.register
def _(value: tuple) -> Json:  # type: ignore[type-arg]  # dispatch needs a bare class
    return [_encoded(item) for item in value]


@_encoded.register
def _(value: dict) -> Json:  # type: ignore[type-arg]  # dispatch needs a bare class
    return {
        "kind": "dictionary",
        "items": [[name, _encoded(item)] for name, item in value.items()],
    }


@_encoded.register(Entity)
@_encoded.register(DeltaSource)
@_encoded.register(FileSource)
@_encoded.register(KafkaSource)
@_encoded.register(RequestSource)
@_encoded.register(FeatureView)
@_encoded.register(OnDemandFeatureView)
def _(value: Definition) -> Json:
    section, name = _reference(value)
    return {"kind": "reference", "section": section, "name": name}


def _object(value: object) -> dict[str, Json]:
    data: dict[str, Json] = {"kind": type(value).__name__}
    for field in _declared(type(value)):
        member = _member(value, field.name)
        if not _is_default(member, field):
            data[field.name] = _encoded(member)
    origin = getattr(value, "origin", None)
    return data if origin is None else {**data, "origin": str(origin)}


def _member(value: object, name: str) -> object:
    # A view's schema is a foreign object, or a function that makes one.
    if isinstance(value, FeatureView) and name == "expectations":
        return declared_expectations(value)
    return getattr(value, name)


def _declared(kind: type) -> Iterator[Field[object]]:
    return (field for field in fields(kind) if field.init)


def _is_default(value: object, field: Field[object]) -> bool:
    # Types are compared too: 0 == 0.0 == False, but they are different values of empty=.
    return (
        field.default is not MISSING
        and type(value) is type(field.default)
        and value == field.default
    )


def _decode_value(data: Json, decoded: _Decoded) -> object:
    if isinstance(data, list):
        return tuple(_decode_value(item, decoded) for item in data)
    if not isinstance(data, Mapping):
        return data
    kind = str(data.get("kind"))
    return _SPECIAL.get(kind, _rebuilt)(data, decoded)


def _rebuilt(data: Mapping[str, Json], decoded: _Decoded) -> object:
    kind = _KINDS.get(str(data["kind"]))
    if kind is None:
        raise _unreadable(f"it contains a {data['kind']!r}, which this release does not know")
    values = {
        name: _decode_value(value, decoded)
        for name, value in data.items()
        if name not in ("kind", "origin")
    }
    unknown = values.keys() - {field.name for field in _declared(kind)}
    if unknown:
        names = ", ".join(sorted(unknown))
        raise _unreadable(f"its {data['kind']} has {names}, which this release does not know")
    rebuilt = kind(**values)
    if "origin" in data:
        file, _, line = str(data["origin"]).rpartition(":")
        set_origin(rebuilt, Origin(file, int(line)))
    return rebuilt


def _referred(data: Mapping[str, Json], decoded: _Decoded) -> object:
    return decoded[str(data["section"]), str(data["name"])]


def _float(data: Mapping[str, Json], decoded: _Decoded) -> object:
    return float(str(data["value"]))


def _dictionary(data: Mapping[str, Json], decoded: _Decoded) -> object:
    items = (item for item in _items(data["items"]) if isinstance(item, list))
    return {str(name): _decode_value(value, decoded) for name, value in items}


_SPECIAL: Mapping[str, Callable[[Mapping[str, Json], _Decoded], object]] = {
    "reference": _referred,
    "float": _float,
    "dictionary": _dictionary,
}


def _reference(definition: Definition) -> tuple[str, str]:
    return _SECTION_OF[type(definition)], definition.name


def _in_order(items: list[Json]) -> list[Json]:
    """Return definitions of one kind, each view before the views that derive from it."""
    by_name = {str(item["name"]): item for item in items if isinstance(item, Mapping)}

    def depth(item: Json) -> int:
        source = item.get("source") if isinstance(item, Mapping) else None
        if not isinstance(source, Mapping) or source.get("section") != "views":
            return 0
        return 1 + depth(by_name[str(source["name"])])

    return sorted(items, key=depth)


def _items(data: Json) -> list[Json]:
    return data if isinstance(data, list) else []


def _unreadable(found: str) -> TableError:
    return TableError(
        "read the applied definitions",
        found,
        "Upgrade featurestore to the release that applied the definitions.",
    )
