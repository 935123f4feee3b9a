"""The data of a view's page and of a feature's page."""

from functools import cached_property
from textwrap import dedent

from featurestore.client.catalog.snippets import feature_snippets
from featurestore.definitions.model.expectations import DeclaredExpectations
from featurestore.definitions.model.on_demand import OnDemandFeatureView
from featurestore.definitions.model.view import Code, FeatureView
from featurestore.monitoring.columns import personal_features
from featurestore.registry.features import Feature, View
from featurestore.registry.health import kind_of
from featurestore.registry.lineage.personal import personal_columns
from featurestore.registry.meaning import interval_of, meaning_of, rules_of, window_text
from featurestore.site.catalog import Catalog
from featurestore.site.documents.impact import inputs_document
from featurestore.site.documents.monitoring import drift_of, drift_state, strongest_drift
from featurestore.site.documents.parts import (
    Document,
    entities_of,
    expectations_of,
    fields_of,
    freshness_of,
    health_of,
    label_of,
    run_document,
    safe,
)
from featurestore.site.documents.statistics import Recorded, recorded, statistics_document

SHOWN_RUNS = 20
_OF_STORED = ("ttl", "available_delay", "snapshot", "latest", "schema_contract")


class ViewDocuments:
    """The data of one view's page, and of the pages of its features, which share parts of it.

    Args:
        view: The view.
        catalog: Everything that the site shows.
    """

    def __init__(self, view: View, catalog: Catalog) -> None:
        self._view, self._catalog = view, catalog

    @cached_property
    def view(self) -> Document:
        """The data of the view's page."""
        view, runs = self._view, self._catalog.runs_by_view.get(self._view.name, ())
        services = {service: None for key in self._uses for service, _ in self._catalog.uses[key]}
        return {
            "schema": "featurestore.site.view/1",
            "kind": kind_of(view),
            **self._label,
            **self._shared,
            **_definition(view),
            "columns": fields_of(
                view.schema, personal_columns(view) if isinstance(view, FeatureView) else ()
            ),
            "features": [self._summary(feature) for feature in self.features],
            "drift_state": strongest_drift(
                drift_state(feature, self._catalog) for feature in self.features
            ),
            "services": list(services),
            "expectations": self._expectations,
            "max_bad_share": _max_bad_share(view),
            "health": health_of(view, self._catalog),
            "runs": [run_document(run) for run in runs[:SHOWN_RUNS]],
        }

    @property
    def features(self) -> tuple[Feature, ...]:
        """The features of the view, in order."""
        return self._catalog.features[self._view.name]

    def feature(self, feature: Feature) -> Document:
        """Return the data of a feature's page."""
        interval = interval_of(feature)
        column = feature.column
        own = [] if column is None else [f"{column.name}:"]
        return {
            "schema": "featurestore.site.feature/1",
            "kind": "feature",
            **self._summary(feature),
            **{name: self._label[name] for name in ("domain", "owner", "tags")},
            "origin": str((feature.aggregation or column or self._view).origin),
            **self._shared,
            "column": None if column is None else column.name,
            "view_description": self._label["description"],
            "trained": [
                {"kind": kind, "name": name}
                for kind, name in self._catalog.trained.get((self._view.name, feature.name), ())
            ],
            "inputs": inputs_document(self._catalog.impacts, self._view.name, feature.name),
            "drift_state": drift_state(feature, self._catalog),
            "drift": drift_of(feature, self._catalog),
            "interval": None if interval is None else str(interval),
            "rules": [safe(rule) for rule in rules_of(feature)],
            "services": [
                {"service": service, "column": name}
                for service, name in self._catalog.uses.get((self._view.name, feature.name), ())
            ],
            "expectations": [
                check
                for check in self._expectations
                if ":" not in check["name"] or check["name"].startswith(tuple(own))
            ],
            "statistics": statistics_document(feature, self._recorded),
            "damaged_profiles": [
                safe(text) for text in self._catalog.profiles.damaged.get(self._view.name, ())
            ],
            "snippets": feature_snippets(feature, self._catalog.layout),
        }

    @cached_property
    def _recorded(self) -> Recorded:
        view, profiles = self._view, self._catalog.profiles
        personal = personal_features(view) if isinstance(view, FeatureView) else ()
        return recorded(profiles.whole.get(view.name, ()), personal)

    @cached_property
    def _label(self) -> Document:
        return label_of(self._view, self._catalog)

    @cached_property
    def _expectations(self) -> list[Document]:
        return expectations_of(self._view, self._catalog)

    @property
    def _uses(self) -> list[tuple[str, str]]:
        keys = ((self._view.name, name) for name in self._view.feature_names)
        return [key for key in keys if key in self._catalog.uses]

    @cached_property
    def _shared(self) -> Document:
        """What the pages of the view and of its features both have."""
        view = self._view
        stored = view if isinstance(view, FeatureView) else None
        return {
            "entities": entities_of([view]),
            "join_keys": fields_of(stored.join_keys) if stored else [],
            "source": stored.source.name if stored else None,
            "derived": bool(stored and stored.lineage),
            "freshness": freshness_of(view, self._catalog),
        }

    def _summary(self, feature: Feature) -> Document:
        column = feature.column
        return {
            "name": feature.name,
            "view": feature.view.name,
            "type": feature.dtype,
            "meaning": meaning_of(feature),
            "description": "" if column is None else safe(column.description),
            "function": None if feature.aggregation is None else feature.aggregation.function,
            "window": window_text(feature) or None,
            "used_by": len(self._catalog.uses.get((feature.view.name, feature.name), ())),
        }


def _definition(view: View) -> Document:
    transform = view.transform
    if isinstance(view, OnDemandFeatureView):
        inputs = [f"{use.view.name}:{name}" for use in view.uses for name in use.feature_names]
        own: Document = {
            **dict.fromkeys(_OF_STORED),
            "inputs": inputs,
            "requests": [source.name for source in view.requests],
        }
    else:
        stored = {name: getattr(view, name) for name in _OF_STORED}
        own = {**stored, "inputs": [], "requests": []}
    if isinstance(transform, Code):
        return {**own, "transform": safe(dedent(transform.text).strip())}
    if isinstance(transform, str):
        return {**own, "transform": safe(dedent(transform).strip())}
    if isinstance(transform, dict):
        lines = (f"{name}: {text.strip()}" for name, text in transform.items())
        return {**own, "transform": safe("\n".join(lines))}
    return {**own, "transform": None}


def _max_bad_share(view: View) -> float | None:
    declared = view.expectations if isinstance(view, FeatureView) else None
    return declared.max_bad_share if isinstance(declared, DeclaredExpectations) else None
