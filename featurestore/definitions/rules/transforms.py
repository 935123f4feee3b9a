"""Transforms: SQL over the source, or a function whose text can be found and compared."""

import inspect
from collections.abc import Iterator
from types import FunctionType

from featurestore.definitions.code.fingerprint import function_code
from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.view import Code
from featurestore.definitions.rules.issue import Issue, label
from featurestore.errors import DefinitionError

_DECLARE = "declare it by `def` at the top of a module"


def sql_selects_from_the_source(manifest: Manifest) -> Iterator[Issue]:
    """Yield SQL transforms without the placeholder of their source."""
    for view in manifest.views:
        if isinstance(view.transform, str) and "{source}" not in view.transform:
            text = f"{label(view)}: the SQL transform does not select from {{source}}"
            yield Issue(view.origin, f"{text}, which stands for the source's rows")


def functions_are_declared_in_modules(manifest: Manifest) -> Iterator[Issue]:
    """Yield transforms whose code cannot be found, compared, or called with one DataFrame."""
    for view in manifest.views:
        given = isinstance(view.transform, str | Code | None)
        if not given and (problem := function_problem(view.transform, "the DataFrame")):
            yield Issue(view.origin, f"{label(view)}: transform {problem}")


RULES = (sql_selects_from_the_source, functions_are_declared_in_modules)


def function_problem(function: object, argument: str) -> str:
    """Return why a transform's code cannot be found, compared, or called; or ``""``.

    Args:
        function: What was given as a function.
        argument: What it is called with, in words.

    Example:
        >>> function_problem(7, "the DataFrame")
        'is a int, not a function; declare it by `def` at the top of a module'
    """
    if not isinstance(function, FunctionType):
        return f"is a {type(function).__name__}, not a function; {_DECLARE}"
    if function.__name__ == "<lambda>":
        return f"is a lambda, whose changes cannot be followed; {_DECLARE}"
    if "<locals>" in function.__qualname__:
        return f"{function.__name__!r} is declared inside another function; {_DECLARE}"
    if not _takes_one(function):
        return f"{function.__name__!r} must take one argument, {argument}"
    try:
        function_code(function)
    except DefinitionError as error:
        return f"{function.__name__!r}: {error}"
    return ""


def _takes_one(function: FunctionType) -> bool:
    try:
        inspect.signature(function).bind(None)
    except TypeError:
        return False
    return True
