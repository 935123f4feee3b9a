"""Clean-up of the ledgers: few rows, few files, a short log."""

from collections.abc import Collection
from datetime import datetime, timedelta

from featurestore.store.delta.cleanup import Removed, checkpoint, vacuum
from featurestore.store.delta.log import is_table
from featurestore.store.layout import Layout
from featurestore.store.ledger.append import set_properties
from featurestore.store.ledger.profiles import Profiles
from featurestore.store.ledger.runs import Runs

# The history of runs that found nothing new is of use for some days, and slows down each run: 20
# views leave 2,000 records a day.
_SHORTEST_HISTORY = timedelta(days=7)


def ledgers(layout: Layout) -> dict[str, str]:
    """Return the addresses of the ledgers that exist, by their names for people.

    Example:
        >>> ledgers(Layout("no/such/root"))
        {}
    """
    addresses = {
        "ledger of runs": layout.runs(),
        "ledger of builds": layout.tables(),
        "ledger of files": layout.files(),
        "ledger of profiles": layout.profiles(),
        "ledger of models": layout.models(),
    }
    return {name: uri for name, uri in addresses.items() if is_table(uri)}


def clean_runs(layout: Layout, retention: timedelta, now: datetime, *, dry_run: bool) -> int:
    """Remove the records of runs that no run needs, and return their number.

    Args:
        layout: The addresses of the tables.
        retention: How long they stay, at least 7 days.
        now: The present time.
        dry_run: Whether to remove nothing.
    """
    return Runs(layout).clean(now - max(retention, _SHORTEST_HISTORY), dry_run=dry_run)


def clean_profiles(
    layout: Layout, views: Collection[str], retention: timedelta, now: datetime, *, dry_run: bool
) -> int:
    """Remove old profiles but the last of each applied view and day, and return their number.

    Args:
        layout: The addresses of the tables.
        views: The names of the applied views.
        retention: How long all of them stay, at least 7 days.
        now: The present time.
        dry_run: Whether to remove nothing.
    """
    before = now - max(retention, _SHORTEST_HISTORY)
    return Profiles(layout).clean(before, views, dry_run=dry_run)


def clean_files(uri: str, retention: timedelta, *, dry_run: bool) -> Removed:
    """Remove the old files of a ledger, and write a checkpoint.

    Args:
        uri: The ledger's address.
        retention: How long files stay after the ledger no longer refers to them.
        dry_run: Whether to change nothing.
    """
    removed = vacuum(uri, retention, dry_run=dry_run)
    if not dry_run:
        set_properties(uri)
        checkpoint(uri)
    return removed
