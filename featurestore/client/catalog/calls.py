"""`CatalogCalls`: the calls of a store that show what there is. Each calls a function of a module.

They are a class of their own because `FeatureStore` has no room for them.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from featurestore.client.arguments import checked_arguments
from featurestore.client.catalog.describe import Description, describe
from featurestore.client.catalog.listing import (
    ListedEntity,
    ListedFeature,
    ListedService,
    ListedSource,
    ListedView,
    listed_entities,
    listed_features,
    listed_services,
    listed_sources,
    listed_views,
    view_of,
)
from featurestore.client.catalog.search import FoundDefinition, found_definitions
from featurestore.client.display import results as shown
from featurestore.client.display.results import Results
from featurestore.client.status import ViewStatus
from featurestore.definitions.model.manifest import Manifest
from featurestore.errors import RequestError
from featurestore.registry.diff import Change, diff
from featurestore.registry.health import Health, health
from featurestore.registry.registry import Registry, RegistryVersion
from featurestore.registry.search.entries import entries_of
from featurestore.settings import Settings
from featurestore.store.layout import Layout
from featurestore.store.ledger.models import Models
from featurestore.store.training_sets.table import newest_of_all


class CatalogCalls:
    """The calls of `FeatureStore` that show what there is. They start no JVM."""

    if TYPE_CHECKING:  # what FeatureStore has
        settings: Settings
        registry: Registry
        layout: Layout

        def load(self) -> Manifest: ...
        def applied(self) -> Manifest: ...
        def status(self) -> list[ViewStatus]: ...

    def views(self) -> Results[ListedView]:
        """Return the applied views: name, entities, source, owner, number of features.

        A terminal and a notebook show the result as a table. Its ``to_dicts`` and ``to_pandas``
        return all fields. The next calls do the same.

        Raises:
            NotFoundError: Nothing is applied.
        """
        return Results(listed_views(self.applied()), shown.VIEWS, shown.LEAST)

    @checked_arguments
    def features(self, view: str | None = None) -> Results[ListedFeature]:
        """Return the features of all applied views: type, meaning, window, services.

        Args:
            view: A view's name. None for all views.

        Raises:
            NotFoundError: Nothing is applied, or no view of that name.
        """
        applied = self.applied()
        if view is None:
            return Results(listed_features(applied), shown.FEATURES, shown.LEAST)
        chosen = view_of(applied, view, f"features({view!r})")
        return Results(listed_features(applied, chosen), shown.FEATURES, shown.LEAST)

    def entities(self) -> Results[ListedEntity]:
        """Return the applied entities: join keys, and the views that describe them.

        Raises:
            NotFoundError: Nothing is applied.
        """
        return Results(listed_entities(self.applied()), shown.ENTITIES, shown.LEAST)

    def sources(self) -> Results[ListedSource]:
        """Return the applied sources: type, path, and the views that read them.

        Raises:
            NotFoundError: Nothing is applied.
        """
        return Results(listed_sources(self.applied()), shown.SOURCES, shown.LEAST)

    def services(self) -> Results[ListedService]:
        """Return the applied services: their views, and the number of their features.

        Raises:
            NotFoundError: Nothing is applied.
        """
        return Results(listed_services(self.applied()), shown.SERVICES, shown.LEAST)

    @checked_arguments
    def search(self, text: str, *, limit: int | None = 20) -> Results[FoundDefinition]:
        """Return what has the most words of a text: in name, tags, owner, columns, description.

        If something has all words, only such things are found. Otherwise each result says which
        words it lacks.

        A feature has the tags and the owner of its view. Saved training sets and models are found
        too, with who saved them.

        The beginning of a word is enough, and typing errors are forgiven. The website's search
        ranks by the same rules.

        Args:
            text: The words, e.g. ``"amount 7d"``.
            limit: The most results. None for all.

        Returns:
            The definitions, features, training sets and models, the best first.

        Raises:
            NotFoundError: Nothing is applied.
            RequestError: The limit is below 1.
            TableError: The ledger of models is damaged.
        """
        if limit is not None and limit < 1:
            fix = "Pass a whole number from 1 on, or None for all."
            raise RequestError(f"search({text!r})", f"limit is {limit}", fix)
        saved, models = newest_of_all(self.layout), Models(self.layout).records()
        entries = entries_of(self.applied(), saved, models)
        return Results(found_definitions(entries, text, limit), shown.FOUND, ("owner",))

    @checked_arguments
    def describe(self, name: str, kind: str | None = None) -> Description:
        """Return what a name stands for: its meaning, owner, rules, uses, and how to read it.

        Args:
            name: The name of a definition, or of a feature, e.g. ``"activity:amount_sum_7d"``.
            kind: ``"view"``, ``"on-demand view"``, ``"service"``, ``"entity"``, ``"source"`` or
                ``"feature"``, if several things have this name.

        Raises:
            NotFoundError: Nothing has the name. The error offers near names.
            RequestError: Several things have the name.
        """
        return describe(self.applied(), self.layout, name, kind)

    @checked_arguments
    def health(
        self, declared: Manifest | None = None, *, ignore: Sequence[str] | None = None
    ) -> Health:
        """Return what definitions and their tables lack, and a score from 0 to 100.

        docs/health.md explains the codes of the issues and the score.

        Args:
            declared: The definitions. None for those in the definitions folder. The tables of
                views that are applied are looked at too.
            ignore: Codes to leave out, or ``"code:name"`` for one definition. None for those of
                ``lint_ignore`` in ``featurestore.toml``.

        Raises:
            DefinitionError: A file cannot be imported, or definitions break rules.
            RequestError: A code to ignore is unknown.
            TableError: The registry or a ledger is damaged.
        """
        manifest = self.load() if declared is None else declared
        statuses = self.status() if self.registry.latest() else ()
        states = {each.view: each for each in statuses}
        ignored = self.settings.lint_ignore if ignore is None else ignore
        return health(manifest, states, trained=_trained(self.layout), ignore=ignored)

    @checked_arguments
    def compare(self, old: int, new: int) -> list[Change]:
        """Return what changed between two applied versions: the differences of each definition.

        Args:
            old: The number of a version, from 1.
            new: The number of another version. It may be the older one.

        Raises:
            NotFoundError: There is no such version.
            TableError: One of them is damaged, or a newer release wrote it.
        """
        before, after = (self.registry.version(number).manifest for number in (old, new))
        return Results(diff(before, after), shown.CHANGES)

    def history(self) -> list[RegistryVersion]:
        """Return every applied version, oldest first."""
        return Results(self.registry.history(), shown.VERSIONS)


def _trained(layout: Layout) -> set[tuple[str, str]]:
    """Return the features of saved training sets, and of the models that learned from them."""
    # Imported here: a parser of SQL, which other calls do not need.
    from featurestore.client.lineage.impact import trained_features  # noqa: PLC0415

    found = trained_features(layout).values()
    return {pair for sets in found for pairs in sets.values() for pair in pairs}
