"""The events that report the progress of a materialization."""

from dataclasses import KW_ONLY, dataclass
from typing import Literal, Protocol

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
        message: The result of an ended run, as a sentence.
    """

    view: str
    phase: Phase
    _: KW_ONLY
    batches: int = 0
    rows: int = 0
    total: int | None = None
    message: str = ""


class Progress(Protocol):
    """Receives the progress of all views, from several threads."""

    def __call__(self, event: ProgressEvent, /) -> None:
        """Handle an event."""


def ignore_progress(event: ProgressEvent, /) -> None:
    """Do nothing.

    Example:
        >>> ignore_progress(ProgressEvent("card_activity", "done"))
    """
