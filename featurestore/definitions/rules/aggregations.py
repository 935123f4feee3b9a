"""Rules for aggregations: their columns, functions, windows and options exist and fit."""

import math
from collections.abc import Iterator, Sequence

from featurestore.definitions.model.aggregation import ANY_ROW, Aggregation, output_type
from featurestore.definitions.model.functions import (
    functions_of,
    functions_that_take,
    nearest_function,
    number_problem,
    parse_function,
)
from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.types import (
    FLOATS,
    INTEGERS,
    JOIN_KEY_TYPES,
    Boolean,
    DataType,
    Decimal,
    Int64,
    String,
)
from featurestore.definitions.model.view import FeatureView
from featurestore.definitions.model.window import Grid, Length, grid_of
from featurestore.definitions.rules.dtypes import type_problem
from featurestore.definitions.rules.issue import Issue, label
from featurestore.definitions.rules.views import duration_problem
from featurestore.errors import nearest
from featurestore.times import LIFETIME, parse_duration


def columns_exist(manifest: Manifest) -> Iterator[Issue]:
    """Yield aggregations of a column that the view's schema lacks."""
    for view, aggregation in _all(manifest):
        fields = [column.name for column in view.schema]
        if _is_swapped(aggregation, fields):
            continue
        for column in (aggregation.column, aggregation.by or ANY_ROW):
            if column not in (*fields, ANY_ROW):
                text = f"{_label(view, aggregation)}: the schema has no field {column!r}"
                yield Issue(aggregation.origin, f"{text}. {nearest(column, fields)}")


def functions_exist(manifest: Manifest) -> Iterator[Issue]:
    """Yield aggregations with an unknown function, or with a number that is out of range."""
    for view, aggregation in _all(manifest):
        function = parse_function(aggregation.function)
        if _is_swapped(aggregation, [column.name for column in view.schema]):
            right = f"fs.Aggregation({aggregation.function!r}, {aggregation.column!r}, ...)"
            text = f"{label(view)}: column and function have changed places. Write {right}."
            yield Issue(aggregation.origin, text)
        elif function is None:
            text = f"{_label(view, aggregation)}: unknown function {aggregation.function!r}"
            yield Issue(aggregation.origin, f"{text}. {nearest_function(aggregation.function)}")
        elif problem := number_problem(function):
            yield Issue(aggregation.origin, f"{_label(view, aggregation)}: {problem}")


def functions_fit_their_columns(manifest: Manifest) -> Iterator[Issue]:
    """Yield functions that do not fit the type of their column, such as the sum of texts."""
    for view, aggregation in _all(manifest):
        if parse_function(aggregation.function) and _has_column(view, aggregation):
            dtype = _dtype(view, aggregation.column)
            if output_type(aggregation.function, dtype) is None:
                yield Issue(aggregation.origin, _misfit(view, aggregation, dtype))
            elif _result(view, aggregation) is None:
                yield Issue(aggregation.origin, _no_category(view, aggregation))


def windows_are_durations(manifest: Manifest) -> Iterator[Issue]:
    """Yield aggregations without windows, and windows or delays that are not durations.

    The other arguments of views and aggregations may have wrong types.
    """
    for view, aggregation in _all(_with_aggregations(manifest)):
        name = _label(view, aggregation)
        if aggregation.windows == ():
            text = f"{name}: windows is empty; write lengths such as ('7d',)"
            yield Issue(aggregation.origin, text)
        for window in aggregation.windows if isinstance(aggregation.windows, tuple) else ():
            if problem := _window_problem(window):
                yield Issue(aggregation.origin, f"{name}: window {problem}")
        is_text = isinstance(aggregation.delay, str)  # another rule reports other types
        if is_text and (problem := duration_problem(aggregation.delay)):
            yield Issue(aggregation.origin, f"{name}: delay {aggregation.delay!r} is {problem}")


def grids_are_closed_left(manifest: Manifest) -> Iterator[Issue]:
    """Yield windows on a grid with ``closed="right"``, which no grid can have."""
    for view, aggregation in _all(manifest):
        if aggregation.closed == "left":
            continue
        for window in aggregation.windows:
            if grid_of(window).every is not None:
                text = f"{_label(view, aggregation)}: {window} is on a grid, so it is [e - W, e)"
                yield Issue(aggregation.origin, f"{text}; remove closed='right'")


def feature_names_are_unique(manifest: Manifest) -> Iterator[Issue]:
    """Yield aggregations whose feature has the name of another feature or of a join key."""
    for view in manifest.views:
        first = {key.name.casefold(): key.origin for key in view.join_keys}
        for aggregation in view.aggregations:
            for name in aggregation.feature_names:
                other = first.get(name.casefold())
                if other is not None:
                    text = f"{label(view)}: feature {name!r} has the name of another, at {other}"
                    yield Issue(aggregation.origin, f"{text}; set name= of one of them")
                first.setdefault(name.casefold(), aggregation.origin)


def empty_fits_the_result(manifest: Manifest) -> Iterator[Issue]:
    """Yield values of ``empty=`` that do not fit the type of the feature."""
    for view, aggregation in _all(manifest):
        if aggregation.empty is None or not _has_column(view, aggregation):
            continue
        result = _result(view, aggregation)
        if result is not None and not holds(result, aggregation.empty):
            text = (
                f"{_label(view, aggregation)}: empty={aggregation.empty!r} does not fit the type"
            )
            yield Issue(
                aggregation.origin, f"{text} of the feature; write a value of type {result}"
            )


def ddof_is_the_samples_or_the_populations(manifest: Manifest) -> Iterator[Issue]:
    """Yield values of ``ddof`` other than 0 and 1, or ``ddof`` of a function without it."""
    takers = functions_that_take("ddof")
    for view, aggregation in _all(manifest):
        ddof, function = aggregation.ddof, parse_function(aggregation.function)
        if ddof not in (0, 1):
            text = f"ddof={ddof} is not allowed; write 1 for the sample or 0 for the population"
            yield Issue(aggregation.origin, f"{_label(view, aggregation)}: {text}")
        elif ddof != 1 and (function is None or function.name not in takers):
            text = f"ddof={ddof} is for {' and '.join(takers)} only; remove it"
            yield Issue(aggregation.origin, f"{_label(view, aggregation)}: {text}")


def holds(result: DataType, value: object) -> bool:
    """Return whether a value for empty windows fits the type of a feature.

    Example:
        >>> holds(Int64, 0), holds(Int64, "none")
        (True, False)
    """
    if isinstance(value, bool):
        return result == Boolean
    if isinstance(value, int):
        limit = 2**63 if result == Int64 else 2**31
        fits = result not in INTEGERS or -limit <= value < limit
        return fits and (result in (*INTEGERS, *FLOATS) or isinstance(result, Decimal))
    if isinstance(value, float):
        return result in FLOATS and not math.isnan(value)
    return result == String


RULES = (
    columns_exist,
    functions_exist,
    functions_fit_their_columns,
    ddof_is_the_samples_or_the_populations,
    windows_are_durations,
    grids_are_closed_left,
    feature_names_are_unique,
    empty_fits_the_result,
)


def _with_aggregations(manifest: Manifest) -> Manifest:
    """Return the views whose aggregations are aggregations, whatever their other arguments are."""
    views: list[FeatureView] = []
    for view in manifest.views:
        items: object = view.aggregations
        if isinstance(items, tuple) and all(isinstance(each, Aggregation) for each in items):
            views.append(view)
    return Manifest(views=tuple(views))


def _all(manifest: Manifest) -> Iterator[tuple[FeatureView, Aggregation]]:
    for view in manifest.views:
        for aggregation in view.aggregations:
            yield view, aggregation


def _label(view: FeatureView, aggregation: Aggregation) -> str:
    return f"{label(view)}: {aggregation.function} of {aggregation.column!r}"


def _is_swapped(aggregation: Aggregation, fields: Sequence[str]) -> bool:
    """Return whether the column names a function, and the function a field."""
    known = (*fields, ANY_ROW)
    is_function = parse_function(aggregation.column) is not None
    return is_function and aggregation.column not in known and aggregation.function in known


def _has_column(view: FeatureView, aggregation: Aggregation) -> bool:
    """Return whether the aggregation's columns exist and have valid types."""
    fields = [column.name for column in view.schema if not type_problem(column.dtype)]
    return {aggregation.column, aggregation.by or ANY_ROW} <= {ANY_ROW, *fields}


def _dtype(view: FeatureView, column: str | None) -> DataType | None:
    types = {column.name: column.dtype for column in view.schema}
    return None if column is None else types.get(column)


def _result(view: FeatureView, aggregation: Aggregation) -> DataType | None:
    types = _dtype(view, aggregation.column), _dtype(view, aggregation.by)
    return output_type(aggregation.function, *types)


def _no_category(view: FeatureView, aggregation: Aggregation) -> str:
    name = f"{_label(view, aggregation)}: by={aggregation.by!r}"
    function = parse_function(aggregation.function)
    if function and function.name not in functions_that_take("by"):
        return f"{name} is for {' and '.join(functions_that_take('by'))} only; remove it"
    types = ", ".join(map(str, JOIN_KEY_TYPES))
    return f"{name} has type {_dtype(view, aggregation.by)}; a category can be {types}"


def _misfit(view: FeatureView, aggregation: Aggregation, dtype: DataType | None) -> str:
    if dtype is None:
        functions = " or ".join(functions_of(None))
        return f"{_label(view, aggregation)} is not possible; write {functions}, or name a field"
    functions = ", ".join(functions_of(dtype))
    return f"{_label(view, aggregation)} ({dtype}) is not possible; write one of {functions}"


def _window_problem(window: Length) -> str:
    grid = grid_of(window)
    if grid.every is None:
        problem = "" if window == LIFETIME else _length_problem(window)
        return f"{window!r} is {problem}" if problem else ""
    if not all(isinstance(part, str) for part in grid):  # another rule reports it
        return ""
    return next((f"{window}: {problem}" for problem in _grid_problems(grid)), "")


def _grid_problems(grid: Grid) -> Iterator[str]:
    every = grid.every or ""
    if grid.size not in (LIFETIME, every) and (problem := _length_problem(grid.size)):
        yield f"size {grid.size!r} is {problem}"
    if problem := _length_problem(every):
        yield f"every {every!r} is {problem}"
    if problem := duration_problem(grid.offset):
        yield f"offset {grid.offset!r} is {problem}"
    elif not _length_problem(every) and parse_duration(grid.offset) >= parse_duration(every):
        yield f"offset {grid.offset!r} is not less than {every!r}; write a shorter offset"


def _length_problem(text: object) -> str:
    if problem := duration_problem(text):
        return problem
    return "" if parse_duration(str(text)) else "empty; write a length such as '7d'"
