"""The values that code uses, as plain data: equal if and only if the values are equal.

A representation may be shortened, rounded, or hide a part of a value. So it counts only for types
whose representation is known to be exact. Any other object counts by its type and its state: what
`pickle` would store of it.
"""

import copyreg
import enum
import re
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from functools import singledispatch
from pathlib import PosixPath, PurePosixPath, PureWindowsPath, WindowsPath
from random import Random
from types import (
    ClassMethodDescriptorType,
    GenericAlias,
    MappingProxyType,
    MethodDescriptorType,
    SimpleNamespace,
    UnionType,
    WrapperDescriptorType,
)
from uuid import UUID
from zoneinfo import ZoneInfo

from featurestore.definitions.code.provenance import home, outside

Plain = str | Sequence["Plain"] | Mapping[str, "Plain"]

Describe = Callable[[object], Plain]
"""Returns a part of a value as plain data."""

_PRIMITIVES = (type(None), bool, int, float, str, bytes)
_EXACT = (
    *(date, timedelta, timezone, ZoneInfo, Decimal, Fraction, UUID, range, complex, bytearray),
    *(PurePosixPath, PureWindowsPath, PosixPath, WindowsPath, type(Ellipsis)),
    *(MethodDescriptorType, WrapperDescriptorType, ClassMethodDescriptorType),
    *(GenericAlias, UnionType),
)
"""Types of Python whose representation is exact. Their subclasses are not among them."""

_ZONES = (type(None), timezone, ZoneInfo)
_ADDRESS = " at 0x"
# Spark adds more to a function of a user at its first use.
_UDF_PARTS = ("func", "_returnType", "evalType", "deterministic")
# A pattern's representation is cut, without a sign of it.
_LONGEST_PATTERN = 200
# Python refuses to write whole numbers of more than 4,300 digits.
_LONGEST_DECIMAL = 2**8192


def plain_value(value: object, describe: Describe) -> Plain:
    """Return plain data that is equal if and only if the value is.

    Args:
        value: A value that is no function, class or module.
        describe: Returns a part of the value as plain data; it may be anything.

    Raises:
        ValueError: The value has no such representation: it is an iterator, a lock, a connection.

    Example:
        >>> plain_value({3, 1, 2}, lambda part: plain_value(part, repr))
        ['set', '1', '2', '3']
    """
    kind = type(value)
    if kind in _PRIMITIVES:
        return primitive_text(value)
    if kind in _EXACT or kind.__module__ == "typing" or _is_exact_time(value):
        return [describe(kind), _stable(repr(value))]
    return _value(value, describe)


def primitive_text(value: object) -> str:
    """Return the exact text of None, a boolean, a number, a text or bytes.

    Example:
        >>> primitive_text(-0.0), primitive_text("1")
        ('-0.0', "'1'")
    """
    if type(value) is int and abs(value) >= _LONGEST_DECIMAL:
        return hex(value)
    return repr(value)


@singledispatch
def _value(value: object, describe: Describe) -> Plain:
    if type(value).__module__ == "numpy" and hasattr(value, "dtype") and _is_number(value):
        return repr(value) if isinstance(value, float | str | bytes) else _shown(value, describe)
    if type(value).__module__ == "pyspark.sql.types":
        return _spark_type(value, describe)
    if is_dataclass(value) and not isinstance(value, _PRIMITIVES + _CONTAINERS):
        return _dataclass(value, describe)
    if _is_udf(value):
        return [describe(type(value)), *(describe(getattr(value, part)) for part in _UDF_PARTS)]
    if hasattr(value, "__wrapped__") and callable(value):  # such as `functools.lru_cache`
        parameters: object = getattr(value, "cache_parameters", dict)()
        return [describe(type(value)), describe(value.__wrapped__), describe(parameters)]
    return _state(value, describe)


@_value.register(tuple)
@_value.register(list)
def _(value: Sequence[object], describe: Describe) -> Plain:
    if type(value) in (tuple, list):
        return [type(value).__name__, *(describe(item) for item in value)]
    return [
        describe(type(value)),
        *(describe(item) for item in value),
        *_attributes(value, describe),
    ]


@_value.register(set)
@_value.register(frozenset)
def _(value: set[object], describe: Describe) -> Plain:
    # In a stable order before they are described: references are numbered in this order.
    items = [describe(item) for item in sorted(value, key=_order)]
    if type(value) in (set, frozenset):
        return ["set", *items]
    return [describe(type(value)), *items, *_attributes(value, describe)]


@_value.register
def _(value: dict, describe: Describe) -> Plain:  # type: ignore[type-arg]  # dispatch needs a bare class
    items = ([describe(key), describe(item)] for key, item in value.items())
    if type(value) in (dict, OrderedDict):
        return ["dict", *items]
    factory = [describe(value.default_factory)] if hasattr(value, "default_factory") else []
    return [describe(type(value)), *factory, *items, *_attributes(value, describe)]


@_value.register
def _(value: MappingProxyType, describe: Describe) -> Plain:  # type: ignore[type-arg]  # as above
    return ["mappingproxy", describe(dict(value))]


@_value.register(type({}.keys()))
@_value.register(type({}.values()))
@_value.register(type({}.items()))
def _(value: Iterable[object], describe: Describe) -> Plain:
    return [describe(type(value)), *(describe(item) for item in value)]


@_value.register
def _(value: SimpleNamespace, describe: Describe) -> Plain:
    return [describe(type(value)), describe(vars(value))]


@_value.register
def _(value: enum.Enum, describe: Describe) -> Plain:
    if type(value.value) in _PRIMITIVES:
        text = primitive_text(value.value)
        return [describe(type(value)), f"<{type(value).__name__}.{value.name}: {text}>"]
    return [describe(type(value)), str(value.name), describe(value.value)]


@_value.register
def _(value: re.Pattern, describe: Describe) -> Plain:  # type: ignore[type-arg]  # as above
    text = repr(value)
    if len(repr(value.pattern)) < _LONGEST_PATTERN:
        return [describe(type(value)), text]
    return [describe(type(value)), describe(value.pattern), str(value.flags)]


_CONTAINERS = (tuple, list, set, frozenset, dict)


def _dataclass(value: object, describe: Describe) -> Plain:
    # The origins of our own definitions do not count; in other dataclasses every field does.
    ours = type(value).__module__.partition(".")[0] == __name__.partition(".")[0]
    counted = [field.name for field in fields(value) if field.compare or not ours]  # type: ignore[arg-type]  # it is a dataclass
    more = [] if ours else sorted(getattr(value, "__dict__", {}).keys() - set(counted))
    shown = {name: describe(getattr(value, name, None)) for name in (*counted, *more)}
    return [describe(type(value)), shown]


def _state(value: object, describe: Describe) -> Plain:
    """Return an object's type and state, as `pickle` stores them."""
    # Iterators and generators of random numbers change whenever they are used.
    if type(value) is object or isinstance(value, Iterator | Random) or _is_random(value):
        raise ValueError(type(value).__name__)
    try:
        registered = copyreg.dispatch_table.get(type(value))
        reduced = registered(value) if registered else value.__reduce_ex__(4)
    except Exception as error:  # the class may raise anything
        raise ValueError(str(error)) from error
    if isinstance(reduced, str):  # it is found by its name in a module
        module = getattr(value, "__module__", None) or type(value).__module__
        if home(module) == "project":
            raise ValueError(reduced)
        return outside(module, reduced)
    make, arguments, state, items, pairs = (*reduced, None, None, None)[:5]
    parts = [arguments, state, items and list(items), pairs and [list(pair) for pair in pairs]]
    return [describe(type(value)), describe(make), *map(describe, parts)]


def _is_random(value: object) -> bool:
    return type(value).__module__.startswith("numpy.random")


def _attributes(value: object, describe: Describe) -> Iterator[Plain]:
    if getattr(value, "__dict__", None):
        yield describe(vars(value))


def _shown(value: object, describe: Describe) -> Plain:
    return [describe(type(value)), _stable(repr(value))]


def _stable(text: str) -> str:
    if _ADDRESS in text:
        raise ValueError(text)
    return text


def _is_exact_time(value: object) -> bool:
    return type(value) in (datetime, time) and type(value.tzinfo) in _ZONES  # type: ignore[attr-defined]  # both have it


def _is_number(value: object) -> bool:
    """Return whether the kind of a NumPy scalar is a boolean, number, time or text."""
    return getattr(value, "shape", None) == () and value.dtype.kind in "biufcmMSU"  # type: ignore[attr-defined]  # it has a dtype


def _is_udf(value: object) -> bool:
    kind = type(value)
    return kind.__name__ == "UserDefinedFunction" and kind.__module__.startswith("pyspark.")


def _spark_type(value: object, describe: Describe) -> Plain:
    shown = [describe(type(value)), _stable(repr(value))]
    # The representation omits the metadata of fields.
    text = value.json() if hasattr(value, "json") else ""
    return [*shown, text] if '"metadata":{"' in text else shown


def _order(item: object) -> tuple[str, str]:
    """Return an item's place in the order of a set: by its value, or the name of a function."""

    def named(part: object) -> Plain:
        name = getattr(part, "__qualname__", None)
        return name if isinstance(name, str) else plain_value(part, named)

    return repr(named(item)), str(getattr(item, "__module__", ""))
