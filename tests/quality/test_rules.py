"""Expectations that cannot be checked row by row are problems of the definitions."""

from collections.abc import Callable

import pandera.pandas as pandas_backend
import pandera.polars as pandera
import polars as pl
import pytest

from featurestore.definitions.model.expectations import Expectations
from featurestore.definitions.model.manifest import Manifest
from featurestore.quality.rules import expectation_issues
from tests.quality.views import view

Column, Check, Schema = pandera.Column, pandera.Check, pandera.DataFrameSchema
POSITIVE = Schema({"amount": Column(checks=Check.ge(0))})


def problems(expectations: object) -> list[str]:
    return [issue.message for issue in expectation_issues(Manifest.of([view(expectations)]))]


def positive() -> pandera.DataFrameSchema:
    return POSITIVE


class Payments(pandera.DataFrameModel):
    amount: float = pandera.Field(ge=0)
    country: str

    @pandera.check("amount")
    def whole(cls, data: pandera.PolarsData) -> pl.LazyFrame:  # noqa: N805  # a class method
        return data.lazyframe.select(pl.col(data.key) % 1 == 0)


@pytest.mark.parametrize(
    "expectations",
    [
        POSITIVE,
        positive,
        Payments,
        Expectations(positive, max_bad_share=0, severity={"amount": "warn"}),
        Schema({"amount": Column(pl.Float64), "paid_at": Column(pl.Datetime("us", "UTC"))}),
        Schema({"amount": Column(pl.Float64, coerce=True)}),
        Schema({"other": Column(required=False)}),
        Schema({"amount": Column(checks=Check(lambda value: value > 1, element_wise=True))}),
        Schema(checks=Check(lambda data: data.lazyframe.select(pl.col("amount") > 1))),
        pandas_backend.DataFrameSchema(
            {
                "amount": pandas_backend.Column(float, pandas_backend.Check.ge(0)),
                "items": pandas_backend.Column("Int64"),
                "country": pandas_backend.Column(str),
                "paid_at": pandas_backend.Column("datetime64[ns, UTC]"),
            }
        ),
    ],
)
def test_checks_of_rows_are_no_problem(expectations: object) -> None:
    assert problems(expectations) == []


def mean_is_small(data: pandera.PolarsData) -> pl.LazyFrame:
    return data.lazyframe.select(pl.col(data.key).mean() < 1e9)


def below_mean(data: pandera.PolarsData) -> pl.LazyFrame:
    return data.lazyframe.select(pl.col(data.key) <= pl.col(data.key).mean())


def ascending(data: pandera.PolarsData) -> pl.LazyFrame:
    return data.lazyframe.select(pl.col(data.key) >= pl.col(data.key).shift(1))


def distinct(data: pandera.PolarsData) -> pl.LazyFrame:
    return data.lazyframe.select(pl.col(data.key).is_first_distinct())


def all_positive(data: pandera.PolarsData) -> bool:
    return bool(data.lazyframe.collect()[data.key].min() > 0)


@pytest.mark.parametrize("check", [mean_is_small, below_mean, ascending, distinct, all_positive])
def test_a_check_that_looks_at_other_rows_is_a_problem(check: Callable[..., object]) -> None:
    (problem,) = problems(Schema({"amount": Column(checks=Check(check), nullable=True)}))

    assert f"amount:{check.__name__}" in problem


@pytest.mark.parametrize(
    ("schema", "named"),
    [
        (Schema({"amount": Column(unique=True)}), "unique=True"),
        (Schema({"amount": Column()}, unique=["amount"]), "unique=['amount']"),
        (Schema({"amount": Column(checks=Check.unique_values_eq([1.0]))}), "unique_values_eq"),
        (Schema({"amount": Column(default=1.0)}), "default="),
        (Schema({"amount": Column(int)}), "'amount' is Int64"),
        (Schema({"amuont": Column()}), "Did you mean 'amount'?"),
        (Schema({"x.*": Column(regex=True)}), "'x.*'"),
        (Schema({"amount": Column()}, strict=True), "card_id, paid_at, country, items, vector"),
        (Schema({"x": Column(nullable=True)}, add_missing_columns=True), "add_missing_columns"),
        (Schema({"event_timestamp": Column()}), "'event_timestamp'"),
        (
            pandas_backend.DataFrameSchema(
                {"amount": pandas_backend.Column(checks=pandas_backend.Check(lambda s: s > 0))}
            ),
            "pandas",
        ),
        (
            pandas_backend.DataFrameSchema(
                {"amount": pandas_backend.Column()}, index=pandas_backend.Index(int)
            ),
            "index",
        ),
        (
            pandas_backend.DataFrameSchema({"country": pandas_backend.Column(float)}),
            "'country' is float64",
        ),
        (
            pandas_backend.DataFrameSchema(
                {
                    "amount": pandas_backend.Column(
                        checks=pandas_backend.Check(any, groupby="items")
                    ),
                    "items": pandas_backend.Column(),
                }
            ),
            "groupby=",
        ),
    ],
)
def test_what_cannot_be_checked_row_by_row_is_named(schema: object, named: str) -> None:
    assert any(named in problem for problem in problems(schema))


@pytest.mark.parametrize("share", [-0.1, 1.5, 10, float("nan"), True, "0.1", None])
def test_a_gate_must_be_a_share(share: object) -> None:
    (problem,) = problems(Expectations(POSITIVE, max_bad_share=share))  # type: ignore[arg-type]  # wrong on purpose

    assert f"max_bad_share={share!r}" in problem


def test_a_severity_must_be_one_and_name_a_check() -> None:
    unknown = Expectations(POSITIVE, severity={"amount": "stop"})  # type: ignore[dict-item]  # wrong on purpose
    misnamed = Expectations(POSITIVE, severity={"amount:not_nul": "warn"})

    assert "'stop'" in problems(unknown)[0]
    assert "Did you mean 'amount:not_null'" in problems(misnamed)[0]


def failing() -> object:
    raise ValueError("no such file")


@pytest.mark.parametrize(
    ("expectations", "named"),
    [(failing, "ValueError: no such file"), (lambda: 7, "int"), (7, "int"), ({}, "dict")],
)
def test_what_is_no_schema_is_named(expectations: object, named: str) -> None:
    (problem,) = problems(expectations)

    assert named in problem


@pytest.mark.parametrize(
    ("columns", "both"),
    [
        ({"amount": Column(checks=Check.ge(0)), "am.*": Column(regex=True)}, "amount"),
        ({".*s": Column(regex=True), "items": Column(checks=Check.ge(0))}, "items"),
        ({"it.*": Column(regex=True), ".*ems": Column(regex=True)}, "items"),
    ],
)
def test_a_column_that_two_columns_of_the_schema_match_is_a_problem(
    columns: dict[str, object], both: str
) -> None:
    (problem,) = problems(Schema(columns))

    assert all(repr(name) in problem for name in (*columns, both))
