"""Which rows fail which checks: one rule for nulls and NaN, whatever library a schema is for."""

from datetime import UTC, datetime
from typing import Any

import pandera.pandas as pandas_backend
import pandera.polars as pandera
import polars as pl
import pyarrow as pa
import pytest
from pandera import config

from featurestore.definitions.model.expectations import Expectations
from featurestore.errors import MaterializationError
from featurestore.quality.checks import Verdict
from featurestore.quality.schema import checks_of
from featurestore.store.columns import UTC_MICROS
from tests.quality.views import view

NAN, NOON = float("nan"), datetime(2026, 1, 1, 12, tzinfo=UTC)


def rows(*amounts: float | None, country: str | None = "FR") -> pa.Table:
    count = len(amounts)
    return pa.table(
        {
            "card_id": pa.array(["c"] * count, pa.string()),
            "event_timestamp": pa.array([NOON] * count, UTC_MICROS),
            "amount": pa.array(amounts, pa.float64()),
            "country": pa.array([country] * count, pa.string()),
            "items": pa.array([1] * count, pa.int64()),
            "vector": pa.array([[1.0]] * count, pa.list_(pa.float64())),
            "_row_hash": pa.array([1] * count, pa.int64()),
        }
    )


def verdict(expectations: object, table: pa.Table) -> Verdict:
    return checks_of(view(expectations)).evaluate(table)


def reasons(expectations: object, table: pa.Table) -> list[list[str] | None]:
    return list(verdict(expectations, table).reasons.to_pylist())


LIBRARIES = pytest.mark.parametrize("library", [pandera, pandas_backend])


@LIBRARIES
@pytest.mark.parametrize(
    ("check", "arguments", "failing"),
    [
        ("ge", (0,), {-1.0}),
        ("le", (10,), {11.0}),
        ("in_range", (0, 10), {-1.0, 11.0}),
        ("ne", (5,), {5.0}),
        ("isin", ([-1.0, 5.0, 11.0],), set()),
        ("notin", ([5.0],), {5.0}),
    ],
)
def test_a_null_passes_each_check_and_nan_fails_it(
    library: Any, check: str, arguments: tuple[object, ...], failing: set[float]
) -> None:
    values = (-1.0, 5.0, 11.0, None, NAN)
    made = getattr(library.Check, check)(*arguments)
    schema = library.DataFrameSchema({"amount": library.Column(checks=made, nullable=True)})

    found = reasons(schema, rows(*values))

    name = f"amount:{made.name}"
    assert found == [[name] if v in failing else None for v in values[:3]] + [None, [name]]


@LIBRARIES
def test_a_column_that_is_not_nullable_refuses_null_and_nan(library: Any) -> None:
    schema = library.DataFrameSchema({"amount": library.Column()})

    assert reasons(schema, rows(1.0, None, NAN)) == [
        None,
        ["amount:not_null"],
        ["amount:not_null"],
    ]


def test_nan_passes_where_a_column_may_be_null_and_has_no_check() -> None:
    schema = pandera.DataFrameSchema({"amount": pandera.Column(nullable=True)})

    assert reasons(schema, rows(NAN, None)) == [None, None]


def test_a_check_that_does_not_ignore_nulls_fails_them() -> None:
    check = pandera.Check.ge(0, ignore_na=False)
    schema = pandera.DataFrameSchema({"amount": pandera.Column(checks=check, nullable=True)})

    assert reasons(schema, rows(None, 1.0)) == [["amount:greater_than_or_equal_to"], None]


def test_each_failed_check_of_a_row_is_a_reason() -> None:
    class Payments(pandera.DataFrameModel):
        amount: float = pandera.Field(ge=0, ne=-1)
        country: str = pandera.Field(isin=["DE"])

        @pandera.dataframe_check
        def cheap(cls, data: pandera.PolarsData) -> pl.LazyFrame:  # noqa: N805  # a class method
            return data.lazyframe.select(pl.col("amount") < 100)

    first, second = reasons(Payments, rows(-1.0, 500.0))

    assert first is not None
    assert sorted(first) == [
        "amount:greater_than_or_equal_to",
        "amount:not_equal_to",
        "country:isin",
    ]
    assert second == ["country:isin", "cheap"]


def test_the_second_check_of_a_name_has_a_number() -> None:
    checks = [pandera.Check.ge(0), pandera.Check.ge(10)]
    schema = pandera.DataFrameSchema({"amount": pandera.Column(checks=checks)})

    assert reasons(schema, rows(5.0)) == [["amount:greater_than_or_equal_to_2"]]


def test_a_warning_does_not_keep_a_row_out() -> None:
    schema = pandera.DataFrameSchema(
        {
            "amount": pandera.Column(checks=pandera.Check.ge(0, raise_warning=True)),
            "country": pandera.Column(checks=pandera.Check.isin(["DE"])),
        }
    )

    by_schema = verdict(schema, rows(-1.0))
    by_option = verdict(Expectations(schema, severity={"country": "warn"}), rows(-1.0))

    assert by_schema.reasons.to_pylist() == [["country:isin"]]
    assert by_schema.warnings.to_pylist() == [["amount:greater_than_or_equal_to"]]
    assert by_option.reasons.to_pylist() == [None]
    assert by_option.warnings.to_pylist() == [["amount:greater_than_or_equal_to", "country:isin"]]


def test_the_event_time_and_the_keys_have_their_declared_names() -> None:
    schema = pandera.DataFrameSchema(
        {
            "paid_at": pandera.Column(
                pl.Datetime("us", "UTC"), pandera.Check.lt(datetime(2026, 1, 1, tzinfo=UTC))
            ),
            "card_id": pandera.Column(str, pandera.Check.str_startswith("d")),
        }
    )

    assert reasons(schema, rows(1.0)) == [["paid_at:less_than", "card_id:str_startswith"]]


def test_a_pattern_checks_each_column_that_it_matches() -> None:
    schema = pandera.DataFrameSchema(
        {"amount|items": pandera.Column(checks=pandera.Check.ge(2), regex=True)}
    )

    assert reasons(schema, rows(1.0)) == [
        ["amount:greater_than_or_equal_to", "items:greater_than_or_equal_to"]
    ]


@pytest.mark.parametrize("setting", ["PANDERA_VALIDATION_ENABLED", "PANDERA_VALIDATION_DEPTH"])
def test_settings_of_pandera_do_not_switch_checks_off(
    monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    value = {"PANDERA_VALIDATION_ENABLED": "False", "PANDERA_VALIDATION_DEPTH": "SCHEMA_ONLY"}
    monkeypatch.setenv(setting, value[setting])
    config.reset_config_context()
    schema = pandera.DataFrameSchema(
        {"amount": pandera.Column(checks=pandera.Check.ge(0))}, drop_invalid_rows=True
    )

    with config.config_context(validation_enabled=False, validation_depth="SCHEMA_ONLY"):
        assert reasons(schema, rows(-1.0)) == [["amount:greater_than_or_equal_to"]]


def test_a_check_that_raises_is_an_error_that_names_it() -> None:
    def odd(value: float) -> bool:
        return 1 / (value - 2) > 0

    check = pandera.Check(odd, element_wise=True)
    schema = pandera.DataFrameSchema({"amount": pandera.Column(checks=check)})

    with pytest.raises(MaterializationError) as raised:
        verdict(schema, rows(1.0, 2.0))

    assert "amount:odd" in raised.value.found
    assert "ZeroDivisionError" in raised.value.found or "division" in raised.value.found


def test_no_row_is_no_problem() -> None:
    schema = pandera.DataFrameSchema({"amount": pandera.Column(checks=pandera.Check.ge(0))})

    assert reasons(schema, rows()) == []
