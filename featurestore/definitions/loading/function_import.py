"""Importing an applied function: from the definitions folder or an installed package, if equal."""

import importlib
from functools import lru_cache
from pathlib import Path
from threading import RLock
from types import FunctionType

from featurestore.definitions.code.fingerprint import function_code
from featurestore.definitions.code.provenance import home
from featurestore.definitions.loading.import_problem import import_issue
from featurestore.definitions.loading.loader import importable
from featurestore.definitions.model.view import Code
from featurestore.errors import DefinitionError

# Importing afresh drops modules that another thread may be importing.
_IMPORTING = RLock()
_REAPPLY = "Run `featurestore plan` and `featurestore apply`, or bring the applied one back."


def import_function(code: Code, folder: Path) -> FunctionType:
    """Return the function that was applied, imported from where it was declared.

    The registry's text is never run. What is imported must have the applied fingerprint.

    Args:
        code: What the registry keeps of it.
        folder: The folder of definitions.

    Raises:
        DefinitionError: The module does not import, lacks the function, or holds another one than
            was applied.

    Example:
        >>> import_function(Code("rmtree", "", "", "shutil"), Path("feature_defs"))
        Traceback (most recent call last):
        ...
        featurestore.errors.DefinitionError: import shutil.rmtree: ...
    """
    root = folder.resolve()
    files = ((str(file), file.stat()) for file in sorted(root.rglob("*.py")))
    # Imported anew when any file has changed, and not at every call.
    state = tuple((name, found.st_mtime_ns, found.st_size) for name, found in files)
    with _IMPORTING:
        return _imported(code, root, state)


@lru_cache(maxsize=256)
def _imported(code: Code, root: Path, state: tuple[tuple[str, int, int], ...]) -> FunctionType:
    call = f"import {code.module}.{code.name}"
    if not code.module or home(code.module) == "python":
        raise DefinitionError(
            call,
            "it is neither of the definitions nor of an installed package",
            "Declare it by `def` in a module of the definitions.",
        )
    with importable(root):
        try:
            module = importlib.import_module(code.module)
        except (Exception, SystemExit) as error:  # user code raises anything
            file = root.parent.joinpath(*code.module.split(".")).with_suffix(".py")
            raise DefinitionError(call, str(import_issue(error, file, root)), _REAPPLY) from error
        function = getattr(module, code.name, None)
        if not isinstance(function, FunctionType):
            raise DefinitionError(call, "the module has no such function (any more)", _REAPPLY)
        if function_code(function).fingerprint != code.fingerprint:
            where = f"{function.__code__.co_filename}:{function.__code__.co_firstlineno}"
            raise DefinitionError(
                call,
                f"the one at {where} is not the one that was applied: it, something that it uses, "
                "or a library's version has changed",
                _REAPPLY,
            )
    return function
