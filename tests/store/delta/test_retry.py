"""Only a commit that lost a race is tried again."""

from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import write_deltalake
from deltalake.exceptions import CommitFailedError, DeltaError

from featurestore.store.delta.retry import ATTEMPTS, retry_commit

ROWS = pa.table({"x": [1]})


def tried(uri: str, error: Exception, *, creates: bool = False) -> int:
    """Return how often a commit that always fails was tried."""
    calls = []

    def commit() -> None:
        calls.append(1)
        if creates and len(calls) == 1:
            write_deltalake(uri, ROWS)
        raise error

    with pytest.raises(type(error)):
        retry_commit(uri, commit)
    return len(calls)


def test_a_failure_of_a_table_that_was_there_is_no_race(tmp_path: Path) -> None:
    write_deltalake(str(tmp_path), ROWS)

    assert tried(str(tmp_path), DeltaError("the disk is full")) == 1


def test_a_table_that_another_process_has_created_is_one_race(tmp_path: Path) -> None:
    assert tried(str(tmp_path), DeltaError("it exists"), creates=True) == 2
    assert tried(str(tmp_path / "none"), DeltaError("the disk is full")) == 1


def test_a_lost_race_is_tried_again_a_limited_number_of_times(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("random.uniform", lambda low, high: 0.0)

    assert tried(str(tmp_path), CommitFailedError("overtaken")) == ATTEMPTS
