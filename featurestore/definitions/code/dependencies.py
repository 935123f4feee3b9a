"""The dependencies of a function, as plain data: its syntax tree and the code that it uses.

Names are resolved by the function's globals and closure. Functions, classes and modules of the
project are followed at any depth. Libraries count by their version, Python's modules by their
name. `inspect.getclosurevars` is not enough: it omits the names in nested functions and
comprehensions.
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

# Different values may share a representation that has an address or is shortened.
_UNSTABLE = re.compile(r" at 0x|\.\.\.")


@dataclass(frozen=True)
class _Attributes:
    """The attributes ``module.name`` of a module of the project that some code uses."""

    module: ModuleType
    names: tuple[str, ...]


_Node = FunctionType | type | _Attributes
_Reference = Callable[[_Node], str]
"""Returns the reference to a node of the list, such as ``"#3"``, and adds new nodes to it."""


def dependencies(function: FunctionType) -> Plain:
    """Return a function and its dependencies as a list, each once, in the order of discovery.

    Nodes refer to each other by their positions in the list. So the list stays equal when code
    moves to another module, and recursion ends.

    Raises:
        DefinitionError: The function uses a value that cannot be compared between runs.

    Example:
        >>> import textwrap
        >>> dependencies(textwrap.indent)
        [['textwrap:indent']]
    """
    order: dict[_Node, int] = {}

    def refer(node: _Node) -> str:
        return f"#{order.setdefault(node, len(order))}"

    described = [_value(function, refer)]
    while len(described) <= len(order):
        described.append(_node(list(order)[len(described) - 1], refer))
    return described


@singledispatch
def _node(node: _Node, refer: _Reference) -> Plain:
    raise TypeError(node)


@_node.register
def _(node: FunctionType, refer: _Reference) -> Plain:
    return [_layer(layer, refer) for layer in unwrapped(node) if _in_project(layer)]


@_node.register
def _(node: type, refer: _Reference) -> Plain:
    trees = class_nodes(node)
    scope = vars(sys.modules[node.__module__])
    used = (names(trees) & scope.keys()) - {node.__name__}
    return {
        "trees": [tree(part) for part in trees],
        "bases": [_value(base, refer) for base in node.__bases__],
        "uses": _uses(used, scope, attributes(trees), refer),
    }


@_node.register
def _(node: _Attributes, refer: _Reference) -> Plain:
    return _uses(set(node.names), vars(node.module), node.names, refer)


def _layer(function: FunctionType, refer: _Reference) -> Plain:
    trees, scope = function_nodes(function), function.__globals__
    members = attributes(trees)
    used = set(_globals_of(function.__code__)) | names(evaluated_at_definition(trees))
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    closure = {name: cell.cell_contents for name, cell in cells}
    return {
        "trees": [tree(part) for part in trees],
        "uses": _uses(used & scope.keys(), scope, members, refer),
        "closure": _uses(set(closure), closure, members, refer),
        "imports": [
            _imported(module, name, scope, members, refer) for module, name in imports(trees)
        ],
    }


def _globals_of(code: CodeType) -> Iterator[str]:
    for instruction in dis.get_instructions(code):
        if instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            yield instruction.argval
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _globals_of(constant)


def _uses(
    used: set[str], scope: Mapping[str, object], members: Sequence[str], refer: _Reference
) -> dict[str, Plain]:
    return {name: _used(name, scope[name], members, refer) for name in sorted(used)}


def _used(name: str, value: object, members: Sequence[str], refer: _Reference) -> Plain:
    if isinstance(value, ModuleType):
        return _module(value, members, refer)
    try:
        return _value(value, refer)
    except ValueError:
        raise DefinitionError(
            f"fingerprint {name!r}",
            f"values of {type(value).__name__} cannot be compared between runs",
            "Use plain values (numbers, text, tuples, dictionaries), or create the value in the "
            "function.",
        ) from None


def _module(module: ModuleType, members: Sequence[str], refer: _Reference) -> Plain:
    if home(module.__name__) != "project":
        return outside(module.__name__)
    return refer(_Attributes(module, tuple(name for name in members if hasattr(module, name))))


def _imported(
    target: str,
    name: str | None,
    scope: Mapping[str, object],
    members: Sequence[str],
    refer: _Reference,
) -> Plain:
    absolute = importlib.util.resolve_name(target, str(scope.get("__package__") or ""))
    if home(absolute) != "project":
        return outside(absolute)
    module = importlib.import_module(absolute)
    if name is None:
        return _module(sys.modules[absolute.partition(".")[0]], members, refer)
    if not hasattr(module, name):
        return _module(importlib.import_module(f"{absolute}.{name}"), members, refer)
    return _used(name, getattr(module, name), members, refer)


def _in_project(function: FunctionType) -> bool:
    return home(function.__module__ or "__main__") == "project"


@singledispatch
def _value(value: object, refer: _Reference) -> Plain:
    """Return plain data that is equal if and only if the value is.

    Raises:
        ValueError: The value has no such representation.
    """
    if is_dataclass(value):
        shown = {f.name: _value(getattr(value, f.name), refer) for f in fields(value) if f.compare}
        return [_value(type(value), refer), shown]
    text = repr(value)
    if _UNSTABLE.search(text):
        raise ValueError(text)
    return [_value(type(value), refer), text]


@_value.register(type(None))
@_value.register(bool)
@_value.register(int)
@_value.register(float)
@_value.register(str)
@_value.register(bytes)
def _(value: object, refer: _Reference) -> Plain:
    return repr(value)


@_value.register(tuple)
@_value.register(list)
def _(value: Sequence[object], refer: _Reference) -> Plain:
    return [type(value).__name__, *(_value(item, refer) for item in value)]


@_value.register(set)
@_value.register(frozenset)
def _(value: set[object], refer: _Reference) -> Plain:
    return ["set", *sorted((_value(item, refer) for item in value), key=repr)]


@_value.register(dict)
def _(value: Mapping[object, object], refer: _Reference) -> Plain:
    return ["dict", *([_value(key, refer), _value(item, refer)] for key, item in value.items())]


@_value.register
def _(value: FunctionType, refer: _Reference) -> Plain:
    layers = unwrapped(value)
    libraries = [layer for layer in layers if not _in_project(layer)]
    seen = [refer(value)] if len(libraries) < len(layers) else []
    return [*(outside(layer.__module__, layer.__qualname__) for layer in libraries), *seen]


@_value.register
def _(value: type, refer: _Reference) -> Plain:
    if home(value.__module__) == "project":
        return refer(value)
    return outside(value.__module__, value.__qualname__)


@_value.register(partial)
def _(value: "partial[object]", refer: _Reference) -> Plain:
    return ["partial", *(_value(part, refer) for part in (value.func, value.args, value.keywords))]


@_value.register
def _(value: MethodType, refer: _Reference) -> Plain:
    return ["method", _value(value.__func__, refer), _value(value.__self__, refer)]


@_value.register
def _(value: BuiltinFunctionType, refer: _Reference) -> Plain:
    return value.__qualname__


@_value.register
def _(value: ModuleType, refer: _Reference) -> Plain:
    return _module(value, (), refer)


@_value.register
def _(value: logging.Logger, refer: _Reference) -> Plain:
    # A logger's level belongs to the run, not to the definition.
    return ["logger", value.name]
