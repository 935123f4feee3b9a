"""The arguments of public calls: a wrong name or type is an error before anything is done.

Names of other feature stores are known: the error says which name it has here.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from functools import wraps
from numbers import Integral, Real
from types import UnionType
from typing import Any, Literal, ParamSpec, TypeVar, Union, get_args, get_origin

from featurestore.errors import RequestError, nearest

_P = ParamSpec("_P")
_R = TypeVar("_R")

_CHECKED_LATER = (inspect.Parameter.empty, Any, datetime, timedelta)
"""The errors of moments and durations show how to write them."""

_SHOWN = 60
"""Longer texts of values are not shown: they are those of tables and definitions."""

_ARGUMENTS = {
    "df": ("spine", "rows"),
    "entity_df": ("spine", "rows"),
    "spine_df": ("spine", "rows"),
    "entities": ("rows", "spine"),
    "entity_rows": ("rows", "spine"),
    "events": ("spine", "rows"),
    "feature_refs": ("features",),
    "feature_service": ("features",),
    "feature_views": ("views", "features"),
    "timestamp_column": ("timestamp_field",),
    "event_timestamp_column": ("timestamp_field",),
    "start_date": ("start",),
    "end_date": ("end",),
}
_METHODS = {
    "get_online_features": "get_latest_features(features, rows)",
    "get_batch_data": "get_latest_features(features, rows)",
    "create_training_set": "get_training_set(features, spine, label=...)",
    "get_training_data": "get_training_set(features, spine, label=...)",
    "materialize_incremental": "materialize(), which reads new rows only",
    "list_feature_views": "views()",
    "list_entities": "entities()",
    "list_feature_services": "services()",
    "list_data_sources": "sources()",
    "get_feature_view": "applied().view(name)",
    "get_feature_service": "applied().service(name)",
    "get_entity": "entities()",
    "push": "a new file or new rows in the source, and materialize()",
    "teardown": "a deletion of the folder `root` of featurestore.toml",
}


def checked_arguments(method: Callable[_P, _R]) -> Callable[_P, _R]:
    """Return the method with errors for arguments that it does not have, and for wrong types.

    The error names the argument that was probably meant, such as ``spine`` for ``entity_df``.
    Moments, durations and types that are annotated as texts are checked where they are read.

    Example:
        >>> @checked_arguments
        ... def get(features, spine, *, seed: int = 0):
        ...     pass
        >>> get("fraud_v1", entity_df=[])
        Traceback (most recent call last):
        ...
        featurestore.errors.RequestError: get(): there is no argument 'entity_df'. Pass spine=...
        >>> get("fraud_v1", [], seed="1")
        Traceback (most recent call last):
        ...
        featurestore.errors.RequestError: get(): seed is '1'. Pass a whole number.
    """
    signature = inspect.signature(method)
    hints = {name: each.annotation for name, each in signature.parameters.items()}
    names = [name for name in hints if name != "self"]
    call = f"{method.__qualname__.removesuffix('.__init__').rpartition('.')[2]}()"

    @wraps(method)
    def checked(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        for name in kwargs:
            if name not in names:
                known = next((each for each in _ARGUMENTS.get(name, ()) if each in names), None)
                fix = f"Pass {known}= instead." if known else nearest(name, names)
                raise RequestError(call, f"there is no argument {name!r}", fix)
        try:
            given = signature.bind(*args, **kwargs).arguments
        except TypeError as error:
            raise RequestError(call, str(error), f"Its arguments: {_listed(signature)}.") from None
        require_types(call, given, hints)
        return method(*args, **kwargs)

    return checked


def require_types(call: str, values: Mapping[str, object], hints: Mapping[str, Any]) -> None:
    """Check the types of arguments.

    Args:
        call: The call, for the error.
        values: The arguments by name.
        hints: The types by name. Those of moments, durations and texts are not checked.

    Raises:
        RequestError: An argument has another type.

    Example:
        >>> require_types("get()", {"seed": 7}, {"seed": int})
    """
    for name, value in values.items():
        if not _fits(value, hints[name]):
            raise RequestError(call, f"{name} is {_shown(value)}", _advice(name, hints[name]))


def _listed(signature: inspect.Signature) -> str:
    """Return the arguments as a call writes them: those that need a name with ``=``."""
    return ", ".join(
        f"{name}=" if each.kind is inspect.Parameter.KEYWORD_ONLY else name
        for name, each in signature.parameters.items()
        if name != "self"
    )


def _options(hint: Any) -> tuple[Any, ...]:
    return get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)


def _fits(value: object, hint: Any) -> bool:
    options = _options(hint)
    # Texts are names of types that are imported for mypy only.
    if any(isinstance(each, str | TypeVar) or each in _CHECKED_LATER for each in options):
        return True
    return any(_is(value, each) for each in options)


def _is(value: object, option: Any) -> bool:
    kind = get_origin(option) or option
    if kind is Literal:
        return any(type(value) is type(each) and value == each for each in get_args(option))
    if kind is Callable:
        return callable(value)
    if kind is bool:
        return type(value).__name__ in ("bool", "bool_")  # NumPy has one of its own
    if kind in (int, float):
        number = Integral if kind is int else Real
        return isinstance(value, number) and not isinstance(value, bool)
    if kind is Sequence:
        [item] = get_args(option)
        return isinstance(value, Sequence) and all(_is(each, item) for each in value)
    return isinstance(value, kind)


def _shown(value: object) -> str:
    text = repr(value)
    if len(text) <= _SHOWN and "\n" not in text:
        return text
    name = type(value).__name__
    return f"{'an' if name[0] in 'AEIOUaeiou' else 'a'} {name}"


def _advice(name: str, hint: Any) -> str:
    choices = [each for option in _options(hint) for each in get_args(option)]
    if any(get_origin(option) is Literal for option in _options(hint)):
        return f"Pass {' or '.join(map(repr, choices))}."
    if name == "plan":
        return "Write definitions to the definitions folder, then: store.apply(store.plan())."
    kinds = {
        bool: "True or False",
        int: "a whole number",
        float: "a number",
        str: "a text",
        type(None): "None",
        tzinfo: "a time zone",
        Sequence[str]: "a list of texts",
        Sequence[Mapping[str, Any]]: "a list of dicts",
        Mapping[str, str]: "a dict",
    }
    texts = [
        "a function"
        if get_origin(option) is Callable
        else kinds.get(option) or f"a {option.__name__}"
        for option in _options(hint)
    ]
    return f"Pass {' or '.join(texts)}."


def missing_method(name: str) -> str:
    """Return the text of the error for a method that the store does not have.

    Example:
        >>> missing_method("get_online_features")
        "FeatureStore has no 'get_online_features'. Use get_latest_features(features, rows)."
    """
    text = f"FeatureStore has no {name!r}"
    return f"{text}. Use {_METHODS[name]}." if name in _METHODS else text
