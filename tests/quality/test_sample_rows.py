"""Made-up rows exist for each type that a view can store, and checks of each type are judged."""

from dataclasses import replace

import pandera.polars as pandera
import polars as pl
import pytest

from featurestore.definitions.model.types import (
    SCALARS,
    Array,
    DataType,
    Decimal,
    Field,
    Float64,
    Int64,
    Map,
    String,
)
from featurestore.quality.sample_rows import dependent_checks
from featurestore.quality.schema import checks_of
from tests.quality.views import view

TYPES = (*SCALARS, Decimal(38, 2), Decimal(3, 3), Array(Float64), Map(String, Int64))


@pytest.mark.parametrize("dtype", TYPES, ids=str)
def test_a_check_of_each_type_is_judged(dtype: DataType) -> None:
    def own(data: object) -> pl.LazyFrame:
        return data.lazyframe.select(pl.col(data.key).is_not_null())  # type: ignore[attr-defined]  # pandera's

    def count(data: object) -> pl.LazyFrame:
        return data.lazyframe.select(pl.col(data.key).count() > 1)  # type: ignore[attr-defined]  # pandera's

    def first(data: object) -> pl.LazyFrame:
        lazy = data.lazyframe.with_row_index("number")  # type: ignore[attr-defined]  # pandera's
        return lazy.select(pl.col("number") == 0)

    checks = [pandera.Check(each) for each in (own, count, first)]
    schema = pandera.DataFrameSchema({"x": pandera.Column(checks=checks, nullable=True)})
    typed = replace(view(schema), schema=(Field("x", dtype),))

    assert list(dependent_checks(typed, checks_of(typed))) == ["x:count", "x:first"]
