"""`Feature`: one feature of a view, with its type; and which services use it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from featurestore.definitions.model.aggregation import Aggregation, output_type
from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.on_demand import OnDemandFeatureView
from featurestore.definitions.model.types import Field
from featurestore.definitions.model.view import FeatureView
from featurestore.definitions.model.window import Length

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


def views_of(manifest: Manifest) -> tuple[View, ...]:
    """Return all views of a manifest, stored ones first.

    Example:
        >>> views_of(Manifest())
        ()
    """
    return (*manifest.views, *manifest.on_demand_views)


def features_of(view: View) -> tuple[Feature, ...]:
    """Return the features of a view, in order.

    Example:
        >>> from featurestore.definitions.model.source import DeltaSource
        >>> from featurestore.definitions.model.types import String
        >>> source = DeltaSource("orders", path="data/orders", timestamp_field="at")
        >>> profile = FeatureView("profile", entities=(), source=source,
        ...                       schema=(Field("city", String),))
        >>> [(feature.name, feature.dtype) for feature in features_of(profile)]
        [('city', 'String')]
    """
    return tuple(_features(view))


def uses_of(manifest: Manifest) -> Mapping[tuple[str, str], tuple[tuple[str, str], ...]]:
    """Return for each used view and feature the services, and the name of the column in each.

    Example:
        >>> uses_of(Manifest())
        {}
    """
    uses: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for service in manifest.services:
        for use in service.references:
            for name in use.feature_names:
                entry = service.name, f"{use.prefix}{name}"
                uses.setdefault((use.view.name, name), []).append(entry)
    return {key: tuple(found) for key, found in uses.items()}


def _features(view: View) -> Iterator[Feature]:
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
