"""A view's expectations as a schema of ``pandera.polars`` that checks rows and changes none."""

from collections.abc import Iterator
from copy import copy
from dataclasses import replace
from typing import Any

from featurestore.definitions.code.expectations import (
    checked_columns,
    is_built_in,
    matching_columns,
    row_checks,
    schema_of,
)
from featurestore.definitions.model.view import FeatureView
from featurestore.errors import nearest
from featurestore.optional import optional
from featurestore.quality.checks import RowChecks
from featurestore.quality.column_types import type_problem

_WHOLE_COLUMN = ("unique_values_eq",)
_PER_ROW = (
    "Expectations check each row by itself: remove it from the schema, and check the table "
    "with a query."
)


def checks_of(view: FeatureView) -> RowChecks:
    """Return a view's expectations, for the rows that its table would have.

    Args:
        view: A view with expectations in which `schema_problems` finds nothing.

    Raises:
        DefinitionError: The expectations are no schema of pandera.
        SetupError: pandera or Polars is not installed.
    """
    columns = checked_columns(view)
    schema = _polars_schema(schema_of(view), columns)
    if schema.columns and not schema.checks:  # checks of whole rows may read any column
        columns = {name: columns[name] for name in schema.columns}
    return RowChecks(
        f"expectations of view {view.name!r} ({view.origin})",
        schema=schema,
        checks=tuple(replace(each, check=None) for each in row_checks(view)),
        columns=columns,
    )


def schema_problems(view: FeatureView) -> Iterator[str]:
    """Yield what of a view's schema cannot be checked row by row, each as a sentence.

    Args:
        view: A view with expectations.

    Raises:
        DefinitionError: The expectations are no schema of pandera.
        SetupError: pandera or Polars is not installed.
    """
    schema = schema_of(view)
    library = _library(schema)
    if library not in ("polars", "pandas"):
        yield (
            f"the schema is made by pandera.{library}, whose checks do not answer row by row. "
            "Make it by pandera.polars."
        )
        return
    columns = checked_columns(view)
    yield from _schema_problems(schema)
    yield from _missing_columns(schema, columns)
    yield from _repeated_columns(schema, columns)
    for column in schema.columns.values():
        yield from _column_problems(column, library)
        for name in matching_columns(column, columns):
            dtype = schema.dtype or column.dtype
            if dtype is not None and name in columns:
                yield from type_problem(view, name, dtype, library)
    for check in schema.checks:
        yield from _check_problems("the rows", check, library)


def _polars_schema(schema: Any, columns: dict[str, str]) -> Any:
    pandera = optional("pandera.polars", "read expectations", extra="quality")
    # Also where the schema is of pandas: its checks need Polars' functions.
    checked = {
        name: pandera.Column(
            checks=[_row_check(check) for check in column.checks],
            nullable=column.nullable,
            name=name,
        )
        for column in schema.columns.values()
        for name in matching_columns(column, columns)
        if name in columns
    }
    return pandera.DataFrameSchema(checked, checks=[_row_check(each) for each in schema.checks])


def _row_check(check: Any) -> Any:
    own = copy(check)
    # Failing rows as text cost time, and some types have none. A warning hides the mask.
    own.n_failure_cases, own.raise_warning = 0, False
    return own


def _library(schema: Any) -> str:
    """Return the module of pandera that made a schema, such as ``polars``."""
    return str(type(schema).__module__).removeprefix("pandera.api.").partition(".")[0]


def _schema_problems(schema: Any) -> Iterator[str]:
    if schema.unique:
        yield f"unique={list(schema.unique)} compares rows with each other. {_PER_ROW}"
    if getattr(schema, "index", None) is not None:
        yield "the schema has an index, and rows have none. Make it a column."
    if schema.add_missing_columns:
        yield "add_missing_columns adds columns, and expectations only check. Remove it."
    if schema.parsers:
        yield "parsers change rows, and expectations only check. Use the view's transform."


def _missing_columns(schema: Any, columns: dict[str, str]) -> Iterator[str]:
    named: set[str] = set()
    for column in schema.columns.values():
        matching = [name for name in matching_columns(column, columns) if name in columns]
        named.update(matching)
        if not matching and column.required:
            yield (
                f"the schema has a column {column.name!r}, and the view's rows have none: "
                f"{nearest(column.name, columns)}"
            )
    if schema.strict is True and (others := [name for name in columns if name not in named]):
        yield (
            f"the schema is strict and lacks {', '.join(others)}, which the view's rows have. "
            "Add them, or remove strict=True."
        )


def _repeated_columns(schema: Any, columns: dict[str, str]) -> Iterator[str]:
    """Yield the columns that two columns of the schema stand for, of which one would be lost."""
    first: dict[str, str] = {}
    for column in schema.columns.values():
        for name in matching_columns(column, columns):
            if name in first:
                yield (
                    f"columns {first[name]!r} and {column.name!r} of the schema both match column "
                    f"{name!r}. Put all its checks into one of them, and let the other not match."
                )
            first.setdefault(name, column.name)


def _column_problems(column: Any, library: str) -> Iterator[str]:
    subject = f"column {column.name!r}"
    if column.unique:
        yield f"{subject}: unique=True compares rows with each other. {_PER_ROW}"
    if column.default is not None:
        yield f"{subject}: default= changes rows, and expectations only check. Remove it."
    if column.parsers:
        yield f"{subject}: parsers change rows, and expectations only check. Remove them."
    for check in column.checks:
        yield from _check_problems(subject, check, library)


def _check_problems(subject: str, check: Any, library: str) -> Iterator[str]:
    name = f"{subject}: check {check.name!r}"
    if type(check).__name__ == "Hypothesis" or check.name in _WHOLE_COLUMN:
        yield f"{name} tests a whole column. {_PER_ROW}"
    elif check.groupby is not None:
        yield f"{name} has groupby=, which compares rows with each other. {_PER_ROW}"
    elif library == "pandas" and not is_built_in(check):
        yield (
            f"{name} is a function of pandas objects, which is not run on the store's rows. Use "
            "a built-in check, or write the schema for pandera.polars."
        )
