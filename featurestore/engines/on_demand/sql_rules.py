"""Rules of SQL on-demand expressions that only DuckDB's own parser and types can tell."""

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
    """Yield expressions that are not one scalar expression over the inputs, of the declared type.

    Raises:
        SetupError: DuckDB is not installed, and there is SQL to check.

    Example:
        >>> list(sql_issues(Manifest()))
        []
    """
    for view in manifest.on_demand_views:
        types = _input_types(view)
        # What is wrong with the inputs is told by the rules about them.
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
            yield Issue(view.origin, f"{label(view)}: the SQL for {column.name!r}: {problem}")


def _input_types(view: OnDemandFeatureView) -> dict[str, DataType] | None:
    """Return the inputs' types by name, or None where one is not known."""
    types: dict[str, DataType | None] = {EVENT_TIME: Timestamp}
    for use in view.uses:
        known = _feature_types(use.view)
        types.update({use.prefix + name: known.get(name) for name in use.feature_names})
    for source in view.requests:
        types.update({column.name: column.dtype for column in source.schema})
    sound = {name: dtype for name, dtype in types.items() if dtype and not _problem(dtype)}
    return sound if len(sound) == len(types) else None


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
