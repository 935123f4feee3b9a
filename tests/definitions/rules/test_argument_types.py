from datetime import timedelta
from typing import Any

import pytest

from featurestore.definitions.model.aggregation import Aggregation
from featurestore.definitions.model.entity import Entity
from featurestore.definitions.model.service import FeatureService
from featurestore.definitions.model.source import DeltaSource, FileSource
from featurestore.definitions.model.types import Field, String
from tests.definitions.rules.cases import CARD, PAYMENTS, SCHEMA, issues, missing, view

ACTIVITY = view()
COUNT = Aggregation("*", "count", windows=("7d",))


@pytest.mark.parametrize(
    ("declared", "parts"),
    [
        (
            Entity("card", join_keys=list(CARD.join_keys)),
            ("entity 'card'", "a list", "join_keys=(card_id,)"),
        ),
        (view(entities=[CARD, CARD]), ("view 'activity'", "a list", "entities=(card, card)")),
        (view(entities=CARD), ("view 'activity'", "an Entity", "entities=(card,)")),
        (view(tags="fraud"), ("view 'activity'", "text", "tags=('fraud',)")),
        (view(entities=("card",)), ("view 'activity'", "entities", "'card'", "text", "Entity")),
        (
            view(source="payments"),
            ("view 'activity'", "source is text", "DeltaSource or FileSource or RequestSource"),
        ),
        (
            Entity("card", join_keys=["card_id"]),
            ("entity 'card'", "a list", 'join_keys=(fs.Field("card_id", fs.String),)'),
        ),
        (
            Entity("card", join_keys=("card_id",)),
            ("'card_id'", "text", 'join_keys=(fs.Field("card_id", fs.String),)'),
        ),
        (
            FeatureService("s", features=[ACTIVITY, "limits"]),
            ("service 's'", "a list", "features=(activity, limits)"),
        ),
        (
            FeatureService("s", features=(ACTIVITY, "limits")),
            ("service 's'", "'limits'", "features=(activity, limits)"),
        ),
        (view(ttl=7), ("view 'activity'", "ttl is a number", "ttl='7d'")),
        (view(ttl=timedelta(hours=36)), ("view 'activity'", "timedelta", "ttl='36h'")),
        (view(ttl=[]), ("view 'activity'", "a list", "ttl='30d'")),
        (view(available_delay=timedelta(0)), ("a timedelta", "available_delay='30d'")),
        (
            view(aggregations=(Aggregation("*", "count", windows=(timedelta(days=2),)),)),
            ("view 'activity'", "windows", "timedelta", "windows=('2d',)"),
        ),
        (view(latest="no"), ("view 'activity'", "latest is text", "True or False")),
        (
            view(transform=3),
            ("view 'activity'", "transform is a number", "a function or text or Code or None"),
        ),
        (view(description=None), ("view 'activity'", "description is None", "text")),
        (
            view(aggregations=COUNT),
            ("view 'activity'", "aggregations", "an Aggregation", "aggregations=("),
        ),
        (
            view(aggregations=(Aggregation("*", "count", windows="7d"),)),
            ("view 'activity'", "text", "windows=('7d',)"),
        ),
        (
            view(aggregations=(Aggregation("*", "count", closed="rihgt"),)),
            ("view 'activity'", "closed is 'rihgt'", "'right'?"),
        ),
        (
            view(aggregations=(Aggregation("*", "count", empty=[0]),)),
            ("view 'activity'", "empty is a list", "a whole number or float or text"),
        ),
        (
            FeatureService("s", features=ACTIVITY),
            ("service 's'", "a FeatureView", "features=(activity,)"),
        ),
        (
            FeatureService("s", features=(ACTIVITY, "limits")),
            ("service 's'", "features", "'limits'", "text", "FeatureView or FeatureReference"),
        ),
        (
            FeatureService("s", features=(CARD,)),
            ("service 's'", "features", "card", "an Entity", "FeatureView"),
        ),
        (
            FeatureService("s", features=(ACTIVITY.with_join_keys({"card_id": 7}),)),
            ("service 's'", "join_keys", "('card_id', 7)", "a tuple"),
        ),
        (
            FileSource("s", path="p", format="jsonl", timestamp_field="t"),
            ("source 's'", "format is 'jsonl'", "'json'?"),
        ),
        (
            DeltaSource("s", path="p", timestamp_field="t", unit="sec"),
            ("source 's'", "unit is 'sec'", "ms, s, us"),
        ),
        (
            DeltaSource("s", path=None, timestamp_field="t"),
            ("source 's'", "path is None", "text"),
        ),
        (Entity(7, join_keys=CARD.join_keys), ("entity 7", "name is a number", "text")),
        (
            Entity("card", join_keys=(Field(None, String),)),
            ("entity 'card'", "name is None", "text"),
        ),
    ],
)
def test_arguments_of_a_wrong_python_type_are_reported_with_the_right_one(
    declared: Any, parts: tuple[str, ...]
) -> None:
    [issue] = issues(declared)

    assert issue.rule == "arguments_have_their_types"
    assert missing(issue, *parts) == []


def test_a_definition_with_a_wrong_argument_does_not_hide_the_problems_of_others() -> None:
    listed = view("listed", schema=list(SCHEMA))
    timed = view("timed", ttl="7x")
    service = FeatureService("s", features=(listed, timed))

    first, second = issues(service)

    assert (first.rule, first.origin) == ("arguments_have_their_types", listed.origin)
    assert (second.rule, second.origin) == ("durations_are_durations", timed.origin)


def test_lists_in_parts_of_a_definition_are_reported_too() -> None:
    count = Aggregation("*", "count", windows=["7d"])
    listed = view(aggregations=[count])

    by_line = {issue.origin: issue for issue in issues(listed, PAYMENTS)}

    assert by_line.keys() == {listed.origin, count.origin}
    parts = ("view 'activity'", "a list")
    assert missing(by_line[listed.origin], *parts, "aggregations=(") == []
    assert missing(by_line[count.origin], *parts, "windows=('7d',)") == []
