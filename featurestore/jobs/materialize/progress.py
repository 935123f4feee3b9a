"""The events that report the progress of a materialization."""

import logging
from dataclasses import KW_ONLY, dataclass
from typing import Literal, Protocol

from featurestore.errors import FeatureStoreError

Phase = Literal[
    "starting",
    "waiting",
    "checking",
    "reading",
    "latest",
    "compacting",
    "done",
    "nothing",
    "failed",
    "interrupted",
    "skipped",
]
_LOG = logging.getLogger(__name__)
ENDS = ("done", "nothing", "failed", "interrupted", "skipped")


@dataclass(frozen=True)
class ProgressEvent:
    """The progress of one view.

    Args:
        view: Its name.
        phase: The current step, or the status of an ended run. ``"starting"``: Spark starts.
            ``"waiting"``: other views run first.
        batches: Number of ended batches.
        rows: Number of source rows read so far; of an ended run, number of rows stored.
        total: Number of source rows that a build reads in all; None if it is not known.
        message: The result of an ended run, as a sentence; or what is read, such as "2 new files".
        seconds: The duration of an ended run; 0 if it is not known.
        error: The error of a failed or interrupted run; None for others.
    """

    view: str
    phase: Phase
    _: KW_ONLY
    batches: int = 0
    rows: int = 0
    total: int | None = None
    message: str = ""
    seconds: float = 0.0
    error: FeatureStoreError | None = None


class Progress(Protocol):
    """Receives the progress of all views, from several threads."""

    def __call__(self, event: ProgressEvent, /) -> None:
        """Handle an event."""


def logging_errors(progress: Progress) -> Progress:
    """Return a progress whose errors are logged: they end no run, and hide no run's result.

    Args:
        progress: The caller's.

    Example:
        >>> logging_errors(ignore_progress)(ProgressEvent("card_activity", "done"))
    """

    def report(event: ProgressEvent, /) -> None:
        try:
            progress(event)
        except Exception:  # noqa: BLE001  # the caller's code may raise anything
            _LOG.exception(
                "error while the phase %r of view %s was reported", event.phase, event.view
            )

    return report


def ignore_progress(event: ProgressEvent, /) -> None:
    """Do nothing.

    Example:
        >>> ignore_progress(ProgressEvent("card_activity", "done"))
    """
