"""How far a materialization is, told while it runs, and shown on stderr."""

from dataclasses import KW_ONLY, dataclass
from typing import Literal, Protocol

Phase = Literal[
    "waiting",
    "checking",
    "reading",
    "latest",
    "done",
    "nothing",
    "failed",
    "interrupted",
    "skipped",
]
ENDS = ("done", "nothing", "failed", "interrupted", "skipped")


@dataclass(frozen=True)
class ProgressEvent:
    """How far one view is.

    Args:
        view: Its name.
        phase: What is being done, or how it ended.
        batches: Batches done.
        rows: Source rows read so far; of an ended run, rows stored.
        message: How it ended, as a sentence.
    """

    view: str
    phase: Phase
    _: KW_ONLY
    batches: int = 0
    rows: int = 0
    message: str = ""


class Progress(Protocol):
    """Is told how far each view is, from several threads."""

    def __call__(self, event: ProgressEvent, /) -> None:
        """Take note of an event."""


def silent(event: ProgressEvent, /) -> None:
    """Show nothing.

    Example:
        >>> silent(ProgressEvent("card_activity", "done"))
    """
