"""On-demand features of a call: their functions are imported and their cells explained."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from featurestore.client.spines.python_values import array_of
from featurestore.definitions.loading.function_import import import_function
from featurestore.definitions.model.on_demand import OnDemandFeatureView
from featurestore.definitions.model.references import manifest_of
from featurestore.definitions.model.types import Float32, Map
from featurestore.definitions.model.view import Code
from featurestore.definitions.origin import origin_of, set_origin
from featurestore.engines.explain.cell import Explanation, describe_input
from featurestore.engines.on_demand.compute import Function, compute
from featurestore.engines.on_demand.inputs import bind_request_inputs
from featurestore.engines.on_demand.sql_expression import columns_used
from featurestore.query.compile import compile_query
from featurestore.query.nodes import Input, OnDemand, Query
from featurestore.store.columns import arrow_type


def import_functions(query: Query, folder: Path) -> dict[str, Function]:
    """Return the Python function of each on-demand view that has one.

    Args:
        query: The query.
        folder: The folder of the definitions, from which functions are imported.

    Raises:
        FunctionError: A function is not the one that was applied, or is gone.
        DefinitionError: The module that may declare a function does not import.

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

    Raises:
        SpineError: A value does not fit its input's type.
    """
    definition, function = split_function(view)
    node = inputs_from_rows(definition, node_of(definition))
    columns = {
        each.name: _input_of_rows(each, [row.get(each.name) for row in rows])
        for each in node.inputs
    }
    # Features and inputs have tables of their own here, so that they may have equal names.
    unnamed = replace(node, outputs=())
    query = Query(f"on-demand view {view.name!r}", (), on_demand=(unnamed,))
    [inputs] = bind_request_inputs(query, pa.table(columns), null_times="keep")
    return compute(node, inputs, function)


def inputs_from_rows(view: OnDemandFeatureView, node: OnDemand) -> OnDemand:
    """Return a node whose inputs, features too, come with the rows as if they were request values.

    Args:
        view: The definition, applied or not.
        node: The use of the view.
    """
    sources = sources_of_inputs(view)
    inputs = (
        replace(each, column=each.name, source=sources.get(each.name, "")) for each in node.inputs
    )
    return replace(node, inputs=tuple(inputs))


def sources_of_inputs(view: OnDemandFeatureView) -> dict[str, str]:
    """Return for each input the name of its view or of its request source.

    Args:
        view: The definition, applied or not.
    """
    features = {u.prefix + name: u.view.name for u in view.uses for name in u.feature_names}
    return features | {each.name: s.name for s in view.requests for each in s.schema}


def _input_of_rows(each: Input, values: Sequence[Any]) -> pa.Array:
    if isinstance(each.dtype, Map):
        # From dicts and pairs, Arrow makes a map only for the type of a map.
        return pa.array(values, arrow_type(each.dtype))
    column = array_of(each.name, values)
    # Python has floats of one width only.
    is_single = each.dtype == Float32 and pa.types.is_floating(column.type)
    return column.cast(pa.float32(), safe=False) if is_single else column


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
    stored: Callable[[int, str], Explanation],
    inputs: Sequence[pa.Table],
    row: int,
    feature: str,
) -> Explanation:
    """Return why a feature, stored or on-demand, has its value in one row.

    Args:
        query: The query of the call.
        stored: Explains a stored feature of a row.
        inputs: The inputs of each on-demand view.
        row: The row's position.
        feature: The name of one of the query's features.
    """
    for node, table in zip(query.on_demand, inputs, strict=True):
        for output in node.outputs:
            if output.output == feature:
                values = table.slice(row, 1).to_pylist()[0]
                explained = tuple(
                    _explain_input(each, values[each.name], partial(stored, row))
                    for each in inputs_used(node, output.name)
                )
                texts = map(describe_input, explained)
                text = "; ".join([transform_text(node, output.name), *texts])
                return Explanation(feature, node.view, "computed", text, inputs=explained)
    return stored(row, feature)


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
