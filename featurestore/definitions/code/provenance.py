"""Whose code a module is: the project's, a library's, or Python's own."""

import importlib.metadata
import importlib.util
import sys
from functools import cache
from typing import Literal

Home = Literal["project", "library", "python"]

_LIBRARY_FOLDERS = ("site-packages", "dist-packages")
_OURS = __name__.partition(".")[0]


def home(module: str) -> Home:
    """Return whose module it is; this package's own modules count as Python's.

    Example:
        >>> home("textwrap"), home("pyarrow.compute")
        ('python', 'library')
    """
    top = module.partition(".")[0]
    if top in sys.stdlib_module_names or top == _OURS:
        return "python"
    loaded = sys.modules.get(top)
    spec = getattr(loaded, "__spec__", None) if loaded else importlib.util.find_spec(top)
    if spec is None and loaded is None:
        return "library"
    folders = getattr(spec, "submodule_search_locations", None) or []
    places = [getattr(spec, "origin", None), *folders]
    libraries = any(folder in str(place) for place in places for folder in _LIBRARY_FOLDERS)
    return "library" if libraries else "project"


def is_installed(top: str) -> bool:
    """Return whether a name is that of a package beside the project's own: it would be hidden.

    Example:
        >>> is_installed("json"), is_installed("pyarrow"), is_installed("no_such_package")
        (True, True, False)
    """
    known = top in sys.modules or importlib.util.find_spec(top) is not None
    return known and home(top) != "project"


def outside(module: str, name: str = "") -> str:
    """Return what code outside the project counts as: the library's version, or Python's name.

    This package's own code counts by its name alone, so that a move of its modules rebuilds no
    user's table.

    Example:
        >>> outside("textwrap", "indent"), outside("featurestore.times", "parse_moment")
        ('textwrap:indent', 'featurestore:parse_moment')
    """
    if module.partition(".")[0] == _OURS:
        return f"{_OURS}:{name}"
    if home(module) == "library":
        return f"{_version(module.partition('.')[0])}:{name}"
    return f"{module}:{name}"


@cache
def _version(top: str) -> str:
    # By metadata, never by __version__: it must not depend on whether the library is imported.
    try:
        return f"{top}=={importlib.metadata.version(top)}"
    except importlib.metadata.PackageNotFoundError:
        found = sorted(set(importlib.metadata.packages_distributions().get(top, ())))
        return " ".join(f"{name}=={importlib.metadata.version(name)}" for name in found) or top
