"""The features of a request that show values of fields that are marked as personal."""

from featurestore.definitions.model.manifest import Manifest
from featurestore.monitoring.columns import shows_values
from featurestore.query.nodes import Query
from featurestore.registry.lineage.personal import personal_columns


def personal_outputs(manifest: Manifest, query: Query, view: str) -> frozenset[str]:
    """Return the features of a query that show personal values of a view, computed ones too.

    Args:
        manifest: The definitions.
        query: The query.
        view: The view's name.

    Example:
        >>> personal_outputs(Manifest(), Query("call", ()), "customers")
        frozenset()
    """
    definition = manifest.view(view)
    personal = personal_columns(definition) if definition else ()
    stored = {
        feature.output
        for use in query.views
        if use.view == view
        for feature in use.features
        for function in [getattr(feature, "function", None)]
        if shows_values(function, feature.column, getattr(feature, "by", None), personal)
    }
    computed = {
        each.output
        for node in query.on_demand
        if stored & {each.column for each in node.stored}
        for each in node.outputs
    }
    return frozenset(stored | computed)
