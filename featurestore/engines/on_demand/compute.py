"""On-demand features, computed row by row from answers and request values: Arrow in, Arrow out.

Nothing here knows a table, a file or a registry, so that Spark tasks can do the same.
"""

import sysconfig
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from featurestore.definitions.model.view import Code
from featurestore.engines.on_demand.exact import exactly, misfit
from featurestore.engines.on_demand.row_wise import Columns, seen_others
from featurestore.engines.on_demand.sql_expression import evaluate, syntax_problem
from featurestore.errors import OnDemandError, nearest
from featurestore.query.nodes import OnDemand, Query
from featurestore.store.columns import arrow_type

ROWS_AT_ONCE = 1_000_000

Function = Callable[[pa.Table], Any]
"""A Python on-demand function: of the inputs' table, to a table or to arrays by name."""

_Call = Callable[[OnDemand, pa.Table], Columns]


def inputs_of(query: Query, answers: pa.Table, given: Sequence[pa.Table]) -> list[pa.Table]:
    """Return what each on-demand transform sees, in the order of the query's nodes.

    Args:
        query: What is asked.
        answers: The engine's answers to ``query.stored``.
        given: By node, the columns that come with the spine (`bind_request_inputs`).
    """
    return [
        pa.table(
            {each.name: answers[each.column] for each in node.stored}
            | {name: columns[name] for name in columns.column_names}
        )
        for node, columns in zip(query.on_demand, given, strict=True)
    ]


def with_on_demand(
    query: Query,
    answers: pa.Table,
    inputs: Sequence[pa.Table],
    functions: Mapping[str, Function],
) -> pa.Table:
    """Return the features that come out, in the query's order.

    Args:
        query: What is asked.
        answers: The engine's answers to ``query.stored``.
        inputs: What each on-demand transform sees (`inputs_of`).
        functions: The Python functions, by on-demand view.

    Raises:
        OnDemandError: An expression or function fails, or gives other columns than declared.
    """
    if query.order is None:
        return answers
    columns = {name: answers[name] for name in answers.column_names}
    for node, table in zip(query.on_demand, inputs, strict=True):
        computed = compute(node, table, functions.get(node.view))
        columns.update({name: computed[name] for name in computed.column_names})
    return pa.table({name: columns[name] for name in query.outputs})


def compute(
    node: OnDemand,
    inputs: pa.Table,
    function: Function | None = None,
    *,
    rows_at_once: int = ROWS_AT_ONCE,
) -> pa.Table:
    """Return the chosen features of one on-demand view, one row a row of the inputs.

    Args:
        node: What to compute.
        inputs: One column an input.
        function: The Python function, where the transform is one.
        rows_at_once: How many rows it sees at once: what it makes on its way takes memory.

    Raises:
        OnDemandError: The expression or function fails, or gives other columns than declared.

    Example:
        >>> from featurestore.definitions.model.types import Float64
        >>> from featurestore.query.nodes import Output
        >>> half = OnDemand("shape", inputs=(), outputs=(Output("half", "half", Float64),),
        ...                 declared=("half",), transform={"half": "x / 2"}, place="defs.py:3")
        >>> compute(half, pa.table({"x": [1.0, None]})).to_pydict()
        {'half': [0.5, None]}
    """
    if inputs.num_rows == 0:
        empty = {each.output: pa.nulls(0, arrow_type(each.result)) for each in node.outputs}
        return pa.table(empty)
    starts = range(0, inputs.num_rows, rows_at_once)
    parts = (inputs.slice(start, rows_at_once) for start in starts)
    return pa.concat_tables([_computed(node, part, partial(_tried, function)) for part in parts])


def compute_untried(
    node: OnDemand, inputs: pa.Table, function: Function | None = None
) -> pa.Table:
    """Return what `compute` does, of one call and with no row tried by itself.

    Args:
        node: What to compute.
        inputs: One column an input, one row or more.
        function: The Python function, where the transform is one.

    Raises:
        OnDemandError: The expression or function fails, or gives other columns than declared.

    Example:
        >>> from featurestore.definitions.model.types import Int64
        >>> from featurestore.query.nodes import Output
        >>> place = OnDemand("shape", inputs=(), outputs=(Output("place", "place", Int64),),
        ...                  declared=("place",), transform=Code("f", "", ""), place="defs.py:3")
        >>> rows = pa.table({"x": [7, 9]})
        >>> compute_untried(place, rows, lambda rows: {"place": [1, 2]}).to_pydict()
        {'place': [1, 2]}
    """
    return _computed(node, inputs, partial(_called, function))


def _computed(node: OnDemand, inputs: pa.Table, call: _Call) -> pa.Table:
    found = (
        call(node, inputs)
        if isinstance(node.transform, Code)
        else _evaluated(node, node.transform, inputs)
    )
    return pa.table(
        {each.output: _typed(node, each.name, each.result, found) for each in node.outputs}
    )


def _evaluated(node: OnDemand, expressions: Mapping[str, str], inputs: pa.Table) -> Columns:
    chosen = {each.name: expressions[each.name] for each in node.outputs}
    for name, text in chosen.items():
        # The registry's text is not the definitions': what `plan` refuses is refused here too.
        if wrong := syntax_problem(text, inputs.column_names):
            raise OnDemandError(_asked(node), f"the SQL for {name!r}: {wrong}", _REAPPLY)
    found = evaluate(chosen, inputs, call=_asked(node))
    return dict(zip(found.column_names, found.columns, strict=True))


def _tried(function: Function | None, node: OnDemand, inputs: pa.Table) -> Columns:
    found = _called(function, node, inputs)
    if wrong := seen_others(inputs, found, partial(_called, function, node)):
        raise OnDemandError(
            _asked(node),
            wrong,
            "Each row's answer may depend on that row alone: mend the function, then re-apply.",
        )
    return found


def _called(function: Function | None, node: OnDemand, inputs: pa.Table) -> Columns:
    if function is None:
        raise OnDemandError(_asked(node), "its function was not imported", _REAPPLY)
    try:
        result = function(inputs.combine_chunks())
    except Exception as error:  # users' code raises anything
        cause = f"{type(error).__name__}: {error}".rstrip(": ")
        raise OnDemandError(
            _asked(node), f"{cause}, in {_line_of(error)}", "Mend the function, then re-apply."
        ) from error
    found = _columns(node, result)
    _require_names(node, list(found))
    for name, column in found.items():
        if len(column) != inputs.num_rows:
            raise _misbehaved(
                node, f"{len(column)} values of {name!r} for {inputs.num_rows} rows", "one a row"
            )
    return found


def _columns(node: OnDemand, result: Any) -> dict[str, pa.ChunkedArray]:
    if isinstance(result, pa.RecordBatch):
        result = pa.Table.from_batches([result])
    if isinstance(result, pa.Table):
        if len(set(result.column_names)) < result.num_columns:
            raise _misbehaved(node, f"a column twice: {result.column_names}", "each once")
        return dict(zip(result.column_names, result.columns, strict=True))
    if not isinstance(result, Mapping):
        raise _misbehaved(
            node, f"a {type(result).__name__}", "a pyarrow.Table, or a dict of arrays"
        )
    return {name: _array(node, name, values) for name, values in result.items()}


def _array(node: OnDemand, name: str, values: Any) -> pa.ChunkedArray:
    if isinstance(values, pa.ChunkedArray):
        return values
    try:
        return pa.chunked_array([values if isinstance(values, pa.Array) else pa.array(values)])
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
        raise _misbehaved(
            node, f"a {type(values).__name__} as {name!r} ({error})", "an array"
        ) from None


def _require_names(node: OnDemand, found: Iterable[str]) -> None:
    names = list(found)
    for name in node.declared:
        if name not in names:
            raise _misbehaved(node, f"no {name!r}. {nearest(name, names)}", "every feature")
    for name in names:
        if name not in node.declared:
            known = nearest(name, node.declared)
            raise _misbehaved(
                node, f"{name!r}, which the schema lacks. {known}", "the schema's features only"
            )


def _typed(
    node: OnDemand, name: str, dtype: Any, found: Mapping[str, pa.ChunkedArray]
) -> pa.ChunkedArray:
    column = found[name]
    wrong = misfit(column.type, dtype)
    try:
        if not wrong:
            return exactly(column, dtype)
    except pa.ArrowInvalid as error:
        wrong = f"it is declared {dtype}, and {error}"
    raise OnDemandError(
        _asked(node), f"feature {name!r}: {wrong}", "Declare that type, or cast in the transform."
    )


_REAPPLY = "Run `featurestore plan` and `featurestore apply`."


def _asked(node: OnDemand) -> str:
    name = f" by {node.transform.name}()" if isinstance(node.transform, Code) else ""
    return f"compute on-demand view {node.view!r} ({node.place}){name}"


def _misbehaved(node: OnDemand, found: str, due: str) -> OnDemandError:
    return OnDemandError(_asked(node), f"it returned {found}", f"Return {due}, then re-apply.")


def _line_of(error: Exception) -> str:
    """Return the place in the user's code, which is the last one that is no library's."""
    frames = traceback.extract_tb(error.__traceback__)[1:]
    libraries = (sysconfig.get_path("stdlib"), sysconfig.get_path("purelib"))
    # Compiled code, too, has frames, whose file names are no paths.
    files = [each for each in frames if Path(each.filename).is_absolute()]
    own = [each for each in files if not each.filename.startswith(libraries)] or frames
    return f"{own[-1].filename}:{own[-1].lineno}" if own else "the call itself: its arguments"
