"""The project's modules on Spark's workers: made from what was sent, never imported from a file.

Spark sends these functions with their code too, so that workers need no package of ours for them.
"""

import functools
import json
import sys
from collections.abc import Callable, Mapping
from types import CodeType, ModuleType
from typing import Any

from featurestore.engines.spark.errors.transport import SENTINEL

_CREATE = (
    "Create it in the function, so that each of Spark's workers makes its own, or use plain "
    "values such as numbers and text. Join a DataFrame to the rows: workers have no Spark session."
)


def empty_module(name: str) -> ModuleType:
    """Return a module without contents. They follow, because they may refer to the module.

    Example:
        >>> empty_module("feature_defs.rates").__name__
        'feature_defs.rates'
    """
    return ModuleType(name)


def fill_module(module: ModuleType, state: tuple[Mapping[str, object], Mapping[str, str]]) -> None:
    """Set the contents of a module; a use of a value that could not be sent is an error.

    Args:
        module: The module.
        state: Its contents by name, and the types of the values that could not be sent.

    Example:
        >>> module = empty_module("feature_defs.rates")
        >>> fill_module(module, ({"RATE": 2}, {"LOCK": "lock"}))
        >>> module.RATE
        2
    """
    contents, unsent = state
    vars(module).update(contents)
    if unsent:
        own = contents.get("__getattr__")
        vars(module)["__getattr__"] = functools.partial(_unsent_value, module, unsent, own)


def _unsent_value(module: ModuleType, unsent: Mapping[str, str], own: Any, name: str) -> object:
    """Raise the error for a value that could not be sent. Other names are missing as before."""
    if name in unsent:
        code = sys._getframe(1).f_code  # of the function that uses the value
        used = f"{module.__name__}.{name}"
        # No AttributeError: getattr() with a default and hasattr() would answer without the value.
        raise RuntimeError(unsent_text(code, used, unsent[name]))
    if own is not None:
        return own(name)
    raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")


def unsent_text(code: CodeType, name: str, kind: str) -> str:
    """Return an error of featurestore about a value that could not be sent, as `transport` does.

    Args:
        code: The code that uses the value.
        name: The value's name.
        kind: Its type, or the part of it that cannot be sent.
    """
    found, fix = unsent_problem(code, name, kind)
    return SENTINEL + json.dumps({"kind": "MaterializationError", "parts": ["", found, fix]})


def unsent_problem(code: CodeType, name: str, kind: str) -> tuple[str, str]:
    """Return the problem with a value that cannot be sent, and what to do next.

    Example:
        >>> unsent_problem(empty_module.__code__, "LOCK", "lock")[0]
        "function 'empty_module' (...) uses 'LOCK', a lock, which cannot be sent to Spark's ..."
    """
    position = f"{code.co_filename}:{code.co_firstlineno}"
    found = f"function {code.co_name!r} ({position}) uses {name!r}, a {kind}, which cannot be sent"
    return f"{found} to Spark's workers", _CREATE


def code_with_modules(modules: Mapping[str, ModuleType], *parts: object) -> CodeType:
    """Return code that imports modules when it runs, and let it find exactly these modules.

    A worker runs the code of several transforms, one after the other. So the modules replace those
    of the same names.

    Args:
        modules: The project's modules that the code imports, by the names that it uses.
        parts: The arguments of `types.CodeType`.
    """
    sys.modules.update(modules)
    return CodeType(*parts)  # type: ignore[arg-type]  # the parts of a code object


def cached_function(function: Callable[..., Any], parameters: Mapping[str, Any]) -> Any:
    """Return a function with a cache of its own, as `functools.lru_cache` makes it.

    Example:
        >>> cached_function(len, {"maxsize": 8, "typed": False})("ab")
        2
    """
    return functools.lru_cache(**parameters)(function)


def cached_property_of(function: Callable[[Any], Any]) -> Any:
    """Return a property that is computed once for each object.

    Its class in Python before 3.12 has a lock, which cannot be sent.
    """
    return functools.cached_property(function)


def weak_dictionary(kind: type, items: Mapping[Any, Any]) -> Any:
    """Return a dictionary of weak references, such as the cache of `functools.singledispatch`."""
    return kind(items)
