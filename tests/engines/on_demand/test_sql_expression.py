"""SQL from a registry is a single scalar expression over the inputs, the same everywhere."""

import math
import subprocess
import sys
import time

import duckdb
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
from featurestore.engines.on_demand.sql_expression import (
    evaluate,
    expression_problem,
    syntax_problem,
)
from featurestore.engines.on_demand.sql_session import functions
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
        ("date_trunc('month', event_timestamp)::date", Date),
        ("date_diff('day', make_timestamptz(2026, 1, 1, 0, 0, 0), event_timestamp)", Int64),
        ("time_bucket(interval 1 week, event_timestamp)", Timestamp),
        ("strftime(event_timestamp, '%a') || monthname(event_timestamp)", String),
        ("amount + pieces - 1 + -amount", Float64),
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
def test_scalar_expressions_over_the_inputs_have_no_problem(text: str, dtype: object) -> None:
    assert expression_problem(text, INPUTS, dtype) == ""


def test_functions_without_arguments_are_allowed_only_if_they_never_change() -> None:
    names = [name for name in functions() if name.isidentifier()]
    allowed = [name for name in names if not syntax_problem(f"{name}()", [])]

    def values() -> dict[str, str]:
        # A database of its own: another connection, session, path and moment.
        with duckdb.connect() as other:
            return {name: _value(other, name) for name in allowed}

    first = values()
    time.sleep(0.01)

    assert {"pi", "list_value"} <= first.keys()
    assert "version" not in first
    assert values() == first


def _value(database: duckdb.DuckDBPyConnection, name: str) -> str:
    try:
        return repr(database.execute(f"SELECT {name}()").fetchall())
    except duckdb.Error:  # it needs arguments
        return ""


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("amount +", "syntax error"),
        ("amount, pieces", "single expression"),
        ("amount AS half", "single expression"),
        ("amount; DROP TABLE inputs", "single expression"),
        ("amount) , (pieces", "syntax error"),
        ("amount FROM inputs", "single expression"),
        ("DISTINCT amount", "single expression"),
        ("amount ORDER BY 1", "single expression"),
        ("amount UNION SELECT 1", "single expression"),
        ("amuont * 2", "unknown column 'amuont'. Did you mean 'amount'?"),
        ("inputs.amount", "unknown column 'inputs.amount'. Did you mean 'amount'?"),
        ("(SELECT 1)", "subquery"),
        ("pieces IN (SELECT 1)", "subquery"),
        ("sum(amount)", "'sum' is an aggregate"),
        ("geomean(amount)", "'geomean': 'avg' is an aggregate"),
        ("sum(amount) OVER ()", "window function"),
        ("unnest(cities)", "'unnest' is a table function"),
        ("read_text('/etc/hosts')", "'read_text' is a table function"),
        ("*", "star"),
        ("$1", "parameter"),
        ("#1", "column by its number"),
        ("random() * amount", "'random' returns another value"),
        ("now() > event_timestamp", "'now' returns another value"),
        ("current_timestamp > event_timestamp", "unknown column 'current_timestamp'"),
        ("event_timestamp > current_date", "unknown column 'current_date'"),
        ("age(event_timestamp)", "'age' returns another value"),
        ("hour(current_localtimestamp())", "'current_localtimestamp' returns another value"),
        ("second(main.current_localtime())", "'current_localtime' returns another value"),
        ("year(today())", "'today' returns another value"),
        ("current_setting('timezone')", "'current_setting' returns another value"),
        ("len(current_schemas(true))", "'current_schemas' returns another value"),
        ("len(gen_random_uuid()::text)", "'gen_random_uuid' returns another value"),
        ("nextval('s')", "'nextval' returns another value"),
        ("amount" + " + 1" * 900, "it is nested too deeply"),
        ("-(" * 900 + "amount" + ")" * 900, "it is nested too deeply"),
        ("abs(" * 2000 + "amount" + ")" * 2000, "it is nested too deeply"),
        ("pg_conf_load_time()", "'pg_conf_load_time': "),
        ("getvariable('x')", "'getvariable' returns another value"),
        ("city.upper()", "upper(city, ...)"),
        ("hypott(amount)", "hypott does not exist"),
        ("city + amount", "No function matches"),
        ("city", "string, not Float64"),
        ("online", "bool, not Float64"),
    ],
)
def test_the_problem_of_any_other_text_is_returned(text: str, problem: str) -> None:
    assert problem in expression_problem(text, INPUTS, Float64)


@pytest.mark.parametrize(
    ("text", "dtype", "problem"),
    [
        ("amount / 2", Int64, "double, not Int64"),
        ("amount", Float32, "double, not Float32"),
        ("amount", Decimal(10, 2), "double, not Decimal(10, 2)"),
        ("event_timestamp::TIMESTAMP", Timestamp, "no time zone"),
        ("cities", Array(Int64), "not Array(Int64)"),
    ],
)
def test_a_type_that_might_round_is_refused_where_it_is_declared(
    text: str, dtype: object, problem: str
) -> None:
    assert problem in expression_problem(text, INPUTS, dtype)


def test_nulls_nans_and_zeros_give_the_values_of_the_page() -> None:
    inputs = pa.table(
        {
            "x": pa.array([1.0, 0.0, None, math.nan, 2.0]),
            "n": pa.array([1, 0, 3, 4, None], pa.int64()),
            "zero": pa.array([0.0] * 5),
            "none": pa.array([0] * 5, pa.int64()),
        }
    )

    values = evaluate(
        {
            "by_zero": "x / zero",
            "whole_by_zero": "n // none",
            "rest_by_zero": "n % none",
            "halves": "n / 2",
            "is_nan": "x = 'NaN'::DOUBLE",
            "filled": "coalesce(x, -1)",
        },
        inputs,
        call="call()",
    ).to_pydict()

    assert [str(value) for value in values["by_zero"]] == ["inf", "nan", "None", "nan", "inf"]
    assert values["whole_by_zero"] == values["rest_by_zero"] == [None] * 5
    assert values["halves"] == [0.5, 0.0, 1.5, 2.0, None]
    assert values["is_nan"] == [False, False, None, True, False]
    assert [str(value) for value in values["filled"]] == ["1.0", "0.0", "-1.0", "nan", "2.0"]


def test_times_are_in_utc_in_any_time_zone_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    moment = pa.array([3_600_000_000], pa.timestamp("us", "UTC"))

    values = evaluate({"hour": "hour(t)", "t": "t"}, pa.table({"t": moment}), call="call()")

    assert values["hour"].to_pylist() == [1]
    assert values.schema.field("t").type == moment.type


def test_rows_keep_their_order() -> None:
    inputs = pa.table({"x": list(range(300_000))})

    assert evaluate({"y": "x + 1"}, inputs, call="call()")["y"].to_pylist() == list(
        range(1, 300_001)
    )


def test_an_overflow_is_an_error() -> None:
    inputs = pa.table({"x": pa.array([2**62, 2**62], pa.int64())})

    with pytest.raises(OnDemandError) as failed:
        evaluate({"y": "x * 4"}, inputs, call="call()")

    assert failed.value.call == "call()"
    assert "overflow" in failed.value.found.lower()


def test_an_overflow_is_named_with_the_feature_and_the_row() -> None:
    inputs = pa.table({"x": [1, 2, 3, 2**62, 5], "Other": [9, 9, 9, 9, 9]})
    expressions = {"fine": "x - 1", "quad": "X * 4"}

    with pytest.raises(OnDemandError) as failed:
        evaluate(expressions, inputs, call="call()")

    assert failed.value.found.startswith(f"feature 'quad' where x = {2**62}: ")
    assert "overflow" in failed.value.found.lower()


def test_a_process_that_evaluated_sql_ends_without_output() -> None:
    program = (
        "import pyarrow as pa\n"
        "from featurestore.engines.on_demand.sql_expression import evaluate\n"
        "print(evaluate({'y': 'x + 1'}, pa.table({'x': [1]}), call='call()')['y'][0])\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )

    assert (done.stdout, done.stderr) == ("2\n", "")
