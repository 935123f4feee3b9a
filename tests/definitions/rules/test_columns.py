from typing import Any

import pytest

from featurestore.definitions.model.entity import Entity
from featurestore.definitions.model.source import DeltaSource, FileSource
from featurestore.definitions.model.types import (
    JOIN_KEY_TYPES,
    Array,
    Binary,
    Boolean,
    DataType,
    Date,
    Decimal,
    Field,
    Float32,
    Float64,
    Int32,
    Int64,
    Scalar,
    String,
    Timestamp,
)
from tests.definitions.rules.cases import issues, missing, rules, view


def test_an_entity_needs_join_keys() -> None:
    [issue] = issues(Entity("card", join_keys=()))

    assert issue.rule == "entities_have_join_keys"
    assert missing(issue, "entity 'card'", "join_keys=", "entities=()") == []


@pytest.mark.parametrize("dtype", [Int32, Int64, String, Boolean, Date])
def test_types_that_compare_exactly_can_be_join_keys(dtype: DataType) -> None:
    assert issues(Entity("card", join_keys=(Field("id", dtype),))) == []


@pytest.mark.parametrize("dtype", [Timestamp, Binary, Decimal(10, 2), Array(Int64)])
def test_other_types_cannot_be_join_keys(dtype: DataType) -> None:
    [issue] = issues(Entity("card", join_keys=(Field("id", dtype),)))

    assert issue.rule == "join_keys_have_key_types"
    assert missing(issue, "entity 'card'", "'id'", dtype, *JOIN_KEY_TYPES) == []
    assert "cast" not in issue.message


@pytest.mark.parametrize("dtype", [Float32, Float64])
def test_a_float_join_key_can_be_cast(dtype: DataType) -> None:
    key = Field("id", dtype)

    [issue] = issues(Entity("card", join_keys=(key,)))

    assert (issue.rule, issue.origin) == ("join_keys_have_key_types", key.origin)
    assert missing(issue, "entity 'card'", "'id'", dtype, "cast", "Int64", "String") == []


def test_columns_that_occur_twice_are_reported_in_any_case() -> None:
    key, amount = Field("id", String), Field("amount", Float64)
    keys = Entity("holder", join_keys=(key, Field("ID", String)))
    fields = view(schema=(amount, Field("Amount", Int64), Field("card_id", Int64)))
    source = FileSource(
        "s", path="p", format="csv", timestamp_field="t", schema=(key, Field("t", Timestamp), key)
    )

    repeated = issues(keys, fields, source)

    assert [issue.rule for issue in repeated] == ["columns_are_unique"] * 4
    expected = [
        ("entity 'holder'", "'ID'", "'id'", key.origin),
        ("source 's'", "'id'", key.origin),
        ("view 'activity'", "'Amount'", "'amount'", amount.origin),
        ("view 'activity'", "'card_id'"),
    ]
    for parts in expected:
        assert sum(missing(issue, *parts) == [] for issue in repeated) == 1, parts


@pytest.mark.parametrize(
    "name", ["event_timestamp", "available_timestamp", "_seq", "_deleted", "_row_hash"]
)
def test_the_stores_own_columns_are_reserved(name: str) -> None:
    column = Field(name, Int64)

    reserved = [
        issue
        for issue in issues(view(schema=(column,)))
        if issue.rule == "columns_are_not_reserved"
    ]

    [issue] = reserved
    assert issue.origin == column.origin
    assert missing(issue, "view 'activity'", repr(name), f"'{name.strip('_')}_value'") == []


def test_unique_by_may_name_the_times_of_the_source_and_no_other_reserved_column() -> None:
    timed = DeltaSource(
        "a", path="a", timestamp_field="event_timestamp", unique_by=("event_timestamp",)
    )
    other = DeltaSource("b", path="b", timestamp_field="at", unique_by=("event_timestamp", "at"))

    [issue] = issues(view("timed", source=timed), view("other", source=other))

    assert (issue.rule, issue.origin) == ("columns_are_not_reserved", other.origin)
    assert missing(issue, "source 'b'", "unique_by", "'event_timestamp_value'") == []


@pytest.mark.parametrize(
    ("dtype", "parts"),
    [
        ("Flota64", ("'Flota64'", "'Float64'?")),
        ("Float64", ("'Float64'", "fs.Float64")),
        (float, ("'float'", "'Float64'", "'Float32'?")),
        (Scalar("Int46"), ("'Int46'", "'Int64'", "'Int32'?")),
        (Decimal, ("Decimal", "Decimal(10, 2)")),
        (Decimal(0, 0), ("Decimal(0, 0)", "precision", "1 to 38")),
        (Decimal(39, 2), ("Decimal(39, 2)", "precision", "1 to 38")),
        (Decimal(5, 6), ("Decimal(5, 6)", "scale", "0 to")),
        (Decimal(5, -1), ("Decimal(5, -1)", "scale", "0 to")),
        (Decimal("5", 1), ("Decimal(5, 1)", "whole numbers")),
        (Array(Decimal(50, 1)), ("Decimal(50, 1)", "precision", "1 to 38")),
        (Array("Int64"), ("'Int64'", "fs.Int64")),
    ],
)
def test_unknown_and_impossible_types_are_reported(dtype: Any, parts: tuple[str, ...]) -> None:
    column = Field("x", dtype)

    [issue] = issues(view(schema=(column,)))

    assert (issue.rule, issue.origin) == ("fields_have_known_types", column.origin)
    assert missing(issue, "view 'activity'", "field 'x'", *parts) == []


@pytest.mark.parametrize(
    "dtype", [Decimal(1, 0), Decimal(38, 38), Array(Float32), Array(Array(String)), Binary]
)
def test_known_types_are_valid(dtype: DataType) -> None:
    assert rules(view(schema=(Field("x", dtype),))) == []
