"""Rules for SQL on-demand expressions. They need DuckDB's parser and types."""

from collections.abc import Iterator, Mapping

import pyarrow as pa

from featurestore.definitions.model.aggregation import ANY_ROW, output_type
from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.on_demand import OnDemandFeatureView
from featurestore.definitions.model.types import DataType, Timestamp
from featurestore.definitions.model.view import FeatureView
from featurestore.definitions.reserved import EVENT_TIME
from featurestore.definitions.rules.dtypes import type_problem
from featurestore.definitions.rules.issue import Issue, label
from featurestore.engines.on_demand.sql_expression import expression_problem
from featurestore.store.columns import arrow_type


def sql_issues(manifest: Manifest) -> Iterator[Issue]:
    """Yield SQL that is not a single scalar expression over the inputs, of the declared type.

    Args:
        manifest: The definitions.

    Raises:
        SetupError: There is SQL to check, and DuckDB is not installed.

    Example:
        >>> list(sql_issues(Manifest()))
        []
    """
    for view in manifest.on_demand_views:
        types = _input_types(view)
        # Other rules report problems of the inputs.
        if types is not None and isinstance(view.transform, Mapping):
            yield from _issues(view, view.transform, types)


def _issues(
    view: OnDemandFeatureView, expressions: Mapping[str, str], types: Mapping[str, DataType]
) -> Iterator[Issue]:
    inputs = pa.schema([(name, arrow_type(dtype)) for name, dtype in types.items()])
    for column in view.schema:
        text = expressions.get(column.name, "")
        if not text.strip() or type_problem(column.dtype):
            continue
        if problem := expression_problem(text, inputs, column.dtype):
            yield Issue(view.origin, f"{label(view)}: the SQL of {column.name!r}: {problem}")


def _input_types(view: OnDemandFeatureView) -> dict[str, DataType] | None:
    """Return the inputs' types by name, or None if one of them is missing or wrong."""
    types: dict[str, DataType | None] = {EVENT_TIME: Timestamp}
    for use in view.uses:
        features = _feature_types(use.view)
        types.update({use.prefix + name: features.get(name) for name in use.feature_names})
    for source in view.requests:
        types.update({column.name: column.dtype for column in source.schema})
    valid = {name: dtype for name, dtype in types.items() if dtype and not _problem(dtype)}
    return valid if len(valid) == len(types) else None


def _problem(dtype: DataType) -> str:
    return "" if type(dtype).__name__ == "Map" else type_problem(dtype)


def _feature_types(view: FeatureView) -> dict[str, DataType | None]:
    columns: dict[str | None, DataType | None] = {each.name: each.dtype for each in view.schema}
    if not view.aggregations:
        return {each.name: each.dtype for each in view.schema}
    return {
        name: output_type(
            aggregation.function,
            None if aggregation.column == ANY_ROW else columns.get(aggregation.column),
            columns.get(aggregation.by),
        )
        for aggregation in view.aggregations
        for name in aggregation.feature_names
    }
