"""`Request`: the requested features, and the time column of the spine."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path
from typing import Any, get_args

from featurestore.client.spines.file import SUFFIXES
from featurestore.definitions.model.manifest import Manifest
from featurestore.engines.spine_times import NullTimes
from featurestore.errors import RequestError, SpineError, nearest
from featurestore.query.compile import compile_query
from featurestore.query.nodes import Query
from featurestore.query.selection import Selection, is_selected


@dataclass(frozen=True)
class Request:
    """The features that a call requests, and how to read the spine's times.

    Args:
        call: The call's text, for error messages.
        features: Services, views, or references ``"view:feature"``: names or definitions.
        timestamp_field: The spine's time column.
        timezone: The zone of times without one. None makes such times an error.
        null_times: Whether rows without a time are an error, or kept with null features.
    """

    call: str
    features: Selection
    timestamp_field: str = "event_timestamp"
    timezone: str | tzinfo | None = None
    null_times: NullTimes = "error"


def compile_request(manifest: Manifest, request: Request, spine: Any) -> Query:
    """Return the query of a request.

    Args:
        manifest: The applied definitions.
        request: The features, and the spine's time column.
        spine: The rows, in any form. They are not read.

    Raises:
        NotFoundError: A name is not applied.
        RequestError: ``null_times`` has another value, or ``timestamp_field`` is no name.
        SpineError: The features and the rows have changed places.
    """
    name: object = request.timestamp_field
    if not isinstance(name, str):
        problem = f"timestamp_field is {name!r}"
        raise RequestError(request.call, problem, "Pass the name of the spine's time column.")
    if request.null_times not in (choices := get_args(NullTimes)):
        problem = f"null_times is {request.null_times!r}"
        raise RequestError(request.call, problem, nearest(str(request.null_times), choices))
    if not _names_features(request.features) and _names_features(spine):
        raise SpineError(
            request.call,
            "the rows are the first argument, and the features the second",
            "Pass the features first, and then the rows.",
        )
    return compile_query(
        manifest, request.features, call=request.call, timestamp_field=request.timestamp_field
    )


def _names_features(argument: Any) -> bool:
    if isinstance(argument, Sequence) and not isinstance(argument, str):
        return bool(argument) and all(map(is_selected, argument))
    is_path = isinstance(argument, str) and Path(argument).suffix.lower() in SUFFIXES
    return is_selected(argument) and not is_path
