"""The verb that keeps a store small and fast: maintain. It starts no JVM."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from featurestore.cli.options import AsJson, Project, open_store
from featurestore.cli.output import print_json, print_table, say
from featurestore.errors import ConflictError

if TYPE_CHECKING:
    from featurestore.jobs.maintain.maintain import Maintenance

SOME_FAILED = 1


def add_verbs(app: typer.Typer) -> None:
    """Add this verb to the program.

    Example:
        >>> add_verbs(typer.Typer())
    """
    app.command()(maintain)


def maintain(
    views: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="VIEWS",
            help="Views, or services for all views that they need.",
            show_default="all views, and the ledgers",
        ),
    ] = None,
    retention: Annotated[
        str,
        typer.Option(
            help="How long files and retired builds stay after the store no longer needs them, "
            "e.g. 36h."
        ),
    ] = "7d",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would be done.")
    ] = False,
    project: Project = Path(),
    as_json: AsJson = False,
) -> None:
    """Join small files, and remove what no reader needs.

    Nothing is removed that a reader, an unfinished build or a derived view needs. The exit code is
    1 if a table cannot be maintained, and 5 if a view is being materialized.
    """
    results = open_store(project).maintain(views, retention=retention, dry_run=dry_run)
    if as_json:
        print_json("maintenance", results)
    else:
        _print(results)
    errors = [result.error for result in results if result.error is not None]
    for error in errors:
        say("[bold red]error:[/] {}", str(error))
    if any(not isinstance(error, ConflictError) for error in errors):
        raise typer.Exit(SOME_FAILED)
    if errors:
        raise typer.Exit(ConflictError.exit_code)


def _print(results: "Sequence[Maintenance]") -> None:
    columns = [
        "table",
        "files",
        "after",
        "builds removed",
        "records removed",
        "files removed",
        "MB",
    ]
    print_table(
        columns,
        [
            [
                *(each.table, each.files_before or None, each.files_after or None),
                *(len(each.builds_removed), each.records_removed, each.files_removed),
                round(each.bytes_removed / 1e6, 1),
            ]
            for each in results
        ],
    )
