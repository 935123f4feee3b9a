"""`Request`: the features that a caller asks for, and how to read the times of the spine."""

from collections.abc import Sequence
from dataclasses import dataclass

from featurestore.engines.bind import NullTimes


@dataclass(frozen=True)
class Request:
    """What a caller asks for.

    Args:
        call: The call in words, for error messages.
        features: A service's name, or references ``"view:feature"``.
        timestamp_field: The spine's time column.
        timezone: The zone of naive times; None refuses them.
        null_times: Whether rows without a time are refused or answered by nulls.
    """

    call: str
    features: str | Sequence[str]
    timestamp_field: str = "event_timestamp"
    timezone: str | None = None
    null_times: NullTimes = "error"
