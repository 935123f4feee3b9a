"""The verbs `training-sets` and `models`: what is saved and recorded. They start no JVM."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from featurestore.cli.options import AsJson, Project, open_store
from featurestore.cli.output import print_json, print_table, say

if TYPE_CHECKING:
    from featurestore.store.training_sets.notes import TrainingSet


def add_verbs(app: typer.Typer) -> None:
    """Add these verbs to the program.

    Example:
        >>> add_verbs(typer.Typer())
    """
    app.command("training-sets")(training_sets)
    app.command("models")(models)


def training_sets(
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="Show all versions of this training set."),
    ] = None,
    project: Project = Path(),
    as_json: AsJson = False,
) -> None:
    """List the saved training sets, or the versions of one."""
    found = open_store(project).training_sets(name)
    if as_json:
        print_json("training_sets", [_without_texts(each) for each in found])
        return
    _print_found(
        ["training set", "version", "rows", "columns", "label", "of", "saved at", "by"],
        [
            [
                *(each.name, each.version, each.rows, each.columns, each.label),
                *(", ".join(each.selection), each.created_at, each.created_by),
            ]
            for each in found
        ],
    )
    for each in found:
        if each.error is not None:
            say("[red]{}[/]: {}", each.name, each.error)


def _print_found(columns: list[str], rows: list[list[object]]) -> None:
    if rows:
        print_table(columns, rows)
    say("{} result{}", len(rows), "" if len(rows) == 1 else "s")


def _without_texts(saved: "TrainingSet") -> dict[str, Any]:
    """Return a version as JSON has it: not its Arrow schema and statistics, large texts for us."""
    return {
        name: value for name, value in asdict(saved).items() if name not in ("schema", "profile")
    }


def models(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="Show this model only.")
    ] = None,
    project: Project = Path(),
    as_json: AsJson = False,
) -> None:
    """List the recorded models, and what they learned from."""
    found = open_store(project).models(name)
    if as_json:
        print_json("models", found)
        return
    _print_found(
        ["model", "version", "training set", "its version", "features", "uri", "recorded at"],
        [
            [
                *(each.name, each.version, each.training_set, each.training_set_version),
                *(len(each.features), each.uri, each.recorded_at),
            ]
            for each in found
        ],
    )
