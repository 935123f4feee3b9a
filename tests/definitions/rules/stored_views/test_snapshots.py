from dataclasses import replace

import pytest

from featurestore.definitions.code.fingerprint import table_fingerprint
from featurestore.definitions.model.aggregation import Aggregation
from featurestore.definitions.model.manifest import Manifest
from featurestore.registry.codec import decode, encode
from featurestore.store.columns import stored_columns
from tests.definitions.rules.cases import PAYMENTS, rules, view

SHOPS = replace(PAYMENTS, timestamp_field=None)
SNAPSHOT = view(source=SHOPS, snapshot=True)


def test_a_snapshot_view_needs_no_time_and_stores_tombstones() -> None:
    assert rules(SNAPSHOT) == []
    assert "_deleted" in stored_columns(SNAPSHOT)
    assert "_seq" not in stored_columns(SNAPSHOT)


def test_a_source_without_a_time_is_for_snapshot_views_only() -> None:
    assert rules(view(source=SHOPS)) == ["sources_without_a_time_feed_snapshots"]
    assert rules(view(source=PAYMENTS, snapshot=True)) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"deleted_field": "online"},
        {"sequence_field": "items"},
        {"unique_by": ("merchant",)},
        {"available_timestamp_field": "known_at"},
        {"unique_by": ("merchant",), "change_feed": True},
    ],
    ids=str,
)
def test_columns_that_make_rows_events_have_no_meaning(changes: dict[str, object]) -> None:
    found = rules(view(source=replace(SHOPS, **changes), snapshot=True))  # type: ignore[arg-type]

    assert set(found) == {"snapshots_have_plain_sources"}


def test_a_snapshot_view_has_neither_windows_nor_a_ttl_nor_an_upstream_view() -> None:
    summed = view(
        source=SHOPS, snapshot=True, aggregations=(Aggregation("amount", "sum", windows=("1d",)),)
    )
    derived = view("derived", source=SNAPSHOT, snapshot=True)

    assert rules(summed) == ["snapshots_have_plain_features"]
    assert rules(view(source=SHOPS, snapshot=True, ttl="1d")) == ["snapshots_have_plain_features"]
    assert rules(derived) == ["snapshots_have_plain_sources"]


def test_the_argument_changes_the_table_and_the_registry_keeps_it() -> None:
    plain = view(source=PAYMENTS)

    assert table_fingerprint(plain) != table_fingerprint(replace(plain, snapshot=True))
    manifest = Manifest.of([SHOPS, SNAPSHOT, *SNAPSHOT.entities])
    assert decode(encode(manifest)).view(SNAPSHOT.name) == SNAPSHOT
