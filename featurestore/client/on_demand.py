"""On-demand features of a call: their functions are imported and their cells explained."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from featurestore.definitions.loading.function_import import import_function
from featurestore.definitions.model.on_demand import OnDemandFeatureView
from featurestore.definitions.model.references import manifest_of
from featurestore.definitions.model.view import Code
from featurestore.definitions.origin import origin_of, set_origin
from featurestore.engines.explain.bound import explain_bound
from featurestore.engines.explain.cell import Explanation, describe_input
from featurestore.engines.on_demand.compute import Function, compute
from featurestore.engines.on_demand.sql_expression import columns_used
from featurestore.query.compile import compile_query
from featurestore.query.nodes import Input, OnDemand, Query
from featurestore.store.columns import arrow_type
from featurestore.store.delta.snapshot import Snapshot


def import_functions(query: Query, folder: Path) -> dict[str, Function]:
    """Return the Python function of each on-demand view that has one.

    Args:
        query: The query.
        folder: The folder of the definitions, from which functions are imported.

    Raises:
        DefinitionError: A function cannot be imported, or is not the one that was applied.

    Example:
        >>> import_functions(Query("call", ()), Path("feature_defs"))
        {}
    """
    return {
        node.view: import_function(node.transform, folder)
        for node in query.on_demand
        if isinstance(node.transform, Code)
    }


def features_of_inputs(view: OnDemandFeatureView, rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Return the features of an on-demand view, computed from its inputs without a store.

    Args:
        view: The definition, applied or not.
        rows: For each row the inputs by name, with ``event_timestamp``. Missing ones are null.
    """
    definition, function = split_function(view)
    node = node_of(definition)
    columns = {
        each.name: pa.array([row.get(each.name) for row in rows], arrow_type(each.dtype))
        for each in node.inputs
    }
    return compute(node, pa.table(columns), function)


def split_function(
    view: OnDemandFeatureView,
) -> tuple[OnDemandFeatureView, Function | None]:
    """Return a definition without its function, and the function. It is None for SQL.

    The function object itself is called, so no source text is needed (notebooks have none).

    Args:
        view: The definition, applied or not.
    """
    if isinstance(view.transform, Mapping | Code):
        return view, None
    name = getattr(view.transform, "__name__", "transform")
    bare = replace(view, transform=Code(name, "", ""))
    set_origin(bare, origin_of(view))
    return bare, view.transform


def node_of(view: OnDemandFeatureView) -> OnDemand:
    """Return the query node that computes all features of one on-demand view.

    Args:
        view: The definition, applied or not. Its transform is `Code` or SQL, not a function.
    """
    [node] = compile_query(manifest_of([view]), view.name, call=view.name).on_demand
    return node


def explain_on_demand(
    query: Query,
    bound: pa.Table,
    snapshots: Mapping[str, Snapshot],
    inputs: Sequence[pa.Table],
    row: int,
    feature: str,
) -> Explanation:
    """Return why a feature, stored or on-demand, has its value in one row.

    Args:
        query: The query of the call.
        bound: The bound spine.
        snapshots: The pinned tables that were read.
        inputs: The inputs of each on-demand view.
        row: The row's position.
        feature: The name of one of the query's features.
    """
    for node, table in zip(query.on_demand, inputs, strict=True):
        for output in node.outputs:
            if output.output == feature:
                stored = partial(explain_bound, query.stored, bound, snapshots, row)
                values = table.slice(row, 1).to_pylist()[0]
                explained = tuple(
                    _explain_input(each, values[each.name], stored)
                    for each in inputs_used(node, output.name)
                )
                texts = map(describe_input, explained)
                text = "; ".join([transform_text(node, output.name), *texts])
                return Explanation(feature, node.view, "computed", text, inputs=explained)
    return explain_bound(query.stored, bound, snapshots, row, feature)


def inputs_used(node: OnDemand, name: str) -> Iterator[Input]:
    """Yield the inputs that one feature uses. A function counts as using all inputs.

    Args:
        node: The use of an on-demand view.
        name: The feature's name in the view.
    """
    used = None if isinstance(node.transform, Code) else columns_used(node.transform[name])
    return (each for each in node.inputs if used is None or each.name.casefold() in used)


def transform_text(node: OnDemand, name: str) -> str:
    """Return a feature's SQL expression in one line, or its function's name and module.

    Args:
        node: The use of an on-demand view.
        name: The feature's name in the view.
    """
    if isinstance(node.transform, Code):
        return f"{node.transform.name}() of {node.transform.module}"
    return " ".join(node.transform[name].split())


def _explain_input(used: Input, value: Any, stored: Callable[[str], Explanation]) -> Explanation:
    if used.source is None:
        return replace(stored(used.column), feature=used.name, value=value)
    if not used.source:
        return Explanation(used.name, "", "moment", "the row's moment", value=value)
    text = f"{'null: no' if value is None else 'the'} request value of {used.source}"
    return Explanation(used.name, used.source, "request", text, value=value)
