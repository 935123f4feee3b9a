"""What a repair would replace, and why it is refused: decided without Spark."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from deltalake import DeltaTable

from featurestore.engines.spark.source.file_log import FileLog
from featurestore.engines.spark.source.offsets import (
    last_batch,
    last_ended_batch,
    resume_version,
    source_offset,
)
from featurestore.errors import (
    ConflictError,
    FeatureStoreError,
    NotFoundError,
    RequestError,
    SourceError,
    TableError,
)
from featurestore.jobs.materialize.lock import view_lock
from featurestore.jobs.repair.checkpoint import continue_checkpoint
from featurestore.jobs.repair.plan import prepare_repair, repair_plans, require_same_table
from featurestore.jobs.repair.repair import repair
from featurestore.store.interval import Interval, checked_interval
from featurestore.store.ledger.tables import Tables
from featurestore.times import to_micros
from tests.jobs.world import DERIVED, NOON, SPENDING, Store, stored_rows
from tests.tables import feature_table

DAY = Interval(NOON, NOON + timedelta(days=1))
NOW = datetime(2026, 6, 1, tzinfo=UTC)


def built(shop: Store) -> Store:
    shop.build()
    events = [to_micros(NOON + timedelta(hours=hour)) for hour in (0, 2, 400)]
    shop.run(feature_table({"card_id": ["a", "a", "b"]}, events, {"amount": [1.0, 2.0, 3.0]}))
    return shop


def test_a_plan_counts_rows_and_files_and_names_derived_views(shop: Store) -> None:
    shop.views = (SPENDING, DERIVED)

    (plan,) = repair_plans(built(shop).job, ["spending"], DAY)

    assert (plan.view, plan.start, plan.end) == ("spending", DAY.start, DAY.end)
    assert (plan.rows, plan.rows_kept, plan.files) == (2, 1, 1)
    assert (plan.source_version, plan.source_changed, plan.rebuilt) == (0, False, ("copied",))


def unfinished(shop: Store) -> None:
    shop.build("t2", "building")


def changed(shop: Store) -> None:
    shop.views = (replace(SPENDING, available_delay="1h"),)


def of_a_feed(shop: Store) -> None:
    source = replace(SPENDING.source, change_feed=True, unique_by=("card_id",))
    shop.views = (replace(SPENDING, source=source),)


def later(shop: Store) -> None:
    tables = Tables(shop.layout)
    record = tables.current("spending")
    assert record is not None
    tables.record(replace(record, start=DAY.end))


def snapshot(shop: Store) -> None:
    shop.views = (replace(SPENDING, snapshot=True),)


def put_back(shop: Store) -> None:
    shutil.rmtree(shop.folder / "payments")
    shop.pay(feature_table({"card_id": ["a"]}, [0], {"amount": [1.0]}))


def cut(shop: Store) -> None:
    log = shop.folder / "store" / "features" / "spending" / "t1" / "_delta_log"
    (log / f"{0:020}.json").write_text("")


def lose_the_version_that_was_read(shop: Store) -> None:
    shop.pay(feature_table({"card_id": ["c"]}, [0], {"amount": [4.0]}))
    DeltaTable(shop.folder / "payments").create_checkpoint()
    (shop.folder / "payments" / "_delta_log" / f"{0:020}.json").unlink()


@pytest.mark.parametrize(
    ("change", "error", "way_out"),
    [
        (lose_the_version_that_was_read, RequestError, "materialize spending"),
        (unfinished, RequestError, "materialize spending"),
        (changed, RequestError, "materialize spending"),
        (of_a_feed, RequestError, "materialize spending --full"),
        (later, RequestError, "--full --start"),
        (snapshot, RequestError, "materialize spending --full"),
        (put_back, SourceError, "materialize spending --full"),
        (cut, TableError, "materialize spending --full"),
    ],
)
def test_a_repair_that_cannot_be_is_refused_with_the_way_out(
    shop: Store, change: Callable[[Store], None], error: type[FeatureStoreError], way_out: str
) -> None:
    built(shop)
    change(shop)

    with pytest.raises(error) as refused:
        repair_plans(shop.job, ["spending"], DAY)
    with pytest.raises(error):
        repair(shop.job, ["spending"], DAY)  # before a session is started

    assert way_out in refused.value.fix


def test_a_view_without_a_table_or_a_name_is_refused(shop: Store) -> None:
    shop.views = (SPENDING, DERIVED)
    with pytest.raises(RequestError) as never:
        repair_plans(shop.job, ["spending"], DAY)
    with pytest.raises(NotFoundError) as unknown:
        repair_plans(shop.job, ["spendin"], DAY)
    with pytest.raises(RequestError):
        repair_plans(shop.job, None, DAY)
    with pytest.raises(RequestError) as both:
        repair_plans(built(shop).job, ["spending", "copied"], DAY)

    assert "materialize spending" in never.value.fix
    assert "'spending'" in unknown.value.fix
    assert "'copied'" in both.value.found


def test_a_repair_waits_for_no_other_process(shop: Store) -> None:
    built(shop)

    with view_lock(shop.layout, "spending", "r9", shop.now), pytest.raises(ConflictError) as busy:
        repair(shop.job, ["spending"], DAY)

    assert busy.value.exit_code == 5


@pytest.mark.parametrize(
    ("start", "end"),
    [(NOW, NOW), (NOW, NOW - timedelta(days=1)), (NOW, NOW + timedelta(days=1))],
    ids=["empty", "start after end", "future"],
)
def test_a_range_must_have_a_past_moment(start: datetime, end: datetime) -> None:
    with pytest.raises(RequestError) as refused:
        checked_interval("materialize()", start, end, NOW)

    assert start.isoformat() in refused.value.found


def test_a_range_may_end_in_the_future() -> None:
    start, end = NOW - timedelta(seconds=1), NOW + timedelta(days=1)

    assert checked_interval("materialize()", start, end, NOW) == Interval(start, end)


def test_a_source_that_was_compacted_is_read_after_the_compaction(shop: Store) -> None:
    built(shop)
    shop.run(stored_rows("c", hour=3))
    compact(shop)

    (plan,) = repair_plans(shop.job, ["spending"], DAY)

    assert plan.source_version == DeltaTable(shop.folder / "payments").version()
    assert not plan.source_changed


def test_unread_rows_are_read_first_if_the_files_before_a_compaction_were_removed(
    shop: Store,
) -> None:
    built(shop)
    shop.pay(stored_rows("c", hour=3))
    (unread,) = repair_plans(shop.job, ["spending"], DAY)
    compact(shop)

    with pytest.raises(SourceError) as refused:
        repair_plans(shop.job, ["spending"], DAY)

    assert unread.source_version == 0
    assert "version 0" in refused.value.found
    assert "materialize spending" in refused.value.fix


def compact(shop: Store) -> None:
    """Compact the source, and remove the files that it had before."""
    table = DeltaTable(shop.folder / "payments")
    table.optimize.compact()
    table.vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False)


def test_a_table_that_another_process_changes_meanwhile_is_not_replaced(shop: Store) -> None:
    built(shop)
    prepared = prepare_repair(shop.job, SPENDING, DAY)
    require_same_table(shop.job, prepared)
    shop.run(stored_rows("c", hour=3))

    with pytest.raises(ConflictError):
        require_same_table(shop.job, prepared)


def test_of_a_source_whose_commits_cannot_be_read_it_is_not_known_whether_it_changed(
    shop: Store,
) -> None:
    built(shop)
    for number in range(2):
        shop.pay(feature_table({"card_id": ["c"]}, [number], {"amount": [4.0]}))
    DeltaTable(shop.folder / "payments").create_checkpoint()
    (shop.folder / "payments" / "_delta_log" / f"{1:020}.json").unlink()

    position = prepare_repair(shop.job, SPENDING, DAY).position
    (plan,) = repair_plans(shop.job, ["spending"], DAY)
    DeltaTable(shop.folder / "payments").delete("amount = 2.0")

    assert (position.version, position.is_changed, plan.source_changed) == (2, True, None)
    assert prepare_repair(shop.job, SPENDING, DAY).plan.source_changed is True


@pytest.mark.parametrize("changes", [False, True])
def test_batches_of_another_process_meanwhile_are_read_by_the_next_run(
    shop: Store, changes: bool
) -> None:
    built(shop)
    if changes:
        DeltaTable(shop.folder / "payments").delete("amount = 2.0")
    position = prepare_repair(shop.job, SPENDING, DAY).position
    newest = prepare_repair(shop.job, SPENDING, DAY).newest
    shop.run(stored_rows("c", hour=3))
    old, new = (shop.layout.checkpoint("t1", generation) for generation in (0, 1))

    continue_checkpoint(old, new, position, newest, FileLog(new, "r9"), "no/files")

    assert last_batch(old) == 1
    assert last_ended_batch(new) == last_batch(new) == position.batch_id == 2 * changes
    assert resume_version(source_offset(new, position.batch_id)) == 1 + changes
