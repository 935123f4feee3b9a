"""The data of the overview."""

from itertools import chain

from featurestore.registry.health import CODES
from featurestore.site.catalog import Catalog
from featurestore.site.documents.history import version_summary
from featurestore.site.documents.monitoring import DRIFT_STATES, drift_state
from featurestore.site.documents.parts import Document, moment, run_document, safe

_LATELY = 5
_SHOWN_NAMES = 20
_FAILED = "failed"


def overview_document(catalog: Catalog) -> Document:
    """Return the data of the overview."""
    manifest = catalog.manifest
    return {
        "schema": "featurestore.site.overview/1",
        "project": catalog.project,
        "version": catalog.version,
        "counts": {
            "views": len(catalog.views),
            "features": sum(map(len, catalog.features.values())),
            "entities": len(manifest.entities),
            "sources": len(manifest.sources),
            "services": len(manifest.services),
            "training-sets": len(catalog.training_sets),
            "models": len(catalog.models_by_name),
        },
        "freshness": _freshness(catalog),
        "drift": _drift(catalog),
        "health": _health(catalog),
        "applied_lately": [
            version_summary(version) for version in reversed(catalog.history[-_LATELY:])
        ],
        "failed_lately": _failed_lately(catalog),
        "problems": [safe(str(problem)) for problem in catalog.problems],
    }


def _freshness(catalog: Catalog) -> Document:
    statuses = [catalog.statuses.get(view.name) for view in catalog.views]
    states: dict[str, int] = {}
    for status in statuses:
        state = "unknown" if status is None else status.state
        states[state] = states.get(state, 0) + 1
    scheduled = [each for each in statuses if each is not None and each.schedule]
    return {
        "states": states,
        "scheduled": len(scheduled),
        "fresh": sum(each.freshness == "fresh" for each in scheduled),
        "due": [each.view for each in scheduled if each.freshness == "due"],
        "newest_event": moment(
            max(
                (each.newest_event for each in statuses if each and each.newest_event),
                default=None,
            )
        ),
    }


def _drift(catalog: Catalog) -> Document:
    """Return how many features have drifted, and the first of them."""
    states = dict.fromkeys(DRIFT_STATES, 0)
    drifted: list[Document] = []
    for feature in chain.from_iterable(catalog.features.values()):
        state = drift_state(feature, catalog)
        states[state] += 1
        if state == "drifted" and len(drifted) < _SHOWN_NAMES:
            drifted.append({"name": feature.name, "view": feature.view.name})
    return {"states": states, "drifted": drifted}


def _health(catalog: Catalog) -> Document:
    """Return the score, and for each code the definitions or features that have such an issue."""
    found: dict[str, list[Document]] = {code: [] for code in CODES}
    for issue in catalog.health.issues:
        one = {"kind": issue.kind, "name": issue.name, "view": None}
        features = ({"kind": "feature", "name": n, "view": issue.name} for n in issue.features)
        found[issue.code].extend(features if issue.features else [one])
    rows = (
        {"code": code, "title": CODES[code], "count": len(which), "which": which[:_SHOWN_NAMES]}
        for code, which in found.items()
    )
    return {"score": catalog.health.score, "rows": list(rows)}


def _failed_lately(catalog: Catalog) -> list[Document]:
    failed = (run for run in reversed(catalog.runs) if run.status == _FAILED)
    return [run_document(run) for _, run in zip(range(_LATELY), failed, strict=False)]
