"""The verbs of the quarantine: show and release. Only release starts Spark."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from featurestore.cli.interrupt import interruptible
from featurestore.cli.options import AsJson, Project, open_store
from featurestore.cli.output import SHOWN_ROWS, print_json, print_table, say

if TYPE_CHECKING:
    from featurestore.store.quarantine import QuarantinedRow

View = Annotated[str, typer.Argument(metavar="VIEW", help="The view.")]


def add_verbs(app: typer.Typer) -> None:
    """Add these verbs to the program, as a group.

    Example:
        >>> add_verbs(typer.Typer())
    """
    group = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
    group.command("show")(show)
    group.command("release")(release)
    app.add_typer(group, name="quarantine", help="Show or release rows that are kept out.")


def show(
    view: View,
    reason: Annotated[
        str | None, typer.Option(help="Only rows with this reason, such as null_key.")
    ] = None,
    released: Annotated[bool, typer.Option("--released", help="Also released rows.")] = False,
    project: Project = Path(),
    as_json: AsJson = False,
) -> None:
    """Show the rows that a view's table does not have, with the reasons."""
    rows = [
        row
        for row in open_store(project).quarantine(view)
        if (released or row.state != "released") and reason in (None, *row.reasons)
    ]
    if as_json:
        print_json("quarantine", rows)
        return
    if not rows:
        say("no row of view {} is in quarantine", view)
        return
    _print_rows(rows)


def release(
    view: View,
    ids: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="IDS",
            help="Ids of rows, from show.",
            show_default="all rows that pass",
        ),
    ] = None,
    project: Project = Path(),
    as_json: AsJson = False,
) -> None:
    """Store rows of the quarantine that pass the view's expectations by now.

    They are available from now on: answers of earlier moments stay as they are.
    """
    store = open_store(project)
    with interruptible():
        result = store.quarantine(view).release(ids or None)
    if as_json:
        print_json("release", result)
        return
    say("{}: {}", view, result.message)


def _print_rows(rows: "list[QuarantinedRow]") -> None:
    names = [name for name in rows[0].values if name != "_row_hash"]
    print_table(
        ["id", "state", "reasons", "run", *names],
        [
            [
                *(row.id, row.state, ", ".join(row.reasons), row.run_id),
                *(row.values[name] for name in names),
            ]
            for row in rows[:SHOWN_ROWS]
        ],
    )
    if len(rows) > SHOWN_ROWS:
        say("first {} of {} rows; --json prints all", SHOWN_ROWS, len(rows))
