"""Import a folder's modules from their present text, without Python's caches."""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType


class FreshFinder(MetaPathFinder):
    """Finds the modules of one package below its folder, which needs no ``__init__.py``.

    Args:
        root: The package's folder; its name is the package's.

    Example:
        >>> FreshFinder(Path("feature_defs")).find_spec("json", None) is None
        True
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the spec of a module of the package; None for any other module."""
        package, *names = fullname.split(".")
        if package != self._root.name:
            return None
        path_of_module = self._root.joinpath(*names)
        init, file = path_of_module / "__init__.py", path_of_module.with_suffix(".py")
        if init.is_file():
            return _spec(fullname, init, [str(path_of_module)])
        if names and file.is_file():
            return _spec(fullname, file, None)
        return _namespace(fullname, path_of_module) if path_of_module.is_dir() else None


def forget(package: str) -> None:
    """Remove a package and its modules from the imported modules.

    Example:
        >>> forget("no_such_package")
    """
    for name in [name for name in sys.modules if name.partition(".")[0] == package]:
        del sys.modules[name]


class _SourceOnlyLoader(SourceFileLoader):
    """Compiles the text at each import: Python's cache compares only sizes and whole seconds."""

    def get_code(self, fullname: str) -> CodeType:
        return self.source_to_code(self.get_data(self.path), self.path)


def _spec(name: str, file: Path, folders: list[str] | None) -> ModuleSpec | None:
    loader = _SourceOnlyLoader(name, str(file))
    return spec_from_file_location(name, file, loader=loader, submodule_search_locations=folders)


def _namespace(name: str, folder: Path) -> ModuleSpec:
    spec = ModuleSpec(name, None, is_package=True)
    spec.submodule_search_locations = [str(folder)]
    return spec
