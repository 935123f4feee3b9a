"""Load a folder of definitions: import every module afresh and report every problem."""

import importlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import ModuleType

from featurestore.definitions.code.provenance import is_installed
from featurestore.definitions.loading.fresh_import import forget, importable
from featurestore.definitions.loading.import_problem import import_issue
from featurestore.definitions.model.manifest import Definition, Manifest
from featurestore.definitions.model.on_demand import OnDemandReference
from featurestore.definitions.model.references import manifest_of, referenced_objects
from featurestore.definitions.model.view import FeatureReference
from featurestore.definitions.origin import Origin, origin_of, set_origin
from featurestore.definitions.rules import Issue, Rule, check, without_problems
from featurestore.errors import DefinitionError, ProjectError


def load(
    folder: Path,
    *,
    project: Path | None = None,
    rules: Iterable[Rule] = (),
    further_checks: Iterable[Rule] = (),
) -> Manifest:
    """Return the definitions of all modules below a folder.

    Every ``*.py`` file is imported afresh as a module of a package with the folder's name.
    Modules and folders whose name starts with ``_`` are skipped: other modules import them.
    A definition counts if it, or a list, tuple or dict with it, has a name at the top level of a
    module, or if such a definition uses it.

    Args:
        folder: The folder of definitions.
        project: The folder from which messages name files; None for the parent of ``folder``.
        rules: Further rules to check.
        further_checks: Checks that refuse nothing, such as a look at the data. They are called
            only if the definitions have problems, with those that have none: so people see all at
            once.

    Raises:
        ProjectError: There is no such folder, or its name cannot be a package's name.
        DefinitionError: A module does not import, or definitions break rules; ``found`` lists all
            problems, each with file and line.

    Example:
        >>> load(Path("no_such_folder"))
        Traceback (most recent call last):
            ...
        featurestore.errors.ProjectError: load 'no_such_folder': there is no such folder. ...
    """
    root = folder.resolve()
    _require_package(folder, root)
    base = (project or root.parent).resolve()
    with importable(root):
        modules, failures = _import_all(root)
        # A module that does not import hides no problem of the others.
        manifest = _collect(modules, base)
        issues = [_relative_issue(issue, base) for issue in failures] + check(manifest, rules)
        if issues:
            sound = without_problems(manifest, issues)
            issues += [issue for check in further_checks for issue in check(sound)]
        if failures:
            forget(root.name)
        _refuse(folder, issues)
    return manifest


def _require_package(folder: Path, root: Path) -> None:
    call = f"load {str(folder)!r}"
    if not root.is_dir():
        raise ProjectError(
            call,
            "there is no such folder",
            "Create it, or name another folder as `definitions` in featurestore.toml.",
        )
    if not root.name.isidentifier():
        raise ProjectError(
            call,
            f"the folder's name {root.name!r} cannot be the name of a Python package",
            "Use letters, digits and underscores for the folder's name, such as 'feature_defs'.",
        )
    if is_installed(root.name):
        raise ProjectError(
            call,
            f"an installed package has the folder's name {root.name!r}",
            "Rename the folder, for example to 'feature_defs'.",
        )


def _import_all(root: Path) -> tuple[list[ModuleType], list[Issue]]:
    modules: list[ModuleType] = []
    issues: dict[Issue, None] = {}
    for name, file in module_files(root).items():
        try:
            modules.append(importlib.import_module(name))
        except (Exception, SystemExit) as error:  # noqa: BLE001  # user code raises anything
            issues[import_issue(error, file, root)] = None
    return modules, list(issues)


def module_files(root: Path) -> dict[str, Path]:
    """Return the files whose definitions are loaded, by the names of their modules.

    Args:
        root: The folder of definitions, as a resolved path.

    Example:
        >>> module_files(Path("no_such_folder"))
        {}
    """
    files = sorted(file for file in root.rglob("*.py") if _is_scanned(file.relative_to(root)))
    return {_module_name(file, root): file for file in files}


def _is_scanned(path: Path) -> bool:
    folders = (*path.parts[:-1], "" if path.name == "__init__.py" else path.name)
    return not any(part.startswith(("_", ".")) for part in folders)


def _module_name(file: Path, root: Path) -> str:
    parts = (root.name, *file.relative_to(root).with_suffix("").parts)
    return ".".join(part for part in parts if part != "__init__")


def _collect(modules: list[ModuleType], base: Path) -> Manifest:
    roots = [value for module in modules for value in declared_in(module)]
    for declared in referenced_objects(roots):
        set_origin(declared, _relative(origin_of(declared), base))
    return manifest_of(roots)


def declared_in(module: ModuleType) -> list[object]:
    """Return the definitions, and uses of definitions, that have a name in a module.

    Example:
        >>> declared_in(ModuleType("empty"))
        []
    """
    return [
        value
        for named in vars(module).values()
        for value in _contained(named)
        if isinstance(value, Definition | FeatureReference | OnDemandReference)
    ]


def _contained(named: object) -> Iterable[object]:
    """Return the objects in a list, tuple or dict; any other object as the only one."""
    if isinstance(named, Mapping):
        return list(named.values())
    return named if isinstance(named, list | tuple) else (named,)


def _relative_issue(issue: Issue, base: Path) -> Issue:
    return Issue(_relative(issue.origin, base), issue.message)


def _relative(origin: Origin, base: Path) -> Origin:
    file = Path(origin.file)
    inside = file.is_relative_to(base)
    return Origin(file.relative_to(base).as_posix(), origin.line) if inside else origin


def _refuse(folder: Path, issues: list[Issue]) -> None:
    if issues:
        count = f"{len(issues)} problem{'s' if len(issues) > 1 else ''}"
        lines = "".join(f"\n  {issue}" for issue in issues)
        raise DefinitionError(
            f"load {str(folder)!r}",
            f"{count}:{lines}",
            "\nNothing was loaded. Correct the definitions and try again.",
        )
