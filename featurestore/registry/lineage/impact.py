"""`Impact`: everything that a source column reaches, and how."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from enum import StrEnum

from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.source import Source
from featurestore.definitions.model.view import FeatureView
from featurestore.errors import NotFoundError, RequestError, nearest
from featurestore.registry.lineage.columns import (
    ColumnLineage,
    Inputs,
    SourceColumn,
    column_lineage,
    declared_columns,
)


class Reach(StrEnum):
    """How a column reaches something; the first that applies.

    ``value``: a value is computed from it. ``rows``: it decides which rows count, for which key
    and at which time. ``run``: no value is known to depend on it, but the view cannot run, or be
    called, without it. ``possible``: a function may use it, which cannot be known.
    """

    value = "value"
    rows = "rows"
    run = "run"
    possible = "possible"


_ORDER = {reach: number for number, reach in enumerate(Reach)}


@dataclass(frozen=True)
class Reached:
    """Something that a column reaches.

    Args:
        kind: ``"view"``, ``"feature"``, ``"service"``, ``"training set"`` or ``"model"``.
        name: Its name.
        reach: How the column reaches it; the strongest way.
        view: The view of a feature; ``""`` for others.
    """

    kind: str
    name: str
    reach: Reach
    view: str = ""


@dataclass(frozen=True)
class Impact:
    """Everything that a source column reaches.

    Args:
        source: The source's name.
        column: The column's name.
        views: The views.
        features: The features.
        services: The services.
        training_sets: The saved training sets with such features.
        models: The models that are trained on such features.
        unknown: The views that may use any column of the source: a function in Python, or SQL that
            is not understood, makes their rows.
        is_declared: Whether the source's definition names the column: then a run without the
            column fails until the definition does not name it any more.
        frozen_by: The views whose schema contract refuses the loss of any column of the source.

    Example:
        >>> Impact("payments", "note").is_unused
        True
    """

    source: str
    column: str
    _: KW_ONLY
    views: tuple[Reached, ...] = ()
    features: tuple[Reached, ...] = ()
    services: tuple[Reached, ...] = ()
    training_sets: tuple[Reached, ...] = ()
    models: tuple[Reached, ...] = ()
    unknown: tuple[str, ...] = ()
    is_declared: bool = False
    frozen_by: tuple[str, ...] = ()

    @property
    def is_unused(self) -> bool:
        """Whether nothing uses the column. See ``is_declared`` and ``frozen_by`` too."""
        return not self.views and not self.features

    @property
    def reached(self) -> tuple[Reached, ...]:
        """Everything that it reaches, views first, models last."""
        return (
            *self.views, *self.features, *self.services, *self.training_sets, *self.models
        )  # fmt: skip


Features = Mapping[str, Sequence[tuple[str, str]]]
"""The features of saved training sets or of models: by its name, pairs of a view and a feature."""


class Impacts:
    """The impact of each source column of a manifest.

    Args:
        manifest: The applied definitions.
        training_sets: The features of each saved training set.
        models: The features of each model.

    Example:
        >>> Impacts(Manifest()).columns
        {}
    """

    def __init__(
        self,
        manifest: Manifest,
        training_sets: Features | None = None,
        models: Features | None = None,
    ) -> None:
        self.lineage: ColumnLineage = column_lineage(manifest)
        self._sources = {view.name: _source(view).name for view in manifest.views}
        self._users = (
            ("service", _services(manifest)),
            ("training set", training_sets or {}),
            ("model", models or {}),
        )
        # PERF: 17 s of CPU for 3,500 columns of 100,000 features, if each asks all services.
        self._users_of = {kind: _inverted(users) for kind, users in self._users}
        self._declared = {each.name: set(declared_columns(each)) for each in manifest.sources}
        self._frozen_by: dict[str, list[str]] = {}
        for view in manifest.views:
            if view.schema_contract == "freeze" and not view.lineage:
                self._frozen_by.setdefault(view.source.name, []).append(view.name)
        self._by_column: dict[SourceColumn, list[tuple[str, str]]] = {}
        self._by_source: dict[str, list[tuple[str, str]]] = {}
        for key, inputs in self.lineage.features.items():
            for column in inputs.all:
                self._by_column.setdefault(column, []).append(key)
            for source in inputs.every:
                self._by_source.setdefault(source, []).append(key)

    @property
    def columns(self) -> Mapping[str, tuple[str, ...]]:
        """The columns of each source that the definitions name."""
        return self.lineage.columns

    @property
    def trained(self) -> tuple[tuple[str, Features], ...]:
        """The features of training sets and of models, each with the kind."""
        return self._users[1:]

    def find(self, name: str, others: Mapping[str, Iterable[str]] | None = None) -> SourceColumn:
        """Return the column of a text such as ``"payments.amount"``.

        Args:
            name: The source's name, a dot, and the column's name.
            others: Columns that sources have, and no definition names.

        Raises:
            RequestError: The text has no dot.
            NotFoundError: There is no such source or column. The message offers near names.
        """
        call = f"impact({name!r})"
        source, dot, column = name.partition(".")
        sources = self.lineage.columns
        if source not in sources:
            found = f"no source {source!r} is applied"
            raise NotFoundError(call, found, self._instead(source, column))
        known = [*sources[source], *(others or {}).get(source, ())]
        if not dot or not column:
            fix = f"Write SOURCE.COLUMN. {nearest(column, known)}"
            raise RequestError(call, "the name has no column", fix)
        low = column.lower()
        for each in (column, *(own for own in known if own.lower() == low)):
            if each in known:
                return SourceColumn(source, each)
        found = f"source {source!r} has no known column {column!r}"
        raise NotFoundError(call, found, nearest(column, known))

    def _instead(self, source: str, column: str) -> str:
        """Return what to write instead of an unknown source, which may be a view or a column."""
        sources = self.lineage.columns
        if source in self._sources:
            own = self._sources[source]
            named = column if column in sources.get(own, ()) else "COLUMN"
            return f"It is a view. Write a column of its source: '{own}.{named}'."
        owned = [f"'{name}.{source}'" for name, columns in sources.items() if source in columns]
        if owned and not column:
            return f"Write SOURCE.COLUMN: {' or '.join(owned)}."
        return nearest(source, sources)

    def of(self, column: SourceColumn) -> Impact:
        """Return everything that a column reaches."""
        keys = dict.fromkeys(
            (*self._by_column.get(column, ()), *self._by_source.get(column.source, ()))
        )
        reaches = {
            key: reach
            for key in sorted(keys)
            if (reach := _reach(self.lineage.features[key], column)) is not None
        }
        features = tuple(
            Reached("feature", name, reach, view) for (view, name), reach in reaches.items()
        )
        views = _strongest("view", ((each.view, each.reach) for each in features))
        users = [_strongest(kind, _named(of, reaches)) for kind, of in self._users_of.items()]
        return Impact(
            *column,
            views=views,
            features=features,
            services=users[0],
            training_sets=users[1],
            models=users[2],
            unknown=self.lineage.unknown.get(column.source, ()),
            is_declared=column.column in self._declared.get(column.source, ()),
            frozen_by=tuple(self._frozen_by.get(column.source, ())),
        )


def _source(view: FeatureView) -> Source:
    """Return the source of a view, of a derived view that of the first view."""
    return _source(view.source) if isinstance(view.source, FeatureView) else view.source


def _reach(inputs: Inputs, column: SourceColumn) -> Reach | None:
    if column in inputs.values:
        return Reach.value
    if column in inputs.rows:
        return Reach.rows
    if column in inputs.needed:
        return Reach.run
    is_possible = column in inputs.possible or column.source in inputs.every
    return Reach.possible if is_possible else None


def _strongest(kind: str, pairs: Iterable[tuple[str, Reach]]) -> tuple[Reached, ...]:
    best: dict[str, Reach] = {}
    for name, reach in pairs:
        best[name] = min(best.get(name, Reach.possible), reach, key=_ORDER.__getitem__)
    return tuple(Reached(kind, name, reach) for name, reach in sorted(best.items()))


def _inverted(users: Features) -> dict[tuple[str, str], list[str]]:
    """Return the names of the users of each feature."""
    found: dict[tuple[str, str], list[str]] = {}
    for name, features in users.items():
        for key in features:
            found.setdefault(key, []).append(name)
    return found


def _named(
    users: Mapping[tuple[str, str], list[str]], reaches: Mapping[tuple[str, str], Reach]
) -> Iterator[tuple[str, Reach]]:
    for key, reach in reaches.items():
        yield from ((name, reach) for name in users.get(key, ()))


def _services(manifest: Manifest) -> dict[str, list[tuple[str, str]]]:
    return {
        service.name: [
            (use.view.name, name) for use in service.references for name in use.feature_names
        ]
        for service in manifest.services
    }
