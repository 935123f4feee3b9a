"""The data of what the checks have found: of the page Monitoring, and of a feature's page."""

from collections.abc import Iterable

from featurestore.jobs.monitor.observation import STATES, Observation
from featurestore.registry.features import Feature
from featurestore.site.catalog import Catalog
from featurestore.site.documents.parts import Document, safe

DRIFT_STATES = ("drifted", "no drift", "not compared")
"""Whether a feature has drifted, the most important first."""
SHOWN_CHECKS = 500
"""The most checks of one state that the page shows."""


def monitoring_document(catalog: Catalog) -> Document:
    """Return the data of the page Monitoring: all checks, as `featurestore monitor` shows them.

    Args:
        catalog: Everything that the site shows.
    """
    found = [
        each
        for view in catalog.manifest.views
        for each in catalog.observations.get(view.name, ())
        if each.declared or each.state == "undeclared"
    ]
    by_state = {state: [each for each in found if each.state == state] for state in STATES}
    return {
        "schema": "featurestore.site.monitoring/1",
        "counts": {state: len(checks) for state, checks in by_state.items()},
        "checks": [
            _document(each) for checks in by_state.values() for each in checks[:SHOWN_CHECKS]
        ],
    }


def drift_of(feature: Feature, catalog: Catalog) -> list[Document]:
    """Return the distances of a feature and of its column, and whether thresholds are declared.

    Args:
        feature: The feature.
        catalog: Everything that the site shows.
    """
    return [_document(each) for each in _drifts(feature, catalog)]


def drift_state(feature: Feature, catalog: Catalog) -> str:
    """Return whether a feature or its column has drifted: a value of the facet and a badge.

    Args:
        feature: The feature.
        catalog: Everything that the site shows.

    Returns:
        ``"drifted"``, ``"no drift"``, or ``"not compared"``.
    """
    return strongest_drift(_state(each) for each in _drifts(feature, catalog))


def strongest_drift(states: Iterable[str]) -> str:
    """Return the state of several features, such as those of a view, as one.

    Example:
        >>> strongest_drift(["no drift", "drifted"]), strongest_drift([])
        ('drifted', 'not compared')
    """
    found = set(states)
    return next((state for state in DRIFT_STATES if state in found), DRIFT_STATES[-1])


def _drifts(feature: Feature, catalog: Catalog) -> Iterable[Observation]:
    column = feature.column
    names = dict.fromkeys((feature.name, *([] if column is None else [column.name])))
    return (each for name in names for each in catalog.drifts.get((feature.view.name, name), ()))


def _state(each: Observation) -> str:
    if each.state in ("breach", "undeclared"):
        return "drifted"
    return "not compared" if each.value is None else "no drift"


def _document(each: Observation) -> Document:
    # The seconds by which a view is late would differ in each build of the site.
    value = None if each.check == "late" else each.value
    return {
        "view": each.view,
        "check": each.check,
        "state": each.state,
        "feature": each.feature or None,
        "measure": each.measure,
        "value": value,
        "threshold": each.threshold,
        "against": safe(each.against) or None,
        "declared": each.declared,
        "explained": each.is_explained,
        "later_rows": each.later_rows,
        "found": safe(each.found),
        "fix": safe(each.fix) or None,
    }
