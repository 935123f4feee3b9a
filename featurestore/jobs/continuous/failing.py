"""Views that fail: each is tried again after a longer time, or given up if time does not heal it.

A continuous process has no last try: a broker or an object store may be away for an hour, and
nobody starts the process again while other views keep it alive.
"""

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from datetime import datetime, timedelta

from featurestore.definitions.model.view import FeatureView
from featurestore.errors import FeatureStoreError
from featurestore.jobs.schedule.retry import LONGEST_SECONDS, may_pass

# Twice as long this often is longer than the longest wait, whatever the first one is.
_MOST_DOUBLINGS = 30


@dataclass(frozen=True)
class Failing:
    """The failures of a view since its last success.

    Args:
        count: Their number.
        retry_at: The moment of the next try; None if the view is given up.
    """

    count: int = 0
    _: KW_ONLY
    retry_at: datetime | None = None

    @property
    def is_given_up(self) -> bool:
        """Whether the view is not tried again."""
        return self.count > 0 and self.retry_at is None

    def waits(self, now: datetime) -> bool:
        """Return whether no try is due now."""
        return self.is_given_up or (self.retry_at is not None and now < self.retry_at)


def after_failure(
    before: Failing, error: FeatureStoreError | None, now: datetime, seconds: float
) -> Failing:
    """Return the state of a view after a further failure.

    A failure that time does not heal, such as a changed definition, ends the tries at once.

    Args:
        before: The failures before this one.
        error: The error of the run.
        now: The moment of the failure.
        seconds: The seconds before the first further try; before each one after it, twice as
            many, at most 10 minutes.

    Example:
        >>> from datetime import UTC
        >>> now = datetime(2026, 1, 1, tzinfo=UTC)
        >>> after_failure(Failing(1, retry_at=now), None, now, 30.0).retry_at.isoformat()
        '2026-01-01T00:01:00+00:00'
    """
    count = before.count + 1
    if not may_pass(error):
        return Failing(count)
    return Failing(count, retry_at=now + timedelta(seconds=wait_seconds(count, seconds)))


def wait_seconds(count: int, seconds: float) -> float:
    """Return how long to wait after a number of failures in a row.

    Args:
        count: The number of failures, 1 or more.
        seconds: The seconds after the first one.

    Example:
        >>> [wait_seconds(count, 30.0) for count in (1, 2, 3, 1000)]
        [30.0, 60.0, 120.0, 600.0]
    """
    return min(seconds * 2.0 ** min(count - 1, _MOST_DOUBLINGS), float(LONGEST_SECONDS))


def waits(view: FeatureView, failing: Mapping[str, Failing], now: datetime) -> bool:
    """Return whether a view, or a view that it derives from, has failed and is not tried now.

    Args:
        view: The view.
        failing: The views that have failed, by name.
        now: The present moment.
    """
    return any(failing[name].waits(now) for name in _names(view) if name in failing)


def is_given_up(view: FeatureView, failing: Mapping[str, Failing]) -> bool:
    """Return whether a view, or a view that it derives from, is not tried again.

    Args:
        view: The view.
        failing: The views that have failed, by name.
    """
    return any(failing[name].is_given_up for name in _names(view) if name in failing)


def _names(view: FeatureView) -> tuple[str, ...]:
    return (view.name, *(above.name for above in view.lineage))
