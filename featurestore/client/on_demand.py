"""On-demand features in answers: their functions imported, their SQL checked, their cells told."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pyarrow as pa

from featurestore.client.explanation import explain_bound
from featurestore.definitions.function_import import import_function
from featurestore.definitions.view import Code
from featurestore.engines.explain import Explanation
from featurestore.engines.on_demand import Function
from featurestore.query.nodes import Input, OnDemand, Query
from featurestore.store.snapshot import Snapshot


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
                told = tuple(_told_inputs(query, bound, snapshots, node, row))
                values = table.slice(row, 1).to_pylist()[0]
                shown = "; ".join(
                    f"{each.name} = {values[each.name]!r}, {why.text}"
                    for each, why in zip(node.inputs, told, strict=True)
                )
                text = f"{_transform(node, output.name)}, from {shown}"
                return Explanation(feature, node.view, "computed", text, inputs=told)
    return explain_bound(query.stored, bound, snapshots, row, feature)


def _told_inputs(
    query: Query,
    bound: pa.Table,
    snapshots: Mapping[str, Snapshot],
    node: OnDemand,
    row: int,
) -> Iterator[Explanation]:
    for each in node.inputs:
        if each.source is None:
            yield explain_bound(query.stored, bound, snapshots, row, each.column)
        else:
            yield _told_request(each)


def _told_request(given: Input) -> Explanation:
    if not given.source:
        return Explanation(given.name, "", "moment", "the row's moment")
    return Explanation(given.name, given.source, "request", f"given with {given.source}")


def _transform(node: OnDemand, name: str) -> str:
    if isinstance(node.transform, Code):
        return f"{node.transform.name}() of {node.transform.module}"
    return " ".join(node.transform[name].split())
