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


def test_the_second_run_is_refused_with_the_process_of_the_first(tmp_path: Path) -> None:
    layout = Layout(str(tmp_path))

    with (
        view_lock(layout, "v", "r1", NOON),
        pytest.raises(ConflictError) as refused,
        view_lock(layout, "v", "r2", NOON),
    ):
        pass

    assert refused.value.exit_code == 5
    assert "'v'" in refused.value.call
    process = rf"since 2026-01-01T12:00:00\+00:00 \(host \S+, pid {os.getpid()}, run r1\)"
    assert re.search(process, refused.value.found)


def test_a_lock_is_free_after_its_holder_failed(tmp_path: Path) -> None:
    layout = Layout(str(tmp_path))
    with pytest.raises(RuntimeError), view_lock(layout, "v", "r1", NOON):
        raise RuntimeError

    with view_lock(layout, "v", "r2", NOON), view_lock(layout, "w", "r2", NOON):
        held = (tmp_path / "locks" / "views" / "v.holder").read_text(encoding="utf-8")

    assert '"run_id": "r2"' in held


def test_a_lock_that_was_taken_a_moment_ago_names_no_process(tmp_path: Path) -> None:
    layout = Layout(str(tmp_path))

    with view_lock(layout, "v", "r1", NOON):
        (tmp_path / "locks" / "views" / "v.holder").write_text("", encoding="utf-8")
        with pytest.raises(ConflictError) as refused, view_lock(layout, "v", "r2", NOON):
            pass

    assert "'v'" in refused.value.call
    assert "pid" not in refused.value.found
