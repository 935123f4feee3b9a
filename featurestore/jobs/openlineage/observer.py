"""`RunObserver`: what is called when a run begins and when it ends."""

from typing import Literal, Protocol

from featurestore.definitions.model.view import FeatureView
from featurestore.store.ledger.runs import RunRecord

RunStart = Literal["seen", "unseen", "killed"]
"""What an observer knows of a run's start: it was called for it; it was not, because the run
ended at once; or the process that began the run was killed, and this is a later one."""


class RunObserver(Protocol):
    """Is called when a run begins and when it ends, from several threads. It raises no error."""

    def __call__(self, view: FeatureView, record: RunRecord, start: RunStart, /) -> None:
        """Handle the record of a run, just after it is in the ledger.

        Args:
            view: The view, as loaded.
            record: The record; ``running`` at the beginning.
            start: What is known of the run's start.
        """


def ignore_run(view: FeatureView, record: RunRecord, start: RunStart, /) -> None:
    """Do nothing."""
