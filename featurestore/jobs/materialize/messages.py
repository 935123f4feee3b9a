"""What a run did, in words."""

from collections.abc import Sequence

from featurestore.store.ledger.runs import Outcome


def run_summary(did: Outcome, version: int | None, unique: Sequence[str]) -> str:
    """Return which rows a run stored and left out, and what is odd about those that it stored.

    Args:
        did: What the run did.
        version: The table's version afterwards.
        unique: The columns that, with the keys, name an event.

    Example:
        >>> run_summary(Outcome(rows_in=3, rows_out=2, null_rows=1), 0, ())
        'stored 2 of 3 rows as version 0, left out 1 with a null key or time'
    """
    told = f"stored {did.rows_out:,} of {did.rows_in:,} rows as version {version}"
    if did.null_rows:
        told += f", left out {did.null_rows:,} with a null key or time"
    return told + null_unique_told(did.null_unique_rows, unique)


def null_unique_told(count: int, unique: Sequence[str]) -> str:
    """Return what becomes of rows that name no event, as a part of a sentence; ``""`` for none.

    Example:
        >>> null_unique_told(2, ["order_id"])
        '; 2 have a null in order_id: of those of a key only the newest exists'
    """
    if not count:
        return ""
    names = ", ".join(unique)
    return f"; {count:,} have a null in {names}: of those of a key only the newest exists"
