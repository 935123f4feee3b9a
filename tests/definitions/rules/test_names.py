import pytest

from featurestore.definitions.model.aggregation import Aggregation
from featurestore.definitions.model.entity import Entity
from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.service import FeatureService
from featurestore.definitions.model.source import DeltaSource, FileSource
from featurestore.definitions.model.types import Field, Float64, Int64, String
from featurestore.definitions.rules import check
from tests.definitions.rules.cases import CARD, PAYMENTS, messages, view, windows

FORM = "a name is a letter, then letters, digits and underscores, 63 at most"


def test_a_valid_project_has_no_problems() -> None:
    service = FeatureService("scoring", features=(view(),))

    assert messages(CARD, PAYMENTS, view(), service) == []


@pytest.mark.parametrize("name", ["", "7d", "_card", "card-x", "card x", "kärtchen", "x" * 64])
def test_names_that_are_no_identifiers_are_reported(name: str) -> None:
    assert messages(Entity(name, join_keys=CARD.join_keys)) == [f"entity {name!r}: {FORM}"]


@pytest.mark.parametrize("name", ["c", "Card_7", "x" * 63])
def test_names_that_are_identifiers_are_fine(name: str) -> None:
    assert messages(Entity(name, join_keys=CARD.join_keys)) == []


def test_names_of_columns_and_aggregations_are_checked() -> None:
    odd_key = Entity("odd", join_keys=(Field("card.id", String),))
    odd_view = view(
        schema=(Field("net amount", Float64),),
        aggregations=(Aggregation("*", "count", windows=("7d",), name="n-7"),),
    )

    assert messages(odd_key, odd_view) == [
        f"join key 'card.id' of entity 'odd': {FORM}",
        f"field 'net amount' of view 'activity': {FORM}",
        f"aggregation name 'n-7' of view 'activity': {FORM}",
    ]


def test_two_different_objects_of_one_name_name_both_places() -> None:
    first = Entity("card", join_keys=(Field("card_id", String),))
    second = Entity("card", join_keys=(Field("card_id", Int64),), owner="me")

    [issue] = check(Manifest.of([second, first]))

    assert issue.origin == second.origin
    assert issue.message == (
        f"entity 'card' is declared a second time, after {first.origin}, "
        "with another join_keys, owner: import the first, or rename one"
    )


def test_sources_of_different_classes_share_their_names() -> None:
    delta = DeltaSource("rows", path="a", timestamp_field="t")
    files = FileSource("rows", path="a", timestamp_field="t", format="parquet")

    assert messages(delta, files) == [
        f"source 'rows' is declared a second time, after {delta.origin}: rename one"
    ]


def test_equal_objects_and_other_kinds_may_share_a_name() -> None:
    again = Entity("card", join_keys=(Field("card_id", String),))
    source = DeltaSource("card", path="data/cards", timestamp_field="at")

    assert messages(CARD, again, source) == []


def test_objects_that_are_only_used_are_checked_too() -> None:
    odd = Entity("odd-one", join_keys=CARD.join_keys)
    service = FeatureService("scoring", features=(view(entities=(odd,)),))

    assert messages(service) == [f"entity 'odd-one': {FORM}"]


def test_problems_come_in_the_order_of_lines() -> None:
    odd_view = windows(Aggregation("*", "count", windows=("7x",)))
    odd_entity = Entity("odd-one", join_keys=())

    lines = [issue.origin.line for issue in check(Manifest.of([odd_entity, odd_view]))]

    assert len(lines) == 3
    assert lines == sorted(lines)
