from typing import Any

import pytest

from featurestore.definitions.model.aggregation import Aggregation
from featurestore.definitions.model.entity import Entity
from featurestore.definitions.model.service import FeatureService
from featurestore.definitions.model.source import DeltaSource, FileSource
from featurestore.definitions.model.types import Field, String
from tests.definitions.rules.cases import CARD, PAYMENTS, SCHEMA, messages, view

ACTIVITY = view()
COUNT = Aggregation("*", "count", windows=("7d",))


@pytest.mark.parametrize(
    ("declared", "problem"),
    [
        (
            Entity("card", join_keys=list(CARD.join_keys)),
            "entity 'card': join_keys is a list; write a tuple: join_keys=(card_id,)",
        ),
        (
            view(entities=[CARD, CARD]),
            "view 'activity': entities is a list; write a tuple: entities=(card, card)",
        ),
        (
            view(entities=CARD),
            "view 'activity': entities is an Entity; write a tuple: entities=(card,)",
        ),
        (
            view(tags="fraud"),
            "view 'activity': tags is text; write a tuple: tags=('fraud',)",
        ),
        (
            view(entities=("card",)),
            "view 'activity': entities holds 'card', which is text; expected Entity",
        ),
        (
            view(source="payments"),
            "view 'activity': source is text; expected DeltaSource or FileSource or RequestSource",
        ),
        (view(ttl=7), "view 'activity': ttl is a number; expected text or None"),
        (view(latest="no"), "view 'activity': latest is text; expected True or False"),
        (
            view(transform=3),
            "view 'activity': transform is a number; expected a function or text or Code or None",
        ),
        (view(description=None), "view 'activity': description is None; expected text"),
        (
            view(aggregations=COUNT),
            "view 'activity': aggregations is an Aggregation; write a tuple: aggregations=",
        ),
        (
            view(aggregations=(Aggregation("*", "count", windows="7d"),)),
            "view 'activity': windows is text; write a tuple: windows=('7d',)",
        ),
        (
            view(aggregations=(Aggregation("*", "count", closed="rihgt"),)),
            "view 'activity': closed is 'rihgt'. Did you mean 'right'?",
        ),
        (
            view(aggregations=(Aggregation("*", "count", empty=[0]),)),
            "view 'activity': empty is a list; expected a whole number or float or text",
        ),
        (
            FeatureService("s", features=ACTIVITY),
            "service 's': features is a FeatureView; write a tuple: features=(activity,)",
        ),
        (
            FeatureService("s", features=(ACTIVITY, "limits")),
            "service 's': features holds 'limits', which is text; expected FeatureView or "
            "FeatureReference",
        ),
        (
            FeatureService("s", features=(CARD,)),
            "service 's': features holds card, which is an Entity; expected FeatureView or",
        ),
        (
            FeatureService("s", features=(ACTIVITY.with_join_keys({"card_id": 7}),)),
            "service 's': join_keys holds ('card_id', 7), which is a tuple; expected",
        ),
        (
            FileSource("s", path="p", format="jsonl", timestamp_field="t"),
            "source 's': format is 'jsonl'. Did you mean 'json'?",
        ),
        (
            DeltaSource("s", path="p", timestamp_field="t", unit="sec"),
            "source 's': unit is 'sec'. Known: ms, s, us.",
        ),
        (
            DeltaSource("s", path=None, timestamp_field="t"),
            "source 's': path is None; expected text",
        ),
        (Entity(7, join_keys=CARD.join_keys), "entity 7: name is a number; expected text"),
        (
            Entity("card", join_keys=(Field(None, String),)),
            "entity 'card': name is None; expected text",
        ),
    ],
)
def test_arguments_of_a_wrong_python_type_are_told_what_to_write(
    declared: Any, problem: str
) -> None:
    [message] = messages(declared)

    assert message.startswith(problem)


def test_an_object_with_a_wrong_argument_does_not_hide_the_problems_of_others() -> None:
    listed = view("listed", schema=list(SCHEMA))
    timed = view("timed", ttl="7x")
    service = FeatureService("s", features=(listed, timed))

    found = messages(service)

    assert [message.partition(":")[0] for message in found] == ["view 'listed'", "view 'timed'"]


def test_lists_are_found_in_parts_too() -> None:
    listed = view(aggregations=[Aggregation("*", "count", windows=["7d"])])

    found = messages(listed, PAYMENTS)

    assert len(found) == 2
    assert "view 'activity': windows is a list; write a tuple: windows=('7d',)" in found
