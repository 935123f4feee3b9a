"""The dependencies of a function, as plain data: its syntax tree and the code that it uses.

Names are resolved by the function's globals and closure. Functions, classes and modules of the
project are followed at any depth. Libraries count by their version, Python's modules by their
name. `inspect.getclosurevars` is not enough: it omits the names in nested functions and
comprehensions.
"""

import ast
import dis
import importlib
import importlib.util
import logging
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import partial, singledispatch
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType

from featurestore.definitions.code.parameters import hidden_defaults
from featurestore.definitions.code.provenance import home, outside
from featurestore.definitions.code.syntax import (
    attributes,
    class_nodes,
    dynamic_calls,
    evaluated_at_definition,
    function_nodes,
    imports,
    names,
    tree,
    unwrapped,
)
from featurestore.definitions.code.values import Plain, plain_value
from featurestore.errors import DefinitionError

# The last one is used by annotations and type parameters, from Python 3.12 on.
_LOADS = ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS")


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
    return _found(function)[0]


def project_code(function: FunctionType) -> list[FunctionType | type]:
    """Return the functions and classes of the project that a function uses, itself included.

    Raises:
        DefinitionError: The function uses a value that cannot be compared between runs.

    Example:
        >>> import textwrap
        >>> project_code(textwrap.indent)
        []
    """
    return [node for node in _found(function)[1] if not isinstance(node, _Attributes)]


def _found(function: FunctionType) -> tuple[list[Plain], list[_Node]]:
    """Return a function and its dependencies, as plain data and as they are."""
    order: dict[_Node, int] = {}

    def refer(node: _Node) -> str:
        return f"#{order.setdefault(node, len(order))}"

    described = [_value(function, refer)]
    while len(described) <= len(order):
        described.append(_node(list(order)[len(described) - 1], refer))
    return described, list(order)


def global_names(code: CodeType) -> Iterator[str]:
    """Yield the global names that code uses, also in functions inside of it.

    Example:
        >>> sorted(set(global_names((lambda: [len(str(each)) for each in range(2)]).__code__)))
        ['len', 'range', 'str']
    """
    for instruction in dis.get_instructions(code):
        if instruction.opname in _LOADS:
            yield instruction.argval
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from global_names(constant)


@singledispatch
def _node(node: _Node, refer: _Reference) -> Plain:
    raise TypeError(node)


@_node.register
def _(node: FunctionType, refer: _Reference) -> Plain:
    return [_layer(layer, refer) for layer in unwrapped(node) if _in_project(layer)]


@_node.register
def _(node: type, refer: _Reference) -> Plain:
    if members := _members(node):
        bases = [_value(base, refer) for base in node.__bases__]
        return {"bases": bases, "members": _used(node.__name__, members, (), refer)}
    trees = class_nodes(node)
    _check_static(node.__qualname__, trees)
    scope = vars(sys.modules[node.__module__])
    used = (names(trees) & scope.keys()) - {node.__name__}
    attributes_used = attributes(trees)
    described: dict[str, Plain] = {
        "trees": [tree(part) for part in trees],
        "bases": [_value(base, refer) for base in node.__bases__],
        "uses": _uses(used, scope, attributes_used, refer),
    }
    # Without empty parts, so that they change no fingerprint of an earlier release.
    if inside := imports(trees):
        described["imports"] = _imports(inside, scope, attributes_used, refer)
    if captured := _captured(node):
        described["closure"] = _uses(set(captured), captured, attributes_used, refer)
    return described


@_node.register
def _(node: _Attributes, refer: _Reference) -> Plain:
    scope = vars(node.module)
    return _uses(set(node.names) & scope.keys(), scope, node.names, refer)


def _layer(function: FunctionType, refer: _Reference) -> Plain:
    trees, scope = function_nodes(function), function.__globals__
    _check_static(function.__qualname__, trees)
    members = attributes(trees)
    used = set(global_names(function.__code__)) | names(evaluated_at_definition(trees))
    closure = _closure(function)
    described: dict[str, Plain] = {
        "trees": [tree(part) for part in trees],
        "uses": _uses(used & scope.keys(), scope, members, refer),
        "closure": _uses(set(closure), closure, members, refer),
        "imports": _imports(imports(trees), scope, members, refer),
    }
    if hidden := hidden_defaults(function, trees, scope):
        described["defaults"] = _uses(set(hidden), hidden, members, refer)
    if added := {name: value for name, value in vars(function).items() if name != "__wrapped__"}:
        described["attributes"] = _uses(set(added), added, members, refer)
    return described


def _check_static(name: str, trees: Sequence[ast.AST]) -> None:
    if called := dynamic_calls(trees):
        raise DefinitionError(
            f"fingerprint {name!r}",
            f"it calls {called[0]}(), so what it uses cannot be compared between runs",
            "Import the module, or write the name itself.",
        )


def _closure(function: FunctionType) -> dict[str, object]:
    """Return the values of the variables that a function takes from the functions around it."""
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    return {name: cell.cell_contents for name, cell in cells}


def _members(declared: type) -> dict[str, object]:
    """Return what a call such as ``namedtuple("Point", "x y")`` has made; empty for a class."""
    names_of_fields = vars(declared).get("_fields")
    if isinstance(names_of_fields, tuple) and "__annotations__" not in vars(declared):
        return {"fields": names_of_fields, "defaults": vars(declared).get("_field_defaults")}
    try:
        class_nodes(declared)
    except DefinitionError:
        if not issubclass(declared, Enum):
            raise
        return {name: member.value for name, member in declared.__members__.items()}
    return {}


def _captured(declared: type) -> dict[str, object]:
    """Return the values that a class inside a function takes from that function."""
    if "<locals>" not in declared.__qualname__:
        return {}
    captured: dict[str, object] = {}
    for name, member in vars(declared).items():
        function = getattr(member, "__func__", getattr(member, "fget", member))
        if isinstance(function, FunctionType):
            cells = _closure(function)
            captured |= {f"{name}.{cell}": cells[cell] for cell in cells if cell != "__class__"}
        elif not name.startswith("__"):
            captured[name] = member
    return captured


def _imports(
    found: Sequence[tuple[str, str | None]],
    scope: Mapping[str, object],
    members: Sequence[str],
    refer: _Reference,
) -> list[Plain]:
    return [_imported(module, name, scope, members, refer) for module, name in found]


def _uses(
    used: set[str], scope: Mapping[str, object], members: Sequence[str], refer: _Reference
) -> dict[str, Plain]:
    return {name: _used(name, scope[name], members, refer) for name in sorted(used)}


def _used(name: str, value: object, members: Sequence[str], refer: _Reference) -> Plain:
    if isinstance(value, ModuleType):
        return _module(value, members, refer)
    try:
        return _value(value, refer)
    except (ValueError, RecursionError):
        raise DefinitionError(
            f"fingerprint {name!r}",
            f"values of {type(value).__name__} cannot be compared between runs",
            "Use plain values (numbers, text, tuples, dictionaries), or create the value in the "
            "function.",
        ) from None


def _module(module: ModuleType, members: Sequence[str], refer: _Reference) -> Plain:
    if home(module.__name__) != "project":
        return outside(module.__name__)
    found = tuple(name for name in members if name in vars(module))
    # All names are used if one of them is a module, as `feature_defs.shared.LIMIT` has it.
    inner = any(isinstance(vars(module)[name], ModuleType) for name in found)
    return refer(_Attributes(module, tuple(members) if inner else found))


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
    try:
        module = importlib.import_module(absolute)
    except ModuleNotFoundError:
        return f"{absolute}:{name or ''}"
    except Exception as error:  # noqa: BLE001  # user code raises anything
        raise DefinitionError(
            f"import {absolute!r}",
            f"the module does not import: {type(error).__name__}: {error}",
            "Correct the module.",
        ) from None
    if name is None:  # the name may be of the whole package, or of the module after `as`
        package = sys.modules[absolute.partition(".")[0]]
        described = _module(package, members, refer)
        return described if package is module else [described, _module(module, members, refer)]
    if not hasattr(module, name):
        return _module(importlib.import_module(f"{absolute}.{name}"), members, refer)
    return _used(name, getattr(module, name), members, refer)


def _in_project(function: FunctionType) -> bool:
    # By its globals: `functools.wraps` copies the name of the wrapped function's module.
    return home(str(function.__globals__.get("__name__") or "__main__")) == "project"


@singledispatch
def _value(value: object, refer: _Reference) -> Plain:
    """Return plain data that is equal if and only if the value is.

    Raises:
        ValueError: The value has no such representation.
    """
    return plain_value(value, partial(_value, refer=refer))


@_value.register
def _(value: FunctionType, refer: _Reference) -> Plain:
    layers = unwrapped(value)
    libraries = [layer for layer in layers if not _in_project(layer)]
    seen = [refer(value)] if len(libraries) < len(layers) else []
    return [*(_library_layer(layer, value, refer) for layer in libraries), *seen]


def _library_layer(layer: FunctionType, value: FunctionType, refer: _Reference) -> Plain:
    """Return a library's function, with the arguments of the decorator that made it."""
    module, name = str(layer.__globals__.get("__name__")), layer.__code__.co_qualname
    if layer is unwrapped(value)[-1]:
        return outside(layer.__module__, layer.__qualname__)
    if hasattr(layer, "registry"):  # of `functools.singledispatch`
        return [outside(module, name), _value(dict(layer.registry), refer)]
    return [outside(module, name), _value(_closure(layer), refer)]


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
    owner, name = value.__self__, value.__qualname__
    if owner is not None and not isinstance(owner, ModuleType):
        return ["method", name, _value(owner, refer)]
    module = value.__module__ or "builtins"
    return name if module == "builtins" else outside(module, name)


@_value.register
def _(value: ModuleType, refer: _Reference) -> Plain:
    return _module(value, (), refer)


@_value.register
def _(value: logging.Logger, refer: _Reference) -> Plain:
    # A logger's level belongs to the run, not to the definition.
    return ["logger", value.name]
