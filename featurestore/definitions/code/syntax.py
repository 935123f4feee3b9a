"""The syntax trees of functions and classes, read from their files, as plain data."""

import ast
import linecache
import sys
from collections.abc import Iterable, Iterator
from functools import lru_cache
from importlib.machinery import SourceFileLoader
from types import CodeType, FunctionType

from featurestore.errors import DefinitionError

Tree = str | list["Tree"] | dict[str, "Tree"]
FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda

# Fields without a meaning for the result; positions are no fields and never part of a tree.
_IGNORED = ("ctx", "kind", "type_comment", "type_ignores")
_DYNAMIC = ("__import__", "eval", "exec", "globals", "import_module")


def unwrapped(function: FunctionType) -> list[FunctionType]:
    """Return a function and the functions that it wraps by `functools.wraps`, innermost last.

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
    """Return the lines of a function in its file.

    Raises:
        DefinitionError: The file does not contain the function.

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
    """Return the syntax tree of a function; for a lambda, the trees of all lambdas of its line.

    Raises:
        DefinitionError: The file does not contain the function.

    Example:
        >>> import textwrap
        >>> function_nodes(textwrap.indent)[0].name
        'indent'
    """
    code = function.__code__
    text = "".join(_lines(code.co_filename, function.__globals__))
    nodes = [
        node
        for node in ast.walk(_parse(text))
        if isinstance(node, FunctionNode)
        and _first_line(node) == code.co_firstlineno
        and getattr(node, "name", "<lambda>") == code.co_name
    ]
    if not nodes or _is_outdated(code, text, function.__globals__):
        raise _unreadable(function.__qualname__)
    return nodes


def class_nodes(declared: type) -> list[ast.ClassDef]:
    """Return the syntax trees of all classes in the class's file that have its name.

    Raises:
        DefinitionError: The file does not contain the class.

    Example:
        >>> import string
        >>> [node.name for node in class_nodes(string.Template)]
        ['Template']
    """
    scope = vars(sys.modules[declared.__module__])
    file = str(scope.get("__file__") or "")
    text = "".join(_lines(file, scope))
    nodes = [
        node
        for node in ast.walk(_parse(text))
        if isinstance(node, ast.ClassDef) and node.name == declared.__name__
    ]
    methods = (each for each in vars(declared).values() if isinstance(each, FunctionType))
    own = (each.__code__ for each in methods if each.__code__.co_filename == file)
    if not nodes or any(_is_outdated(code, text, scope) for code in own):
        raise _unreadable(declared.__qualname__)
    return nodes


def tree(node: ast.AST) -> Tree:
    """Return a syntax tree as plain data, without positions and docstrings.

    Example:
        >>> tree(ast.parse("x  # why", mode="eval")) == tree(ast.parse(" x ".strip(), mode="eval"))
        True
    """
    # Without empty fields: a later Python adds fields, which are empty in older code.
    fields = ast.iter_fields(_without_docstring(node))
    branches = {name: _branch(value) for name, value in fields if name not in _IGNORED}
    return [type(node).__name__, {name: branch for name, branch in branches.items() if branch}]


def names(nodes: Iterable[ast.AST]) -> set[str]:
    """Return the names in these trees.

    Example:
        >>> names([ast.parse("f(x.y)")]) == {"f", "x"}
        True
    """
    return {part.id for part in _walk(nodes) if isinstance(part, ast.Name)}


def attributes(nodes: Iterable[ast.AST]) -> tuple[str, ...]:
    """Return the names of all attributes in these trees, sorted; ``getattr(x, "y")`` is one.

    Example:
        >>> attributes([ast.parse("f(x.y)")])
        ('y',)
    """
    found = (_attribute(part) for part in _walk(nodes))
    return tuple(sorted({name for name in found if name}))


def dynamic_calls(nodes: Iterable[ast.AST]) -> list[str]:
    """Return the calls in these trees that run code which the trees do not show.

    Example:
        >>> dynamic_calls([ast.parse("eval('x') + frame.eval('y')")])
        ['eval']
    """
    called = (part.func for part in _walk(nodes) if isinstance(part, ast.Call))
    found = (
        each.id if isinstance(each, ast.Name) else _attribute(each)
        for each in called
        if isinstance(each, ast.Name) or _attribute(each) == "import_module"
    )
    return [name for name in found if name in _DYNAMIC]


def evaluated_at_definition(nodes: Iterable[FunctionNode]) -> list[ast.AST]:
    """Return the expressions that run when a function is declared: decorators and defaults.

    Example:
        >>> [node] = ast.parse("def f(x=LIMIT): ...").body
        >>> evaluated_at_definition([node])[0].id
        'LIMIT'
    """
    expressions: list[ast.AST] = []
    for node in nodes:
        expressions.extend(getattr(node, "decorator_list", ()))
        expressions.extend(node.args.defaults)
        expressions.extend(value for value in node.args.kw_defaults if value is not None)
    return expressions


def imports(nodes: Iterable[ast.AST]) -> list[tuple[str, str | None]]:
    """Return the imports in these trees: each module, with leading dots, and imported name.

    Example:
        >>> imports([ast.parse("import a.b; from .c import d")])
        [('a.b', None), ('.c', 'd')]
    """
    imported: list[tuple[str, str | None]] = []
    for part in _walk(nodes):
        if isinstance(part, ast.Import):
            imported.extend((alias.name, None) for alias in part.names)
        if isinstance(part, ast.ImportFrom):
            module = "." * part.level + (part.module or "")
            imported.extend((module, alias.name) for alias in part.names)
    return imported


def _attribute(node: ast.AST) -> str:
    """Return the attribute that an expression reads; ``""`` if it reads none."""
    match node:
        case ast.Attribute(attr=name):
            return name
        case ast.Call(func=ast.Name(id="getattr"), args=[_, ast.Constant(value=str(name)), *_]):
            return name
    return ""


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


def _is_outdated(code: CodeType, text: str, scope: dict[str, object]) -> bool:
    """Return whether a file has another text than the code that was imported from it."""
    loader = scope.get("__loader__")
    # Other loaders may change code while they import it, as pytest does.
    plain = type(loader) is SourceFileLoader or getattr(loader, "compiles_text", False)
    return plain and code not in _codes(text)


@lru_cache(maxsize=64)
def _codes(text: str) -> frozenset[CodeType]:
    return frozenset(_inside(compile(text, "", "exec", dont_inherit=True)))


def _inside(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _inside(constant)


@lru_cache(maxsize=64)
def _parse(text: str) -> ast.Module:
    return ast.parse(text)


def _unreadable(name: str) -> DefinitionError:
    return DefinitionError(
        f"read the code of {name!r}",
        "its file does not contain it (any more), or contains another text than was imported",
        "Declare it by `def` or `class` in a module of the definitions, then load them again. A "
        "module outside of the project's folder is imported once: start a new process.",
    )
