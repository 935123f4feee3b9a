"""The forms in which arguments of definitions may be written, and the one in which they are kept.

A list, or a single item, becomes a tuple; a `timedelta` becomes a text such as ``"7d"``.
"""

import inspect
from collections.abc import Iterable, Mapping
from dataclasses import Field as DataclassField
from dataclasses import fields
from datetime import timedelta
from functools import cache, wraps
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin

from featurestore.definitions.origin import origin
from featurestore.errors import DefinitionError, nearest
from featurestore.times import duration_text

_T = TypeVar("_T")

# Arguments that another kind of definition has, and why this one has them not.
_NOT_HERE = {
    ("OnDemandFeatureView", "schedule"): (
        "Remove schedule=: the view is computed at each call and has no table, so nothing runs."
    )
}
_DURATIONS = ("ttl", "available_delay", "delay", "size", "every", "offset")


def named_arguments(kind: type[_T]) -> type[_T]:
    """Return a class of definitions with an error of ours for arguments that it does not have.

    Example:
        >>> from featurestore.definitions.model.entity import Entity
        >>> Entity("card", keys=[])
        Traceback (most recent call last):
        ...
        featurestore.errors.DefinitionError: Entity() at ...: there is no argument 'keys'...
    """
    signature, constructor = inspect.signature(kind), kind.__init__
    names = [
        name if each.kind is not inspect.Parameter.KEYWORD_ONLY else f"{name}="
        for name, each in signature.parameters.items()
    ]

    @wraps(constructor)
    def construct(self: _T, *args: Any, **kwargs: Any) -> None:
        try:
            signature.bind(*args, **kwargs)
        except TypeError as error:
            found, fix = str(error), f"Write {kind.__name__}({', '.join(names)})."
            for name in kwargs:
                if name not in signature.parameters:
                    found = f"there is no argument {name!r}"
                    near = nearest(name, signature.parameters)
                    fix = _NOT_HERE.get((kind.__name__, name), near)
            call = f"{kind.__name__}() at {origin()}"
            raise DefinitionError(call, found, fix) from None
        constructor(self, *args, **kwargs)

    kind.__init__ = construct  # type: ignore[assignment]  # of the same signature
    return kind


def feature_tuple(view: str, features: object) -> tuple[str, ...]:
    """Return the chosen features of a view.

    Args:
        view: The view's name.
        features: A name, or several.

    Raises:
        DefinitionError: It is neither.

    Example:
        >>> feature_tuple("activity", "count_7d"), feature_tuple("activity", ["a", "b"])
        (('count_7d',), ('a', 'b'))
    """
    if isinstance(features, str):
        return (features,)
    if not isinstance(features, Iterable):
        call, found = f"{view}[...] at {origin()}", f"{features!r} is no list of names"
        raise DefinitionError(call, found, f"Write {view}[['feature', 'feature']].")
    return tuple(features)


def join_key_pairs(columns: object) -> tuple[tuple[str, str], ...]:
    """Return pairs of a join key and a spine column.

    Args:
        columns: A dict of these pairs.

    Raises:
        DefinitionError: It is no dict.

    Example:
        >>> join_key_pairs({"account_id": "payer_id"})
        (('account_id', 'payer_id'),)
    """
    if not isinstance(columns, Mapping):
        call, found = f"with_join_keys() at {origin()}", f"{columns!r} is no dict"
        raise DefinitionError(call, found, "Write with_join_keys({'join_key': 'spine_column'}).")
    return tuple(columns.items())


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
