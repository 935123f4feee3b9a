import pytest

from featurestore.definitions.model.aggregation import Aggregation
from featurestore.definitions.model.entity import Entity
from featurestore.definitions.model.service import FeatureService
from featurestore.definitions.model.source import DeltaSource, FileSource
from featurestore.definitions.model.types import Field, Float64, Int64, String
from tests.definitions.rules.cases import CARD, PAYMENTS, issues, missing, view, windows


def test_a_valid_project_has_no_problems() -> None:
    service = FeatureService("scoring", features=(view(),))

    assert issues(CARD, PAYMENTS, view(), service) == []


@pytest.mark.parametrize("name", ["", "7d", "_card", "card-x", "card x", "kärtchen", "x" * 64])
def test_names_that_are_not_identifiers_are_reported(name: str) -> None:
    [issue] = issues(Entity(name, join_keys=CARD.join_keys))

    assert issue.rule == "definitions_have_plain_names"
    assert missing(issue, f"entity {name!r}", "letters", "digits", "underscores", "63") == []


@pytest.mark.parametrize("name", ["c", "Card_7", "x" * 63])
def test_names_that_are_identifiers_are_valid(name: str) -> None:
    assert issues(Entity(name, join_keys=CARD.join_keys)) == []


def test_names_of_columns_and_aggregations_are_checked() -> None:
    wrong_key = Entity("odd", join_keys=(Field("card.id", String),))
    wrong_view = view(
        schema=(Field("net amount", Float64),),
        aggregations=(Aggregation("*", "count", windows=("7d",), name="n-7"),),
    )

    key, column, aggregation = issues(wrong_key, wrong_view)

    assert {each.rule for each in (key, column, aggregation)} == {"columns_have_plain_names"}
    assert missing(key, "entity 'odd'", "'card.id'", "letter") == []
    assert missing(column, "view 'activity'", "'net amount'", "letter") == []
    assert missing(aggregation, "view 'activity'", "'n-7'", "letter") == []


def test_of_two_different_definitions_of_one_name_both_lines_are_named() -> None:
    first = Entity("card", join_keys=(Field("card_id", String),))
    second = Entity("card", join_keys=(Field("card_id", Int64),), owner="me")

    [issue] = issues(second, first)

    assert (issue.rule, issue.origin) == ("names_are_unique", second.origin)
    assert missing(issue, "entity 'card'", first.origin, "join_keys, owner", "Import") == []


def test_sources_of_different_classes_share_their_names() -> None:
    delta = DeltaSource("rows", path="a", timestamp_field="t")
    files = FileSource("rows", path="a", timestamp_field="t", format="parquet")

    [issue] = issues(delta, files)

    assert (issue.rule, issue.origin) == ("names_are_unique", files.origin)
    assert missing(issue, "source 'rows'", delta.origin, "Rename") == []


def test_equal_definitions_and_definitions_of_other_kinds_may_share_a_name() -> None:
    again = Entity("card", join_keys=(Field("card_id", String),))
    source = DeltaSource("card", path="data/cards", timestamp_field="at")

    assert issues(CARD, again, source) == []


def test_definitions_that_are_only_used_by_others_are_checked_too() -> None:
    wrong = Entity("odd-one", join_keys=CARD.join_keys)
    service = FeatureService("scoring", features=(view(entities=(wrong,)),))

    [issue] = issues(service)

    assert (issue.rule, issue.origin) == ("definitions_have_plain_names", wrong.origin)
    assert missing(issue, "entity 'odd-one'") == []


def test_problems_come_in_the_order_of_lines() -> None:
    wrong_view = windows(Aggregation("*", "count", windows=("7x",)))
    wrong_entity = Entity("odd-one", join_keys=())

    lines = [issue.origin.line for issue in issues(wrong_entity, wrong_view)]

    assert len(lines) == 3
    assert lines == sorted(lines)
