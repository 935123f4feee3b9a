"""A definition as flat facts, such as ``ttl``; `diff` compares the facts of two definitions."""

from collections.abc import Iterable, Mapping
from dataclasses import fields
from functools import singledispatch
from textwrap import dedent

from featurestore.credentials import without_credentials
from featurestore.definitions.code.fingerprint import function_code
from featurestore.definitions.code.sql import normal_sql
from featurestore.definitions.model.aggregation import Aggregation, output_type
from featurestore.definitions.model.drift import Drift
from featurestore.definitions.model.entity import Entity
from featurestore.definitions.model.expectations import DeclaredExpectations
from featurestore.definitions.model.manifest import Definition
from featurestore.definitions.model.on_demand import OnDemandFeatureView, OnDemandReference
from featurestore.definitions.model.service import FeatureService, Use
from featurestore.definitions.model.source import (
    DeltaSource,
    FileSource,
    KafkaSource,
    RequestSource,
    Source,
)
from featurestore.definitions.model.types import Array, DataType, Decimal, Field, Scalar
from featurestore.definitions.model.view import Code, FeatureReference, FeatureView
from featurestore.definitions.model.window import Length, grid_of

Facts = dict[str, str]


def facts(definition: Definition) -> Facts:
    """Return the facts of a definition: its fields, without its name and without defaults.

    A feature is the fact ``features.<name>``; features are in the order of the answer's columns.

    Example:
        >>> from featurestore.definitions.model.types import String
        >>> facts(Entity("card", join_keys=(Field("card_id", String),)))
        {'type': 'Entity', 'join_keys.card_id': 'String'}
    """
    own = {"type": type(definition).__name__}
    for field in fields(definition):
        value = getattr(definition, field.name)
        if field.compare and field.name != "name" and value != field.default:
            own.update(_facts(value, field.name))
    return {**own, **_derived(definition)}


@singledispatch
def _derived(definition: Definition) -> Facts:
    """Return the facts that follow from several fields together."""
    return {}


@_derived.register
def _(view: FeatureView) -> Facts:
    types = {column.name: column.dtype for column in view.schema}
    windows = {
        f"features.{name}": _window(aggregation, window, types)
        for aggregation in view.aggregations
        for name, window in zip(aggregation.feature_names, aggregation.windows, strict=True)
    }
    keys = ", ".join(f"{key.name} {key.dtype}" for key in view.join_keys)
    return {"join_keys": keys, **windows}


@_derived.register
def _(service: FeatureService) -> Facts:
    return {
        f"features.{use.prefix}{name}": f"{use.view.name}:{name}{_use(use)}"
        for use in service.references
        for name in use.feature_names
    }


@_derived.register
def _(view: OnDemandFeatureView) -> Facts:
    stored = {
        f"inputs.{use.prefix}{name}": f"{use.view.name}:{name}{_use(use)}"
        for use in view.uses
        for name in use.feature_names
    }
    requested = {
        f"inputs.{column.name}": f"{source.name} (request): {column.dtype}"
        for source in view.requests
        for column in source.schema
    }
    transform = view.transform
    code = transform if isinstance(transform, Code | Mapping) else function_code(transform)
    # Readers import the function, so its module counts too.
    module = {"transform.module": code.module} if isinstance(code, Code) else {}
    return {**stored, **requested, **module}


@singledispatch
def _facts(value: object, path: str) -> Facts:
    """Return the facts of one field's value."""
    return _facts(function_code(value), path)


@_facts.register
def _(value: str, path: str) -> Facts:
    # A changed comment of an SQL transform is no change.
    return {path: normal_sql(value) if path == "transform" else value}


@_facts.register(bool)
@_facts.register(int)
@_facts.register(Scalar)
@_facts.register(Decimal)
@_facts.register(Array)
@_facts.register(type(None))
def _(value: object, path: str) -> Facts:
    return {path: without_credentials(str(value))}


@_facts.register
def _(value: Code, path: str) -> Facts:
    return {path: f"{value.name} ({value.fingerprint})"}


@_facts.register
def _(value: DeclaredExpectations, path: str) -> Facts:
    checks = {
        f"{path}.{check.name}": f"{check.text}: {check.severity}{_code(check.fingerprint)}"
        for check in value.checks
    }
    gate = {} if value.max_bad_share == 1 else {f"{path}.max_bad_share": str(value.max_bad_share)}
    return {path: f"{len(checks)} checks", **checks, **gate}


@_facts.register
def _(value: Drift, path: str) -> Facts:
    thresholds = ", ".join(f"{name} {limit}" for name, limit in value.thresholds.items())
    return {f"{path}.{value.feature}": f"{thresholds} against {value.against}"}


@_facts.register(Entity)
@_facts.register(DeltaSource)
@_facts.register(FileSource)
@_facts.register(KafkaSource)
@_facts.register(RequestSource)
def _(value: Entity | Source, path: str) -> Facts:
    return {path: value.name}


@_facts.register
def _(value: Field, path: str) -> Facts:
    notes = {"description": value.description, "personal": "True" if value.personal else ""}
    described = {f"{path}.{value.name}.{note}": text for note, text in notes.items() if text}
    return {f"{path}.{value.name}": str(value.dtype), **described}


@_facts.register
def _(value: dict, path: str) -> Facts:  # type: ignore[type-arg]  # dispatch needs a bare class
    return {f"{path}.{name}": dedent(str(item)).strip() for name, item in value.items()}


@_facts.register
def _(value: FeatureView, path: str) -> Facts:
    # A view in a service is described by its features, in `_derived`.
    return {path: f"view {value.name}"} if path == "source" else {}


@_facts.register(Aggregation)
@_facts.register(FeatureReference)
@_facts.register(OnDemandReference)
@_facts.register(OnDemandFeatureView)
def _(value: object, path: str) -> Facts:
    # Described by their features, in `_derived`.
    return {}


@_facts.register
def _(value: tuple, path: str) -> Facts:  # type: ignore[type-arg]  # dispatch needs a bare class
    return _merged(_facts(item, path) for item in value)


def _code(fingerprint: str) -> str:
    return f" ({fingerprint})" if fingerprint else ""


def _merged(parts: Iterable[Facts]) -> Facts:
    """Return all facts; values of one name, such as tags, are joined by commas."""
    merged: Facts = {}
    for name, text in ((name, text) for part in parts for name, text in part.items()):
        merged[name] = f"{merged[name]}, {text}" if name in merged else text
    return merged


def _window(aggregation: Aggregation, window: Length, types: Mapping[str, DataType]) -> str:
    kinds = [types.get(name) for name in (aggregation.column, aggregation.by) if name is not None]
    result = output_type(aggregation.function, *kinds)
    by = "" if aggregation.by is None else f" by {aggregation.by}"
    text = f"{aggregation.function} of {aggregation.column}{by} over {grid_of(window)}: {result}"
    closed = "" if aggregation.closed == "left" else ", upper edge included"
    delay = "" if aggregation.delay == "0s" else f", delayed by {aggregation.delay}"
    empty = "" if aggregation.empty is None else f", {aggregation.empty!r} if empty"
    ddof = "" if aggregation.ddof == 1 else f", ddof {aggregation.ddof}"
    return text + closed + delay + empty + ddof


@singledispatch
def _use(use: Use) -> str:
    """Return how a use of a view differs from a plain one, as text."""
    return ""


@_use.register
def _(use: FeatureReference) -> str:
    keys = "".join(f", {key} from {column}" for key, column in use.join_keys if key != column)
    at = f", at {use.timestamp_field}" if use.timestamp_field else ""
    return keys + at + (", strictly before" if use.strict else "")
