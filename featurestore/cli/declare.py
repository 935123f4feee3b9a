"""The verbs for definitions: init, validate, plan, apply. They start no JVM."""

import json
import shlex
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from featurestore.cli.options import AsJson, Project, open_store
from featurestore.cli.output import environment_option, print_json, print_tree, say
from featurestore.cli.template import write_project, write_settings

if TYPE_CHECKING:
    from featurestore.registry.plan import Plan

SOURCES_DO_NOT_FIT = 1
CHANGES_PENDING = 3


def add_verbs(app: typer.Typer) -> None:
    """Add these verbs to the program.

    Example:
        >>> add_verbs(typer.Typer())
    """
    for verb in (init, validate, plan, apply):
        app.command()(verb)


def init(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="NAME",
            help="The project's folder. The project has its name.",
            show_default="current folder",
        ),
    ] = Path(),
    empty: Annotated[
        bool, typer.Option("--empty", help="Only settings: no example definitions and data.")
    ] = False,
) -> None:
    """Create a small working project with example data."""
    for path in write_settings(folder) if empty else write_project(folder):
        say("wrote {}", path)
    steps = ["featurestore plan", "featurestore apply --yes"]
    if empty:
        steps = ["write definitions to feature_defs/definitions.py", "featurestore plan"]
    if folder.absolute() != Path.cwd():
        steps.insert(0, f"cd {shlex.quote(str(folder))}")
    say("Next: {}", (", then " if empty else " && ").join(steps))


def validate(project: Project = Path()) -> None:
    """Check the definitions against every rule.

    The newest data of local sources is looked at too: the exit code is 1 if it does not fit.
    Nothing is compared with the applied definitions, and nothing is changed.
    """
    from featurestore.client.source_check.load import load_with_sources
    from featurestore.definitions.rules.issue import NO_DATA

    store = open_store(project)
    manifest = load_with_sources(store.settings, store.layout)
    counts = {
        ("entity", "entities"): len(manifest.entities),
        ("source", "sources"): len(manifest.sources),
        ("view", "views"): len(manifest.views),
        ("on-demand view", "on-demand views"): len(manifest.on_demand_views),
        ("service", "services"): len(manifest.services),
    }
    listed = [f"{n} {one if n == 1 else many}" for (one, many), n in counts.items() if n]
    say("[green]valid[/]: {}", ", ".join(listed) or "there are no definitions")
    issues = store.source_issues(manifest)
    for issue in issues:
        say("[yellow]source[/] {}", issue)
    if any(issue.rule != NO_DATA for issue in issues):
        raise typer.Exit(SOURCES_DO_NOT_FIT)


def plan(
    project: Project = Path(),
    as_json: AsJson = False,
    detailed_exitcode: Annotated[
        bool, typer.Option("--detailed-exitcode", help="Exit with 3 if there are changes.")
    ] = False,
) -> None:
    """Show what `apply` would change.

    The plan lists the differences between the definitions and those that are applied.
    """
    changes = open_store(project).plan()
    _print_plan(changes, as_json)
    if detailed_exitcode and not changes.is_empty:
        raise typer.Exit(CHANGES_PENDING)


def apply(
    project: Project = Path(),
    as_json: AsJson = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Apply without asking.")] = False,
) -> None:
    """Show the plan, ask, and record the definitions.

    Exactly the changes of the plan are applied. Feature tables are built by `materialize`.
    """
    store = open_store(project)
    changes = store.plan()
    _print_plan(changes, as_json)
    if changes.is_empty:
        return
    if not yes and not typer.confirm("Apply these changes?", err=True):
        raise typer.Exit(1)
    version = store.apply(changes)
    say("[green]applied[/] as version {}", version.version)
    if changes.builds:
        say("Next: featurestore materialize {}{}", " ".join(changes.builds), environment_option())


def _print_plan(changes: "Plan", as_json: bool) -> None:
    if as_json:
        print_json("plan", {**asdict(changes), "document": json.loads(changes.document)})
    else:
        from featurestore.registry.plan import render

        print_tree(render(changes))
