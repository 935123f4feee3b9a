"""The specifications of the aggregation functions.

Everything outside the engines derives from them: rules, types, messages, explanations, the bounds
of float answers, the table in docs/semantics.md and the generated tests. To add a function, write
its specification here, its reference in ``featurestore/engines/reference/functions.py``, and its
kernel in a module of ``featurestore/engines/kernel/functions``. An engine without a specified
function cannot be imported.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Literal, NamedTuple

from featurestore.definitions.model.types import (
    FLOATS,
    JOIN_KEY_TYPES,
    Array,
    Binary,
    Boolean,
    DataType,
    Decimal,
    Float64,
    Int64,
    Map,
    is_number,
)
from featurestore.errors import nearest

MOST = 1000
"""The greatest length of a list."""

Option = Literal["*", "by", "ddof"]
"""The options of some functions: ``"*"`` in place of a column, ``by=`` and ``ddof=``."""

FILE = "featurestore/definitions/model/functions.py"


@dataclass(frozen=True)
class Numbered:
    """The form of a function with a number: letters, then the number, such as ``last3``.

    Args:
        letters: The letters before the number.
        least: The least number.
        most: The greatest number.
        sample: The number that messages and documents show.
        other_names: Names in other tools for the function with one number, such as the median.
    """

    letters: str
    _: KW_ONLY
    least: int
    most: int
    sample: int
    other_names: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class FunctionSpec:
    """The specification of an aggregation function: everything but its computation.

    Args:
        name: Its name in the tables of the engines.
        description: Its answer, in a sentence of Markdown.
        result: Returns the type of the answer for the type of a column; None if the function does
            not fit that column.
        numbered: How the function is written with a number; None if it is written as its name.
        other_names: Its names in other tools.
        takes: The options that it takes.
        empty: The answer for a window without values: 0, an empty list or null.
        fewest: The least number of values for an answer that is not null. ``ddof`` is added to it
            if the function takes ``ddof``.
        error_size: For a function that is computed with floats: returns a size from the greatest
            finite absolute value in the window. An answer may differ from the exact one by 1e-9 of
            that size. None if every answer is exact.

    Example:
        >>> FUNCTION_SPECS["percentile"].written(90), FUNCTION_SPECS["sum"].written()
        ('p90', 'sum')
        >>> FUNCTION_SPECS["stddev"].least_values(ddof=1)
        2
    """

    name: str
    _: KW_ONLY
    description: str
    result: Callable[[DataType], DataType | None]
    numbered: Numbered | None = None
    other_names: tuple[str, ...] = ()
    takes: tuple[Option, ...] = ()
    empty: int | tuple[()] | None = None
    fewest: int = 1
    error_size: Callable[[float], float] | None = None

    @property
    def sample(self) -> str:
        """The function as it is written, with a usual number if it takes one."""
        return self.written(self.numbered.sample if self.numbered else None)

    def written(self, number: int | None = None) -> str:
        """Return the function as it is written in a definition."""
        return f"{self.numbered.letters}{number}" if self.numbered else self.name

    def least_values(self, ddof: int) -> int:
        """Return how many values a window needs for an answer that is not null."""
        return self.fewest + (ddof if "ddof" in self.takes else 0)


class Function(NamedTuple):
    """A function and its number, such as the length of a list or a percentage; None without."""

    name: str
    number: int | None = None


def parse_function(text: str) -> Function | None:
    """Return the function of a text such as ``"sum"``, ``"last3"`` or ``"p90"``; None for none.

    Example:
        >>> parse_function("last3"), parse_function("sum"), parse_function("last_n")
        (Function(name='last_n', number=3), Function(name='sum', number=None), None)
    """
    spec = FUNCTION_SPECS.get(text)
    if spec and not spec.numbered:
        return Function(text)
    match = _TEXT.fullmatch(text)
    name = _BY_LETTERS.get(match[1]) if match else None
    return Function(name, int(match[2])) if match and name else None


def nearest_function(text: str) -> str:
    """Return a sentence that offers the function nearest to an unknown one.

    Example:
        >>> nearest_function("avg"), nearest_function("summ")
        ("Did you mean 'mean'?", "Did you mean 'sum'?")
    """
    meant = _MEANT.get(text.casefold())
    return f"Did you mean {meant!r}?" if meant else nearest(text, SAMPLES)


def functions_of(dtype: DataType | None) -> tuple[str, ...]:
    """Return the functions that fit a column of a type, as they are written.

    Example:
        >>> functions_of(None)
        ('count',)
    """
    return tuple(name for name in SAMPLES if output_type(name, dtype) is not None)


def functions_that_take(option: Option) -> tuple[str, ...]:
    """Return the names of the functions that take an option.

    Example:
        >>> functions_that_take("by")
        ('count', 'sum')
    """
    return tuple(spec.name for spec in FUNCTION_SPECS.values() if option in spec.takes)


def number_problem(function: Function) -> str:
    """Return a text about a function's number that is out of range, or ``""``.

    Example:
        >>> number_problem(Function("percentile", 101))
        'its number is out of range; write p0 to p100'
    """
    numbered = FUNCTION_SPECS[function.name].numbered
    if numbered is None or numbered.least <= (function.number or 0) <= numbered.most:
        return ""
    least, most = (f"{numbered.letters}{n}" for n in (numbered.least, numbered.most))
    return f"its number is out of range; write {least} to {most}"


def output_type(
    function: str, dtype: DataType | None, by: DataType | None = None
) -> DataType | None:
    """Return the type of a function's answers, or None if it does not fit the column.

    Args:
        function: A text such as ``"sum"`` or ``"last3"``.
        dtype: The column's type; None for ``"*"``.
        by: The type of the column with the categories; None without categories.

    Example:
        >>> from featurestore.definitions.model.types import Int32, String
        >>> output_type("sum", Int32), output_type("sum", String), output_type("last3", String)
        (Int64, None, Array(String))
    """
    parsed = parse_function(function)
    if parsed is None:
        return None
    spec = FUNCTION_SPECS[parsed.name]
    if dtype is None and "*" not in spec.takes:
        return None
    value = spec.result(Int64 if dtype is None else dtype)
    if by is None or value is None:
        return value
    return Map(by, value) if "by" in spec.takes and by in JOIN_KEY_TYPES else None


def require_every_function(names: Iterable[str], file: str) -> None:
    """Check that an engine has the functions of this table, and no others.

    Args:
        names: The functions that the engine has.
        file: The file or folder that holds them, for the message.

    Raises:
        ImportError: The engine lacks a function, or has one that is not specified.

    Example:
        >>> require_every_function({*FUNCTION_SPECS} - {"sum"}, "engine.py")
        Traceback (most recent call last):
        ImportError: engine.py lacks the aggregation function 'sum', which ... specifies. Add it.
    """
    own, specified = set(names), set(FUNCTION_SPECS)
    for lacking, lacks, other, verb in (
        (specified - own, file, FILE, "specifies"),
        (own - specified, FILE, file, "has"),
    ):
        for name in sorted(lacking):
            text = (
                f"{lacks} lacks the aggregation function {name!r}, which {other} {verb}. Add it."
            )
            raise ImportError(text)


def _unchanged(dtype: DataType) -> DataType:
    return dtype


def _list(dtype: DataType) -> DataType:
    return Array(dtype)


def _counted(_: DataType) -> DataType:
    return Int64


def _counted_if_comparable(dtype: DataType) -> DataType | None:
    return None if isinstance(dtype, Array) else Int64


def _frequent(dtype: DataType) -> DataType | None:
    return None if dtype == Binary or isinstance(dtype, Array) else dtype


def _ordered(dtype: DataType) -> DataType | None:
    return None if dtype in (Binary, Boolean) or isinstance(dtype, Array) else dtype


def _list_of_ordered(dtype: DataType) -> DataType | None:
    ordered = _ordered(dtype)
    return None if ordered is None else Array(ordered)


def _truth(dtype: DataType) -> DataType | None:
    return Boolean if dtype == Boolean else None


def _float(dtype: DataType) -> DataType | None:
    return Float64 if is_number(dtype) else None


def _total(dtype: DataType) -> DataType | None:
    if isinstance(dtype, Decimal):
        return Decimal(38, dtype.scale)
    if not is_number(dtype):
        return None
    return Float64 if dtype in FLOATS else Int64


def _greatest_value(greatest: float) -> float:
    return greatest


def _greatest_square(greatest: float) -> float:
    return greatest * greatest


_SPECS = (
    FunctionSpec(
        "count",
        description='the number of values; for `"*"`, the number of rows',
        result=_counted,
        other_names=("size", "len", "length"),
        takes=("*", "by"),
        empty=0,
    ),
    FunctionSpec(
        "sum",
        description="the sum: Int64 for integers (an error if the sum does not fit), "
        "Decimal(38, s) for Decimal(p, s), Float64 for floats",
        result=_total,
        other_names=("total", "add"),
        takes=("by",),
        error_size=_greatest_value,
    ),
    FunctionSpec(
        "mean",
        description="the mean, as Float64",
        result=_float,
        other_names=("avg", "average"),
        error_size=_greatest_value,
    ),
    FunctionSpec(
        "min",
        description="the smallest value, of the column's type",
        result=_ordered,
        other_names=("minimum", "least"),
    ),
    FunctionSpec(
        "max",
        description="the greatest value, of the column's type",
        result=_ordered,
        other_names=("maximum", "greatest"),
    ),
    FunctionSpec(
        "variance",
        description="the variance of the sample, as Float64, null for fewer than two values; with "
        "`ddof=0` the variance of the population",
        result=_float,
        other_names=("var", "var_samp", "var_pop"),
        takes=("ddof",),
        error_size=_greatest_square,
    ),
    FunctionSpec(
        "stddev",
        description="the square root of the variance, as Float64",
        result=_float,
        other_names=("std", "stdev", "stddev_samp", "stddev_pop"),
        takes=("ddof",),
        error_size=_greatest_value,
    ),
    FunctionSpec(
        "first",
        description="the value of the row with the least rank",
        result=_unchanged,
        other_names=("earliest", "oldest", "first_value"),
    ),
    FunctionSpec(
        "last",
        description="the value of the row with the greatest rank",
        result=_unchanged,
        other_names=("latest", "newest", "last_value"),
    ),
    FunctionSpec(
        "any",
        description="whether at least one value is true",
        result=_truth,
        other_names=("bool_or", "some"),
    ),
    FunctionSpec(
        "all",
        description="whether all values are true",
        result=_truth,
        other_names=("bool_and", "every"),
    ),
    FunctionSpec(
        "mode",
        description="the most frequent value; if several are equally frequent, the smallest. All "
        "NaN are one value, the greatest",
        result=_frequent,
        other_names=("most_common", "most_frequent"),
    ),
    FunctionSpec(
        "count_distinct",
        description="the exact number of different values; all NaN are one value, and -0.0 "
        "equals 0.0",
        result=_counted_if_comparable,
        other_names=(
            *("nunique", "n_unique", "distinct", "distinct_count"),
            "approx_count_distinct",
        ),
        empty=0,
    ),
    FunctionSpec(
        "first_n",
        description="a list that starts with the oldest value",
        result=_list,
        numbered=Numbered("first", least=1, most=MOST, sample=3),
        other_names=("firstn",),
        empty=(),
    ),
    FunctionSpec(
        "last_n",
        description="a list that starts with the newest value",
        result=_list,
        numbered=Numbered("last", least=1, most=MOST, sample=3),
        other_names=("lastn", "list", "collect_list"),
        empty=(),
    ),
    FunctionSpec(
        "top_n",
        description="a list of the greatest values, descending; NaN is greater than every number",
        result=_list_of_ordered,
        numbered=Numbered("top", least=1, most=MOST, sample=3),
        other_names=("topn", "top_k", "topk"),
        empty=(),
    ),
    FunctionSpec(
        "percentile",
        description='as Float64: `"p90"` is the value 90% of the way through the sorted values, '
        "interpolated linearly between two neighbours; the median is `p50`",
        result=_float,
        numbered=Numbered(
            "p", least=0, most=100, sample=90, other_names={"median": 50, "med": 50}
        ),
        other_names=("quantile", "approx_percentile"),
        error_size=_greatest_value,
    ),
)

FUNCTION_SPECS = {spec.name: spec for spec in _SPECS}
"""The aggregation functions by name."""

SAMPLES = tuple(spec.sample for spec in _SPECS)
"""The functions as they are written; those with a number, with a usual one."""

_TEXT = re.compile(r"([a-z]+)(0|[1-9][0-9]{0,8})")
_BY_LETTERS = {spec.numbered.letters: spec.name for spec in _SPECS if spec.numbered}
_MEANT = {
    **{name: spec.sample for spec in _SPECS for name in (spec.name, *spec.other_names)},
    **{
        name: spec.written(number)
        for spec in _SPECS
        if spec.numbered
        for name, number in spec.numbered.other_names.items()
    },
}
"""The functions as they are written, by their names here and in other tools."""
