"""On-demand features, computed for each row from answers and request values. Arrow in, Arrow out.

This module reads no table, file or registry, so a Spark task can call it too.
"""

import sysconfig
import traceback
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from featurestore.definitions.code.import_lock import while_it_imports
from featurestore.definitions.model.view import Code
from featurestore.engines.on_demand.exact import cast_exactly, type_mismatch
from featurestore.engines.on_demand.row_wise import Columns, other_rows_problem
from featurestore.engines.on_demand.sql_expression import evaluate, syntax_problem
from featurestore.engines.python_array import python_array
from featurestore.errors import OnDemandError, nearest
from featurestore.query.nodes import OnDemand, Query
from featurestore.store.columns import arrow_type

ROWS_PER_CALL = 1_000_000
"""The most rows that a transform computes in one call."""

Function = Callable[[pa.Table], Any]
"""A Python on-demand function: from the inputs' table to a table or a dict of arrays."""

_Call = Callable[[OnDemand, pa.Table], Columns]


def inputs_of(
    query: Query, answers: pa.Table, request_inputs: Sequence[pa.Table]
) -> list[pa.Table]:
    """Return the inputs of each on-demand transform, in the order of the query's nodes.

    Args:
        query: The query.
        answers: The engine's answers to ``query.stored``.
        request_inputs: For each node, its inputs from the spine (`bind_request_inputs`).
    """
    return [
        pa.table(
            {each.name: answers[each.column] for each in node.stored}
            | {name: columns[name] for name in columns.column_names}
        )
        for node, columns in zip(query.on_demand, request_inputs, strict=True)
    ]


def with_on_demand(
    query: Query,
    answers: pa.Table,
    inputs: Sequence[pa.Table],
    functions: Mapping[str, Function],
) -> pa.Table:
    """Return all features of a query, stored and on demand, in the query's order.

    Args:
        query: The query.
        answers: The engine's answers to ``query.stored``.
        inputs: The inputs of each on-demand transform (`inputs_of`).
        functions: The Python functions, by the name of the on-demand view.

    Raises:
        OnDemandError: An expression or function fails, or returns other columns than declared.
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
    rows_per_call: int = ROWS_PER_CALL,
) -> pa.Table:
    """Return the features of one use of an on-demand view, one row for each row of the inputs.

    Args:
        node: The use of the view.
        inputs: One column for each input.
        function: The Python function, if the transform is a function.
        rows_per_call: The most rows in one call of the transform. Fewer rows need less memory.

    Raises:
        OnDemandError: The transform fails, returns other columns than declared, or computes a
            row from other rows.

    Example:
        >>> from featurestore.definitions.model.types import Float64
        >>> from featurestore.query.nodes import Output
        >>> half = OnDemand("shape", inputs=(), outputs=(Output("half", "half", Float64),),
        ...                 declared=("half",), transform={"half": "x / 2"}, origin="defs.py:3")
        >>> compute(half, pa.table({"x": [1.0, None]})).to_pydict()
        {'half': [0.5, None]}
    """
    if inputs.num_rows == 0:
        empty = {each.output: pa.nulls(0, arrow_type(each.result)) for each in node.outputs}
        return pa.table(empty)
    starts = range(0, inputs.num_rows, rows_per_call)
    parts = (inputs.slice(start, rows_per_call) for start in starts)
    call = partial(_call_and_check, function)
    return pa.concat_tables([_compute(node, part, call) for part in parts])


def compute_unchecked(
    node: OnDemand, inputs: pa.Table, function: Function | None = None
) -> pa.Table:
    """Like `compute`, in one call and without the row-independence check.

    Args:
        node: The use of the view.
        inputs: One column for each input, one row or more.
        function: The Python function, if the transform is a function.

    Raises:
        OnDemandError: The transform fails, or returns other columns than declared.

    Example:
        >>> from featurestore.definitions.model.types import Int64
        >>> from featurestore.query.nodes import Output
        >>> number = OnDemand("shape", inputs=(), outputs=(Output("number", "number", Int64),),
        ...                   declared=("number",), transform=Code("f", "", ""), origin="d.py:3")
        >>> rows = pa.table({"x": [7, 9]})
        >>> compute_unchecked(number, rows, lambda rows: {"number": [1, 2]}).to_pydict()
        {'number': [1, 2]}
    """
    return _compute(node, inputs, partial(_call_function, function))


def _compute(node: OnDemand, inputs: pa.Table, call: _Call) -> pa.Table:
    columns = (
        call(node, inputs)
        if isinstance(node.transform, Code)
        else _evaluate_sql(node, node.transform, inputs)
    )
    return pa.table(
        {each.output: _typed(node, each.name, each.result, columns) for each in node.outputs}
    )


def _evaluate_sql(node: OnDemand, expressions: Mapping[str, str], inputs: pa.Table) -> Columns:
    needed = {each.name: expressions[each.name] for each in node.outputs}
    for name, text in needed.items():
        # Somebody may have changed the text in the registry. What `plan` refuses is refused here.
        if problem := syntax_problem(text, inputs.column_names):
            raise OnDemandError(_call_text(node), f"the SQL of {name!r}: {problem}", _REAPPLY)
    values = evaluate(needed, inputs, call=_call_text(node))
    return dict(zip(values.column_names, values.columns, strict=True))


def _call_and_check(function: Function | None, node: OnDemand, inputs: pa.Table) -> Columns:
    columns = _call_function(function, node, inputs)
    if problem := other_rows_problem(inputs, columns, partial(_call_function, function, node)):
        raise OnDemandError(
            _call_text(node),
            problem,
            f"A row's features must not depend on other rows. {_CORRECT}",
        )
    return columns


def _call_function(function: Function | None, node: OnDemand, inputs: pa.Table) -> Columns:
    if function is None:
        raise OnDemandError(_call_text(node), "the function was not imported", _REAPPLY)
    try:
        with while_it_imports(function):
            result = function(inputs.combine_chunks())
    except Exception as error:  # users' code raises anything
        cause = f"{type(error).__name__}: {error}".rstrip(": ")
        raise OnDemandError(
            _call_text(node), f"{cause}, in {_user_line(error)}", _CORRECT
        ) from error
    columns = _columns(node, result)
    _require_names(node, list(columns))
    for name, column in columns.items():
        if len(column) != inputs.num_rows:
            text = f"{len(column)} values of {name!r} for {inputs.num_rows} rows"
            raise _wrong_result(node, text, "one value for each row")
    return columns


def _columns(node: OnDemand, result: Any) -> dict[str, pa.ChunkedArray]:
    if isinstance(result, pa.RecordBatch):
        result = pa.Table.from_batches([result])
    if isinstance(result, pa.Table):
        if len(set(result.column_names)) < result.num_columns:
            text = f"two columns of the same name: {result.column_names}"
            raise _wrong_result(node, text, "each column once")
        return dict(zip(result.column_names, result.columns, strict=True))
    if not isinstance(result, Mapping):
        raise _wrong_result(
            node, f"a {type(result).__name__}", "a pyarrow.Table or a dict of arrays"
        )
    return {name: _array(node, name, values) for name, values in result.items()}


def _array(node: OnDemand, name: str, values: Any) -> pa.ChunkedArray:
    if isinstance(values, pa.ChunkedArray):
        return values
    try:
        return pa.chunked_array([values if isinstance(values, pa.Array) else python_array(values)])
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
        text = f"a {type(values).__name__} as {name!r} ({error})"
        raise _wrong_result(node, text, "an array") from None


def _require_names(node: OnDemand, names: Sequence[str]) -> None:
    for name in node.declared:
        if name not in names:
            text = f"no {name!r}. {nearest(name, names)}"
            raise _wrong_result(node, text, "every feature of the schema")
    for name in names:
        if name not in node.declared:
            text = f"{name!r}, which is not in the schema. {nearest(name, node.declared)}"
            raise _wrong_result(node, text, "only the features of the schema")


def _typed(
    node: OnDemand, name: str, dtype: Any, columns: Mapping[str, pa.ChunkedArray]
) -> pa.ChunkedArray:
    column = columns[name]
    problem = type_mismatch(column.type, dtype)
    try:
        if not problem:
            return cast_exactly(column, dtype)
    except pa.ArrowInvalid as error:
        problem = f"its declared type is {dtype}, but {error}"
    raise OnDemandError(
        _call_text(node),
        f"feature {name!r}: {problem}",
        "Declare that type, or cast the values in the transform.",
    )


_REAPPLY = "Run `featurestore plan` and `featurestore apply`."
_CORRECT = "Correct the function, then run `featurestore apply`."


def _call_text(node: OnDemand) -> str:
    name = f" by {node.transform.name}()" if isinstance(node.transform, Code) else ""
    return f"compute on-demand view {node.view!r} ({node.origin}){name}"


def _wrong_result(node: OnDemand, result: str, expected: str) -> OnDemandError:
    return OnDemandError(
        _call_text(node),
        f"the function returned {result}",
        f"Return {expected}, then run `featurestore apply`.",
    )


def _user_line(error: Exception) -> str:
    """Return the file and line in the user's code: the last frame that is not in a library."""
    frames = traceback.extract_tb(error.__traceback__)[1:]
    libraries = (sysconfig.get_path("stdlib"), sysconfig.get_path("purelib"))
    # Compiled code has frames too, but their file names are not paths.
    files = [each for each in frames if Path(each.filename).is_absolute()]
    own = [each for each in files if not each.filename.startswith(libraries)] or frames
    return f"{own[-1].filename}:{own[-1].lineno}" if own else "the call itself: its arguments"
