"""The verb `impact`: what a source column reaches. It starts no JVM."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from featurestore.cli.options import AsJson, Project, open_store
from featurestore.cli.output import print_json, print_table, say

if TYPE_CHECKING:
    from featurestore.registry.lineage.impact import Impact


def add_verbs(app: typer.Typer) -> None:
    """Add the verb to the program.

    Example:
        >>> add_verbs(typer.Typer())
    """
    app.command("impact")(impact)


def impact(
    column: Annotated[str, typer.Argument(metavar="SOURCE.COLUMN", help="A column of a source.")],
    project: Project = Path(),
    as_json: AsJson = False,
) -> None:
    """Show what breaks if a source loses a column.

    These are the features, services, training sets and models that the column reaches. "value": a
    value is computed from it. "rows": it decides which rows count. "run": the view cannot run, or
    be called, without it. "possible": a function may use it.
    """
    found = open_store(project).impact(column)
    if as_json:
        print_json("impact", {**asdict(found), "is_unused": found.is_unused})
        return
    _explain(found)
    if not found.is_unused:
        rows = [
            [each.kind, f"{each.view}:{each.name}" if each.view else each.name, each.reach.value]
            for each in found.reached
        ]
        print_table(["kind", "name", "reach"], rows)


def _explain(found: "Impact") -> None:
    name = f"{found.source}.{found.column}"
    if found.is_unused:
        say("nothing uses {}", name)
    if found.is_unused and found.is_declared:
        say("Next: remove {} from the declaration of its source first, then apply", name)
    if found.is_unused and found.frozen_by:
        views = ", ".join(found.frozen_by)
        say("the schema contract of {} refuses its loss: run them with --accept-schema", views)
    if found.unknown:
        say(
            "[yellow]not known:[/] {} may use any column of {}: a Python function, or SQL that is "
            "not understood, makes its rows",
            ", ".join(found.unknown),
            found.source,
        )
