"""The reason why a module of the definitions does not import, and the line that raised it."""

import re
import sys
import traceback
from collections.abc import Iterable
from dataclasses import fields
from functools import singledispatch
from pathlib import Path

from featurestore.definitions.model.aggregation import Aggregation
from featurestore.definitions.model.drift import Drift
from featurestore.definitions.model.entity import Entity
from featurestore.definitions.model.expectations import Expectations
from featurestore.definitions.model.on_demand import OnDemandFeatureView
from featurestore.definitions.model.service import FeatureService
from featurestore.definitions.model.source import (
    DeltaSource,
    FileSource,
    KafkaSource,
    RequestSource,
)
from featurestore.definitions.model.types import Field
from featurestore.definitions.model.view import FeatureView
from featurestore.definitions.origin import Origin
from featurestore.definitions.rules.issue import Issue
from featurestore.errors import nearest

_DECLARED = {
    kind.__name__: [field.name for field in fields(kind) if field.init and field.name != "_"]
    for kind in (
        *(
            Entity,
            Drift,
            Expectations,
            Field,
            Aggregation,
            FeatureView,
            OnDemandFeatureView,
            FeatureService,
        ),
        *(DeltaSource, FileSource, KafkaSource, RequestSource),
    )
}
_UNKNOWN_IMPORT = re.compile(r"cannot import name '(\w+)' from")
_UNKNOWN_ARGUMENT = re.compile(r"(\w+)\.__init__\(\) got an unexpected keyword argument '(\w+)'")


def import_issue(error: BaseException, file: Path, root: Path) -> Issue:
    """Return why a module does not import, with the user's line that raised the error.

    Args:
        error: The error that the import raised.
        file: The module's file.
        root: The folder of definitions.

    Example:
        >>> error = ModuleNotFoundError("No module named 'sparkk'", name="sparkk")
        >>> print(import_issue(error, Path("defs/views.py"), Path("defs")))
        defs/views.py:1: does not import: ModuleNotFoundError: No module named 'sparkk'
    """
    text = str(error).strip().partition("\n")[0]
    cause = f"{type(error).__name__}: {text}" if text else type(error).__name__
    hint = _spark_hint(error) or _hint(error, root)
    return Issue(_where(error, file, root), f"does not import: {cause}{hint and '. ' + hint}")


def _spark_hint(error: BaseException) -> str:
    """Return what to write instead of code that needs a session of Spark when it is imported."""
    frames = [
        frame.f_globals.get("__name__") for frame, _ in traceback.walk_tb(error.__traceback__)
    ]
    if not frames or str(frames[-1]).partition(".")[0] not in ("pyspark", "py4j"):
        return ""
    return (
        "Spark does not run while definitions are loaded. Create columns and read tables inside "
        "the transform"
    )


@singledispatch
def _hint(error: BaseException, root: Path) -> str:
    return ""


@_hint.register
def _(error: ModuleNotFoundError, root: Path) -> str:
    package, *names = (error.name or "").split(".")
    if package != root.name:
        return _near(package, (path.stem for path in root.rglob("[!_.]*.py")))
    modules = [
        ".".join((root.name, *path.relative_to(root).with_suffix("").parts))
        for path in root.rglob("[!_.]*")
        if path.suffix == ".py" or path.is_dir()
    ]
    return nearest(".".join((package, *names)), modules)


@_hint.register
def _(error: ImportError, root: Path) -> str:
    match = _UNKNOWN_IMPORT.search(str(error))
    return _near(match[1], dir(sys.modules.get(error.name or ""))) if match else ""


@_hint.register
def _(error: NameError, root: Path) -> str:
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    return _near(error.name, {**frames[-1].f_globals, **frames[-1].f_locals}) if frames else ""


@_hint.register
def _(error: AttributeError, root: Path) -> str:
    return _near(error.name, dir(error.obj))


@_hint.register
def _(error: TypeError, root: Path) -> str:
    match = _UNKNOWN_ARGUMENT.search(str(error))
    return nearest(match[2], _DECLARED[match[1]]) if match and match[1] in _DECLARED else ""


def _near(name: str | None, existing: Iterable[str]) -> str:
    """Return a sentence with near names only: the list of all names of a module is too long."""
    text = nearest(name or "", existing)
    return text if text.startswith("Did") else ""


@singledispatch
def _where(error: BaseException, file: Path, root: Path) -> Origin:
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename).is_relative_to(root)
    ]
    return Origin(frames[-1].filename, frames[-1].lineno or 1) if frames else Origin(str(file), 1)


@_where.register
def _(error: SyntaxError, file: Path, root: Path) -> Origin:
    return Origin(error.filename or str(file), error.lineno or 1)
