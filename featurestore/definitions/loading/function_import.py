"""Find an applied function among those that the definitions declare, if it is unchanged.

Others may have written the registry. So what it says chooses neither what is imported nor what is
called: only modules of the definitions are imported, as `load` does, and only a function that one
of their on-demand views has as its transform is returned.
"""

import importlib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from types import FunctionType

from featurestore.definitions.code.fingerprint import function_code
from featurestore.definitions.code.import_lock import IMPORT_LOCK
from featurestore.definitions.loading.fresh_import import importable
from featurestore.definitions.loading.import_problem import import_issue
from featurestore.definitions.loading.loader import declared_in, module_files
from featurestore.definitions.model.references import manifest_of
from featurestore.definitions.model.view import Code
from featurestore.definitions.rules import Issue
from featurestore.errors import DefinitionError, FunctionError

_REAPPLY = "Run `featurestore plan` and `featurestore apply`, or restore the applied function."
_MEND = "Mend this module, so that it imports. `featurestore plan` tries it."


def import_function(code: Code, folder: Path) -> FunctionType:
    """Return an applied function: the transform of an on-demand view of the definitions.

    The text in the registry is never run, and the module that it names is imported only as one of
    the definitions. The function must have the applied name and fingerprint.

    Args:
        code: The function as the registry stores it.
        folder: The folder of definitions.

    Raises:
        FunctionError: No on-demand view of the definitions has the function, or it was changed.
        DefinitionError: The module that may declare it does not import.

    Example:
        >>> import_function(Code("rmtree", "", "", "shutil"), Path("feature_defs"))
        Traceback (most recent call last):
        ...
        featurestore.errors.FunctionError: import shutil.rmtree: no on-demand view ...
    """
    root = folder.resolve()
    files = ((str(file), file.stat()) for file in sorted(root.rglob("*.py")))
    # Part of the cache's key: the function is imported again only after a file has changed.
    state = tuple((name, stat.st_mtime_ns, stat.st_size) for name, stat in files)
    with IMPORT_LOCK:
        return _imported(code, root, state)


@lru_cache(maxsize=256)
def _imported(code: Code, root: Path, state: tuple[tuple[str, int, int], ...]) -> FunctionType:
    issues: list[Issue] = []
    changed: FunctionType | None = None
    with importable(root):
        for function in _declared_functions(root, code.module, issues):
            if (function.__module__, function.__name__) == (code.module, code.name):
                if function_code(function).fingerprint == code.fingerprint:
                    return function
                changed = function
    raise _refusal(code, root, changed, issues)


def _declared_functions(root: Path, first: str, issues: list[Issue]) -> Iterator[FunctionType]:
    """Yield the functions of the on-demand views, those of the module ``first`` before others.

    A module that does not import becomes an issue: another module may declare the function.
    """
    files = module_files(root)
    for name in sorted(files, key=lambda name: name != first):
        try:
            module = importlib.import_module(name)
        except (Exception, SystemExit) as error:  # noqa: BLE001  # user code raises anything
            issues.append(import_issue(error, files[name], root))
            continue
        views = manifest_of(declared_in(module)).on_demand_views
        yield from (each.transform for each in views if isinstance(each.transform, FunctionType))


def _refusal(
    code: Code, root: Path, changed: FunctionType | None, issues: list[Issue]
) -> DefinitionError:
    call = f"import {code.module}.{code.name}"
    if changed is not None:
        where = f"{changed.__code__.co_filename}:{changed.__code__.co_firstlineno}"
        return FunctionError(
            call,
            f"the function at {where} differs from the applied one: its code, code that it "
            "uses, or the version of a library was changed",
            _REAPPLY,
        )
    if issues:
        return DefinitionError(call, str(issues[0]), _MEND)
    return FunctionError(
        call,
        f"no on-demand view in {root} has the function {code.name!r} of module {code.module!r}",
        _REAPPLY,
    )
