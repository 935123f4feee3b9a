"""SQL expressions over the columns of a table, evaluated row by row by DuckDB.

An expression is a text that others may have written into the registry. It must be one scalar
expression, over known columns, of functions that give the same for the same row everywhere.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pyarrow as pa

from featurestore.definitions.model.types import DataType
from featurestore.engines.on_demand.exact import misfit
from featurestore.engines.on_demand.sql_session import (
    errors,
    functions,
    parse,
    problem_of,
    session,
)
from featurestore.errors import OnDemandError, nearest

_TABLE = "inputs"
_SCALAR = {
    *("BETWEEN", "CASE", "CAST", "COLLATE", "COLUMN_REF", "COMPARISON", "CONJUNCTION"),
    *("CONSTANT", "FUNCTION", "LAMBDA", "OPERATOR", "TYPE"),
}
_REFUSED = {
    "SUBQUERY": "a subquery",
    "WINDOW": "a window function, which sees other rows",
    "STAR": "a star",
    "PARAMETER": "a parameter",
    "POSITIONAL_REFERENCE": "a column by its number",
}
_KINDS = {
    "aggregate": "an aggregate, which sees other rows",
    "window": "a window function, which sees other rows",
    "table": "a table function",
    "table_macro": "a table function",
    "pragma": "a pragma",
}
# Of one row by some release's declaration, but of the session or the moment all the same.
_UNSTABLE = {
    *("current_database", "current_query", "current_schema", "current_schemas", "getenv"),
    *("current_setting", "getvariable", "in_search_path", "now", "today", "txid_current"),
    *("get_current_time", "get_current_timestamp", "transaction_timestamp", "version"),
}
_Node = Mapping[str, Any]


def expression_problem(text: str, inputs: pa.Schema, dtype: DataType) -> str:
    """Return what is wrong with an expression, or ``""``.

    Args:
        text: The expression.
        inputs: The columns that it can use.
        dtype: The type that its values must have.

    Raises:
        SetupError: DuckDB is not installed.

    Example:
        >>> from featurestore.definitions.model.types import Boolean, Float64
        >>> columns = pa.schema([("amount", pa.float64())])
        >>> expression_problem("amuont > 3", columns, Boolean)
        "unknown column 'amuont'. Did you mean 'amount'?"
        >>> expression_problem("random() * amount", columns, Float64)
        "'random' gives another value each time"
    """
    if wrong := syntax_problem(text, inputs.names):
        return wrong
    try:
        found = _run({"value": text}, inputs.empty_table()).schema.field(0).type
    except errors() as error:
        return problem_of(error)
    return misfit(found, dtype)


def syntax_problem(text: str, names: Iterable[str]) -> str:
    """Return why a text is no scalar expression over columns of these names, or ``""``.

    Example:
        >>> syntax_problem("sum(amount)", ["amount"])
        "'sum' is an aggregate, which sees other rows"
        >>> syntax_problem("amount; DROP TABLE inputs", ["amount"])
        'it is not one expression'
    """
    tree = parse(text)
    if tree["error"]:
        told = str(tree["error_message"])
        return told if "syntax" in told else "it is not one expression"
    expression = _single(tree["statements"])
    if expression is None:
        return "it is not one expression"
    known = {name.casefold() for name in names}
    return next(_problems(expression, known), "")


def columns_used(text: str) -> set[str]:
    """Return the names of the columns in an expression without problems, in lower case.

    Example:
        >>> sorted(columns_used("price * Pieces"))
        ['pieces', 'price']
    """
    return {name.casefold() for name in _column_names(parse(text))}


def evaluate(expressions: Mapping[str, str], inputs: pa.Table, *, call: str) -> pa.Table:
    """Return the values of expressions, one row a row of the inputs, in their order.

    Args:
        expressions: Expressions without problems, by the names of their columns.
        inputs: The rows; columns without a problem.
        call: The call in words, for error messages.

    Raises:
        OnDemandError: A row's value cannot be computed, such as a sum that is too large.

    Example:
        >>> evaluate({"half": "x / 2"}, pa.table({"x": [1, None]}), call="ask").to_pydict()
        {'half': [0.5, None]}
    """
    try:
        return _run(expressions, inputs)
    except errors() as error:
        raise OnDemandError(
            call,
            _first_failure(expressions, inputs) or problem_of(error),
            "Let the SQL expression give null for such rows.",
        ) from None


def _run(expressions: Mapping[str, str], inputs: pa.Table) -> pa.Table:
    # A line of its own, so that a comment at its end does not swallow the bracket.
    columns = (f"(\n{text}\n) AS {_quoted(name)}" for name, text in expressions.items())
    opened = session()
    opened.register(_TABLE, inputs)
    query = opened.sql(f"SELECT {', '.join(columns)} FROM {_TABLE}")
    found: pa.Table = query.to_arrow_table()
    return found


def _first_failure(expressions: Mapping[str, str], inputs: pa.Table) -> str:
    """Return which expression fails in which row, by the inputs that it uses there."""
    for name, text in expressions.items():
        if _failure(text, inputs):
            rows = inputs
            while rows.num_rows > 1:
                first = rows.slice(0, rows.num_rows // 2)
                rows = first if _failure(text, first) else rows.slice(first.num_rows)
            used = columns_used(text)
            row = rows.to_pylist()[0]
            values = [f"{key} = {row[key]!r}" for key in row if key.casefold() in used]
            where = f" where {', '.join(values)}" if values else ""
            return f"feature {name!r}{where}: {_failure(text, rows) or _failure(text, inputs)}"
    return ""


def _failure(text: str, inputs: pa.Table) -> str:
    try:
        _run({"value": text}, inputs)
    except errors() as error:
        return problem_of(error)
    return ""


def _single(statements: list[_Node]) -> _Node | None:
    """Return the only expression of the only statement, where there is nothing else."""
    node = statements[0]["node"]
    if len(statements) > 1 or node["type"] != "SELECT_NODE" or len(node["select_list"]) != 1:
        return None
    clauses = ("where_clause", "group_expressions", "having", "qualify", "sample", "modifiers")
    bare = not any(node.get(clause) for clause in clauses)
    bare = bare and node["from_table"]["type"] == "EMPTY" and not node["cte_map"]["map"]
    expression: _Node = node["select_list"][0]
    return expression if bare and not expression["alias"] else None


def _problems(node: Any, known: set[str]) -> Iterator[str]:
    if isinstance(node, list):
        for item in node:
            yield from _problems(item, known)
    if not isinstance(node, Mapping):
        return
    yield from _own_problems(node, known)
    if node.get("class") == "LAMBDA":
        known = known | {name.casefold() for name in _column_names(node["lhs"])}
    for value in node.values():
        yield from _problems(value, known)


def _own_problems(node: _Node, known: set[str]) -> Iterator[str]:
    kind = node.get("class", "CONSTANT")
    if kind not in _SCALAR:
        yield f"it holds {_REFUSED.get(kind, kind.lower())}"
    if kind == "COLUMN_REF":
        name = ".".join(node["column_names"])
        if name.casefold() not in known:
            yield f"unknown column {name!r}. {nearest(name, known)}"
    if kind == "FUNCTION":
        name, place = node["function_name"].lower(), node["schema"] or node.get("catalog")
        # Some releases put their own syntax's functions into a schema of that name.
        if place and place != "main":
            yield f"write {name}({place}, ...) in place of {place}.{name}(...)"
        arguments = node.get("arguments", node.get("children", ()))
        if name in _UNSTABLE or (name == "age" and len(arguments) == 1):
            yield f"{name!r} gives another value each time"
        yield from _function_problems(name)


def _function_problems(name: str) -> Iterator[str]:
    known = functions()
    if name not in known:
        # What the parser makes of syntax is no function of the catalogue in every release.
        return
    for kind, stability, definition in known[name]:
        if kind == "macro" and definition:
            yield from (f"{name!r}: {wrong}" for wrong in _macro_problems(definition))
        elif kind != "macro" and (kind != "scalar" or stability != "CONSISTENT"):
            yield f"{name!r} {_why(kind)}"


def _macro_problems(definition: str) -> Iterator[str]:
    tree = parse(definition)
    expression = None if tree["error"] else _single(tree["statements"])
    if expression is None:
        yield "DuckDB's own definition of it cannot be read"
        return
    used = {column.casefold() for column in _column_names(expression)}
    # Moments and users look like columns; a macro's arguments are plain names.
    used -= {"current_timestamp", "current_user"}
    yield from _problems(expression, used)


def _column_names(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for item in node:
            yield from _column_names(item)
    if isinstance(node, Mapping):
        if node.get("class") == "COLUMN_REF":
            yield ".".join(node["column_names"])
        for value in node.values():
            yield from _column_names(value)


def _why(kind: str) -> str:
    told = _KINDS.get(kind)
    return f"is {told}" if told else "gives another value each time"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
