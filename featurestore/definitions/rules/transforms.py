"""Rules of transforms: SQL over the source, or a function whose code can be read and compared."""

import inspect
from collections.abc import Iterator
from types import CodeType, FunctionType

from featurestore.definitions.code.clock import clock_read
from featurestore.definitions.code.fingerprint import function_code
from featurestore.definitions.code.sql import (
    combining_clause,
    first_words,
    tables_by_path,
    unstable_function,
)
from featurestore.definitions.code.sql_syntax import syntax_problem
from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.view import Code, FeatureView
from featurestore.definitions.rules.issue import Issue, label
from featurestore.errors import DefinitionError

_QUERIES = ("SELECT", "WITH", "FROM", "VALUES", "TABLE", "(")
_DECLARE = "Declare it by `def` at the top of a module."


def sql_selects_from_the_source(manifest: Manifest) -> Iterator[Issue]:
    """Yield SQL transforms without the placeholder ``{source}``."""
    for view in manifest.views:
        if isinstance(view.transform, str) and "{source}" not in view.transform:
            text = f"{label(view)}: the SQL transform does not contain {{source}}, the rows of its"
            yield Issue(view.origin, f"{text} source. Write SELECT ... FROM {{source}}.")  # nosec B608


def sql_is_one_query(manifest: Manifest) -> Iterator[Issue]:
    """Yield SQL transforms that are no query, such as INSERT, or several statements."""
    for view in manifest.views:
        words = first_words(view.transform) if isinstance(view.transform, str) else []
        if len(words) > 1:
            text = f"the SQL transform has {len(words)} statements. Write one SELECT."
            yield Issue(view.origin, f"{label(view)}: {text}")
        elif words and words[0] not in _QUERIES:
            text = f"the SQL transform is no query: it begins with {words[0]}. Write one SELECT."
            yield Issue(view.origin, f"{label(view)}: {text}")


def sql_works_row_by_row(manifest: Manifest) -> Iterator[Issue]:
    """Yield SQL transforms that surely combine rows; Spark's plan shows the others later."""
    for view in manifest.views:
        clause = combining_clause(view.transform) if isinstance(view.transform, str) else ""
        if clause:
            text = (
                f"the SQL transform combines rows of the source: it has {clause}. A run sees only "
                "new rows, so the features would depend on how the rows arrived. Count, sum and "
                "rank with aggregations= of the view, and let unique_by= of its source remove "
                "revisions of one event."
            )
            yield Issue(view.origin, f"{label(view)}: {text}")


def sources_are_not_read_again(manifest: Manifest) -> Iterator[Issue]:
    """Yield transforms that read their source a second time, by its path."""
    for view in manifest.views:
        own = str(getattr(view.source, "path", "")).rstrip("/")
        if own and any(f"/{path.rstrip('/')}".endswith(f"/{own}") for path in _paths(view)):
            text = (
                "the transform reads its source a second time, by its path, so each row "
                "depends on the other rows. Use aggregations= of the view."
            )
            yield Issue(view.origin, f"{label(view)}: {text}")


def sql_does_not_depend_on_the_run(manifest: Manifest) -> Iterator[Issue]:
    """Yield SQL transforms whose result depends on the time, on chance or on the machine."""
    for view in manifest.views:
        name = unstable_function(view.transform) if isinstance(view.transform, str) else ""
        if name:
            text = f"the SQL transform uses {name}, which gives another result in each run"
            yield Issue(view.origin, f"{label(view)}: {text}. Use a column of the source.")


def sql_has_no_slips(manifest: Manifest) -> Iterator[Issue]:
    """Yield SQL transforms with an open quote or bracket, or a misspelt keyword at the source."""
    for view in manifest.views:
        if isinstance(view.transform, str) and (problem := syntax_problem(view.transform)):
            yield Issue(view.origin, f"{label(view)}: the SQL transform: {problem}")


def functions_are_declared_in_modules(manifest: Manifest) -> Iterator[Issue]:
    """Yield transforms whose code cannot be read, compared, or called with one DataFrame."""
    for view in manifest.views:
        if isinstance(view.transform, str | Code | None):
            continue
        if problem := function_problem(view.transform, "the DataFrame"):
            yield Issue(view.origin, f"{label(view)}: transform {problem}")


def functions_do_not_read_the_clock(manifest: Manifest) -> Iterator[Issue]:
    """Yield transforms whose Python code reads the time of the run, as `current_date()` in SQL."""
    for view in manifest.views:
        if name := clock_problem(view.transform):
            text = f"transform uses {name}, which gives another result in each run"
            yield Issue(view.origin, f"{label(view)}: {text}. Use a column of the source.")


RULES = (
    sql_selects_from_the_source,
    sql_is_one_query,
    sql_has_no_slips,
    sql_works_row_by_row,
    sources_are_not_read_again,
    sql_does_not_depend_on_the_run,
    functions_are_declared_in_modules,
    functions_do_not_read_the_clock,
)


def function_problem(function: object, argument: str) -> str:
    """Return why a transform's code cannot be read, compared or called; ``""`` if it can.

    Args:
        function: The transform.
        argument: The argument of a call, in words.

    Example:
        >>> function_problem(7, "the DataFrame")
        'is of type int, not a function. Declare it by `def` at the top of a module.'
    """
    if not isinstance(function, FunctionType):
        return f"is of type {type(function).__name__}, not a function. {_DECLARE}"
    if function.__name__ == "<lambda>":
        return f"is a lambda, whose changes cannot be tracked. {_DECLARE}"
    if "<locals>" in function.__qualname__:
        return f"{function.__name__!r} is declared inside another function. {_DECLARE}"
    if not _takes_one(function):
        return f"{function.__name__!r} cannot be called with one argument. Let it take {argument}."
    try:
        function_code(function)
    except DefinitionError as error:
        return f"{function.__name__!r}: {error}"
    return ""


def clock_problem(function: object) -> str:
    """Return how a transform reads the clock; ``""`` if it does not, or is no readable function.

    Args:
        function: The transform.

    Example:
        >>> clock_problem("SELECT now() FROM {source}")
        ''
    """
    if not isinstance(function, FunctionType):
        return ""
    try:
        return clock_read(function)
    except DefinitionError:  # a problem of its own: see `function_problem`
        return ""


def _paths(view: FeatureView) -> list[str]:
    """Return the paths that a transform may read: of tables in SQL, and texts in a function."""
    if isinstance(view.transform, str):
        return tables_by_path(view.transform)
    return (
        list(_texts(view.transform.__code__)) if isinstance(view.transform, FunctionType) else []
    )


def _texts(code: CodeType) -> Iterator[str]:
    for constant in code.co_consts:
        if isinstance(constant, str):
            yield constant
        if isinstance(constant, CodeType):
            yield from _texts(constant)


def _takes_one(function: FunctionType) -> bool:
    try:
        inspect.signature(function).bind(None)
    except TypeError:
        return False
    return True
