"""Commits that other processes may overtake: each is tried again on the newest table."""

import random
import time
from collections.abc import Callable
from typing import TypeVar

from deltalake.exceptions import CommitFailedError, DeltaError

from featurestore.store.delta.log import is_table

ATTEMPTS = 20
_Made = TypeVar("_Made")


def retry_commit(uri: str, commit: Callable[[], _Made]) -> _Made:
    """Return what a commit returns, tried again where another process was faster.

    Only a lost race is tried again: another process has committed, or has created the table. No
    other failure, such as a full disk, is one.

    Args:
        uri: The table.
        commit: Opens the table anew and commits, without retries of its own.

    Raises:
        DeltaError: The commit fails, or 20 attempts were overtaken.

    Example:
        >>> retry_commit("no/such/table", lambda: 3)
        3
    """
    for attempt in range(1, ATTEMPTS + 1):
        was_there = is_table(uri)
        try:
            return commit()
        except DeltaError as error:
            is_race = isinstance(error, CommitFailedError) or (not was_there and is_table(uri))
            if not is_race or attempt == ATTEMPTS:
                raise
            time.sleep(random.uniform(0.01, 0.1) * attempt)
    raise AssertionError  # the loop returns or raises
