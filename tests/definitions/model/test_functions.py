"""The specifications of the aggregation functions fit together."""

from collections import Counter

import pytest

from featurestore.definitions.model.functions import (
    FUNCTION_SPECS,
    Function,
    FunctionSpec,
    nearest_function,
    number_problem,
    output_type,
    parse_function,
)
from featurestore.definitions.model.types import SCALARS, Array, Decimal, Int64, Map, String

COLUMNS = (*SCALARS, Decimal(10, 2), Array(Int64))
SPECS = pytest.mark.parametrize("spec", FUNCTION_SPECS.values(), ids=lambda spec: spec.name)
NUMBERED = pytest.mark.parametrize(
    "spec",
    [spec for spec in FUNCTION_SPECS.values() if spec.numbered],
    ids=lambda spec: spec.name,
)


def names_of(spec: FunctionSpec) -> dict[str, str]:
    """Return a function's names here and in other tools, with the text that they mean here."""
    names = dict.fromkeys((spec.name, *spec.other_names), spec.sample)
    numbers = spec.numbered.other_names if spec.numbered else {}
    return names | {name: spec.written(number) for name, number in numbers.items()}


@SPECS
def test_a_function_is_written_in_a_form_that_is_parsed(spec: FunctionSpec) -> None:
    number = spec.numbered.sample if spec.numbered else None

    assert parse_function(spec.sample) == Function(spec.name, number)
    assert number_problem(Function(spec.name, number)) == ""
    assert (parse_function(spec.name) is None) == (spec.numbered is not None)


@NUMBERED
def test_the_numbers_of_a_function_end_at_its_least_and_its_most(spec: FunctionSpec) -> None:
    least, most = spec.numbered.least, spec.numbered.most
    numbers = (least - 1, least, most, most + 1)

    problems = {number: number_problem(Function(spec.name, number)) for number in numbers}

    assert [number for number, problem in problems.items() if not problem] == [least, most]
    assert spec.written(least) in problems[most + 1]
    assert spec.written(most) in problems[most + 1]


@SPECS
def test_names_in_other_tools_lead_to_the_function(spec: FunctionSpec) -> None:
    for name, meant in names_of(spec).items():
        assert repr(meant) in nearest_function(name.upper())
        assert parse_function(meant).name == spec.name


def test_no_two_functions_have_the_same_name_in_other_tools() -> None:
    names = Counter(name for spec in FUNCTION_SPECS.values() for name in names_of(spec))

    assert [name for name, count in names.items() if count > 1] == []


@SPECS
def test_a_function_fits_a_column_and_its_options_change_the_type(spec: FunctionSpec) -> None:
    types = [dtype for dtype in COLUMNS if output_type(spec.sample, dtype) is not None]

    assert types
    for dtype in types:
        value = output_type(spec.sample, dtype)
        by_category = Map(String, value) if "by" in spec.takes else None
        assert output_type(spec.sample, dtype, String) == by_category
    assert (output_type(spec.sample, None) is not None) == ("*" in spec.takes)
