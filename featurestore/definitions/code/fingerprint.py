"""Fingerprints: short hashes that change when, and only when, the meaning of something changes."""

import hashlib
import json
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import fields
from functools import singledispatch
from types import FunctionType

from featurestore.definitions.code.dependencies import reach
from featurestore.definitions.code.syntax import source_text
from featurestore.definitions.model.source import Source
from featurestore.definitions.model.types import Field
from featurestore.definitions.model.view import Code, FeatureView
from featurestore.errors import DefinitionError
from featurestore.times import parse_duration

Json = bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"] | None

LABELS = ("name", "description", "owner", "tags", "origin")
"""Fields of a definition that say what it is called, not what its rows are."""

# Part of each table fingerprint: raised when a new release stores the same rows differently.
_TABLE_FORMAT = 1


def canonical_json(data: Json) -> str:
    """Return the one JSON text of ``data``: sorted keys, no spaces, plain ASCII.

    Example:
        >>> canonical_json({"b": 1, "a": [None, "x"]})
        '{"a":[null,"x"],"b":1}'
    """
    return json.dumps(data, sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest(data: Json) -> str:
    """Return the fingerprint of plain data: 16 hexadecimal digits.

    Example:
        >>> digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
        True
    """
    return hashlib.sha256(canonical_json(data).encode()).hexdigest()[:16]


def function_code(function: object) -> Code:
    """Return a function's text, and a fingerprint of it and of everything that it reaches.

    The fingerprint covers the syntax tree (so not comments, docstrings or layout) of the function
    and of the project's functions, classes and constants that it uses, at any depth, and the
    versions of the libraries.

    Raises:
        DefinitionError: It is no function with a source, or it uses an object whose value cannot
            be compared between runs.

    Example:
        >>> import textwrap
        >>> function_code(textwrap.dedent).name
        'dedent'
    """
    if not isinstance(function, FunctionType):
        raise DefinitionError(
            f"read the code of {function!r}",
            f"it is a {type(function).__name__}, not a function",
            "Declare it with `def` in a module of the definitions.",
        )
    text, found = source_text(function), digest(reach(function))
    return Code(function.__name__, text, found, function.__module__)


def table_fingerprint(view: FeatureView) -> str:
    """Return the fingerprint of what a view's table stores: two equal ones share one table.

    It covers source, keys, schema, transform and availability, and neither names nor what is
    computed at read time (windows, ttl).

    Example:
        >>> from featurestore.definitions.model.source import DeltaSource
        >>> from featurestore.definitions.model.types import Float64
        >>> paid = DeltaSource("paid", path="p", timestamp_field="at")
        >>> view = FeatureView("v", entities=(), source=paid, schema=(Field("x", Float64),))
        >>> renamed = FeatureView("w", entities=(), source=paid, schema=view.schema, ttl="7d")
        >>> table_fingerprint(view) == table_fingerprint(renamed)
        True
    """
    return digest(
        {
            "format": _TABLE_FORMAT,
            "source": _source(view.source),
            "keys": _columns(view.join_keys),
            "schema": _columns(view.schema),
            "transform": transform_fingerprint(view.transform),
            "available_delay": parse_duration(view.available_delay),
        }
    )


@singledispatch
def transform_fingerprint(transform: object) -> Json:
    """Return what identifies a transform: SQL itself, or a function's fingerprint.

    Example:
        >>> transform_fingerprint("  select * from {source} ")
        ['sql', 'select * from {source}']
    """
    return transform_fingerprint(function_code(transform))


@transform_fingerprint.register
def _(transform: None) -> Json:
    return None


@transform_fingerprint.register
def _(transform: str) -> Json:
    return ["sql", textwrap.dedent(transform).strip()]


@transform_fingerprint.register
def _(transform: Code) -> Json:
    return ["function", transform.fingerprint]


def _source(source: Source | FeatureView) -> Json:
    if isinstance(source, FeatureView):
        return {"kind": "FeatureView", "table": table_fingerprint(source)}
    # Fields at their default are left out, so that a field of a later release changes nothing.
    rows = {
        field.name: _setting(getattr(source, field.name))
        for field in fields(source)
        if field.name not in LABELS and getattr(source, field.name) != field.default
    }
    return {"kind": type(source).__name__, **rows}


def _setting(value: object) -> Json:
    if isinstance(value, tuple):
        return [_setting(item) for item in value]
    if isinstance(value, Field):
        return [value.name, str(value.dtype)]
    return value if isinstance(value, bool | None) else str(value)


def _columns(columns: tuple[Field, ...]) -> Json:
    return [[column.name, str(column.dtype)] for column in columns]
