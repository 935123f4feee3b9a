"""`Catalog`: everything that the site shows, read once from the registry, ledgers and logs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from itertools import chain, groupby
from operator import attrgetter
from typing import TypeVar

from featurestore.client.feature_store import FeatureStore
from featurestore.client.lineage.impact import trained
from featurestore.client.monitoring.monitor import monitor_features
from featurestore.client.status import ViewStatus
from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.view import FeatureView
from featurestore.errors import FeatureStoreError
from featurestore.jobs.contract.changes import Column
from featurestore.jobs.contract.check import recorded_columns
from featurestore.jobs.monitor.observation import Observation
from featurestore.monitoring.records import StoredProfiles, recent_profiles
from featurestore.registry.features import Feature, View, features_of, uses_of, views_of
from featurestore.registry.health import Health, health
from featurestore.registry.lineage.impact import Impacts
from featurestore.registry.version import RegistryVersion
from featurestore.store.layout import Layout
from featurestore.store.ledger.models import ModelRecord, Models
from featurestore.store.ledger.runs import RunRecord, Runs
from featurestore.store.ledger.tables import TableRecord, Tables
from featurestore.store.training_sets.notes import TrainingSet
from featurestore.store.training_sets.table import newest_of_all, versions_of

T = TypeVar("T")
_PROFILES = 30


@dataclass(frozen=True)
class Catalog:
    """Everything that the site shows.

    Args:
        project: The project's name, with that of the environment in parentheses.
        built_at: The moment of the build, as of which states are.
        definitions: The folder of the definitions, relative to the project, with ``/``.
        layout: The addresses of the tables.
        history: The applied versions, oldest first.
        manifest: The newest applied definitions; empty if nothing is applied.
        statuses: The state of each view, by its name; empty if the ledgers cannot be read.
        runs: The recorded runs, oldest first.
        training_sets: All versions of each saved training set, the oldest first, by its name.
        models: The recorded models, by name and version.
        observations: What the checks of each view have found, by its name.
        problems: Why ledgers cannot be read.
        lint_ignore: What the project's settings leave out of the health.
        profiles: The recorded profiles of each view, the last ones of each kind, and which are
            damaged.
    """

    project: str
    built_at: datetime
    definitions: str
    layout: Layout
    history: tuple[RegistryVersion, ...]
    manifest: Manifest
    statuses: Mapping[str, ViewStatus]
    runs: tuple[RunRecord, ...]
    training_sets: Mapping[str, tuple[TrainingSet, ...]]
    models: tuple[ModelRecord, ...]
    observations: Mapping[str, tuple[Observation, ...]]
    problems: tuple[FeatureStoreError, ...]
    lint_ignore: tuple[str, ...] = ()
    profiles: StoredProfiles = field(default_factory=StoredProfiles)

    @property
    def version(self) -> int:
        """The number of the newest applied version; 0 if nothing is applied."""
        return self.history[-1].version if self.history else 0

    @property
    def views(self) -> tuple[View, ...]:
        """All views, stored ones first."""
        return views_of(self.manifest)

    @cached_property
    def features(self) -> Mapping[str, tuple[Feature, ...]]:
        """The features of each view, in order."""
        return {view.name: features_of(view) for view in self.views}

    @cached_property
    def impacts(self) -> Impacts:
        """What each source column reaches."""
        newest = (versions[-1] for versions in self.training_sets.values())
        return Impacts(self.manifest, **trained(newest, self.models))

    @cached_property
    def models_by_name(self) -> Mapping[str, tuple[ModelRecord, ...]]:
        """All versions of each model, the oldest first."""
        return {
            name: tuple(versions)
            for name, versions in groupby(self.models, key=attrgetter("name"))
        }

    @cached_property
    def trained(self) -> Mapping[tuple[str, str], tuple[tuple[str, str], ...]]:
        """For each view and feature: the kind and name of what learned or may learn from it."""
        users: dict[tuple[str, str], list[tuple[str, str]]] = {}
        for kind, features in self.impacts.trained:
            for name, keys in features.items():
                for key in dict.fromkeys(keys):
                    users.setdefault(key, []).append((kind, name))
        return {key: tuple(found) for key, found in users.items()}

    @cached_property
    def uses(self) -> Mapping[tuple[str, str], tuple[tuple[str, str], ...]]:
        """For each used view and feature: the services, and the name of the column in each."""
        return uses_of(self.manifest)

    @cached_property
    def computing(self) -> Mapping[tuple[str, str], tuple[str, ...]]:
        """For each view and feature that is an input of on-demand views: their names."""
        found: dict[tuple[str, str], dict[str, None]] = {}
        for view in self.manifest.on_demand_views:
            for use in view.uses:
                for name in use.feature_names:
                    found.setdefault((use.view.name, name), {})[view.name] = None
        return {key: tuple(names) for key, names in found.items()}

    @cached_property
    def found_columns(self) -> Mapping[str, tuple[Column, ...]]:
        """The columns of each source, as the newest run of its views found them."""
        found: dict[str, tuple[Column, ...]] = {}
        builds: dict[str, list[TableRecord]] = {}
        for record in _read(Tables(self.layout).records, tuple[TableRecord, ...](), []):
            builds.setdefault(record.view, []).append(record)
        for view in sorted(self.manifest.views, key=self._newest_run, reverse=True):
            if view.name in builds and not view.lineage and view.source.name not in found:
                columns = recorded_columns(self.layout, view, builds[view.name])
                found |= {} if columns is None else {view.source.name: columns}
        return found

    def _newest_run(self, view: FeatureView) -> float:
        runs = self.runs_by_view.get(view.name)
        return runs[0].started_at.timestamp() if runs else 0.0

    @cached_property
    def health(self) -> Health:
        """What definitions and tables lack, and the score."""
        trained, ignored = self.trained.keys(), self.lint_ignore
        return health(self.manifest, self.statuses, trained=trained, ignore=ignored)

    @cached_property
    def drifts(self) -> Mapping[tuple[str, str], tuple[Observation, ...]]:
        """What the checks of drift have found, by view and feature."""
        found: dict[tuple[str, str], list[Observation]] = {}
        for each in chain.from_iterable(self.observations.values()):
            if each.check == "drift":
                found.setdefault((each.view, each.feature), []).append(each)
        return {key: tuple(own) for key, own in found.items()}

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
    runs = _read(Runs(store.layout).records, tuple[RunRecord, ...](), problems)
    no_statuses = list[ViewStatus]()
    statuses = _read(store.status, no_statuses, problems) if history else no_statuses
    models = _read(Models(store.layout).records, tuple[ModelRecord, ...](), problems)
    profiles = _profiles(store.layout, manifest, problems)
    observations = _read(
        lambda: monitor_features(manifest, store.layout, profiles, now=now),
        dict[str, tuple[Observation, ...]](),
        problems,
    )
    return Catalog(
        store.settings.title,
        built_at=now,
        definitions=_definitions(store),
        layout=store.layout,
        history=history,
        manifest=manifest,
        statuses={status.view: status for status in statuses},
        runs=runs,
        training_sets=_training_sets(store.layout, problems),
        models=models,
        observations=observations,
        problems=tuple(problems),
        lint_ignore=store.settings.lint_ignore,
        profiles=profiles,
    )


def _read(read: Callable[[], T], default: T, problems: list[FeatureStoreError]) -> T:
    """Return what is read; the default if a ledger is damaged, which is a problem once."""
    try:
        return read()
    except FeatureStoreError as error:
        if str(error) not in map(str, problems):
            problems.append(error)
        return default


def _profiles(
    layout: Layout, manifest: Manifest, problems: list[FeatureStoreError]
) -> StoredProfiles:
    """Return the profiles; if their ledger is damaged, none, and why for each view."""
    try:
        return recent_profiles(layout, _PROFILES)
    except FeatureStoreError as error:
        problems.append(error)
        reason = f"the ledger of profiles cannot be read: {error.found}"
        return StoredProfiles(damaged={view.name: [reason] for view in manifest.views})


def _training_sets(
    layout: Layout, problems: list[FeatureStoreError]
) -> dict[str, tuple[TrainingSet, ...]]:
    """Return the versions of each training set; a damaged one as one version with its error."""
    try:
        newest_of_each = newest_of_all(layout)
    except FeatureStoreError as error:
        problems.append(error)
        return {}
    found: dict[str, tuple[TrainingSet, ...]] = {}
    for newest in newest_of_each:
        found[newest.name] = (newest,)
        if newest.error is None:
            try:
                found[newest.name] = tuple(versions_of(layout, newest.name, "docs build"))
            except FeatureStoreError as error:
                found[newest.name] = (replace(newest, error=str(error)),)
                problems.append(error)
    return found


def _definitions(store: FeatureStore) -> str:
    folder, project = store.settings.definitions_folder, store.settings.folder
    inside = folder.is_relative_to(project)
    return (folder.relative_to(project) if inside else folder).as_posix()
