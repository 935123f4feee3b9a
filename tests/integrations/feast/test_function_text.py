"""Functions of Feast's on-demand views, with what they need of their modules."""

from typing import Any

import pytest

from featurestore.integrations.feast.translation.function_text import FunctionText, function_text

MODULE = """
import math
import numpy as np, pandas as pd
from shares import share

LEAST: float = 0.5
MOST = LEAST * 10
PAIR, OTHER = 1, 2
STEPS = 3
STEPS += 1


@np.vectorize
def halved(km):
    return km / 2


def factorial(n):
    return 1 if n < 2 else n * factorial(n - 1)


def round(km):
    return -km


class Rule:
    pass


def bounded(km):
    return min(max(km, LEAST), MOST)


@on_demand_feature_view(sources=[])
def fare(inputs: pd.DataFrame) -> pd.DataFrame:
    names = [name for name in inputs]
    return inputs["km"].map(bounded).map(math.log)
"""
FARE = MODULE[MODULE.index("@on_demand") :]


def test_a_function_comes_with_the_statements_that_it_needs() -> None:
    found = function_text(FARE, "fare_pandas", MODULE, ())

    assert isinstance(found, FunctionText)
    assert found.text.splitlines()[0] == "def fare_pandas(inputs: pd.DataFrame) -> pd.DataFrame:"
    assert found.imports == {"math": "import math", "pd": "import pandas as pd"}
    assert list(found.others) == ["LEAST", "MOST", "bounded"]
    assert run(found, "bounded", 0.1) == 0.5


def run(found: FunctionText, name: str, value: object) -> object:
    """Call a function in a module that has what was taken over, and nothing else."""
    namespace: dict[str, Any] = {}
    statements = [*found.imports.values(), *dict.fromkeys(found.others.values()), found.text]
    exec("\n".join(statements), namespace)
    return namespace[name](value)


@pytest.mark.parametrize(
    ("expression", "value", "expected"),
    [
        ("x * MOST + LEAST", 2, 10.5),  # in each order of their discovery
        ("x * LEAST + MOST", 2, 6.0),
        ("float(halved(x))", 3, 1.5),  # with its decorator
        ("factorial(x)", 4, 24),
        ("round(x)", 1.5, -1.5),  # the module's, not Python's
        ("max(x, 1)", 0, 1),
    ],
)
def test_a_function_computes_what_it_did(expression: str, value: float, expected: float) -> None:
    found = function_text(f"def f(x):\n    return {expression}\n", "f_2", MODULE, ())

    assert isinstance(found, FunctionText)
    assert run(found, "f_2", value) == expected


@pytest.mark.parametrize(
    "text",
    [
        "fare = lambda inputs: inputs",
        "def fare(inputs: pd.DataFrame):\n    return unknown(inputs)",
        "def fare(inputs):\n    return share(inputs)",
        "def fare(inputs):\n    return (",
        "def fare(inputs):\n    return fare(inputs)",
        "def fare(inputs):\n    return PAIR",
        "def fare(inputs):\n    return STEPS",
        "def fare(inputs):\n    return Rule",
        "    def fare(inputs):\n        return inputs",
    ],
)
def test_a_function_that_needs_more_is_refused(text: str) -> None:
    assert isinstance(function_text(text, "fare_pandas", MODULE, ("shares",)), str)


def test_with_a_star_import_the_names_of_python_are_not_known() -> None:
    text = "def f(x):\n    return round(x)\n"

    assert isinstance(function_text(text, "f_2", "", ()), FunctionText)
    assert isinstance(function_text(text, "f_2", "from math import *\n", ()), str)


def test_two_parts_of_a_package_are_both_imported() -> None:
    text = "def f(x):\n    return os.path.basename(x) + os.sep\n"

    found = function_text(text, "f_2", "import os\nimport os.path\n", ())

    assert isinstance(found, FunctionText)
    assert found.imports == {"os": "import os\nimport os.path"}
