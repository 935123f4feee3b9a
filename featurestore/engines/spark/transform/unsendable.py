"""The part of a function that cannot be sent to Spark's workers, with the code that uses it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial, singledispatch
from types import CodeType, FunctionType, MethodType, TracebackType
from typing import Any

from pyspark.sql.udf import UserDefinedFunction

from featurestore.definitions.code.dependencies import global_names
from featurestore.definitions.code.provenance import home

Sendable = Callable[[object], bool]
_OPEN = (FunctionType, MethodType, UserDefinedFunction, partial, type, dict, list, tuple, set)


@dataclass(frozen=True)
class Unsendable:
    """A value that cannot be sent.

    Args:
        code: The code of the function that uses it; None if no function does.
        name: Its name in that function.
        kind: Its type.
    """

    code: CodeType | None
    name: str
    kind: str

    @property
    def text(self) -> str:
        """The value in words, for a message that has named what holds it."""
        return f"value with {self.name!r} ({self.kind})" if self.name else self.kind


def sent_value(traceback: TracebackType | None) -> object:
    """Return what PySpark was sending when it raised an exception; None if it was nothing.

    Args:
        traceback: The exception's traceback.
    """
    while traceback is not None:
        code, names = traceback.tb_frame.f_code, traceback.tb_frame.f_locals
        if code.co_name == "dumps" and code.co_filename.endswith("serializers.py"):
            return names.get("obj")
        traceback = traceback.tb_next
    return None


def unsendable(value: object, can_be_sent: Sendable) -> Unsendable | None:
    """Return the innermost value of a function that cannot be sent; None if there is none.

    Args:
        value: The function, or a value that holds it.
        can_be_sent: Tells whether a value can be sent.
    """
    return _search(value, None, "", can_be_sent, set())


def _search(
    value: object, code: CodeType | None, name: str, can_be_sent: Sendable, seen: set[int]
) -> Unsendable | None:
    if id(value) in seen or can_be_sent(value):
        return None
    seen.add(id(value))
    code = value.__code__ if isinstance(value, FunctionType) else code
    # The inside of a library's object says nothing to a user, but it may hold his function.
    is_opaque = not isinstance(value, _OPEN) and home(type(value).__module__) != "project"
    for inner, part in _parts(value):
        found = _search(part, code, inner or name, can_be_sent, seen)
        if found and not (is_opaque and found.code is code):
            return found
    return Unsendable(code, name, type(value).__name__)


@singledispatch
def _parts(value: object) -> Iterator[tuple[str, object]]:
    """Yield the parts of a value with their names; ``""`` for a part without a name."""
    state = getattr(value, "__dict__", None)
    if isinstance(state, Mapping):
        yield from state.items()


@_parts.register
def _(value: FunctionType) -> Iterator[tuple[str, object]]:
    scope = value.__globals__
    yield from ((name, scope[name]) for name in global_names(value.__code__) if name in scope)
    for name, cell in zip(value.__code__.co_freevars, value.__closure__ or (), strict=True):
        try:
            yield name, cell.cell_contents
        except ValueError:  # the variable has no value yet
            continue
    yield from vars(value).items()
    yield from (("", default) for default in value.__defaults__ or ())
    yield from (value.__kwdefaults__ or {}).items()


@_parts.register
def _(value: type) -> Iterator[tuple[str, object]]:
    for name, member in vars(value).items():
        if name not in ("__dict__", "__weakref__"):
            yield f"{value.__name__}.{name}", getattr(member, "__func__", member)


@_parts.register
def _(value: MethodType) -> Iterator[tuple[str, object]]:
    yield from (("", value.__func__), ("", value.__self__))


@_parts.register(partial)
def _(value: "partial[Any]") -> Iterator[tuple[str, object]]:
    yield from (("", part) for part in (value.func, *value.args, *value.keywords.values()))


@_parts.register
def _(value: UserDefinedFunction) -> Iterator[tuple[str, object]]:
    yield "", value.func


@_parts.register(dict)
def _(value: dict[object, object]) -> Iterator[tuple[str, object]]:
    yield from (("", part) for part in value.values())


@_parts.register(list)
@_parts.register(tuple)
@_parts.register(set)
def _(value: Any) -> Iterator[tuple[str, object]]:
    yield from (("", part) for part in value)
