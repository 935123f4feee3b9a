"""Import the modules of a project from their present text, without Python's caches."""

import importlib
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType

from featurestore.definitions.code import dependencies
from featurestore.definitions.code.import_lock import IMPORT_LOCK
from featurestore.definitions.code.provenance import home, is_library, is_library_file
from featurestore.definitions.loading.udf_types import UdfFinder, udfs_without_spark

_Files = dict[str, tuple[str, int, int]]
# The other modules of projects that definitions have imported: file, time of change, size.
_imported: _Files = {}


@contextmanager
def importable(root: Path) -> Iterator[None]:
    """Import the folder's modules afresh, and modules beside the folder, in the context.

    Text that the modules print goes to stderr: programs read what a command writes to stdout.

    Args:
        root: The folder of definitions, as a resolved path.
    """
    with IMPORT_LOCK, redirect_stdout(sys.stderr), udfs_without_spark():
        first, last = [FreshFinder(root), UdfFinder()], SiblingFinder(root)
        # At the end of the path, so that no module beside the folder hides an installed package.
        parents = [parent for parent in [str(root.parent)] if parent not in sys.path]
        forget(root.name)
        _forget_changed()
        before = set(sys.modules)
        importlib.invalidate_caches()
        sys.meta_path[:0] = first
        sys.meta_path.append(last)
        sys.path.extend(parents)
        try:
            yield
        finally:
            for finder in (*first, last):
                sys.meta_path.remove(finder)
            for parent in parents:
                sys.path.remove(parent)
            _imported.update(_other_modules(root, before))


class FreshFinder(MetaPathFinder):
    """Finds the modules of one package below its folder, which needs no ``__init__.py``.

    Other modules of the project are found where Python finds them. All are compiled from their
    text.

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
        """Return the spec of a module of the project; None for any other module."""
        package, *names = fullname.split(".")
        if package != self._root.name:
            spec = _spec_beside(fullname, path, target)
            return spec if spec is None else self._without_twin(spec)
        path_of_module = self._root.joinpath(*names)
        init, file = path_of_module / "__init__.py", path_of_module.with_suffix(".py")
        if init.is_file():
            return _spec(fullname, init, [str(path_of_module)])
        if names and file.is_file():
            return _spec(fullname, file, None)
        return _namespace(fullname, path_of_module) if path_of_module.is_dir() else None

    def _without_twin(self, spec: ModuleSpec) -> ModuleSpec:
        """Return the spec of a module, or of the package's module if it is the same file."""
        file = Path(str(spec.origin)).resolve()
        if not file.is_relative_to(self._root):
            return spec
        names = (self._root.name, *file.relative_to(self._root).with_suffix("").parts)
        own = ".".join(name for name in names if name != "__init__")
        return ModuleSpec(spec.name, _AliasLoader(own))


class SiblingFinder(MetaPathFinder):
    """Finds modules in the folder of the module that imports them, by their bare names.

    ``from entities import user`` then means the same module as ``from .entities import user``.

    Args:
        root: The package's folder; its name is the package's.

    Example:
        >>> SiblingFinder(Path("feature_defs")).find_spec("no_such_module", None) is None
        True
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the spec of a module that stands beside the importing one; None without one."""
        top, *names = fullname.split(".")
        for package in dict.fromkeys(self._packages()):
            folder = self._root.joinpath(*package.split(".")[1:])
            if (folder / f"{top}.py").is_file() or (folder / top).is_dir():
                return ModuleSpec(fullname, _AliasLoader(".".join((package, top, *names))))
        return None

    def _packages(self) -> tuple[str, ...]:
        """Return where a bare name may mean a module: never for a module outside the package."""
        frame = sys._getframe()
        while frame.f_back is not None and _imports(str(frame.f_globals.get("__name__"))):
            frame = frame.f_back
        name, package = (str(frame.f_globals.get(key)) for key in ("__name__", "__package__"))
        if name.partition(".")[0] == self._root.name:
            return package, self._root.name
        return (self._root.name,) if name == dependencies.__name__ else ()


def _imports(name: str) -> bool:
    """Return whether a module takes part in Python's imports, and imports nothing for itself."""
    return name == __name__ or name.partition(".")[0] == "importlib"


def forget(package: str) -> None:
    """Remove a package and its modules, under all their names, from the imported modules.

    Example:
        >>> forget("no_such_package")
    """
    for name, module in list(sys.modules.items()):
        own = str(getattr(module, "__name__", name))
        if package in (name.partition(".")[0], own.partition(".")[0]):
            del sys.modules[name]


def _forget_changed() -> None:
    """Remove the other modules of projects from the imported ones, if a file has changed."""
    if any(_file_state(file) != (file, *state) for file, *state in _imported.values()):
        for name in _imported:
            sys.modules.pop(name, None)
        _imported.clear()


def _other_modules(root: Path, before: set[str]) -> _Files:
    """Return the project's modules outside of the package that may be imported anew."""
    others: _Files = {}
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None) or ""
        own = str(getattr(module, "__name__", name)).partition(".")[0]
        if not file.endswith(".py") or is_library_file(file) or own in (root.name, "__main__"):
            continue
        beside = file.startswith(f"{root.parent}{os.sep}")
        if (beside or name not in before) and home(name) == "project":
            others[name] = _file_state(file)
    return others


def _file_state(file: str) -> tuple[str, int, int]:
    try:
        stat = Path(file).stat()
    except OSError:
        return file, 0, -1
    return file, stat.st_mtime_ns, stat.st_size


class _SourceOnlyLoader(SourceFileLoader):
    """Compiles the text at each import: Python's cache compares only sizes and whole seconds."""

    compiles_text = True

    def get_code(self, fullname: str) -> CodeType:
        return self.source_to_code(self.get_data(self.path), self.path)


class _AliasLoader(Loader):
    """Gives a module of the package a second name."""

    def __init__(self, name: str) -> None:
        self._name = name

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = importlib.import_module(self._name)
        self._spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self._spec  # the import has set the alias's


def _spec_beside(
    fullname: str, path: Sequence[str] | None, target: ModuleType | None
) -> ModuleSpec | None:
    if is_library(fullname.partition(".")[0]):
        return None
    found = PathFinder.find_spec(fullname, path, target)
    file = "" if found is None else found.origin or ""
    if found is None or not file.endswith(".py") or is_library_file(file):
        return None
    return _spec(fullname, Path(file), found.submodule_search_locations)


def _spec(name: str, file: Path, folders: list[str] | None) -> ModuleSpec | None:
    loader = _SourceOnlyLoader(name, str(file))
    return spec_from_file_location(name, file, loader=loader, submodule_search_locations=folders)


def _namespace(name: str, folder: Path) -> ModuleSpec:
    spec = ModuleSpec(name, None, is_package=True)
    spec.submodule_search_locations = [str(folder)]
    return spec
