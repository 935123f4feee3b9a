from typing import Any

import pytest

from featurestore.definitions.model.source import DeltaSource, FileSource
from featurestore.definitions.model.types import Boolean, Field, Float64, Int64, String, Timestamp
from tests.definitions.rules.cases import CARD, messages, view


def delta(**changes: Any) -> DeltaSource:
    return DeltaSource("rows", **{"path": "data", "timestamp_field": "at", **changes})


def csv(*columns: Field, **changes: Any) -> FileSource:
    given = {"path": "data", "format": "csv", "timestamp_field": "at", "schema": columns}
    return FileSource("rows", **{**given, **changes})


AT = Field("at", Timestamp)


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        (delta(path=""), "path is empty"),
        (delta(timestamp_field=""), "timestamp_field is empty"),
        (
            csv(),
            "csv files carry no types; give schema=(Field(...),)",
        ),
        (
            delta(change_feed=True),
            "an undeclared change-feed key; with change_feed=True give unique_by=, the columns "
            "that name one event",
        ),
        (
            delta(change_feed=True, unique_by=("id",), sequence_field="n"),
            "change_feed=True orders rows by their commits; drop sequence_field=",
        ),
        (
            delta(change_feed=True, unique_by=("seen",), available_timestamp_field="seen"),
            "unique_by holds the available time 'seen', which change_feed=True sets to the "
            "commit's time; name the event without it",
        ),
        (delta(unique_by=("id", "id")), "unique_by holds 'id' twice"),
        (delta(unique_by=("",)), "unique_by holds an empty name"),
        (
            delta(timezone="Europe/Pariss"),
            "unknown timezone 'Europe/Pariss'. Did you mean 'Europe/Paris' or 'Europe/Warsaw' or "
            "'Europe/Madrid'?",
        ),
        (
            delta(timezone="Mars"),
            "unknown timezone 'Mars'. Did you mean 'Europe/Paris' or 'Indian/Mauritius' or "
            "'America/Matamoros'?",
        ),
        (
            delta(timezone="UTC", unit="s"),
            "unit= counts from 1970 in UTC, so that timezone= has no meaning; drop one",
        ),
        (csv(Field("at", Int64)), "timestamp_field 'at' is Int64: say unit='s', 'ms' or 'us'"),
        (csv(AT, unit="s"), "timestamp_field 'at' is Timestamp, but unit='s' is for integers"),
        (csv(Field("at", Float64)), "timestamp_field 'at' is Float64, which is no time"),
        (
            csv(AT, Field("n", String), sequence_field="n"),
            "sequence_field 'n' is not Int32 or Int64",
        ),
        (
            csv(AT, Field("gone", Int64), deleted_field="gone"),
            "deleted_field 'gone' is not Boolean",
        ),
    ],
)
def test_what_a_source_says_must_fit_together(source: DeltaSource, problem: str) -> None:
    assert messages(source) == [f"source 'rows': {problem}"]


@pytest.mark.parametrize(
    "source",
    [
        delta(change_feed=True, unique_by=("id",)),
        delta(timezone="Europe/Paris"),
        delta(unit="ms"),
        csv(Field("at", Int64), unit="us"),
        csv(Field("at", String), timezone="Asia/Kolkata"),
        csv(
            AT, Field("gone", Boolean), Field("n", Int64), deleted_field="gone", sequence_field="n"
        ),
        FileSource("rows", path="data", format="parquet", timestamp_field="at"),
    ],
)
def test_sources_that_fit_are_fine(source: DeltaSource) -> None:
    assert messages(source) == []


def test_a_view_without_transform_takes_only_columns_of_the_schema() -> None:
    source = csv(AT, Field("card_id", String), Field("amount", Float64), unique_by=("ticket",))
    amuont = Field("amuont", Float64)

    found = messages(view(entities=(CARD,), source=source, schema=(amuont,)))

    assert found == [
        "view 'activity': source 'rows' has no column 'ticket'. Known: amount, at, card_id.",
        "view 'activity': source 'rows' has no column 'amuont'. Did you mean 'amount'?",
    ]


def test_a_transform_may_make_columns() -> None:
    source = csv(AT, Field("card_id", String))
    made = view(
        source=source,
        schema=(Field("amount", Float64),),
        transform="select *, 1.0 as amount from {source}",
    )

    assert messages(made) == []
