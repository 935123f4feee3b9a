"""Compare a value with a type annotation, and say what to write where it does not fit."""

import collections.abc
import types
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, Union, get_args, get_origin

from featurestore.definitions.model.types import Field
from featurestore.errors import nearest
from featurestore.times import duration_example

# The arguments that are durations.
_DURATIONS = ("ttl", "available_delay", "delay", "size", "every", "offset")


def fits(value: object, hint: Any) -> bool:
    """Return whether a value fits a type annotation; a bool does not count as a number.

    Example:
        >>> fits(("a", "b"), tuple[str, ...]), fits(["a"], tuple[str, ...]), fits(True, int)
        (True, False, False)
    """
    origin, arguments = get_origin(hint), get_args(hint)
    if hint is Any:
        return True
    if origin in (Union, types.UnionType):
        return any(fits(value, option) for option in arguments)
    if origin is Literal:
        return any(value is option or value == option for option in arguments)
    if origin is tuple:
        return isinstance(value, tuple) and _items_fit(value, arguments)
    if origin is collections.abc.Callable:
        return callable(value)
    if origin is collections.abc.Mapping:
        return isinstance(value, Mapping) and _entries_fit(value, arguments)
    if hint in (int, float):
        return isinstance(value, hint) and not isinstance(value, bool)
    return isinstance(value, hint)


def problem(name: str, value: object, hint: Any) -> str:
    """Return what is wrong with an argument, and what to write instead.

    Example:
        >>> problem("tags", "fraud", tuple[str, ...])
        "tags is text. Write a tuple: tags=('fraud',)."
        >>> problem("closed", "rihgt", Literal["left", "right"])
        "closed is 'rihgt'. Did you mean 'right'?"
    """
    options = [option for part in _options(hint) for option in get_args(part)]
    if any(get_origin(part) is Literal for part in _options(hint)):
        return f"{name} is {value!r}. {nearest(str(value), options)}"
    if any(get_origin(part) is tuple for part in _options(hint)):
        return _tuple_problem(name, value, hint)
    if name in _DURATIONS:
        return (
            f"{name} is {_kind(value)}. Write a text: {name}={duration_example(value)!r}, or a "
            "timedelta of whole seconds."
        )
    return f"{name} is {_kind(value)}. Give {_text(hint)}."


def _items_fit(value: tuple[object, ...], arguments: tuple[Any, ...]) -> bool:
    if arguments[1:] == (Ellipsis,):
        return all(fits(item, arguments[0]) for item in value)
    return len(value) == len(arguments) and all(map(fits, value, arguments))


def _entries_fit(value: Mapping[object, object], arguments: tuple[Any, ...]) -> bool:
    return all(fits(key, arguments[0]) and fits(item, arguments[1]) for key, item in value.items())


def _tuple_problem(name: str, value: object, hint: Any) -> str:
    item_hint = next(get_args(part)[0] for part in _options(hint) if get_origin(part) is tuple)
    if item_hint is Any:  # lengths of windows
        return f"{name} is {_kind(value)}. Write a tuple: {name}=({duration_example(value)!r},)."
    if value is None or isinstance(value, Iterator):
        return f"{name} is {_kind(value)}. Write a tuple of {_text(item_hint)}."
    if isinstance(value, Mapping) and Field in _options(item_hint):
        fields = [f'fs.Field("{key}", fs.{dtype})' for key, dtype in value.items()]
        return f"{name} is {_kind(value)}. Write a tuple: {name}=({', '.join(fields)},)."
    items = _items(value)
    shown = ", ".join(_in_place_of(item, item_hint) for item in items)
    example = f"{name}=({shown}{',' if len(items) == 1 else ''})"
    if not isinstance(value, tuple):
        return f"{name} is {_kind(value)}. Write a tuple: {example}."
    wrong = [item for item in items if not fits(item, item_hint)]
    problem = f"{name} contains {_name(wrong[0])}, {_kind(wrong[0])}. Give {_text(item_hint)}"
    return f"{problem}: {example}." if isinstance(wrong[0], str) else f"{problem}."


def _items(value: object) -> Sequence[object]:
    """Return what somebody meant by a value in place of a tuple: of a dictionary, its keys."""
    if isinstance(value, set | frozenset):
        return sorted(value, key=repr)
    return tuple(value) if isinstance(value, list | tuple | Mapping) else (value,)


def _in_place_of(item: object, hint: Any) -> str:
    """Return what to write for an item: a definition's name in quotes becomes the definition."""
    if not isinstance(item, str) or fits(item, hint):
        return _name(item)
    if Field in _options(hint):
        return f'fs.Field("{item}", fs.String)'
    return item if item.isidentifier() else repr(item)


def _options(hint: Any) -> tuple[Any, ...]:
    return get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)


def _name(value: object) -> str:
    return str(getattr(value, "name", None) or repr(value))


def _kind(value: object) -> str:
    if value is None:
        return "None"
    kinds = {
        str: "text",
        list: "a list",
        dict: "a dict",
        int: "a number",
        float: "a number",
        bool: "a boolean",
    }
    if isinstance(value, type):
        return f"the class {value.__name__}"
    name = type(value).__name__
    return kinds.get(type(value), f"{'an' if name[0] in 'AEIOUaeiou' else 'a'} {name}")


def _text(hint: Any) -> str:
    names = {str: "text", type(None): "None", bool: "True or False", int: "a whole number"}
    parts = []
    for option in _options(hint):
        if get_origin(option) is collections.abc.Callable:
            parts.append("a function")
        elif get_origin(option) is collections.abc.Mapping:
            parts.append("a dictionary of texts")
        else:
            parts.append(names.get(option, getattr(option, "__name__", str(option))))
    return " or ".join(parts)
