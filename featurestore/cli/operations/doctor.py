"""The verb that finds damage in a store, and repairs it: doctor. It starts no JVM."""

from pathlib import Path
from typing import Annotated

import typer

from featurestore.cli.options import AsJson, Project, open_store
from featurestore.cli.output import print_blocks, print_json, say

FOUND_SOMETHING = 1


def add_verbs(app: typer.Typer) -> None:
    """Add this verb to the program.

    Example:
        >>> add_verbs(typer.Typer())
    """
    app.command()(doctor)


def doctor(
    views: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="VIEWS",
            help="Views, or services for all views that they need.",
            show_default="all views, the ledgers and the registry",
        ),
    ] = None,
    repair: Annotated[
        bool,
        typer.Option("--repair", help="Repair what can be repaired. Damaged files are set aside."),
    ] = False,
    project: Project = Path(),
    as_json: AsJson = False,
) -> None:
    """Check the store's tables, ledgers and streams for damage.

    Each finding has a code, and says what to do. The exit code is 1 if something was found and not
    repaired.
    """
    findings = open_store(project).doctor(views, repair=repair)
    if as_json:
        print_json("doctor", findings)
    else:
        print_blocks(
            (f"{each.code}  {each.table}", "", [each.found, each.repair or each.fix])
            for each in findings
        )
    rest = [each for each in findings if not each.is_repaired]
    if rest:
        count = f"{len(rest)} problem{'s' * (len(rest) != 1)}"
        say("[red]{}[/]; docs/repair.md explains the codes", count)
        raise typer.Exit(FOUND_SOMETHING)
    say("[green]no problem found[/]" if not findings else "[green]all problems are repaired[/]")
