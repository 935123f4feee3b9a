import pytest

from featurestore.definitions.model.entity import Entity
from featurestore.definitions.model.source import DeltaSource, FileSource
from featurestore.definitions.model.types import (
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
from tests.definitions.rules.cases import messages, view


def test_an_entity_needs_join_keys() -> None:
    assert messages(Entity("card", join_keys=())) == [
        "entity 'card' has no join_keys; for features without keys use entities=()"
    ]


@pytest.mark.parametrize("dtype", [Int32, Int64, String, Boolean, Date])
def test_types_that_compare_exactly_can_be_join_keys(dtype: DataType) -> None:
    assert messages(Entity("card", join_keys=(Field("id", dtype),))) == []


@pytest.mark.parametrize("dtype", [Timestamp, Binary, Decimal(10, 2), Array(Int64)])
def test_other_types_cannot_be_join_keys(dtype: DataType) -> None:
    assert messages(Entity("card", join_keys=(Field("id", dtype),))) == [
        f"join key 'id' of entity 'card' is {dtype}; keys are Int32, Int64, String, Boolean, Date"
    ]


@pytest.mark.parametrize("dtype", [Float32, Float64])
def test_a_float_join_key_is_told_to_be_cast(dtype: DataType) -> None:
    [message] = messages(Entity("card", join_keys=(Field("id", dtype),)))

    assert message.endswith(": cast it in the source or transform, e.g. to Int64 or String")


def test_columns_that_occur_twice_are_reported_whatever_their_case() -> None:
    key, amount = Field("id", String), Field("amount", Float64)
    keys = Entity("holder", join_keys=(key, Field("ID", String)))
    fields = view(schema=(amount, Field("Amount", Int64), Field("card_id", Int64)))
    source = FileSource(
        "s", path="p", format="csv", timestamp_field="t", schema=(key, Field("t", Timestamp), key)
    )

    found = messages(keys, fields, source)

    assert f"column 'ID' of entity 'holder' occurs twice: also 'id' at {key.origin}" in found
    assert f"column 'id' of source 's' occurs twice: also 'id' at {key.origin}" in found
    assert (
        f"column 'Amount' of view 'activity' occurs twice: also 'amount' at {amount.origin}"
        in (found)
    )
    assert any(text.startswith("column 'card_id' of view 'activity' occurs") for text in found)
    assert len(found) == 4


@pytest.mark.parametrize(
    "name", ["event_timestamp", "available_timestamp", "_seq", "_deleted", "_row_hash"]
)
def test_the_stores_own_columns_are_reserved(name: str) -> None:
    found = messages(view(schema=(Field(name, Int64),)))

    assert (
        f"column {name!r} of view 'activity': the store itself keeps a column of that name; "
        in (" ".join(found))
    )


def test_unique_by_may_name_the_times_of_the_source_and_no_other_reserved_column() -> None:
    timed = DeltaSource(
        "a", path="a", timestamp_field="event_timestamp", unique_by=("event_timestamp",)
    )
    other = DeltaSource("b", path="b", timestamp_field="at", unique_by=("event_timestamp", "at"))

    found = messages(view("timed", source=timed), view("other", source=other))

    assert found == [
        "unique_by 'event_timestamp' of source 'b': the store itself keeps a column of that name; "
        "rename it, e.g. event_timestamp_value"
    ]


@pytest.mark.parametrize(
    ("dtype", "problem"),
    [
        ("Flota64", "unknown type 'Flota64'. Did you mean 'Float64'?"),
        ("Float64", "its type is the text 'Float64'; write the constant fs.Float64"),
        (float, "unknown type 'float'. Did you mean 'Float64' or 'Float32'?"),
        (Scalar("Int46"), "unknown type 'Int46'. Did you mean 'Int64' or 'Int32'?"),
        (Decimal, "Decimal needs arguments, such as Decimal(10, 2) or Array(Float32)"),
        (Decimal(0, 0), "Decimal(0, 0) has a precision outside 1 to 38"),
        (Decimal(39, 2), "Decimal(39, 2) has a precision outside 1 to 38"),
        (Decimal(5, 6), "Decimal(5, 6) has a scale outside 0 to its precision"),
        (Decimal(5, -1), "Decimal(5, -1) has a scale outside 0 to its precision"),
        (Decimal("5", 1), "Decimal(5, 1) needs whole numbers"),
        (Array(Decimal(50, 1)), "Decimal(50, 1) has a precision outside 1 to 38"),
        (Array("Int64"), "its type is the text 'Int64'; write the constant fs.Int64"),
    ],
)
def test_unknown_and_impossible_types_are_reported(dtype: DataType, problem: str) -> None:
    assert messages(view(schema=(Field("x", dtype),))) == [
        f"field 'x' of view 'activity': {problem}"
    ]


@pytest.mark.parametrize(
    "dtype", [Decimal(1, 0), Decimal(38, 38), Array(Float32), Array(Array(String)), Binary]
)
def test_known_types_are_fine(dtype: DataType) -> None:
    assert messages(view(schema=(Field("x", dtype),))) == []
