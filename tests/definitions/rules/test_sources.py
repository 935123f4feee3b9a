from typing import Any

import pytest

from featurestore.definitions.model.source import DeltaSource, FileSource
from featurestore.definitions.model.types import (
    Array,
    Boolean,
    DataType,
    Decimal,
    Field,
    Float64,
    Int32,
    Int64,
    String,
    Timestamp,
)
from tests.definitions.rules.cases import CARD, issues, missing, view


def delta(**changes: Any) -> DeltaSource:
    return DeltaSource("rows", **{"path": "data", "timestamp_field": "at", **changes})


def csv(*columns: Field, **changes: Any) -> FileSource:
    arguments = {"path": "data", "format": "csv", "timestamp_field": "at", "schema": columns}
    return FileSource("rows", **{**arguments, **changes})


AT = Field("at", Timestamp)


@pytest.mark.parametrize(
    ("source", "rule", "parts"),
    [
        (delta(path=""), "paths_and_columns_are_named", ("path is empty",)),
        (delta(path=None), "tables_have_a_path_or_a_name", ("neither path= nor table=",)),
        (delta(table="a.b"), "tables_have_a_path_or_a_name", ("both path= and table=",)),
        *(
            (delta(path=None, table=name), "tables_have_a_path_or_a_name", (repr(name), "schema."))
            for name in ("", "paid", "a..b", "a.b.c.d", "a.b c", "a.`b`", "s3://bucket/a.b")
        ),
        (delta(path="catalog:a.b"), "tables_have_a_path_or_a_name", ("table='a.b'",)),
        (delta(timestamp_field=""), "paths_and_columns_are_named", ("timestamp_field is empty",)),
        (csv(), "text_files_have_a_schema", ("csv", "schema=(Field(...),)")),
        (
            delta(change_feed=True),
            "change_feeds_have_a_key",
            ("change_feed=True", "unique_by="),
        ),
        (
            delta(change_feed=True, unique_by=("id",), sequence_field="n"),
            "change_feeds_order_their_own_rows",
            ("change_feed=True", "Remove sequence_field="),
        ),
        (
            delta(change_feed=True, unique_by=("seen",), available_timestamp_field="seen"),
            "change_feeds_order_their_own_rows",
            ("change_feed=True", "'seen'", "unique_by="),
        ),
        (delta(unique_by=("id", "id")), "unique_columns_occur_once", ("unique_by", "'id' twice")),
        (delta(unique_by=("",)), "unique_columns_occur_once", ("unique_by", "empty name")),
        (
            delta(timezone="Europe/Pariss"),
            "time_zones_are_known",
            ("'Europe/Pariss'", "'Europe/Paris'"),
        ),
        (delta(timezone="Mars"), "time_zones_are_known", ("'Mars'", "'Indian/Mauritius'")),
        (
            delta(timezone="UTC", unit="s"),
            "units_have_no_time_zone",
            ("timezone=", "unit=", "Remove one"),
        ),
        (
            csv(Field("at", Int64)),
            "schemas_fit_their_roles",
            ("timestamp_field 'at'", "Int64", "unit='s', 'ms' or 'us'"),
        ),
        (
            csv(AT, unit="s"),
            "schemas_fit_their_roles",
            ("timestamp_field 'at'", "Timestamp", "unit='s'"),
        ),
        (
            csv(Field("at", Float64)),
            "schemas_fit_their_roles",
            ("timestamp_field 'at'", "Float64", "Timestamp"),
        ),
        (
            csv(AT, Field("n", String), sequence_field="n"),
            "schemas_fit_their_roles",
            ("sequence_field 'n'", "String", "Int32 or Int64"),
        ),
        (
            csv(AT, Field("gone", Int64), deleted_field="gone"),
            "schemas_fit_their_roles",
            ("deleted_field 'gone'", "Int64", "Boolean"),
        ),
        (csv(format=None, path="d/a.csv"), "text_files_have_a_schema", ("csv",)),
        (
            csv(AT, Field("tags", Array(String))),
            "csv_columns_are_no_lists",
            ("'tags'", "Array(String)"),
        ),
        (csv(AT, delimiter="||"), "text_options_are_valid", ("'||'", "delimiter=';'")),
        (csv(AT, delimiter='"'), "text_options_are_valid", ("delimiter",)),
        (csv(AT, encoding="utf8-bomb"), "text_options_are_valid", ("'utf8-bomb'", "latin-1")),
        (csv(AT, encoding="base64"), "text_options_are_valid", ("'base64'",)),
        (csv(AT, format="json", delimiter=";"), "text_options_are_valid", ("delimiter=", "json")),
        (
            csv(format="parquet", encoding="latin-1"),
            "text_options_are_valid",
            ("encoding=", "parquet"),
        ),
        (
            csv(AT, Field("euros", Int64), optional_columns=("euro",)),
            "optional_columns_may_be_null",
            ("'euro'", "'euros'?"),
        ),
        (
            csv(AT, optional_columns=("at",)),
            "optional_columns_may_be_null",
            ("timestamp_field 'at'",),
        ),
    ],
)
def test_arguments_of_a_source_that_do_not_fit_together_are_reported(
    source: DeltaSource, rule: str, parts: tuple[str, ...]
) -> None:
    [issue] = issues(source)

    assert (issue.rule, issue.origin) == (rule, source.origin)
    assert missing(issue, "source 'rows'", *parts) == []


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
        FileSource("rows", path="data/*.parquet", timestamp_field="at", optional_columns=("n",)),
        csv(AT, Field("n", Int64), optional_columns=("n",), delimiter="\t", encoding="cp1252"),
        csv(AT, null_values=("NA", "")),
    ],
)
def test_sources_whose_arguments_fit_together_are_valid(source: DeltaSource) -> None:
    assert issues(source) == []


def test_a_view_without_transform_takes_only_columns_of_the_schema() -> None:
    source = csv(AT, Field("card_id", String), Field("amount", Float64), unique_by=("ticket",))
    amuont = Field("amuont", Float64)

    ticket, misspelt = issues(view(entities=(CARD,), source=source, schema=(amuont,)))

    assert (ticket.rule, ticket.origin) == ("views_take_columns_that_exist", source.origin)
    parts = ("view 'activity'", "source 'rows'", "'ticket'", "amount, at, card_id")
    assert missing(ticket, *parts) == []
    assert (misspelt.rule, misspelt.origin) == ("views_take_columns_that_exist", amuont.origin)
    parts = ("view 'activity'", "source 'rows'", "'amuont'", "'amount'?")
    assert missing(misspelt, *parts) == []


def test_a_transform_may_make_columns() -> None:
    source = csv(AT, Field("card_id", String))
    made = view(
        source=source,
        schema=(Field("amount", Float64),),
        transform="select *, 1.0 as amount from {source}",
    )

    assert issues(made) == []


@pytest.mark.parametrize(
    ("dtype", "wider", "count"),
    [
        (Int64, Int32, 1),
        (Int64, Float64, 1),
        (String, Float64, 1),
        (Int32, Int64, 0),
        (Int32, Float64, 0),
        (Decimal(8, 2), Decimal(10, 2), 0),
        (Decimal(10, 2), Decimal(10, 3), 1),
        (Array(Int32), Array(Int64), 0),
        (Array(Int64), Array(Int32), 1),
    ],
)
def test_a_view_without_transform_takes_columns_of_a_fitting_type(
    dtype: DataType, wider: DataType, count: int
) -> None:
    source = FileSource(
        "rows", path="data", format="json", timestamp_field="at", schema=(AT, Field("x", dtype))
    )
    plain = view(entities=(), source=source, schema=(Field("x", wider),))
    cast = view(source=source, schema=(Field("x", wider),), transform="select * from {source}")

    found = [issue.rule for issue in issues(plain)]

    assert found == ["views_take_columns_of_fitting_types"] * count
    assert issues(cast) == []


@pytest.mark.parametrize("name", ["shop.paid", "main.shop.paid", "main.shop-1.paid_2026"])
def test_a_table_of_a_catalog_needs_no_path(name: str) -> None:
    source = delta(path=None, table=name)

    assert issues(view(source=source)) == []
    assert source.location == f"catalog:{name}"


def test_a_contract_on_a_table_of_a_catalog_is_refused() -> None:
    (issue,) = issues(view(source=delta(path=None, table="a.b"), schema_contract="freeze"))

    assert issue.rule == "contracts_have_columns_to_compare"
    assert missing(issue, "'freeze'", "'a.b'", "path=") == []
