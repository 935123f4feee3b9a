"""SQL expressions over the columns of a table. DuckDB evaluates them row by row.

Others may have written the text into the registry, so it is checked before it runs. It must be a
single scalar expression over the inputs. Its functions must return the same value for the same
row, at any time and on any machine.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pyarrow as pa

from featurestore.definitions.model.types import DataType
from featurestore.engines.on_demand.exact import type_mismatch
from featurestore.engines.on_demand.sql_session import (
    error_class,
    error_text,
    functions,
    parse,
    session,
)
from featurestore.errors import OnDemandError, nearest
from featurestore.quoting import duckdb_name

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
# Some releases declare these as functions of the row. They depend on the session or the time.
_UNSTABLE = {
    *("current_database", "current_query", "current_schema", "current_schemas", "getenv"),
    *("current_setting", "getvariable", "in_search_path", "now", "today", "txid_current"),
    *("get_current_time", "get_current_timestamp", "transaction_timestamp", "version"),
    *("current_catalog", "current_date", "current_localtime", "current_localtimestamp"),
}
_NOT_SINGLE = "it is not a single expression"
_TOO_DEEP = "it is nested too deeply. Write fewer operators or calls inside each other"
_ANOTHER_VALUE = "returns another value at each call"
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
        "'random' returns another value at each call"
    """
    if problem := syntax_problem(text, inputs.names):
        return problem
    try:
        arrow = _run({"value": text}, inputs.empty_table()).schema.field(0).type
    except error_class() as error:
        return error_text(error)
    mismatch = type_mismatch(arrow, dtype)
    return f"{mismatch}. Cast it" if mismatch else ""


def syntax_problem(text: str, names: Iterable[str]) -> str:
    """Return why a text is not a scalar expression over some columns, or ``""`` if it is.

    Args:
        text: The expression.
        names: The names of the columns.

    Example:
        >>> syntax_problem("sum(amount)", ["amount"])
        "'sum' is an aggregate, which sees other rows"
        >>> syntax_problem("amount; DROP TABLE inputs", ["amount"])
        'it is not a single expression'
    """
    try:
        tree = parse(text)
        if tree["error"]:
            return _parser_problem(str(tree["error_message"]))
        expression = _single(tree["statements"])
        if expression is None:
            return _NOT_SINGLE
        columns = {name.casefold() for name in names}
        return next(_problems(expression, columns), "")
    except RecursionError:  # DuckDB's parser allows more levels than Python
        return _TOO_DEEP


def columns_used(text: str) -> set[str]:
    """Return the names of an expression's columns, in lower case.

    Args:
        text: An expression without a `syntax_problem`.

    Example:
        >>> sorted(columns_used("price * Pieces"))
        ['pieces', 'price']
    """
    return {name.casefold() for name in _column_names(parse(text))}


def evaluate(expressions: Mapping[str, str], inputs: pa.Table, *, call: str) -> pa.Table:
    """Return the values of expressions, one row for each row of the inputs, in their order.

    Args:
        expressions: By name of the result's column, expressions without a `syntax_problem`.
        inputs: The rows.
        call: The call as text, for error messages.

    Raises:
        OnDemandError: A row's value cannot be computed, for example a sum that is too large.

    Example:
        >>> evaluate({"half": "x / 2"}, pa.table({"x": [1, None]}), call="call").to_pydict()
        {'half': [0.5, None]}
    """
    try:
        return _run(expressions, inputs)
    except error_class() as error:
        raise OnDemandError(
            call,
            _first_failure(expressions, inputs) or error_text(error),
            "Change the SQL expression so that it returns null for such rows.",
        ) from None


def _run(expressions: Mapping[str, str], inputs: pa.Table) -> pa.Table:
    # Each text keeps the rules of sql_rules. It has lines of its own, so a comment at its end does
    # not hide the bracket.
    columns = (f"(\n{text}\n) AS {duckdb_name(name)}" for name, text in expressions.items())
    connection = session()
    connection.register(_TABLE, inputs)
    query = connection.sql(f"SELECT {', '.join(columns)} FROM {_TABLE}")  # nosec B608
    values: pa.Table = query.to_arrow_table()
    return values


def _first_failure(expressions: Mapping[str, str], inputs: pa.Table) -> str:
    """Return which expression fails, the inputs that it uses in the first such row, and why."""
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
    except error_class() as error:
        return error_text(error)
    return ""


def _parser_problem(message: str) -> str:
    if "expression depth" in message:
        return _TOO_DEEP
    return message if "syntax" in message else _NOT_SINGLE


def _single(statements: list[_Node]) -> _Node | None:
    """Return the expression if the statements are nothing but a single one, else None."""
    node = statements[0]["node"]
    if len(statements) > 1 or node["type"] != "SELECT_NODE" or len(node["select_list"]) != 1:
        return None
    clauses = ("where_clause", "group_expressions", "having", "qualify", "sample", "modifiers")
    bare = not any(node.get(clause) for clause in clauses)
    bare = bare and node["from_table"]["type"] == "EMPTY" and not node["cte_map"]["map"]
    expression: _Node = node["select_list"][0]
    return expression if bare and not expression["alias"] else None


def _problems(node: Any, columns: set[str]) -> Iterator[str]:
    if isinstance(node, list):
        for item in node:
            yield from _problems(item, columns)
    if not isinstance(node, Mapping):
        return
    yield from _own_problems(node, columns)
    if node.get("class") == "LAMBDA":
        columns = columns | {name.casefold() for name in _column_names(node["lhs"])}
    for value in node.values():
        yield from _problems(value, columns)


def _own_problems(node: _Node, columns: set[str]) -> Iterator[str]:
    kind = node.get("class", "CONSTANT")
    if kind not in _SCALAR:
        yield f"it contains {_REFUSED.get(kind, kind.lower())}"
    if kind == "COLUMN_REF":
        name = ".".join(node["column_names"])
        if name.casefold() not in columns:
            yield f"unknown column {name!r}. {nearest(name, columns)}"
    if kind == "FUNCTION":
        name, schema = node["function_name"].lower(), node["schema"] or node.get("catalog")
        # Some releases list the functions of their own syntax in the schema "main".
        if schema and schema != "main":
            yield f"write {name}({schema}, ...) instead of {schema}.{name}(...)"
        arguments = node.get("arguments", node.get("children", ()))
        if name in _UNSTABLE or (name == "age" and len(arguments) == 1):
            yield f"{name!r} {_ANOTHER_VALUE}"
        yield from _function_problems(name)


def _function_problems(name: str) -> Iterator[str]:
    by_name = functions()
    if name not in by_name:
        # The parser turns some syntax into functions that not every release lists.
        return
    for kind, stability, definition in by_name[name]:
        if kind == "macro" and definition:
            yield from (f"{name!r}: {problem}" for problem in _macro_problems(definition))
        elif kind != "macro" and (kind != "scalar" or stability != "CONSISTENT"):
            yield f"{name!r} {_reason(kind)}"


def _macro_problems(definition: str) -> Iterator[str]:
    tree = parse(definition)
    expression = None if tree["error"] else _single(tree["statements"])
    if expression is None:
        yield "its definition in DuckDB is not a single expression"
        return
    used = {column.casefold() for column in _column_names(expression)}
    # A macro's arguments look like columns. So do the current time and user, which are refused.
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


def _reason(kind: str) -> str:
    """Return why functions of a kind are refused."""
    return f"is {_KINDS[kind]}" if kind in _KINDS else _ANOTHER_VALUE
