"""Where a function reads the clock of the machine: its result would depend on when it is called.

The calls are found in the code of the function and in the project's code that it uses, by what
their names mean: a column ``now`` is none. Code of libraries is not looked at.
"""

import ast
import re
import sys
from collections.abc import Iterator, Mapping
from types import BuiltinMethodType, FunctionType, ModuleType

from featurestore.definitions.code.dependencies import project_code
from featurestore.definitions.code.syntax import class_nodes, function_nodes, unwrapped

_CLOCKS = (
    *("datetime.datetime.now", "datetime.datetime.utcnow", "datetime.datetime.today"),
    *("datetime.date.today", "time.time", "time.time_ns"),
)
# pandas has its classes in modules of other names, such as pandas._libs.tslibs.timestamps.
_PANDAS = re.compile(r"pandas\..*\bTimestamp\.(now|utcnow|today)")
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def clock_read(function: FunctionType) -> str:
    """Return how a function reads the clock, such as ``"date.today"``; ``""`` if it does not.

    Args:
        function: The function.

    Raises:
        DefinitionError: The function uses a value that cannot be compared between runs.

    Example:
        >>> import textwrap
        >>> clock_read(textwrap.indent)
        ''
    """
    for code in project_code(function):
        for layer in unwrapped(code) if isinstance(code, FunctionType) else [code]:
            for found in _reads(layer):
                return found
    return ""


def _reads(code: FunctionType | type) -> Iterator[str]:
    if isinstance(code, type):
        trees: list[ast.AST] = [*class_nodes(code)]
        scope: Mapping[str, object] = vars(sys.modules[code.__module__])
    else:
        trees = [*function_nodes(code)]
        scope = {**code.__globals__, **dict.fromkeys(code.__code__.co_varnames)}
    meanings = {name: _origin(value) for name, value in scope.items()}
    for tree in trees:
        yield from _clock_names(tree, meanings | _imported(tree))


def _clock_names(node: ast.AST, meanings: Mapping[str, str]) -> Iterator[str]:
    """Yield the names of clocks in code, where parameters hide names of the module."""
    name = _dotted(node)
    first, _, rest = name.partition(".")
    meaning = ".".join(part for part in (meanings.get(first, ""), rest) if part)
    if meanings.get(first) and (meaning in _CLOCKS or _PANDAS.fullmatch(meaning)):
        yield name
    if isinstance(node, _FUNCTIONS):
        # Their imports are names of their own, which hide the parameters.
        meanings = {**meanings, **dict.fromkeys(_parameters(node), ""), **_imported(node)}
    elif isinstance(node, _COMPREHENSIONS):
        targets = (each for part in node.generators for each in ast.walk(part.target))
        names = [each.id for each in targets if isinstance(each, ast.Name)]
        meanings = {**meanings, **dict.fromkeys(names, "")}
    for inner in ast.iter_child_nodes(node):
        yield from _clock_names(inner, meanings)


def _parameters(function: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> Iterator[str]:
    own = function.args
    for each in (*own.posonlyargs, *own.args, *own.kwonlyargs, own.vararg, own.kwarg):
        if each is not None:
            yield each.arg


def _dotted(node: ast.AST) -> str:
    """Return a name with its attributes, such as ``"datetime.now"``; ``""`` for other code."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=attribute):
            return f"{inner}.{attribute}" if (inner := _dotted(value)) else ""
    return ""


def _imported(tree: ast.AST) -> dict[str, str]:
    """Return the meaning of each name that is imported inside of a function."""
    meanings: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                first = alias.name if alias.asname else alias.name.partition(".")[0]
                meanings[alias.asname or first] = first
        elif isinstance(node, ast.ImportFrom) and not node.level:
            for alias in node.names:
                meanings[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return meanings


def _origin(value: object) -> str:
    """Return the module and the name of a module, a class or a function; ``""`` of a value."""
    if isinstance(value, ModuleType):
        return value.__name__
    if isinstance(value, BuiltinMethodType) and isinstance(value.__self__, type):
        return f"{_origin(value.__self__)}.{value.__name__}"  # such as datetime.now
    module, name = (getattr(value, key, None) for key in ("__module__", "__qualname__"))
    return f"{module}.{name}" if isinstance(module, str) and isinstance(name, str) else ""
