"""Which stored columns a change of a view leaves as they were."""

from dataclasses import replace

import pytest

from featurestore.definitions.model.entity import Entity
from featurestore.definitions.model.source import DeltaSource
from featurestore.definitions.model.types import Field, Float64, Int64, String
from featurestore.definitions.model.view import FeatureView
from featurestore.registry.unchanged import unchanged_columns

CARD = Entity("card", join_keys=(Field("id", Int64),))
PAID = DeltaSource("paid", path="paid", timestamp_field="at")
X, Y, Z = Field("x", Int64), Field("y", Int64), Field("z", String)
VIEW = FeatureView("v", entities=(CARD,), source=PAID, schema=(X, Y))
DERIVED = FeatureView("d", entities=(CARD,), source=VIEW, schema=(X,), transform="SELECT 1")


@pytest.mark.parametrize(
    ("schema", "unchanged"),
    [
        ((X, Y, Z), {"x", "y"}),
        ((Z, Y, X), {"x", "y"}),
        ((X,), {"x"}),
        ((X, Z), {"x"}),
        ((X, Field("y", Float64)), {"x"}),
        ((Z,), set()),
    ],
)
def test_fields_that_are_in_both_definitions_stay_as_they_were(
    schema: tuple[Field, ...], unchanged: set[str]
) -> None:
    assert unchanged_columns(VIEW, replace(VIEW, schema=schema)) == unchanged


@pytest.mark.parametrize(
    "change",
    [
        {"transform": "SELECT id, at, x, 1 AS y, '' AS z FROM {source}"},
        {"source": replace(PAID, path="elsewhere")},
        {"source": replace(PAID, unique_by=("x",))},
        {"entities": (Entity("other", join_keys=(Field("other", Int64),)),)},
        {"available_delay": "1h"},
    ],
)
def test_with_any_other_change_of_its_rows_nothing_is_known_to_stay(
    change: dict[str, object],
) -> None:
    assert unchanged_columns(VIEW, replace(VIEW, schema=(X, Y, Z), **change)) == frozenset()  # type: ignore[arg-type]


def test_a_derived_view_stays_if_its_upstream_view_only_gets_a_field() -> None:
    wider, narrower = (replace(VIEW, schema=schema) for schema in ((X, Y, Z), (X,)))

    assert unchanged_columns(DERIVED, replace(DERIVED, source=wider)) == {"x"}
    assert unchanged_columns(DERIVED, replace(DERIVED, source=narrower)) == frozenset()
