"""On-demand features in answers: their functions imported, their SQL checked, their cells told."""

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
    """Return the Python functions that a query needs, by on-demand view.

    Args:
        query: What is asked.
        folder: The folder of definitions, which functions are imported from.

    Raises:
        DefinitionError: A function does not import, or is not the one that was applied.

    Example:
        >>> import_functions(Query("ask", ()), Path("feature_defs"))
        {}
    """
    return {
        node.view: import_function(node.transform, folder)
        for node in query.on_demand
        if isinstance(node.transform, Code)
    }


def features_of_inputs(view: OnDemandFeatureView, rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Return an on-demand view's features for given inputs; needs no store.

    Args:
        view: The definition, applied or not.
        rows: The inputs by name, ``event_timestamp`` among them; what is missing is null.
    """
    bare, function = without_function(view)
    node = node_of(bare)
    columns = {
        each.name: pa.array([row.get(each.name) for row in rows], arrow_type(each.dtype))
        for each in node.inputs
    }
    return compute(node, pa.table(columns), function)


def without_function(
    view: OnDemandFeatureView,
) -> tuple[OnDemandFeatureView, Function | None]:
    """Return a definition without its function, and that: None where the transform is SQL.

    What is called is at hand, so that its text, which a notebook lacks, is not needed.

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
    """Return what to compute for all features of one on-demand view.

    Args:
        view: The definition, applied or not; its transform is no function, but `Code` or SQL.
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
    """Return why a feature, stored or on demand, has its value at one row.

    Args:
        query: What was asked.
        bound: The bound spine.
        snapshots: The pinned tables that were read.
        inputs: What each on-demand transform saw.
        row: The row's number.
        feature: The feature's name; one of the query's.
    """
    for node, table in zip(query.on_demand, inputs, strict=True):
        for output in node.outputs:
            if output.output == feature:
                stored = partial(explain_bound, query.stored, bound, snapshots, row)
                values = table.slice(row, 1).to_pylist()[0]
                told = tuple(
                    _told(each, values[each.name], stored)
                    for each in inputs_used(node, output.name)
                )
                shown = map(describe_input, told)
                text = "; ".join([transform_text(node, output.name), *shown])
                return Explanation(feature, node.view, "computed", text, inputs=told)
    return explain_bound(query.stored, bound, snapshots, row, feature)


def inputs_used(node: OnDemand, name: str) -> Iterator[Input]:
    """Yield the inputs that one feature is computed from; of a function, all of them.

    Args:
        node: The use of an on-demand view.
        name: The feature's name in the view.
    """
    used = None if isinstance(node.transform, Code) else columns_used(node.transform[name])
    return (each for each in node.inputs if used is None or each.name.casefold() in used)


def transform_text(node: OnDemand, name: str) -> str:
    """Return a feature's expression in one line, or its function's name and module.

    Args:
        node: The use of an on-demand view.
        name: The feature's name in the view.
    """
    if isinstance(node.transform, Code):
        return f"{node.transform.name}() of {node.transform.module}"
    return " ".join(node.transform[name].split())


def _told(used: Input, value: Any, stored: Callable[[str], Explanation]) -> Explanation:
    if used.source is None:
        return replace(stored(used.column), feature=used.name, value=value)
    if not used.source:
        return Explanation(used.name, "", "moment", "the row's moment", value=value)
    told = "null: none is given" if value is None else "given"
    return Explanation(
        used.name, used.source, "request", f"{told} with {used.source}", value=value
    )
