"""Fingerprints: short hashes that change if and only if the meaning of a definition changes."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from functools import singledispatch
from types import FunctionType

from featurestore.definitions.code.dependencies import dependencies
from featurestore.definitions.code.import_lock import IMPORT_LOCK
from featurestore.definitions.code.sql import normal_sql
from featurestore.definitions.code.syntax import source_text
from featurestore.definitions.model.source import Source
from featurestore.definitions.model.types import Field
from featurestore.definitions.model.view import Code, FeatureView
from featurestore.errors import DefinitionError
from featurestore.times import parse_duration

Json = bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"] | None

LABELS = ("name", "description", "owner", "tags", "origin")
# How a source is reached. The rows stay the same.
CONNECTION = ("servers", "options")
"""Fields that describe a definition and do not change its rows."""

# Part of each table fingerprint. Raise it when a release stores the same rows in another form.
_TABLE_FORMAT = 1


def canonical_json(data: Json) -> str:
    """Return the canonical JSON text of plain data: sorted keys, no spaces, plain ASCII.

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
    """Return a function's text, with the fingerprint of the function and its dependencies.

    The fingerprint covers the syntax trees of the function and of the project's functions,
    classes and constants that it uses, at any depth, and the versions of the libraries. Comments,
    docstrings and layout do not count.

    Raises:
        DefinitionError: The object is not a function, its text cannot be read, or it uses a value
            that cannot be compared between runs.

    Example:
        >>> import textwrap
        >>> function_code(textwrap.dedent).name
        'dedent'
    """
    if not isinstance(function, FunctionType):
        raise DefinitionError(
            f"read the code of {function!r}",
            f"it is of type {type(function).__name__}, not a function",
            "Declare it by `def` in a module of the definitions.",
        )
    with IMPORT_LOCK:
        text, fingerprint = source_text(function), digest(dependencies(function))
    return Code(function.__name__, text, fingerprint, function.__module__)


def table_fingerprint(view: FeatureView) -> str:
    """Return the fingerprint of a view's table; equal fingerprints mean equal stored rows.

    It covers the source, keys, schema, transform and available delay. It does not cover names,
    nor windows and ttl, which are applied when features are read.

    Example:
        >>> from featurestore.definitions.model.source import DeltaSource
        >>> from featurestore.definitions.model.types import Float64
        >>> paid = DeltaSource("paid", path="p", timestamp_field="at")
        >>> view = FeatureView("v", entities=(), source=paid, schema=(Field("x", Float64),))
        >>> renamed = FeatureView("w", entities=(), source=paid, schema=view.schema, ttl="7d")
        >>> table_fingerprint(view) == table_fingerprint(renamed)
        True
    """
    # Without what is at its default, so that a new argument of a later release changes nothing.
    snapshot = {"snapshot": True} if view.snapshot else {}
    return digest(
        {
            **snapshot,
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
    """Return the part of a table fingerprint for a transform: SQL, or a function's fingerprint.

    Example:
        >>> transform_fingerprint("  select * from {source} ")
        ['sql', 'SELECT * FROM {source}']
    """
    return transform_fingerprint(function_code(transform))


@transform_fingerprint.register
def _(transform: None) -> Json:
    return None


@transform_fingerprint.register
def _(transform: str) -> Json:
    return ["sql", normal_sql(transform)]


@transform_fingerprint.register
def _(transform: Code) -> Json:
    return ["function", transform.fingerprint]


def _source(source: Source | FeatureView) -> Json:
    if isinstance(source, FeatureView):
        return {"kind": "FeatureView", "table": table_fingerprint(source)}
    # Without fields at their default, so that a new field of a later release changes nothing.
    rows = {
        field.name: _setting(getattr(source, field.name))
        for field in fields(source)
        if field.name not in (*LABELS, *CONNECTION)
        and getattr(source, field.name) != field.default
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
