"""The code that CONTRIBUTING.md shows runs, and does what the page says."""

import re
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from featurestore.definitions.model import functions as specifications
from featurestore.definitions.model.entity import Entity
from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.types import Float64
from featurestore.definitions.rules import views
from featurestore.engines.kernel.column import Column
from featurestore.engines.kernel.slices import Slices
from featurestore.engines.reference import functions as references
from featurestore.query.nodes import Aggregate, Window
from tests.definitions.rules.cases import view

PAGE = (Path(__file__).parents[1] / "CONTRIBUTING.md").read_text("utf-8")
BLOCK = re.compile(r"^( *)```python\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
VALUES = [1.5, -2.0, None, float("nan"), float("-inf"), 0.0, -4.0]


def blocks_of(heading: str) -> list[str]:
    """Return the Python code below a heading of the page."""
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return [textwrap.dedent(code) for _, code in BLOCK.findall(section)]


def run(code: str, names: dict[str, Any]) -> dict[str, Any]:
    """Run code with some names at hand; return all names that are defined then."""
    namespace = dict(names)
    exec(compile(code, "CONTRIBUTING.md", "exec"), namespace)
    return namespace


def test_the_rule_reports_a_view_without_an_owner() -> None:
    [code] = blocks_of("Add a rule for definitions")
    rule = run(code, vars(views))["views_have_an_owner"]
    owned, bare = view("owned", owner="risk@example.com"), view("bare")

    issues = list(rule(Manifest.of([Entity("card", join_keys=()), owned, bare])))

    assert [issue.origin for issue in issues] == [bare.origin]
    assert "'bare'" in issues[0].message


@pytest.fixture
def function_code() -> list[str]:
    return blocks_of("Add an aggregation function")


def test_the_specification_is_complete(function_code: list[str]) -> None:
    spec = eval(function_code[0], dict(vars(specifications)))

    assert (spec.name, spec.result(Float64), spec.empty) == ("mean_abs", Float64, None)
    assert spec.name not in specifications.FUNCTION_SPECS


@pytest.mark.parametrize("window", [(0, 2), (0, 3), (2, 3), (3, 6), (4, 7), (5, 7)])
def test_the_kernel_function_equals_the_reference(
    function_code: list[str], window: tuple[int, int]
) -> None:
    reference = run(function_code[1], vars(references))["mean_abs"]
    kernel = run(function_code[2], {})["AGGREGATORS"]["mean_abs"]
    feature = Aggregate(
        "f", column="x", dtype=Float64, function="mean_abs", window=Window(None), result=Float64
    )
    column = Column(pa.array(VALUES), np.array([value is not None for value in VALUES]))
    start, stop = (np.array([edge]) for edge in window)
    inside = [value for value in VALUES[slice(*window)] if value is not None]

    [answer] = kernel(feature, column, Slices(start, stop)).to_pylist()

    assert answer == pytest.approx(reference(feature, inside), nan_ok=True)
