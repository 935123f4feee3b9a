"""A view's current table is one that fits its definition, or the state says why there is none."""

from dataclasses import replace
from datetime import UTC, datetime

from featurestore.definitions.code.fingerprint import table_fingerprint
from featurestore.definitions.model.source import DeltaSource
from featurestore.definitions.model.types import Field, Int64
from featurestore.definitions.model.view import FeatureView
from featurestore.store.current import CurrentTable, CurrentTables, NoTable
from featurestore.store.layout import Layout
from featurestore.store.ledger.tables import TableRecord

LAYOUT = Layout("store/demo")
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
PAID = DeltaSource("paid", path="data/paid", timestamp_field="at")
VIEW = FeatureView("spending", entities=(), source=PAID, schema=(Field("amount", Int64),))
DERIVED = FeatureView("by_day", entities=(), source=VIEW, schema=VIEW.schema)


def built(view: FeatureView, table_id: str, upstream: str | None = None) -> TableRecord:
    return TableRecord(
        view.name,
        table_id=table_id,
        fingerprint=table_fingerprint(view),
        state="current",
        upstream=upstream,
        at=NOON,
    )


def current(view: FeatureView, *records: TableRecord) -> CurrentTable | NoTable:
    return CurrentTables(LAYOUT, records).of(view)


def test_a_view_without_a_build_was_never_materialized() -> None:
    assert current(VIEW) == NoTable("never materialized")
    assert current(VIEW, built(DERIVED, "t1")) == NoTable("never materialized")


def test_a_view_whose_first_build_has_not_ended_has_no_table_yet() -> None:
    building = replace(built(VIEW, "t1"), state="building")

    assert current(VIEW, building) == NoTable("building")
    assert current(VIEW, replace(building, state="retired")) == NoTable("never materialized")


def test_the_newest_current_build_is_the_table_that_readers_see() -> None:
    first, second = built(VIEW, "t1"), replace(built(VIEW, "t2"), sequence=1)
    rebuild = replace(built(VIEW, "t3"), state="building", sequence=2)

    table = current(VIEW, first, second, rebuild)

    assert table == CurrentTable(second, "store/demo/features/spending/t2", "current")


def test_a_view_that_was_changed_since_keeps_its_table() -> None:
    record = built(VIEW, "t1")
    changed = replace(VIEW, schema=(Field("amount", Int64), Field("tip", Int64)))

    table = current(changed, record)

    assert table == CurrentTable(record, "store/demo/features/spending/t1", "changed")


def test_a_view_whose_ttl_alone_was_changed_has_a_current_table() -> None:
    record = built(VIEW, "t1")

    table = current(replace(VIEW, ttl="7d"), record)

    assert table == CurrentTable(record, "store/demo/features/spending/t1", "current")


def test_a_derived_table_is_outdated_once_its_upstream_view_has_another_table() -> None:
    derived = built(DERIVED, "d1", upstream="t1")
    uri = "store/demo/features/by_day/d1"

    assert current(DERIVED, derived, built(VIEW, "t1")) == CurrentTable(derived, uri, "current")
    assert current(DERIVED, derived, built(VIEW, "t2")) == CurrentTable(derived, uri, "outdated")
    assert current(DERIVED, derived) == CurrentTable(derived, uri, "outdated")
