"""The syntax trees of functions and classes, found in their files and shown as plain data."""

import ast
import linecache
import sys
from collections.abc import Iterable, Iterator
from functools import lru_cache
from types import FunctionType

from featurestore.errors import DefinitionError

Tree = str | list["Tree"] | dict[str, "Tree"]
FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda

# Positions never enter a tree; these fields say nothing about the meaning either.
_SILENT = ("ctx", "kind", "type_comment", "type_ignores")


def unwrapped(function: FunctionType) -> list[FunctionType]:
    """Return the function and those that it wraps by `functools.wraps`, the innermost last.

    Example:
        >>> import textwrap
        >>> len(unwrapped(textwrap.indent))
        1
    """
    layers = [function]
    while isinstance(inner := getattr(layers[-1], "__wrapped__", None), FunctionType):
        layers.append(inner)
    return layers


def source_text(function: FunctionType) -> str:
    """Return the lines of a function as they stand in its file.

    Raises:
        DefinitionError: The file does not hold it.

    Example:
        >>> import textwrap
        >>> source_text(textwrap.indent).splitlines()[0]
        'def indent(text, prefix, predicate=None):'
    """
    innermost = unwrapped(function)[-1]
    node = function_nodes(innermost)[0]
    lines = _lines(innermost.__code__.co_filename, innermost.__globals__)
    return "".join(lines[_first_line(node) - 1 : node.end_lineno])


def function_nodes(function: FunctionType) -> list[FunctionNode]:
    """Return the syntax tree of a function; of a lambda, all those that share its line.

    Raises:
        DefinitionError: The file does not hold it.

    Example:
        >>> import textwrap
        >>> function_nodes(textwrap.indent)[0].name
        'indent'
    """
    code = function.__code__
    found = [
        node
        for node in ast.walk(_parse("".join(_lines(code.co_filename, function.__globals__))))
        if isinstance(node, FunctionNode)
        and _first_line(node) == code.co_firstlineno
        and getattr(node, "name", "<lambda>") == code.co_name
    ]
    if not found:
        raise _unreadable(function.__qualname__)
    return found


def class_nodes(declared: type) -> list[ast.ClassDef]:
    """Return the syntax trees of the classes of that name in the class's file.

    Raises:
        DefinitionError: The file does not hold it.

    Example:
        >>> import string
        >>> [node.name for node in class_nodes(string.Template)]
        ['Template']
    """
    scope = vars(sys.modules[declared.__module__])
    lines = _lines(scope.get("__file__") or "", scope)
    found = [
        node
        for node in ast.walk(_parse("".join(lines)))
        if isinstance(node, ast.ClassDef) and node.name == declared.__name__
    ]
    if not found:
        raise _unreadable(declared.__qualname__)
    return found


def tree(node: ast.AST) -> Tree:
    """Return a syntax tree as plain data, without positions and docstrings.

    Example:
        >>> tree(ast.parse("x  # why", mode="eval")) == tree(ast.parse(" x ".strip(), mode="eval"))
        True
    """
    # Empty fields are left out: a later Python adds fields, and empty ones change nothing.
    shown = {name: _branch(value) for name, value in ast.iter_fields(_without_docstring(node))}
    kept = {name: branch for name, branch in shown.items() if branch and name not in _SILENT}
    return [type(node).__name__, kept]


def names(nodes: Iterable[ast.AST]) -> set[str]:
    """Return the names that stand in these trees.

    Example:
        >>> names([ast.parse("f(x.y)")]) == {"f", "x"}
        True
    """
    return {part.id for part in _walk(nodes) if isinstance(part, ast.Name)}


def attributes(nodes: Iterable[ast.AST]) -> tuple[str, ...]:
    """Return the attributes that these trees take of anything, sorted.

    Example:
        >>> attributes([ast.parse("f(x.y)")])
        ('y',)
    """
    return tuple(sorted({part.attr for part in _walk(nodes) if isinstance(part, ast.Attribute)}))


def evaluated_at_definition(nodes: Iterable[FunctionNode]) -> list[ast.AST]:
    """Return what runs when a function is declared: its decorators and default values.

    Example:
        >>> [node] = ast.parse("def f(x=LIMIT): ...").body
        >>> evaluated_at_definition([node])[0].id
        'LIMIT'
    """
    found: list[ast.AST] = []
    for node in nodes:
        found.extend(getattr(node, "decorator_list", ()))
        found.extend(value for value in node.args.defaults)
        found.extend(value for value in node.args.kw_defaults if value is not None)
    return found


def imports(nodes: Iterable[ast.AST]) -> list[tuple[str, str | None]]:
    """Return the imports inside these trees: the module, with leading dots, and the name.

    Example:
        >>> imports([ast.parse("import a.b; from .c import d")])
        [('a.b', None), ('.c', 'd')]
    """
    found: list[tuple[str, str | None]] = []
    for part in _walk(nodes):
        if isinstance(part, ast.Import):
            found.extend((alias.name, None) for alias in part.names)
        if isinstance(part, ast.ImportFrom):
            module = "." * part.level + (part.module or "")
            found.extend((module, alias.name) for alias in part.names)
    return found


def _walk(nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
    for node in nodes:
        yield from ast.walk(node)


def _branch(value: object) -> Tree:
    if isinstance(value, ast.AST):
        return tree(value)
    if isinstance(value, list):
        return [_branch(item) for item in value]
    return "" if value is None else repr(value)


def _without_docstring(node: ast.AST) -> ast.AST:
    documented = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    if not isinstance(node, documented) or ast.get_docstring(node, clean=False) is None:
        return node
    return type(node)(**{**dict(ast.iter_fields(node)), "body": node.body[1:]})


def _first_line(node: FunctionNode) -> int:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min(part.lineno for part in (node, *decorators))


def _lines(file: str, scope: dict[str, object]) -> list[str]:
    linecache.checkcache(file)
    return linecache.getlines(file, scope)


@lru_cache(maxsize=64)
def _parse(text: str) -> ast.Module:
    return ast.parse(text)


def _unreadable(name: str) -> DefinitionError:
    return DefinitionError(
        f"read the code of {name!r}",
        "its file does not hold it (any more)",
        "Declare it by `def` or `class` in a module of the definitions, and load them again.",
    )
