"""SQL from a registry is one scalar expression over known columns, the same everywhere."""

import math
import subprocess
import sys

import pyarrow as pa
import pytest

from featurestore.definitions.model.types import (
    Array,
    Boolean,
    Date,
    Decimal,
    Float32,
    Float64,
    Int64,
    String,
    Timestamp,
)
from featurestore.engines.on_demand.sql_expression import evaluate, expression_problem
from featurestore.errors import OnDemandError

INPUTS = pa.schema(
    [
        ("amount", pa.float64()),
        ("pieces", pa.int32()),
        ("online", pa.bool_()),
        ("cities", pa.list_(pa.string())),
        ("counts", pa.map_(pa.string(), pa.int64())),
        ("price", pa.decimal128(10, 2)),
        ("city", pa.string()),
        ("user", pa.string()),
        ("event_timestamp", pa.timestamp("us", "UTC")),
    ]
)


@pytest.mark.parametrize(
    ("text", "dtype"),
    [
        ("amount / 2 -- half of it", Float64),
        ("AMOUNT * pieces", Float64),
        ("case when online then 1 else pieces end", Float64),
        ("coalesce(amount, 0) between 1 and 2 or pieces in (1, 2)", Boolean),
        ("hour(event_timestamp) + extract(dow from event_timestamp)", Int64),
        ("event_timestamp - interval 1 day", Timestamp),
        ("event_timestamp::date", Date),
        ("upper(city) || '!'", String),
        ("\"user\" like 'a%'", Boolean),
        ("counts['a']", Int64),
        ("len(cities)", Int64),
        ("[x || '!' for x in cities if x <> city]", Array(String)),
        ("list_transform(cities, lambda x: x || city)", Array(String)),
        ("price * 2", Decimal(12, 2)),
        ("price", Float64),
        ("CAST(amount AS FLOAT)", Float32),
        ("pieces::TINYINT", Int64),
        ("nullif(pieces, 0) // 2", Int64),
        ("NULL", Int64),
        ("list_sum(map_values(counts))", Int64),
    ],
)
def test_scalar_expressions_over_the_inputs_are_right(text: str, dtype: object) -> None:
    assert expression_problem(text, INPUTS, dtype) == ""


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("amount +", "syntax error"),
        ("amount, pieces", "it is not one expression"),
        ("amount AS half", "it is not one expression"),
        ("amount; DROP TABLE inputs", "it is not one expression"),
        ("amount) , (pieces", "syntax error"),
        ("amount FROM inputs", "it is not one expression"),
        ("DISTINCT amount", "it is not one expression"),
        ("amount ORDER BY 1", "it is not one expression"),
        ("amount UNION SELECT 1", "it is not one expression"),
        ("amuont * 2", "unknown column 'amuont'. Did you mean 'amount'?"),
        ("inputs.amount", "unknown column 'inputs.amount'. Did you mean 'amount'?"),
        ("(SELECT 1)", "it holds a subquery"),
        ("pieces IN (SELECT 1)", "it holds a subquery"),
        ("sum(amount)", "'sum' is an aggregate, which sees other rows"),
        ("geomean(amount)", "'geomean': 'avg' is an aggregate, which sees other rows"),
        ("sum(amount) OVER ()", "it holds a window function, which sees other rows"),
        ("unnest(cities)", "'unnest' is a table function"),
        ("read_text('/etc/hosts')", "'read_text' is a table function"),
        ("*", "it holds a star"),
        ("$1", "it holds a parameter"),
        ("#1", "it holds a column by its number"),
        ("random() * amount", "'random' gives another value each time"),
        ("now() > event_timestamp", "'now' gives another value each time"),
        ("current_timestamp > event_timestamp", "unknown column 'current_timestamp'"),
        ("event_timestamp > current_date", "unknown column 'current_date'"),
        ("age(event_timestamp)", "'age' gives another value each time"),
        ("pg_conf_load_time()", "'pg_conf_load_time': "),
        ("getvariable('x')", "'getvariable' gives another value each time"),
        ("city.upper()", "write upper(city, ...) in place of city.upper(...)"),
        ("hypott(amount)", "hypott does not exist"),
        ("city + amount", "No function matches"),
        ("city", "it is string, not Float64: cast it"),
        ("online", "it is bool, not Float64: cast it"),
    ],
)
def test_everything_else_is_told(text: str, problem: str) -> None:
    assert problem in expression_problem(text, INPUTS, Float64)


@pytest.mark.parametrize(
    ("text", "dtype", "problem"),
    [
        ("amount / 2", Int64, "it is double, not Int64: cast it"),
        ("amount", Float32, "it is double, not Float32: cast it"),
        ("amount", Decimal(10, 2), "it is double, not Decimal(10, 2): cast it"),
        ("event_timestamp::TIMESTAMP", Timestamp, "it is a time without a time zone: give it one"),
        ("cities", Array(Int64), "not Array(Int64): cast it"),
    ],
)
def test_a_type_that_might_round_is_refused_where_it_is_declared(
    text: str, dtype: object, problem: str
) -> None:
    assert problem in expression_problem(text, INPUTS, dtype)


def test_nulls_nans_and_zeros_are_as_the_page_says() -> None:
    inputs = pa.table(
        {
            "x": pa.array([1.0, 0.0, None, math.nan, 2.0]),
            "n": pa.array([1, 0, 3, 4, None], pa.int64()),
            "zero": pa.array([0.0] * 5),
            "none": pa.array([0] * 5, pa.int64()),
        }
    )

    found = evaluate(
        {
            "by_zero": "x / zero",
            "whole_by_zero": "n // none",
            "rest_by_zero": "n % none",
            "halves": "n / 2",
            "is_nan": "x = 'NaN'::DOUBLE",
            "filled": "coalesce(x, -1)",
        },
        inputs,
        call="ask",
    ).to_pydict()

    assert [str(value) for value in found["by_zero"]] == ["inf", "nan", "None", "nan", "inf"]
    assert found["whole_by_zero"] == found["rest_by_zero"] == [None] * 5
    assert found["halves"] == [0.5, 0.0, 1.5, 2.0, None]
    assert found["is_nan"] == [False, False, None, True, False]
    assert [str(value) for value in found["filled"]] == ["1.0", "0.0", "-1.0", "nan", "2.0"]


def test_times_are_in_utc_whatever_the_machine_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    moment = pa.array([3_600_000_000], pa.timestamp("us", "UTC"))

    found = evaluate({"hour": "hour(t)", "t": "t"}, pa.table({"t": moment}), call="ask")

    assert found["hour"].to_pylist() == [1]
    assert found.schema.field("t").type == moment.type


def test_rows_keep_their_order() -> None:
    inputs = pa.table({"x": list(range(300_000))})

    assert evaluate({"y": "x + 1"}, inputs, call="ask")["y"].to_pylist() == list(range(1, 300_001))


def test_an_overflow_is_an_error_and_no_other_number() -> None:
    inputs = pa.table({"x": pa.array([2**62, 2**62], pa.int64())})

    with pytest.raises(OnDemandError, match=r"ask: .*[Oo]verflow"):
        evaluate({"y": "x * 4"}, inputs, call="ask")


def test_the_feature_and_the_row_of_an_overflow_are_told() -> None:
    inputs = pa.table({"x": [1, 2, 3, 2**62, 5], "Other": [9, 9, 9, 9, 9]})
    expressions = {"fine": "x - 1", "quad": "X * 4"}

    told = r"ask: feature 'quad' where x = 4611686018427387904: .*[Oo]verflow"
    with pytest.raises(OnDemandError, match=told):
        evaluate(expressions, inputs, call="ask")


def test_a_process_that_used_it_ends_without_a_word() -> None:
    program = (
        "import pyarrow as pa\n"
        "from featurestore.engines.on_demand.sql_expression import evaluate\n"
        "print(evaluate({'y': 'x + 1'}, pa.table({'x': [1]}), call='ask')['y'][0])\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )

    assert (done.stdout, done.stderr) == ("2\n", "")
