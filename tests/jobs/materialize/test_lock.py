"""One materialization of a view at a time."""

import os
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from featurestore.errors import ConflictError
from featurestore.jobs.materialize.lock import view_lock
from featurestore.store.layout import Layout

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def test_the_second_is_refused_and_told_who_the_first_is(tmp_path: Path) -> None:
    layout = Layout(str(tmp_path))

    with (
        view_lock(layout, "v", "r1", NOON),
        pytest.raises(ConflictError) as refused,
        view_lock(layout, "v", "r2", NOON),
    ):
        pass

    assert refused.value.exit_code == 5
    assert re.search(rf"pid {os.getpid()}, host \S+, run_id r1, since 2026", str(refused.value))


def test_a_lock_is_free_after_its_holder_failed(tmp_path: Path) -> None:
    layout = Layout(str(tmp_path))
    with pytest.raises(RuntimeError), view_lock(layout, "v", "r1", NOON):
        raise RuntimeError

    with view_lock(layout, "v", "r2", NOON), view_lock(layout, "w", "r2", NOON):
        held = (tmp_path / "locks" / "v.holder").read_text(encoding="utf-8")

    assert '"run_id": "r2"' in held
