"""The forms in which arguments of definitions may be written, and the one in which they are kept.

A list, or a single item, becomes a tuple; a `timedelta` becomes a text such as ``"7d"``.
"""

from dataclasses import Field as DataclassField
from dataclasses import fields
from datetime import timedelta
from functools import cache
from types import UnionType
from typing import Any, Union, get_args, get_origin

from featurestore.times import duration_text

_DURATIONS = ("ttl", "available_delay", "delay", "size", "every", "offset")


def unify_arguments(declared: object) -> None:
    """Replace the arguments of a new definition by their stored form.

    Values of wrong types stay as they are: a rule reports them.

    Args:
        declared: A frozen dataclass; call this in its ``__post_init__``.

    Example:
        >>> from featurestore.definitions.model.entity import Entity
        >>> from featurestore.definitions.model.types import Field, String
        >>> Entity("card", join_keys=[Field("id", String)], tags="fraud").tags
        ('fraud',)
    """
    tuples, durations = _fields_of(type(declared))  # type: ignore[arg-type]  # it is a dataclass
    for name in tuples:
        value = getattr(declared, name)
        if not isinstance(value, tuple) or any(isinstance(item, timedelta) for item in value):
            object.__setattr__(declared, name, _tuple(value))
    for name in durations:
        value = getattr(declared, name)
        if isinstance(value, timedelta):
            object.__setattr__(declared, name, duration_text(value))


@cache
def _fields_of(kind: Any) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names of the fields that are tuples, and of those that are durations."""
    declared: tuple[DataclassField[Any], ...] = fields(kind)
    tuples = tuple(field.name for field in declared if _is_tuple(field.type))
    return tuples, tuple(field.name for field in declared if field.name in _DURATIONS)


def _is_tuple(hint: Any) -> bool:
    options = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    return any(get_origin(option) is tuple for option in options)


def _tuple(value: object) -> object:
    if isinstance(value, list | tuple):
        return tuple(duration_text(item) for item in value)
    if isinstance(value, timedelta):
        return (duration_text(value),)
    # Definitions and windows are dataclasses. Anything else, such as None, is a mistake.
    is_item = isinstance(value, str) or hasattr(type(value), "__dataclass_fields__")
    return (value,) if is_item else value
