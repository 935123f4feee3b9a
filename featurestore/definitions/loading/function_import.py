"""Import an applied function from the definitions or an installed package, if it is unchanged."""

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

# A fresh import removes modules that another thread may be importing.
_IMPORTING = RLock()
_REAPPLY = "Run `featurestore plan` and `featurestore apply`, or restore the applied function."


def import_function(code: Code, folder: Path) -> FunctionType:
    """Return an applied function, imported from the module that declares it.

    The text in the registry is never run. The imported function must have the applied
    fingerprint.

    Args:
        code: The function as the registry stores it.
        folder: The folder of definitions.

    Raises:
        DefinitionError: The module does not import, lacks the function, or contains a changed
            one.

    Example:
        >>> import_function(Code("rmtree", "", "", "shutil"), Path("feature_defs"))
        Traceback (most recent call last):
        ...
        featurestore.errors.DefinitionError: import shutil.rmtree: ...
    """
    root = folder.resolve()
    files = ((str(file), file.stat()) for file in sorted(root.rglob("*.py")))
    # Part of the cache's key: the function is imported again only after a file has changed.
    state = tuple((name, stat.st_mtime_ns, stat.st_size) for name, stat in files)
    with _IMPORTING:
        return _imported(code, root, state)


@lru_cache(maxsize=256)
def _imported(code: Code, root: Path, state: tuple[tuple[str, int, int], ...]) -> FunctionType:
    call = f"import {code.module}.{code.name}"
    if not code.module or home(code.module) == "python":
        raise DefinitionError(
            call,
            "it is declared neither in the definitions nor in an installed package",
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
            found = f"module {code.module!r} has no function {code.name!r} (any more)"
            raise DefinitionError(call, found, _REAPPLY)
        if function_code(function).fingerprint != code.fingerprint:
            where = f"{function.__code__.co_filename}:{function.__code__.co_firstlineno}"
            raise DefinitionError(
                call,
                f"the function at {where} differs from the applied one: its code, code that it "
                "uses, or the version of a library was changed",
                _REAPPLY,
            )
    return function
