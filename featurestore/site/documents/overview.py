"""The data of the overview, of the history, and of the pages that compare versions."""

from collections.abc import Iterator

from featurestore.definitions.model.manifest import Manifest
from featurestore.errors import FeatureStoreError
from featurestore.registry.diff import Change, diff
from featurestore.registry.version import RegistryVersion
from featurestore.site.catalog import Catalog
from featurestore.site.documents.parts import Document, moment, run_document, safe

_LATELY = 5
_FAILED = "failed"
# States of views that need a run or a repair.
_NOT_READY = ("never materialized", "building", "changed", "outdated", "damaged")


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
        },
        "freshness": _freshness(catalog),
        "health": list(_health(catalog)),
        "applied_lately": [
            version_summary(version) for version in reversed(catalog.history[-_LATELY:])
        ],
        "failed_lately": _failed_lately(catalog),
        "problems": [safe(str(problem)) for problem in catalog.problems],
    }


def version_summary(version: RegistryVersion) -> Document:
    """Return one applied version, without its differences."""
    return {
        "version": version.version,
        "applied_at": moment(version.applied_at),
        "applied_by": safe(version.applied_by),
        "changes": [safe(change) for change in version.changes],
    }


def version_document(version: RegistryVersion, previous: RegistryVersion | None) -> Document:
    """Return a version with its differences from the version before.

    A version that cannot be read, because it is damaged or newer, says so in ``error``.
    """
    document = {
        "schema": "featurestore.site.version/1",
        **version_summary(version),
        "previous": None if previous is None else previous.version,
        "error": None,
    }
    try:
        before = Manifest() if previous is None else previous.manifest
        differences = diff(before, version.manifest)
    except FeatureStoreError as error:
        return {**document, "differences": [], "error": safe(str(error))}
    return {**document, "differences": [_difference(change) for change in differences]}


def _difference(change: Change) -> Document:
    return {
        "action": change.action,
        "kind": change.kind,
        "name": change.name,
        "breaking": change.is_breaking,
        "reason": change.removal,
        "fields": [
            {
                "field": detail.field,
                "old": None if detail.old is None else safe(detail.old),
                "new": None if detail.new is None else safe(detail.new),
                "breaking": detail.breaking,
            }
            for detail in change.details
        ],
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
    }


def _health(catalog: Catalog) -> Iterator[Document]:
    """Yield what is missing or wrong, each with the views or features that it concerns."""
    statuses = catalog.statuses
    unused = [
        f"{view.name}:{name}"
        for view in catalog.views
        for name in view.feature_names
        if (view.name, name) not in catalog.uses
    ]
    views = catalog.views
    for title, names in (
        ("views whose table needs a run or a repair", _not_ready(catalog)),
        ("views that are due by their schedule", _freshness(catalog)["due"]),
        (
            "views whose last run failed",
            [
                view.name
                for view in views
                if view.name in statuses and statuses[view.name].last_run == _FAILED
            ],
        ),
        ("views without an owner", [view.name for view in views if not view.owner]),
        ("views without a description", [view.name for view in views if not view.description]),
        ("features that no service uses", unused),
    ):
        yield {"title": title, "count": len(names), "names": names[:_SHOWN_NAMES]}


_SHOWN_NAMES = 20


def _not_ready(catalog: Catalog) -> list[str]:
    statuses = catalog.statuses
    return [
        view.name
        for view in catalog.views
        if view.name in statuses and statuses[view.name].state in _NOT_READY
    ]


def _failed_lately(catalog: Catalog) -> list[Document]:
    failed = (run for run in reversed(catalog.runs) if run.status == _FAILED)
    return [run_document(run) for _, run in zip(range(_LATELY), failed, strict=False)]
