from datetime import timedelta
from typing import Any

import pytest

from featurestore.definitions.model.aggregation import Aggregation
from featurestore.definitions.model.entity import Entity
from featurestore.definitions.model.service import FeatureService
from featurestore.definitions.model.source import DeltaSource, FileSource, RequestSource
from featurestore.definitions.model.types import Field, String
from featurestore.definitions.model.window import Sliding, Tumbling
from featurestore.errors import DefinitionError
from tests.definitions.rules.cases import CARD, PAYMENTS, SCHEMA, issues, missing, view

ACTIVITY = view()
COUNT = Aggregation("*", "count", windows=("7d",))


@pytest.mark.parametrize(
    ("declared", "parts"),
    [
        (
            Entity("card", join_keys={"card_id": String}),
            ("entity 'card'", "a dict", "join_keys=("),
        ),
        (view(entities={CARD}), ("view 'activity'", "a set", "entities=(")),
        (view(tags={"fraud": "yes"}), ("view 'activity'", "a dict", "tags=('fraud',)")),
        (view(tags={"b", "a"}), ("view 'activity'", "a set", "tags=('a', 'b')")),
        (view(tags=iter("a")), ("view 'activity'", "Write a tuple of text")),
        (view(tags=None), ("view 'activity'", "None", "Write a tuple of text")),
        (view(tags=7), ("view 'activity'", "a number", "tags=(7,)")),
        (view(entities=("card",)), ("view 'activity'", "entities", "'card'", "text", "Entity")),
        (
            view(source="payments"),
            ("view 'activity'", "source is text", "DeltaSource or FileSource or KafkaSource"),
        ),
        (
            Entity("card", join_keys=("card_id",)),
            ("'card_id'", "text", 'join_keys=(fs.Field("card_id", fs.String),)'),
        ),
        (
            FeatureService("s", features=[ACTIVITY, "limits"]),
            ("service 's'", "'limits'", "features=(activity, limits)"),
        ),
        (
            FeatureService("s", features=(ACTIVITY, "limits")),
            ("service 's'", "'limits'", "features=(activity, limits)"),
        ),
        (view(ttl=7), ("view 'activity'", "ttl is a number", "ttl='7d'")),
        (view(ttl=timedelta(microseconds=5)), ("view 'activity'", "timedelta", "ttl='30d'")),
        (view(ttl=timedelta(hours=-1)), ("view 'activity'", "timedelta", "ttl='30d'")),
        (view(ttl=[]), ("view 'activity'", "a list", "ttl='30d'")),
        (view(latest="no"), ("view 'activity'", "latest is text", "True or False")),
        (
            view(transform=3),
            ("view 'activity'", "transform is a number", "a function or text or Code or None"),
        ),
        (view(description=None), ("view 'activity'", "description is None", "text")),
        (
            view(aggregations=(Aggregation("*", "count", closed="rihgt"),)),
            ("view 'activity'", "closed is 'rihgt'", "'right'?"),
        ),
        (
            view(aggregations=(Aggregation("*", "count", empty=[0]),)),
            ("view 'activity'", "empty is a list", "a whole number or float or text"),
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
            DeltaSource("s", path=7, timestamp_field="t"),
            ("source 's'", "path", "text"),
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
    listed = view("listed", schema=None)
    timed = view("timed", ttl="7x")
    service = FeatureService("s", features=(listed, timed))

    first, second = issues(service)

    assert (first.rule, first.origin) == ("arguments_have_their_types", listed.origin)
    assert (second.rule, second.origin) == ("durations_are_durations", timed.origin)


def test_wrong_arguments_in_parts_of_a_definition_are_reported_too() -> None:
    count = Aggregation("*", "count", windows=None)
    wrong = view(aggregations=[count], tags=7)

    by_line = {issue.origin: issue for issue in issues(wrong, PAYMENTS)}

    assert by_line.keys() == {wrong.origin, count.origin}
    assert missing(by_line[wrong.origin], "view 'activity'", "a number", "tags=(") == []
    assert missing(by_line[count.origin], "view 'activity'", "None", "windows=(") == []


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        (Entity("card", join_keys=[*CARD.join_keys]), CARD),
        (Entity("card", join_keys=CARD.join_keys[0]), CARD),
        (view(entities=CARD, schema=[*SCHEMA], tags="fraud"), view(tags=("fraud",))),
        (view(ttl=timedelta(days=7)), view(ttl="7d")),
        (view(ttl=timedelta(hours=36)), view(ttl="36h")),
        (view(available_delay=timedelta(0)), view(available_delay="0s")),
        (view(aggregations=COUNT), view(aggregations=(COUNT,))),
        (FeatureService("s", features=ACTIVITY), FeatureService("s", features=(ACTIVITY,))),
        (FeatureService("s", features=[ACTIVITY]), FeatureService("s", features=(ACTIVITY,))),
        (Aggregation("*", "count", windows="7d"), COUNT),
        (Aggregation("*", "count", windows=timedelta(days=7)), COUNT),
        (Aggregation("*", "count", windows=[timedelta(days=7)]), COUNT),
        (
            Aggregation("*", "count", windows=Tumbling(timedelta(days=7))),
            Aggregation("*", "count", windows=(Tumbling("7d"),)),
        ),
        (Sliding(timedelta(1), every=timedelta(hours=1)), Sliding("1d", every="1h")),
        (
            DeltaSource("s", path="p", timestamp_field="t", unique_by="id", tags=["a"]),
            DeltaSource("s", path="p", timestamp_field="t", unique_by=("id",), tags=("a",)),
        ),
        (
            RequestSource("s", schema=CARD.join_keys[0]),
            RequestSource("s", schema=CARD.join_keys),
        ),
    ],
)
def test_lists_single_items_and_timedeltas_are_kept_as_tuples_and_texts(
    written: Any, kept: Any
) -> None:
    assert written == kept
    assert hash(written) == hash(kept)


@pytest.mark.parametrize(
    ("declared", "parts"),
    [
        (
            view(schema=(Field(String, "city"),)),
            ("changed places", "fs.Field('city', fs.String)"),
        ),
        (
            Entity("card", join_keys=Field(String, "card_id")),
            ("changed places", "fs.Field('card_id', fs.String)"),
        ),
        (
            view(aggregations=Aggregation("count", "*", windows="7d")),
            ("changed places", "fs.Aggregation('*', 'count', ...)"),
        ),
        (
            view(aggregations=Aggregation("*", "count", windows=7)),
            ("windows is a number", "windows=('7d',)"),
        ),
        (
            view(aggregations=Aggregation("*", "count", windows=[7])),
            ("window 7 ", "'7d'", "timedelta"),
        ),
        (
            view(aggregations=Aggregation("*", "count", windows=timedelta(milliseconds=5))),
            ("window ", "'7d'", "timedelta of whole seconds"),
        ),
        (view(schema={"city": String}), ('schema=(fs.Field("city", fs.String),)',)),
    ],
)
def test_what_was_meant_is_written(declared: Any, parts: tuple[str, ...]) -> None:
    [issue] = issues(declared)

    assert missing(issue, *parts) == []


def test_all_windows_are_reported_with_the_other_problems_of_a_view() -> None:
    count = Aggregation("*", "count", windows=["7 days", 7, "1d"], delay="one")
    wrong = view(aggregations=[count], schema=None, available_delay="x")

    assert sorted(issue.rule for issue in issues(wrong, PAYMENTS)) == [
        "arguments_have_their_types",
        "durations_are_durations",
        "windows_are_durations",
        "windows_are_durations",
        "windows_are_durations",
    ]


@pytest.mark.parametrize(
    ("write", "found", "fix"),
    [
        (lambda: Entity("card", [Field("id", String)]), "positional", "join_keys="),
        (lambda: Entity("card"), "join_keys", "join_keys="),
        (lambda: Entity("card", join_key=[]), "'join_key'", "'join_keys'"),
        (lambda: ACTIVITY[5], "5", "[["),
        (lambda: ACTIVITY.with_join_keys("payer_id"), "'payer_id'", "{"),
        (lambda: DeltaSource("s", "data"), "positional", "path="),
    ],
)
def test_constructors_say_which_arguments_they_have(write: Any, found: str, fix: str) -> None:
    with pytest.raises(DefinitionError) as error:
        write()

    assert found in error.value.found
    assert fix in error.value.fix
    assert "test_argument_types.py" in error.value.call
