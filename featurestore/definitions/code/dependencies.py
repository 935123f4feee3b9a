"""What a function's outcome depends on, as plain data: its syntax tree and all that it reaches.

Names are resolved through the function's globals and closure; functions, classes and modules of
the project are followed at any depth, libraries count by version, Python itself by name.
`inspect.getclosurevars` is not enough: it misses what nested functions and comprehensions use.
"""

import dis
import importlib
import importlib.util
import logging
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from functools import partial, singledispatch
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType

from featurestore.definitions.code.provenance import home, outside
from featurestore.definitions.code.syntax import (
    attributes,
    class_nodes,
    evaluated_at_definition,
    function_nodes,
    imports,
    names,
    tree,
    unwrapped,
)
from featurestore.errors import DefinitionError

Plain = str | Sequence["Plain"] | Mapping[str, "Plain"]

# A representation with an address, or cut short, does not tell one value from another.
_UNSTABLE = re.compile(r" at 0x|\.\.\.")


@dataclass(frozen=True)
class _Attributes:
    """The attributes of one of the project's modules that some code takes: ``module.name``."""

    module: ModuleType
    names: tuple[str, ...]


_Node = FunctionType | type | _Attributes
_See = Callable[[_Node], str]


def reach(function: FunctionType) -> Plain:
    """Return the function and everything that it reaches, each once, in the order of discovery.

    References are positions in that list, so that neither moving code between modules nor
    recursion matters.

    Raises:
        DefinitionError: It uses an object whose value cannot be compared between runs.

    Example:
        >>> import textwrap
        >>> reach(textwrap.indent)
        [['textwrap:indent']]
    """
    order: dict[_Node, int] = {}

    def see(node: _Node) -> str:
        return f"#{order.setdefault(node, len(order))}"

    found = [_value(function, see)]
    while len(found) <= len(order):
        found.append(_node(list(order)[len(found) - 1], see))
    return found


@singledispatch
def _node(node: _Node, see: _See) -> Plain:
    raise TypeError(node)


@_node.register
def _(node: FunctionType, see: _See) -> Plain:
    return [_layer(layer, see) for layer in unwrapped(node) if _in_project(layer)]


@_node.register
def _(node: type, see: _See) -> Plain:
    trees = class_nodes(node)
    scope = vars(sys.modules[node.__module__])
    used = (names(trees) & scope.keys()) - {node.__name__}
    return {
        "trees": [tree(part) for part in trees],
        "bases": [_value(base, see) for base in node.__bases__],
        "uses": _uses(used, scope, attributes(trees), see),
    }


@_node.register
def _(node: _Attributes, see: _See) -> Plain:
    return _uses(set(node.names), vars(node.module), node.names, see)


def _layer(function: FunctionType, see: _See) -> Plain:
    trees, scope = function_nodes(function), function.__globals__
    taken = attributes(trees)
    used = set(_globals_of(function.__code__)) | names(evaluated_at_definition(trees))
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    closure = {name: cell.cell_contents for name, cell in cells}
    return {
        "trees": [tree(part) for part in trees],
        "uses": _uses(used & scope.keys(), scope, taken, see),
        "closure": _uses(set(closure), closure, taken, see),
        "imports": [_imported(module, name, scope, taken, see) for module, name in imports(trees)],
    }


def _globals_of(code: CodeType) -> Iterator[str]:
    for instruction in dis.get_instructions(code):
        if instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            yield instruction.argval
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _globals_of(constant)


def _uses(
    used: set[str], scope: Mapping[str, object], taken: Sequence[str], see: _See
) -> dict[str, Plain]:
    return {name: _used(name, scope[name], taken, see) for name in sorted(used)}


def _used(name: str, value: object, taken: Sequence[str], see: _See) -> Plain:
    if isinstance(value, ModuleType):
        return _module(value, taken, see)
    try:
        return _value(value, see)
    except ValueError:
        raise DefinitionError(
            f"fingerprint {name!r}",
            f"values of {type(value).__name__} cannot be compared between runs",
            "Use plain values (numbers, text, tuples, dictionaries), or make it in the function.",
        ) from None


def _module(module: ModuleType, taken: Sequence[str], see: _See) -> Plain:
    if home(module.__name__) != "project":
        return outside(module.__name__)
    return see(_Attributes(module, tuple(name for name in taken if hasattr(module, name))))


def _imported(
    target: str, name: str | None, scope: Mapping[str, object], taken: Sequence[str], see: _See
) -> Plain:
    absolute = importlib.util.resolve_name(target, str(scope.get("__package__") or ""))
    if home(absolute) != "project":
        return outside(absolute)
    module = importlib.import_module(absolute)
    if name is None:
        return _module(sys.modules[absolute.partition(".")[0]], taken, see)
    if not hasattr(module, name):
        return _module(importlib.import_module(f"{absolute}.{name}"), taken, see)
    return _used(name, getattr(module, name), taken, see)


def _in_project(function: FunctionType) -> bool:
    return home(function.__module__ or "__main__") == "project"


@singledispatch
def _value(value: object, see: _See) -> Plain:
    """Return plain data that is equal exactly when the value is; ValueError where none is."""
    if is_dataclass(value):
        shown = {f.name: _value(getattr(value, f.name), see) for f in fields(value) if f.compare}
        return [_value(type(value), see), shown]
    text = repr(value)
    if _UNSTABLE.search(text):
        raise ValueError(text)
    return [_value(type(value), see), text]


@_value.register(type(None))
@_value.register(bool)
@_value.register(int)
@_value.register(float)
@_value.register(str)
@_value.register(bytes)
def _(value: object, see: _See) -> Plain:
    return repr(value)


@_value.register(tuple)
@_value.register(list)
def _(value: Sequence[object], see: _See) -> Plain:
    return [type(value).__name__, *(_value(item, see) for item in value)]


@_value.register(set)
@_value.register(frozenset)
def _(value: set[object], see: _See) -> Plain:
    return ["set", *sorted((_value(item, see) for item in value), key=repr)]


@_value.register(dict)
def _(value: Mapping[object, object], see: _See) -> Plain:
    return ["dict", *([_value(key, see), _value(item, see)] for key, item in value.items())]


@_value.register
def _(value: FunctionType, see: _See) -> Plain:
    layers = unwrapped(value)
    libraries = [layer for layer in layers if not _in_project(layer)]
    seen = [see(value)] if len(libraries) < len(layers) else []
    return [*(outside(layer.__module__, layer.__qualname__) for layer in libraries), *seen]


@_value.register
def _(value: type, see: _See) -> Plain:
    if home(value.__module__) == "project":
        return see(value)
    return outside(value.__module__, value.__qualname__)


@_value.register(partial)
def _(value: "partial[object]", see: _See) -> Plain:
    return ["partial", *(_value(part, see) for part in (value.func, value.args, value.keywords))]


@_value.register
def _(value: MethodType, see: _See) -> Plain:
    return ["method", _value(value.__func__, see), _value(value.__self__, see)]


@_value.register
def _(value: BuiltinFunctionType, see: _See) -> Plain:
    return value.__qualname__


@_value.register
def _(value: ModuleType, see: _See) -> Plain:
    return _module(value, (), see)


@_value.register
def _(value: logging.Logger, see: _See) -> Plain:
    # A logger's level is the run's, not the definition's.
    return ["logger", value.name]
