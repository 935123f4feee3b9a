"""The owner of a module: the project, a library, or Python."""

import importlib.metadata
import importlib.util
import re
import sys
from functools import cache
from typing import Literal

Home = Literal["project", "library", "python"]

_LIBRARY_FOLDERS = ("site-packages", "dist-packages")
_OURS = __name__.partition(".")[0]
# On a cluster they lie in Spark's own folder.
_SPARK = ("pyspark", "py4j")


def home(module: str) -> Home:
    """Return the owner of a module; modules of this package count as Python's.

    Example:
        >>> home("textwrap"), home("pyarrow.compute")
        ('python', 'library')
    """
    top = module.partition(".")[0]
    if is_library(top):
        return "library" if top in _SPARK else "python"
    loaded = sys.modules.get(top)
    spec = getattr(loaded, "__spec__", None) if loaded else importlib.util.find_spec(top)
    if spec is None and loaded is None:
        return "library"
    folders = getattr(spec, "submodule_search_locations", None) or []
    paths = [str(path) for path in (getattr(spec, "origin", None), *folders)]
    return "library" if any(map(is_library_file, paths)) else "project"


def is_library(top: str) -> bool:
    """Return whether a top-level module is known by its name to be outside of the project.

    Example:
        >>> is_library("json"), is_library("pyspark"), is_library("feature_defs")
        (True, True, False)
    """
    return top in sys.stdlib_module_names or top in (_OURS, *_SPARK)


def is_library_file(path: str) -> bool:
    """Return whether a file lies in a folder of installed libraries.

    Example:
        >>> is_library_file("/venv/lib/site-packages/numpy/__init__.py")
        True
    """
    return any(folder in path for folder in _LIBRARY_FOLDERS)


def is_installed(top: str) -> bool:
    """Return whether a package of Python or of a library has this name.

    Example:
        >>> is_installed("json"), is_installed("pyarrow"), is_installed("no_such_package")
        (True, True, False)
    """
    exists = top in sys.modules or importlib.util.find_spec(top) is not None
    return exists and home(top) != "project"


def outside(module: str, name: str = "") -> str:
    """Return how code outside the project counts in fingerprints.

    Code of a library counts by the library's version, code of Python by its module. Code of this
    package counts by its name alone, so that a move of its modules rebuilds no user's table.

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
    # From metadata, not from __version__: the library may not be imported yet.
    try:
        return f"{top}=={importlib.metadata.version(top)}"
    except importlib.metadata.PackageNotFoundError:
        names = sorted(set(importlib.metadata.packages_distributions().get(top, ())))
        installed = " ".join(f"{name}=={importlib.metadata.version(name)}" for name in names)
        return installed or (_needed_version(top) if top in _SPARK else "") or top


def _needed_version(top: str) -> str:
    """Return the version of Spark's library that this package needs; ``""`` if it is unknown.

    So a plan that is made without Spark, such as in a CI job, equals the one made with it.
    """
    try:
        requirements = importlib.metadata.requires(_OURS) or []
    except importlib.metadata.PackageNotFoundError:
        return ""
    matches = (re.match(rf"{top}\s*[^;]*[=>]=\s*([\d.]+)", each) for each in requirements)
    return next((f"{top}=={match[1]}" for match in matches if match), "")
