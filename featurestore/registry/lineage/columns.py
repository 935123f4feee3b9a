"""`ColumnLineage`: the source columns that each view and each feature is made from.

It follows from the definitions alone: from SQL by a parser, and without a transform by the names.
What a PySpark function reads is not known: then every column of the source counts.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import reduce
from typing import NamedTuple

from featurestore.definitions.model.aggregation import ANY_ROW
from featurestore.definitions.model.expectations import DeclaredExpectations
from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.on_demand import OnDemandFeatureView
from featurestore.definitions.model.source import Source
from featurestore.definitions.model.view import FeatureView
from featurestore.registry.lineage.sql_columns import SqlColumns, expression_columns, sql_columns
from featurestore.store.columns import required_columns

_ROW_METADATA = "_row_metadata"  # the store's own column in the input of a transform


class SourceColumn(NamedTuple):
    """A column of a source.

    Args:
        source: The source's name.
        column: The column's name.
    """

    source: str
    column: str

    def __str__(self) -> str:
        """Return it as the command line takes it."""
        return f"{self.source}.{self.column}"


SourceColumns = frozenset[SourceColumn]
_NONE: SourceColumns = frozenset()


@dataclass(frozen=True)
class Inputs:
    """The source columns that a feature, or a view, depends on.

    Args:
        values: The columns from which its values are computed.
        rows: The columns that decide which rows there are, of which key and of which time.
        possible: Columns of an upstream view, or inputs of a call, that a function may use.
        every: The sources of which a function may use any column.
        needed: The columns without which the view cannot run, or no call of it can.
    """

    values: SourceColumns = _NONE
    rows: SourceColumns = _NONE
    possible: SourceColumns = _NONE
    every: frozenset[str] = frozenset()
    needed: SourceColumns = _NONE

    def __or__(self, other: "Inputs") -> "Inputs":
        """Return the inputs of both."""
        return Inputs(
            self.values | other.values,
            self.rows | other.rows,
            self.possible | other.possible,
            self.every | other.every,
            self.needed | other.needed,
        )

    @property
    def all(self) -> SourceColumns:
        """All columns that are known by name."""
        return self.values | self.rows | self.possible | self.needed


@dataclass(frozen=True)
class ColumnLineage:
    """The source columns that everything in a manifest is made from.

    Args:
        columns: The columns of each source that the definitions name, sorted.
        views: What decides the rows of each stored view.
        features: The inputs of each feature, by view and feature.
        unknown: For each source, the views whose functions may use any of its columns.
    """

    columns: Mapping[str, tuple[str, ...]]
    views: Mapping[str, Inputs]
    features: Mapping[tuple[str, str], Inputs]
    unknown: Mapping[str, tuple[str, ...]]


def column_lineage(manifest: Manifest) -> ColumnLineage:
    """Return which source columns each view and feature of a manifest is made from.

    Example:
        >>> column_lineage(Manifest()).features
        {}
    """
    spelling = _Spelling(manifest)
    stored: dict[str, _Stored] = {}
    for view in manifest.views:
        _store(view, stored, spelling)
    features: dict[tuple[str, str], Inputs] = {}
    for view in manifest.views:
        own = stored[view.name]
        features |= {(view.name, name): made for name, made in _features(view, own)}
    for computed in manifest.on_demand_views:
        made = dict(_computed(computed, features))
        features |= {(computed.name, name): each for name, each in made.items()}
    views = {view.name: stored[view.name].base for view in manifest.views}
    columns = _columns(manifest, (*views.values(), *features.values()))
    unknown = {
        source.name: tuple(name for name, base in views.items() if source.name in base.every)
        for source in manifest.sources
    }
    return ColumnLineage(columns, views, features, unknown)


def query_of(view: FeatureView) -> SqlColumns | None:
    """Return what a view's columns are made from, as columns of its source; None if unknown.

    Args:
        view: The view.
    """
    names = required_columns(view)
    if isinstance(view.transform, str):
        return sql_columns(view.transform, names)
    if view.transform is not None:
        return None
    return SqlColumns({name: frozenset({name}) for name in names}, frozenset(), frozenset(names))


@dataclass(frozen=True)
class _Stored:
    """A view's stored columns.

    Args:
        base: What all of its features depend on.
        fields: What else each key and each field depends on.
    """

    base: Inputs
    fields: Mapping[str, Inputs]

    def field(self, name: str) -> Inputs:
        """Return the inputs of a stored column, as SQL finds it; none of its own for times."""
        if name in self.fields:
            return self.fields[name]
        low = name.lower()
        found = (made for own, made in self.fields.items() if own.lower() == low)
        return next(found, Inputs())


def _store(view: FeatureView, stored: dict[str, _Stored], spelling: "_Spelling") -> _Stored:
    if view.name in stored:
        return stored[view.name]
    upstream = view.source
    if isinstance(upstream, FeatureView):
        made = _derived(view, _store(upstream, stored, spelling))
    else:
        made = _of_source(view, upstream, spelling)
    stored[view.name] = made
    return made


def _of_source(view: FeatureView, source: Source, spelling: "_Spelling") -> _Stored:
    query = query_of(view)
    if query is None:
        return _Stored(Inputs(every=frozenset({source.name})), {})

    def columns(names: Iterable[str]) -> SourceColumns:
        return spelling.columns(source, (name for name in names if name != _ROW_METADATA))

    decisive = (columns(query.values[name]) for name in _row_names(view))
    base = Inputs(rows=columns(query.rows).union(*decisive), needed=columns(query.mentioned))
    fields = {name: Inputs(values=columns(query.values[name])) for name in _own_names(view)}
    return _Stored(base, fields)


def _derived(view: FeatureView, upstream: _Stored) -> _Stored:
    base, query = upstream.base, query_of(view)
    if query is None:
        every = reduce(Inputs.__or__, upstream.fields.values(), base)
        possible = every.values | every.rows | every.possible
        return _Stored(Inputs(possible=possible, every=base.every, needed=base.needed), {})

    def made_from(names: Iterable[str]) -> Inputs:
        return reduce(Inputs.__or__, map(upstream.field, names), Inputs())

    decisive = made_from(
        (*query.rows, *(each for name in _row_names(view) for each in query.values[name]))
    )
    base |= Inputs(rows=decisive.values, possible=decisive.possible)
    return _Stored(base, {name: made_from(query.values[name]) for name in _own_names(view)})


def _own_names(view: FeatureView) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each.name for each in (*view.join_keys, *view.schema)))


def _row_names(view: FeatureView) -> tuple[str, ...]:
    """Return the columns of the transformed rows that decide which rows the table has."""
    fields = {field.name for field in view.schema}
    required = required_columns(view)
    roles = view.source_roles
    role_names = {*filter(None, roles.columns.values()), *roles.unique_by}
    keys = {key.name for key in view.join_keys}
    checked = set(_checked(view))
    return tuple(
        name
        for name in required
        if name not in fields or name in keys or name in role_names or name in checked
    )


def _checked(view: FeatureView) -> Iterator[str]:
    """Yield the columns whose values may keep a row out of the table."""
    declared = view.expectations
    checks = declared.checks if isinstance(declared, DeclaredExpectations) else ()
    for check in checks:
        if check.severity != "warn":
            column, colon, _ = check.name.partition(":")
            yield from [column] if colon else [field.name for field in view.schema]


def _features(view: FeatureView, stored: _Stored) -> Iterator[tuple[str, Inputs]]:
    if not view.aggregations:
        for name in view.feature_names:
            yield name, stored.base | stored.fields.get(name, Inputs())
        return
    for aggregation in view.aggregations:
        used = {aggregation.column, aggregation.by} - {ANY_ROW, None}
        made = (stored.fields.get(str(name), Inputs()) for name in sorted(map(str, used)))
        inputs = reduce(Inputs.__or__, made, stored.base)
        yield from ((name, inputs) for name in aggregation.feature_names)


def _computed(
    view: OnDemandFeatureView, features: Mapping[tuple[str, str], Inputs]
) -> Iterator[tuple[str, Inputs]]:
    """Yield the inputs of on-demand features: those of the inputs that each of them uses.

    A call needs all inputs of the view, whichever of its features it asks for. Which of them a
    function uses cannot be known.
    """
    inputs: dict[str, Inputs] = {}
    for use in view.uses:
        inputs |= {
            f"{use.prefix}{name}": features.get((use.view.name, name), Inputs())
            for name in use.feature_names
        }
    for source in view.requests:
        for field in source.schema:
            column = frozenset({SourceColumn(source.name, field.name)})
            inputs[field.name] = Inputs(values=column, needed=column)
    of_call = Inputs(
        needed=_NONE.union(*(each.needed | each.values | each.rows for each in inputs.values()))
    )
    for name in view.feature_names:
        text = view.transform.get(name) if isinstance(view.transform, Mapping) else None
        used = None if text is None else expression_columns(text)
        chosen = [
            _as_possible(made) if used is None else made
            for own, made in inputs.items()
            if used is None or own.lower() in used
        ]
        yield name, reduce(Inputs.__or__, chosen, of_call)


def _as_possible(inputs: Inputs) -> Inputs:
    """Return the inputs of a value that a function may use."""
    return replace(inputs, values=_NONE, possible=inputs.possible | inputs.values)


class _Spelling:
    """The names of columns as the definitions write them: SQL does not distinguish case."""

    def __init__(self, manifest: Manifest) -> None:
        self._declared: dict[str, dict[str, str]] = {}
        self._names: dict[str, set[str]] = {}
        for source in manifest.sources:
            self._add(source.name, declared_columns(source))
        for view in manifest.views:
            if view.transform is None and not view.lineage:
                self._add(view.source.name, required_columns(view))

    def _add(self, source: str, names: Iterable[str]) -> None:
        own = self._declared.setdefault(source, {})
        for name in names:
            own.setdefault(name.lower(), name)
            self._names.setdefault(source, set()).add(name)

    def columns(self, source: Source, names: Iterable[str]) -> SourceColumns:
        """Return columns of a source in the spelling of its definitions."""
        known = self._names.get(source.name, set())
        spelled = self._declared.setdefault(source.name, {})
        return frozenset(
            SourceColumn(
                source.name, name if name in known else spelled.setdefault(name.lower(), name)
            )
            for name in sorted(names)
        )


def declared_columns(source: Source) -> Iterator[str]:
    """Yield the columns that a source's own definition names.

    Example:
        >>> from featurestore.definitions.model.source import DeltaSource
        >>> list(declared_columns(DeltaSource("paid", path="p", timestamp_field="at")))
        ['at']
    """
    yield from filter(None, source.roles.columns.values())
    yield from source.roles.unique_by
    yield from (field.name for field in getattr(source, "schema", ()))


def _columns(manifest: Manifest, made: Iterable[Inputs]) -> dict[str, tuple[str, ...]]:
    columns = {source.name: set(declared_columns(source)) for source in manifest.sources}
    for each in {column for inputs in made for column in inputs.all}:
        columns.setdefault(each.source, set()).add(each.column)
    return {name: tuple(sorted(found)) for name, found in columns.items()}
