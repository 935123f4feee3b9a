"""The project's modules on Spark's workers: made from what was sent, never imported from a file.

Spark sends these functions with their code too, so that workers need no package of ours for them.
"""

import functools
import sys
from collections.abc import Callable, Mapping
from types import CodeType, ModuleType
from typing import Any


def empty_module(name: str) -> ModuleType:
    """Return a module without contents. They follow, because they may refer to the module.

    Example:
        >>> empty_module("feature_defs.rates").__name__
        'feature_defs.rates'
    """
    return ModuleType(name)


def fill_module(module: ModuleType, contents: Mapping[str, object]) -> None:
    """Set the contents of a module.

    Example:
        >>> module = empty_module("feature_defs.rates")
        >>> fill_module(module, {"RATE": 2})
        >>> module.RATE
        2
    """
    vars(module).update(contents)


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
