"""`Request`: the requested features, and the time column of the spine."""

from dataclasses import dataclass
from datetime import tzinfo

from featurestore.engines.spine_times import NullTimes
from featurestore.query.selection import Selection


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
