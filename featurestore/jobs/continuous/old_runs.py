"""Old runs of a process that never ends: summed up, so that the ledgers stay short."""

import logging
from datetime import datetime

from featurestore.errors import ConflictError, FeatureStoreError
from featurestore.jobs.materialize.job import new_run_id
from featurestore.jobs.materialize.lock import view_lock
from featurestore.jobs.profiles.days import join_old_profiles
from featurestore.store.layout import Layout
from featurestore.store.ledger.run_summaries import sum_up
from featurestore.store.ledger.runs import Runs

KEPT_RUNS = 1000
"""The newest runs of a view whose records stay as they are."""

EVERY_BATCHES = 500
"""A process sums up after its first batch of a view, and after so many further ones."""

_LOG = logging.getLogger(__name__)


def sum_up_old_runs(layout: Layout, view: str, now: datetime, keep: int = KEPT_RUNS) -> None:
    """Sum up the old runs of a view, day by day, and join the profiles of their rows.

    It is put off if another process has the view's lock, or if the ledgers cannot be written: no
    batch fails because of it.

    Args:
        layout: The addresses of the tables.
        view: The view, of which at least one run of this process has ended.
        now: The present moment.
        keep: The number of newest runs that stay as they are.

    Example:
        >>> from datetime import UTC
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as root:
        ...     sum_up_old_runs(Layout(root), "spending", datetime(2026, 1, 1, tzinfo=UTC))
    """
    try:
        with view_lock(layout, view, new_run_id(), now):
            oldest = sum_up(Runs(layout), view, keep)
            if oldest is not None:
                join_old_profiles(layout, view, oldest)
    except ConflictError:
        return
    except FeatureStoreError as error:
        _LOG.warning("old runs of view %s were not summed up: %s", view, error.found)
