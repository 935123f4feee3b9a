"""How far a view is behind its source: versions of a table, and files, without Spark."""

import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from featurestore.client.display.continuous_text import continuous_text, died_texts
from featurestore.definitions.model.source import FileSource
from featurestore.definitions.model.view import FeatureView
from featurestore.engines.spark.source.checkpoint_owner import record_owner
from featurestore.engines.spark.source.file_log import FileLog
from featurestore.jobs.continuous.backlog import (
    Backlog,
    Continuous,
    UpstreamBacklog,
    continuous_of,
)
from featurestore.jobs.continuous.state import (
    continuous_lock,
    new_state,
    read_state,
    write_state,
)
from featurestore.jobs.locks import is_held
from featurestore.store.file_system import write_text
from featurestore.store.ledger.files import FileRecord, Files
from featurestore.store.ledger.runs import RunKind, RunRecord, RunStatus
from featurestore.store.ledger.tables import Tables
from featurestore.store.source_files import FilePath
from tests.jobs.continuous.test_news import TOPIC
from tests.jobs.world import DERIVED, SPENDING, Store, stored_rows


def test_a_process_that_died_is_told_from_none(shop: Store) -> None:
    shop.build()
    before = continuous_of(shop.layout, SPENDING, Tables(shop.layout).records(), shop.now)
    write_state(shop.layout, new_state("spending", shop.now, 5.0))  # of a killed process

    found = continuous_of(shop.layout, SPENDING, Tables(shop.layout).records(), shop.now)

    assert before is None
    assert found is not None and not found.is_running
    assert read_state(shop.layout, "spending") is None


@pytest.mark.parametrize(
    ("minutes", "status", "kind", "is_named"),
    [
        (1, "done", "run", False),
        (1, "nothing", "run", False),
        (1, "failed", "run", True),
        (1, "done", "repair", True),
        (-1, "done", "run", True),  # the dead process's own
    ],
)
def test_a_dead_process_is_named_until_a_later_run_has_read_the_source(
    shop: Store, minutes: int, status: RunStatus, kind: RunKind, is_named: bool
) -> None:
    shop.build()
    state = replace(
        new_state("spending", shop.now - timedelta(hours=1), 5.0), last_run_at=shop.now
    )
    write_state(shop.layout, state)  # of a killed process
    run = RunRecord(
        "r1",
        view="spending",
        table_id="t1",
        kind=kind,
        status=status,
        started_at=shop.now + timedelta(minutes=minutes),
    )
    records = Tables(shop.layout).records()

    found = continuous_of(shop.layout, SPENDING, records, shop.now, runs=[run])
    with continuous_lock(shop.layout, "spending"):
        living = continuous_of(shop.layout, SPENDING, records, shop.now, runs=[run])

    assert (found is not None) == is_named
    assert living is not None and living.is_running


def test_nothing_is_said_of_a_process_whose_lock_cannot_be_looked_at(shop: Store) -> None:
    shop.build()
    write_state(shop.layout, new_state("spending", shop.now, 5.0))
    lock = Path(shop.layout.continuous_lock("spending"))
    lock.parent.mkdir(parents=True)
    lock.with_name("elsewhere").touch()
    lock.symlink_to("elsewhere")  # which is not opened as a lock: as one without write access

    found = continuous_of(shop.layout, SPENDING, Tables(shop.layout).records(), shop.now)

    assert is_held(str(lock)) is None
    assert found is None


def test_views_of_one_dead_process_are_named_together(shop: Store) -> None:
    states = {name: new_state(name, shop.now, 5.0) for name in ("a", "b", "c", "d")}
    dead = {name: Continuous(state, is_running=False) for name, state in states.items()}
    other = replace(states["c"], pid=states["c"].pid + 1)

    texts = died_texts(dead | {"c": Continuous(other, is_running=False), "d": Continuous(other)})

    assert len(texts) == 2
    assert "materialize --continuous a b" in texts[0]
    assert f"pid {other.pid}" in texts[1]
    assert died_texts({}) == []


def chain(shop: Store, upstream: FeatureView = SPENDING) -> FeatureView:
    """Build a view and one derived from it, which has read all of it; return the derived one."""
    derived = replace(DERIVED, source=upstream)
    shop.views = (upstream, derived)
    shop.build(view=upstream)
    shop.run(stored_rows("a"))
    shop.build("t2", view=derived, upstream="t1")
    checkpoint = shop.layout.checkpoint("t2", 0)
    all_read = '{"reservoirVersion": 1, "index": -1, "isStartingVersion": false}'
    write_text(f"{checkpoint}/offsets/0", f"v1\n{{}}\n{all_read}")
    write_text(f"{checkpoint}/commits/0", "v1\n{}")
    return derived


def test_the_lag_of_a_derived_view_is_that_of_the_whole_chain(shop: Store) -> None:
    chain(shop)
    shop.pay(stored_rows("b"))
    later = shop.now + timedelta(minutes=1)

    with continuous_lock(shop.layout, "copied"):
        write_state(shop.layout, new_state("copied", shop.now, 5.0))
        found = continuous_of(shop.layout, DERIVED, Tables(shop.layout).records(), later)

    assert found is not None
    (above,) = found.upstream
    assert above.backlog is not None
    assert (above.view, above.backlog.unit, above.backlog.count) == ("spending", "versions", 1)
    assert found.lag_seconds is not None and 0 < found.lag_seconds <= 60
    assert "spending is behind: 1 version" in continuous_text(found, later)


def test_the_lag_is_unknown_where_the_backlog_of_an_upstream_view_is(shop: Store) -> None:
    derived = chain(shop)
    shutil.rmtree(shop.layout.checkpoint("t1", 0))

    with continuous_lock(shop.layout, "copied"):
        write_state(shop.layout, new_state("copied", shop.now, 5.0))
        found = continuous_of(shop.layout, derived, Tables(shop.layout).records(), shop.now)

    assert found is not None and found.backlog is not None
    assert (found.backlog.count, found.lag_seconds) == (0, None)
    assert found.upstream == (UpstreamBacklog("spending", None),)
    assert "nothing is behind" not in continuous_text(found, shop.now)


def test_a_snapshot_view_that_is_read_is_not_behind_for_ever(shop: Store, tmp_path: Path) -> None:
    (tmp_path / "paid").mkdir()
    pq.write_table(stored_rows("a"), tmp_path / "paid" / "1.parquet")
    source = FileSource("paid", path="paid", format="parquet")
    whole = replace(SPENDING, source=source, aggregations=(), snapshot=True)
    derived = chain(shop, whole)

    with continuous_lock(shop.layout, "copied"):
        write_state(shop.layout, new_state("copied", shop.now, 5.0))
        found = continuous_of(shop.layout, derived, Tables(shop.layout).records(), shop.now)

    assert found is not None
    assert (found.upstream, found.lag_seconds) == ((), 0.0)


@pytest.mark.parametrize(("seconds", "next_try"), [(30, "at"), (-30, "now")])
def test_a_try_that_is_due_is_not_announced_for_later(
    shop: Store, seconds: int, next_try: str
) -> None:
    state = replace(
        new_state("v", shop.now, 5.0), failures=1, retry_at=shop.now + timedelta(seconds=seconds)
    )

    text = continuous_text(Continuous(state), shop.now)

    assert next_try in text.split("failed once, ")[1].split()


def test_versions_of_a_table_that_came_since_the_last_batch_are_behind(shop: Store) -> None:
    shop.build()
    shop.run(stored_rows("a"))
    shop.pay(stored_rows("b"))
    shop.pay(stored_rows("c"))
    later = shop.now + timedelta(minutes=1)

    with continuous_lock(shop.layout, "spending"):
        write_state(shop.layout, new_state("spending", shop.now, 5.0))
        found = continuous_of(shop.layout, SPENDING, Tables(shop.layout).records(), later)

    assert found is not None and found.backlog is not None
    assert (found.backlog.unit, found.backlog.count) == ("versions", 2)
    assert found.lag_seconds is not None and 0 < found.lag_seconds <= 60
    assert found.state.since == shop.now


def test_files_that_no_batch_has_read_are_behind(shop: Store, tmp_path: Path) -> None:
    source = FileSource("paid", path="paid", format="parquet", timestamp_field="at")
    view = replace(SPENDING, source=source)
    shop.build(view=view)
    (tmp_path / "paid").mkdir()
    pq.write_table(stored_rows("a"), tmp_path / "paid" / "1.parquet")

    with continuous_lock(shop.layout, "spending"):
        write_state(shop.layout, new_state("spending", shop.now, 5.0))
        found = continuous_of(shop.layout, view, Tables(shop.layout).records(), shop.now)

    assert found is not None and found.backlog is not None
    assert (found.backlog.unit, found.backlog.count) == ("files", 1)
    assert found.backlog.size == (tmp_path / "paid" / "1.parquet").stat().st_size


@pytest.mark.parametrize("is_other", [False, True], ids=["gone", "of_another_build"])
def test_files_are_not_behind_because_the_checkpoint_is_lost(
    shop: Store, tmp_path: Path, is_other: bool
) -> None:
    source = FileSource("paid", path="paid", format="parquet", timestamp_field="at")
    view = replace(SPENDING, source=source)
    shop.build(view=view)
    (tmp_path / "paid").mkdir()
    pq.write_table(stored_rows("a"), tmp_path / "paid" / "1.parquet")
    read = FileRecord(
        "spending", table_id="t1", path="1.parquet", size=1, modified_at=1, run_id="r1"
    )
    Files(shop.layout).record([read])
    if is_other:
        other = Path(shop.layout.checkpoint("t9", 0))
        record_owner(str(other), "other")
        log = FileLog(str(other), "r9")
        for batch in log.new_batches(FilePath(str(tmp_path / "paid"))):
            log.begin(batch)
            log.end(batch, rows=1)
        other.parent.rename(other.parent.with_name("t1"))

    with continuous_lock(shop.layout, "spending"):
        write_state(shop.layout, new_state("spending", shop.now, 5.0))
        found = continuous_of(shop.layout, view, Tables(shop.layout).records(), shop.now)

    assert found is not None
    assert (found.backlog, found.lag_seconds) == (None, None)


def test_the_messages_of_a_topic_are_what_the_process_says(shop: Store) -> None:
    view = replace(SPENDING, source=TOPIC)
    unknown = new_state("spending", shop.now, 5.0)
    known = replace(unknown, backlog=7, backlog_is_more=True, backlog_since=shop.now)
    shop.build(view=view)

    with continuous_lock(shop.layout, "spending"):
        found = []
        for state in (unknown, known):
            write_state(shop.layout, state)
            found.append(continuous_of(shop.layout, view, [], shop.now))

    assert [each and each.backlog for each in found] == [
        None,
        Backlog("messages", 7, oldest_at=shop.now, is_more=True),
    ]
    assert "at least 7 messages" in continuous_text(found[1] or Continuous(known), shop.now)


def test_a_view_that_was_moved_from_a_topic_to_a_table_counts_versions(shop: Store) -> None:
    shop.build()
    shop.run(stored_rows("a"))

    with continuous_lock(shop.layout, "spending"):
        write_state(shop.layout, replace(new_state("spending", shop.now, 5.0), backlog=7))
        found = continuous_of(shop.layout, SPENDING, Tables(shop.layout).records(), shop.now)

    assert found is not None and found.backlog is not None
    assert (found.backlog.unit, found.backlog.count) == ("versions", 0)
