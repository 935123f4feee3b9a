"""A continuous materialization in an object store that another process has taken over."""

import json
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import NoReturn

import obstore
import pytest
from obstore.store import from_url

from featurestore.errors import ConflictError, StorageError
from featurestore.jobs import locks
from featurestore.jobs.continuous.loop import Pace, materialize_continuously
from featurestore.jobs.continuous.state import (
    continuous_lock,
    find_state,
    new_state,
    read_state,
    write_state,
)
from featurestore.store.layout import Layout
from tests.jobs.world import Store


def take_over(layout: Layout) -> None:
    """Put the lease and the state of another process, which found the lease free."""
    folder, _, name = layout.continuous_lock("spending").rpartition("/")
    holder = {"token": "another", "process": "", "host": "b", "count": "1"}
    obstore.put(from_url(folder), name, json.dumps(holder).encode())
    write_state(layout, replace(new_state("spending", Store(Path()).now, 5.0), host="b", pid=1))


def test_the_end_of_a_process_keeps_the_state_of_its_successor(root: str) -> None:
    layout = Layout(root)

    with continuous_lock(layout, "spending") as check:
        check()
        take_over(layout)
        with pytest.raises(ConflictError) as lost:
            check()

    state = read_state(layout, "spending")
    assert (lost.value.exit_code, "host b" in lost.value.found) == (5, True)
    assert state is not None and state.host == "b"


def test_nothing_is_said_of_a_process_whose_machine_may_have_another_clock(
    root: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout = Layout(root)
    take_over(layout)
    living = find_state(layout, "spending")
    monkeypatch.setattr(locks, "LEASE_SECONDS", -1.0)  # as if it were renewed minutes ago
    unknown = find_state(layout, "spending")
    monkeypatch.setattr(locks, "_LEFT_OVER_SECONDS", -1.0)  # as if it were hours ago
    dead = find_state(layout, "spending")

    assert living is not None and living.is_running
    assert unknown is None
    assert dead is not None and not dead.is_running


def test_a_process_that_has_lost_its_lease_ends(root: str, tmp_path: Path) -> None:
    layout, shop = Layout(root, folder=tmp_path), Store(tmp_path)

    def no_session() -> NoReturn:
        take_over(layout)
        raise StorageError("start", "503 Slow Down", "Try again.")

    job = replace(shop.job, layout=layout, spark=no_session)
    with pytest.raises(ConflictError) as lost:
        materialize_continuously(job, pace=Pace(trigger=0.01), stop=Event())

    assert "host b" in lost.value.found
