"""`Request`: the requested features, and the time column of the spine."""

from collections.abc import Sequence
from dataclasses import dataclass

from featurestore.engines.bind import NullTimes


@dataclass(frozen=True)
class Request:
    """The features that a call requests, and how to read the spine's times.

    Args:
        call: The call's text, for error messages.
        features: A service's name, or references ``"view:feature"``.
        timestamp_field: The spine's time column.
        timezone: The zone of times without one. None makes such times an error.
        null_times: Whether rows without a time are an error, or kept with null features.
    """

    call: str
    features: str | Sequence[str]
    timestamp_field: str = "event_timestamp"
    timezone: str | None = None
    null_times: NullTimes = "error"
