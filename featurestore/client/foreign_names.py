"""Names of other feature stores: a call with one of them says which name it has here."""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from featurestore.errors import RequestError, nearest

_P = ParamSpec("_P")
_R = TypeVar("_R")

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
    "list_feature_views": "applied().views",
    "list_entities": "applied().entities",
    "list_feature_services": "applied().services",
    "list_data_sources": "applied().sources",
    "get_feature_view": "applied().view(name)",
    "get_feature_service": "applied().service(name)",
    "get_entity": "applied().entities",
    "push": "a new file or new rows in the source, and materialize()",
    "teardown": "a deletion of the folder `root` of featurestore.toml",
}


def checked_arguments(method: Callable[_P, _R]) -> Callable[_P, _R]:
    """Return the method with an error for an argument that it does not have.

    The error names the argument that was probably meant, such as ``spine`` for ``entity_df``.

    Example:
        >>> @checked_arguments
        ... def get(features, spine):
        ...     pass
        >>> get("fraud_v1", entity_df=[])
        Traceback (most recent call last):
        ...
        featurestore.errors.RequestError: get(): there is no argument 'entity_df'. Pass spine=...
    """
    names = [name for name in inspect.signature(method).parameters if name != "self"]

    @wraps(method)
    def checked(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        for name in kwargs:
            if name not in names:
                known = next((each for each in _ARGUMENTS.get(name, ()) if each in names), None)
                fix = f"Pass {known}= instead." if known else nearest(name, names)
                raise RequestError(f"{method.__name__}()", f"there is no argument {name!r}", fix)
        return method(*args, **kwargs)

    return checked


def missing_method(name: str) -> str:
    """Return the text of the error for a method that the store does not have.

    Example:
        >>> missing_method("get_online_features")
        "FeatureStore has no 'get_online_features'. Use get_latest_features(features, rows)."
    """
    text = f"FeatureStore has no {name!r}"
    return f"{text}. Use {_METHODS[name]}." if name in _METHODS else text
