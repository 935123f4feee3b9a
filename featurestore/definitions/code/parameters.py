"""The values of a function's parameters that its text and its globals do not show."""

import ast
from collections.abc import Iterator, Mapping, Sequence
from types import FunctionType

from featurestore.definitions.code.syntax import FunctionNode


def hidden_defaults(
    function: FunctionType, nodes: Sequence[FunctionNode], scope: Mapping[str, object]
) -> dict[str, object]:
    r"""Return the default values that neither the text nor the present globals determine.

    A default is evaluated once, when its function is declared. So the name in its text may mean
    another value later.

    Args:
        function: The function.
        nodes: Its syntax tree; several for lambdas of one line.
        scope: Its globals.

    Example:
        >>> declared = {}
        >>> exec("N = 1\ndef f(x, y=N, z=3): ...\nN = 2", declared)
        >>> hidden_defaults(declared["f"], ast.parse("def f(x, y=N, z=3): ...").body, declared)
        {'y': 1}
    """
    values = _defaults(function)
    if len(nodes) != 1:
        return values
    texts = _expressions(nodes[0])
    return {
        name: value
        for name, value in values.items()
        if name not in texts or not _is_shown(texts[name], value, scope)
    }


def _defaults(function: FunctionType) -> dict[str, object]:
    code, values = function.__code__, function.__defaults__ or ()
    positional = code.co_varnames[: code.co_argcount]
    named = zip(positional[len(positional) - len(values) :], values, strict=True)
    return {**dict(named), **(function.__kwdefaults__ or {})}


def _expressions(node: FunctionNode) -> dict[str, ast.expr]:
    return dict(_pairs(node.args))


def _pairs(arguments: ast.arguments) -> Iterator[tuple[str, ast.expr]]:
    positional = [*arguments.posonlyargs, *arguments.args]
    first = len(positional) - len(arguments.defaults)
    for parameter, value in zip(positional[first:], arguments.defaults, strict=True):
        yield parameter.arg, value
    for parameter, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        if default is not None:
            yield parameter.arg, default


def _is_shown(text: ast.expr, value: object, scope: Mapping[str, object]) -> bool:
    if isinstance(text, ast.Name):
        return text.id in scope and scope[text.id] is value
    try:
        ast.literal_eval(text)
    except ValueError:
        return False
    return True
