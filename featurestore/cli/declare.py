"""The verbs about definitions: init, validate, plan, apply. None starts a JVM."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from featurestore.cli.options import AsJson, Project, open_store
from featurestore.cli.output import print_json, print_tree, say
from featurestore.cli.template import write_project

if TYPE_CHECKING:
    from featurestore.registry.plan import Plan

CHANGES_PENDING = 3


def add_verbs(app: typer.Typer) -> None:
    """Add these verbs to the program.

    Example:
        >>> add_verbs(typer.Typer())
    """
    for verb in (init, validate, plan, apply):
        app.command()(verb)


def init(
    folder: Annotated[Path, typer.Argument(help="Where; made if it is not there.")] = Path(),
) -> None:
    """Make a small working project: definitions, a little data, a labelled spine."""
    for path in write_project(folder):
        say("wrote {}", path)
    say("Next: cd {} && featurestore plan && featurestore apply --yes", folder)


def validate(project: Project = Path()) -> None:
    """Load the definitions and check every rule, without comparing or changing anything."""
    manifest = open_store(project).load()
    on_demand = len(manifest.on_demand_views)
    say(
        "[green]valid[/]: {} entities, {} sources, {} views{}, {} services",
        len(manifest.entities),
        len(manifest.sources),
        len(manifest.views),
        f" and {on_demand} on demand" if on_demand else "",
        len(manifest.services),
    )


def plan(
    project: Project = Path(),
    as_json: AsJson = False,
    detailed_exitcode: Annotated[
        bool, typer.Option("--detailed-exitcode", help="Exit with 3 if there are changes.")
    ] = False,
) -> None:
    """Compare the definitions with what is applied, and show what `apply` would change."""
    wanted = open_store(project).plan()
    _show(wanted, as_json)
    if detailed_exitcode and not wanted.is_empty:
        raise typer.Exit(CHANGES_PENDING)


def apply(
    project: Project = Path(),
    as_json: AsJson = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Show the plan, ask, and carry out exactly that list."""
    store = open_store(project)
    wanted = store.plan()
    _show(wanted, as_json)
    if wanted.is_empty:
        return
    if not yes and not typer.confirm("Apply these changes?", err=True):
        raise typer.Exit(1)
    version = store.apply(wanted)
    say("[green]applied[/] as version {}", version.version)
    if wanted.builds:
        say("Next: featurestore materialize {}", " ".join(wanted.builds))


def _show(wanted: "Plan", as_json: bool) -> None:
    if as_json:
        print_json("plan", {**asdict(wanted), "document": json.loads(wanted.document)})
    else:
        from featurestore.registry.plan import render

        print_tree(render(wanted))
