"""The lock of everything that imports definitions anew, or uses modules while others may do so."""

import dis
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache
from threading import RLock
from types import CodeType, FunctionType

from featurestore.definitions.code.provenance import home

IMPORT_LOCK = RLock()
"""Held by one thread at a time: a fresh import first removes modules that others may be using."""


def while_it_imports(function: object) -> AbstractContextManager[object]:
    """Return the context in which a function of the definitions can be called by any thread.

    It is the lock if the function imports modules of the project when it runs. Other functions
    need no lock, and several threads can run them.

    Example:
        >>> with while_it_imports(len):
        ...     len("ab")
        2
    """
    code = function.__code__ if isinstance(function, FunctionType) else None
    return IMPORT_LOCK if code is not None and _imports_project(code) else nullcontext()


@lru_cache(maxsize=1024)
def _imports_project(code: CodeType) -> bool:
    return any(not name or home(name) == "project" for name in _imported(code))


def _imported(code: CodeType) -> Iterator[str]:
    """Yield the names of imported modules; ``""`` for one of the function's own package."""
    level = 0
    for instruction in dis.get_instructions(code):
        if instruction.opname == "IMPORT_NAME":
            yield "" if level else str(instruction.argval)
        elif isinstance(instruction.argval, int):
            level = instruction.argval
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _imported(constant)
