"""The options that several verbs have, and the store that they open.

A verb imports Arrow and Delta (0.4 s) only when it runs, so that ``--help`` is fast.
"""

import inspect
from collections.abc import Callable
from enum import StrEnum
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from featurestore.cli.output import ENVIRONMENT, in_environment
from featurestore.errors import FeatureStoreError

if TYPE_CHECKING:
    from featurestore.client.feature_store import FeatureStore


class Format(StrEnum):
    """How rows are printed."""

    table = "table"
    csv = "csv"
    json = "json"


Project = Annotated[
    Path,
    typer.Option("--project", "-p", help="The project's folder.", show_default="current folder"),
]
Environment = Annotated[
    str | None,
    typer.Option(
        "--env",
        help="The environment: a table [environments.NAME] of featurestore.toml.",
        show_default="FEATURESTORE_ENV",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON to stdout.")]


Out = Annotated[
    str | None,
    typer.Option("--out", help="Write the rows to this .parquet, .csv or .jsonl file."),
]
As = Annotated[
    Format, typer.Option("--format", help="How to print the rows if there is no --out.")
]
Features = Annotated[
    str,
    typer.Argument(
        metavar="FEATURES", help="A service or a view, or several with commas: view,view:feature."
    ),
]
Spine = Annotated[
    str,
    typer.Argument(
        metavar="SPINE",
        help="The rows: a .parquet, .csv, .jsonl or .arrow file, a Delta table's folder, or "
        "view:NAME for the events of a view.",
    ),
]
Rows = Annotated[
    list[str],
    typer.Argument(
        metavar="SPINE",
        help="The rows: as for training-set; or, with --at, each row as key=value,key=value.",
    ),
]
At = Annotated[
    str | None,
    typer.Option(help="The moment of the rows, e.g. 2026-01-31T09:30:00Z.", show_default="now"),
]
TimeField = Annotated[str, typer.Option(help="The spine's time column.")]
Delimiter = Annotated[
    str | None,
    typer.Option(
        help="The character between the values of a CSV file, e.g. ';' or tab.",
        show_default="a comma",
    ),
]
Engine = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="Who answers: local, spark, or auto for the faster one. With spark, --out may be a "
        "folder: then the executors write a Delta table.",
    ),
]
Zone = Annotated[
    str | None, typer.Option(help="The zone of times without one, e.g. Europe/Paris.")
]
# The environment of the verb that runs.


def open_store(project: Path) -> "FeatureStore":
    """Return the feature store of the project in a folder, in the environment of ``--env``.

    Raises:
        ProjectError: The folder has no valid ``featurestore.toml``, or it has no such environment.
    """
    from featurestore.client.feature_store import FeatureStore

    return FeatureStore(project, env=ENVIRONMENT.get())


def add_environment_option(app: typer.Typer) -> None:
    """Give each verb that has the option ``--project`` the option ``--env``, after it.

    Example:
        >>> add_environment_option(typer.Typer())
    """
    for command in app.registered_commands:
        if command.callback and "project" in inspect.signature(command.callback).parameters:
            command.callback = _with_environment(command.callback)
    for group in app.registered_groups:
        if group.typer_instance is not None:
            add_environment_option(group.typer_instance)


def _with_environment(verb: Callable[..., None]) -> Callable[..., None]:
    @wraps(verb)
    def run(*, env: str | None, **arguments: Any) -> None:  # Any: the verb's own arguments
        before = ENVIRONMENT.set(env)
        try:
            verb(**arguments)
        except FeatureStoreError as error:  # it is printed when the verb has ended
            raise error.with_fix(in_environment(error.fix)) from error
        finally:
            ENVIRONMENT.reset(before)

    signature = inspect.signature(verb)
    parameters = list(signature.parameters.values())
    after = [each.name for each in parameters].index("project") + 1
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    option = inspect.Parameter("env", kind, default=None, annotation=Environment)
    parameters.insert(after, option)
    run.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]  # Typer reads it
    run.__annotations__ = {**verb.__annotations__, "env": Environment}
    return run
