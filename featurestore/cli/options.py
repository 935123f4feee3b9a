"""The options that verbs share, and the store they open.

What needs Arrow and Delta (0.4 s) is imported when a verb runs, so that ``--help`` is quick.
"""

import importlib
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from featurestore.client.feature_store import FeatureStore
    from featurestore.jobs.progress import Progress

Project = Annotated[
    Path, typer.Option("--project", "-p", help="The project's folder.", show_default="here")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON to stdout.")]


def open_store(project: Path) -> "FeatureStore":
    """Return the store of the project in a folder.

    Raises:
        ProjectError: The folder is no project.
    """
    module = importlib.import_module("featurestore.client.feature_store")
    return module.FeatureStore(project)  # type: ignore[no-any-return]  # imported late


def plan_module() -> ModuleType:
    """Return `featurestore.registry.plan`, imported late as it needs Arrow."""
    return importlib.import_module("featurestore.registry.plan")


def rows_module() -> ModuleType:
    """Return `featurestore.cli.rows`, imported late as it needs Arrow."""
    return importlib.import_module("featurestore.cli.rows")


def typed_module() -> ModuleType:
    """Return `featurestore.cli.typed`, imported late as it needs Arrow."""
    return importlib.import_module("featurestore.cli.typed")


def progress_on_stderr() -> "AbstractContextManager[Progress]":
    """Return what shows a run's progress on stderr while it is open."""
    module = importlib.import_module("featurestore.jobs.progress")
    return module.progress_on_stderr()  # type: ignore[no-any-return]  # imported late
