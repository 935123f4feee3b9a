"""The position in the user's code of an error, from tracebacks and from Spark's texts."""

import json

import pytest

from featurestore.engines.spark.errors.position import position_in, position_of, query_position

FRAME = '  File "{}", line 3, in {}\n    code\n'


@pytest.mark.parametrize(
    "library",
    [
        "/venv/lib/python3.12/site-packages/pandas/core/frame.py",
        "/usr/lib/python3.11/json/decoder.py",
        "/opt/spark/python/pyspark/worker.py",
        "pyarrow/error.pxi",
        "<frozen importlib._bootstrap>",
    ],
)
def test_the_innermost_function_of_no_library_is_named(library: str) -> None:
    trace = FRAME.format("/p/feature_defs/cards.py", "outer")
    trace += FRAME.format("/p/feature_defs/rates.py", "inner") + FRAME.format(library, "loads")

    assert position_in(trace) == "function 'inner' (/p/feature_defs/rates.py:3)"


def test_a_cell_of_a_notebook_is_code_of_the_user() -> None:
    assert position_in(FRAME.format("<ipython-input-3-abc>", "euros")).startswith(
        "function 'euros'"
    )


def test_there_is_no_position_without_code_of_the_user() -> None:
    assert position_in(FRAME.format("/usr/lib/python3.11/json/decoder.py", "decode")) == ""
    assert position_of(None) == ""


def test_the_position_of_an_exception_is_that_of_the_caller_of_a_library() -> None:
    try:
        json.loads("{")
    except ValueError as error:
        position = position_of(error.__traceback__)

    assert "'test_the_position_of_an_exception_is_that_of_the_caller_of_a_library'" in position
    assert "test_position.py:" in position


def test_the_marked_part_of_a_query_of_several_lines_is_found() -> None:
    text = (
        "[X_Y] a\n== SQL (line 2, position 8) ==\nSELECT 1,\n       1 / n AS x\n       ^^^^^\n\n"
    )

    assert query_position(text) == "'1 / n' of the SQL"
    assert query_position("[X_Y] a: 1 / n") == ""
