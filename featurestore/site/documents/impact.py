"""The data of the pages on impact: the columns of all sources, of one source, and one column."""

from collections.abc import Iterable, Sequence

from featurestore.definitions.model.source import Source
from featurestore.registry.lineage.impact import Impact, Impacts, Reach, Reached
from featurestore.site.documents.parts import Document

SHOWN_NAMES = 20
"""The most features of a view that a page names; its JSON has all."""


def column_document(impact: Impact) -> Document:
    """Return the data of a column's page."""
    return {
        "schema": "featurestore.site.impact/1",
        "kind": "column",
        "source": impact.source,
        "column": impact.column,
        "unused": impact.is_unused,
        "declared": impact.is_declared,
        "frozen_by": list(impact.frozen_by),
        "counts": _counts(impact),
        "features": [
            {"reach": reach.value, "views": _by_view(impact.features, reach)} for reach in Reach
        ],
        "services": _names(impact.services),
        "training_sets": _names(impact.training_sets),
        "models": _names(impact.models),
        "unknown": list(impact.unknown),
    }


def source_columns_document(source: Source, impacts: Sequence[Impact]) -> Document:
    """Return the data of the page with the columns of one source."""
    return {
        "schema": "featurestore.site.impact_source/1",
        "kind": "source",
        "source": source.name,
        "columns": [
            {
                "column": each.column,
                "role": source.roles.role_of(each.column) or None,
                "unused": each.is_unused,
                **_counts(each),
            }
            for each in impacts
        ],
        "unknown": list(impacts[0].unknown) if impacts else [],
    }


def inputs_document(impacts: Impacts, view: str, feature: str) -> Document:
    """Return what a feature is made from: source columns, each with how it is used.

    It is not how a column reaches the feature: a function may use a column, and need it too.
    """
    inputs = impacts.lineage.features[view, feature]
    possible = inputs.possible - inputs.values
    ways = (
        (Reach.value, inputs.values),
        (Reach.possible, possible),
        (Reach.rows, inputs.rows - inputs.values - possible),
    )
    return {
        "columns": [
            {"source": column.source, "column": column.column, "reach": reach.value}
            for reach, columns in ways
            for column in sorted(columns)
        ],
        "unknown_sources": sorted(inputs.every),
    }


def _counts(impact: Impact) -> Document:
    reaches = [each.reach for each in impact.features]
    return {
        **{reach.value: reaches.count(reach) for reach in Reach},
        "services": len(impact.services),
        "training_sets": len(impact.training_sets),
        "models": len(impact.models),
    }


def _by_view(features: Iterable[Reached], reach: Reach) -> list[Document]:
    views: dict[str, list[str]] = {}
    for each in features:
        if each.reach == reach:
            views.setdefault(each.view, []).append(each.name)
    return [{"view": view, "features": names} for view, names in views.items()]


def _names(reached: Iterable[Reached]) -> list[Document]:
    return [{"name": each.name, "reach": each.reach.value} for each in reached]
