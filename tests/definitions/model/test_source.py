"""Every source says by its roles which of its columns give times, order and identity."""

from dataclasses import replace

import pytest

from featurestore.definitions.code.fingerprint import table_fingerprint
from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.source import (
    DeltaSource,
    FileSource,
    RequestSource,
    Roles,
    Source,
)
from featurestore.definitions.model.types import Field, Int64, String
from featurestore.definitions.model.view import FeatureView
from featurestore.registry.codec import fingerprint

PAID = DeltaSource("paid", path="data/paid", timestamp_field="at")
FULL = replace(
    PAID,
    available_timestamp_field="known_at",
    sequence_field="number",
    deleted_field="gone",
    unique_by=("payment_id", "at"),
)
FEED = replace(PAID, unique_by=("payment_id",), change_feed=True)
FILES = FileSource(
    "visits",
    path="data/visits",
    format="csv",
    timestamp_field="at",
    available_timestamp_field="known_at",
    schema=(Field("at", String), Field("known_at", String), Field("x", Int64)),
    timezone="Europe/Paris",
)
REQUEST = RequestSource("checkout", schema=(Field("x", Int64),))


def view(source: Source | FeatureView, name: str = "v") -> FeatureView:
    return FeatureView(name, entities=(), source=source, schema=(Field("x", Int64),))


def test_a_source_names_the_columns_of_its_roles() -> None:
    assert FULL.roles == Roles("at", "known_at", "number", "gone", ("payment_id", "at"))
    assert FILES.roles == Roles("at", "known_at")
    assert FEED.roles == Roles("at", unique_by=("payment_id",), change_feed=True)


def test_request_values_and_derived_views_have_no_columns_with_a_role() -> None:
    assert REQUEST.roles == Roles()
    assert view(view(FULL)).source_roles == Roles()
    assert view(FULL).source_roles == FULL.roles


def test_the_first_role_of_a_column_is_named() -> None:
    columns = ("at", "known_at", "number", "gone", "payment_id", "amount")

    roles = [FULL.roles.role_of(name) for name in columns]

    assert roles == [
        "timestamp_field",
        "available_timestamp_field",
        "sequence_field",
        "deleted_field",
        "unique_by",
        "",
    ]


@pytest.mark.parametrize(
    ("source", "table", "manifest"),
    [
        (PAID, "a51c0a3707440041", "df688007a2ecbe9c"),
        (FULL, "f2d63adeda1b3d61", "339c077bfc15588a"),
        (FEED, "c9e5ab5014f902c5", "9f7afab29ed99fcc"),
        (FILES, "97e3f09bd98729ca", "2672f83382c58f75"),
        (view(FULL, "upstream"), "f1ae57f0e6c128c8", "ad71912fbd637421"),
    ],
    ids=["plain", "all-roles", "change-feed", "files", "derived"],
)
def test_fingerprints_stay_as_they_were_released(
    source: Source | FeatureView, table: str, manifest: str
) -> None:
    made = view(source)
    declared = [made, source, FULL] if isinstance(source, FeatureView) else [made, source]

    assert table_fingerprint(made) == table
    assert fingerprint(Manifest.of(declared)) == manifest
