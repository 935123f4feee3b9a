"""`Catalog`: everything that the site shows, read once from the registry, ledgers and logs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from featurestore.client.feature_store import FeatureStore
from featurestore.client.status import ViewStatus
from featurestore.definitions.model.aggregation import Aggregation, output_type
from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.on_demand import OnDemandFeatureView
from featurestore.definitions.model.types import Field
from featurestore.definitions.model.view import FeatureView
from featurestore.definitions.model.window import Length
from featurestore.errors import FeatureStoreError
from featurestore.registry.version import RegistryVersion
from featurestore.store.layout import Layout
from featurestore.store.ledger.runs import RunRecord, Runs

View = FeatureView | OnDemandFeatureView


@dataclass(frozen=True)
class Feature:
    """One feature of a view.

    Args:
        view: The view.
        name: Its name in the view.
        dtype: The type of its values.
        column: The field that it is, or that it aggregates; None for rows.
        aggregation: The aggregation that it belongs to; None for other features.
        window: The window of the aggregation.
    """

    view: View
    name: str
    dtype: str
    column: Field | None
    aggregation: Aggregation | None = None
    window: Length | None = None


@dataclass(frozen=True)
class Catalog:
    """Everything that the site shows.

    Args:
        project: The project's name.
        built_at: The moment of the build, as of which states are.
        layout: The addresses of the tables.
        history: The applied versions, oldest first.
        manifest: The newest applied definitions; empty if nothing is applied.
        statuses: The state of each view, by its name; empty if the ledgers cannot be read.
        runs: The recorded runs, oldest first.
        problems: Why ledgers cannot be read.
    """

    project: str
    built_at: datetime
    layout: Layout
    history: tuple[RegistryVersion, ...]
    manifest: Manifest
    statuses: Mapping[str, ViewStatus]
    runs: tuple[RunRecord, ...]
    problems: tuple[FeatureStoreError, ...]

    @property
    def version(self) -> int:
        """The number of the newest applied version; 0 if nothing is applied."""
        return self.history[-1].version if self.history else 0

    @property
    def views(self) -> tuple[View, ...]:
        """All views, stored ones first."""
        return (*self.manifest.views, *self.manifest.on_demand_views)

    @cached_property
    def features(self) -> Mapping[str, tuple[Feature, ...]]:
        """The features of each view, in order."""
        return {view.name: tuple(_features(view)) for view in self.views}

    @cached_property
    def uses(self) -> Mapping[tuple[str, str], tuple[tuple[str, str], ...]]:
        """For each used view and feature: the services, and the name of the column in each."""
        uses: dict[tuple[str, str], list[tuple[str, str]]] = {}
        for service in self.manifest.services:
            for use in service.references:
                for name in use.feature_names:
                    entry = service.name, f"{use.prefix}{name}"
                    uses.setdefault((use.view.name, name), []).append(entry)
        return {key: tuple(found) for key, found in uses.items()}

    @cached_property
    def runs_by_view(self) -> Mapping[str, tuple[RunRecord, ...]]:
        """The runs of each view, newest first."""
        runs: dict[str, list[RunRecord]] = {}
        for run in reversed(self.runs):
            runs.setdefault(run.view, []).append(run)
        return {view: tuple(found) for view, found in runs.items()}


def read_catalog(store: FeatureStore, now: datetime) -> Catalog:
    """Return the catalog of a store. Damaged ledgers are problems; a damaged registry is an error.

    Args:
        store: The store.
        now: The moment of the build.

    Raises:
        TableError: The registry is damaged, or a newer release wrote it.
    """
    history = tuple(store.history())
    manifest = history[-1].manifest if history else Manifest()
    problems: list[FeatureStoreError] = []
    runs: tuple[RunRecord, ...] = ()
    statuses: Iterable[ViewStatus] = ()
    try:
        runs = Runs(store.layout).records()
    except FeatureStoreError as error:
        problems.append(error)
    try:
        statuses = store.status() if history else ()
    except FeatureStoreError as error:
        if str(error) not in map(str, problems):
            problems.append(error)
    return Catalog(
        store.settings.project,
        built_at=now,
        layout=store.layout,
        history=history,
        manifest=manifest,
        statuses={status.view: status for status in statuses},
        runs=runs,
        problems=tuple(problems),
    )


def _features(view: View) -> Iterable[Feature]:
    columns = {column.name: column for column in view.schema}
    if not isinstance(view, FeatureView) or not view.aggregations:
        for column in view.schema:
            yield Feature(view, column.name, str(column.dtype), column)
        return
    types = {name: column.dtype for name, column in columns.items()}
    for aggregation in view.aggregations:
        by = () if aggregation.by is None else (types.get(aggregation.by),)
        dtype = str(output_type(aggregation.function, types.get(aggregation.column), *by))
        column_of = columns.get(aggregation.column)
        for name, window in zip(aggregation.feature_names, aggregation.windows, strict=True):
            yield Feature(view, name, dtype, column_of, aggregation, window)
