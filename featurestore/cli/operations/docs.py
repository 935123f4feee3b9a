"""The verb `docs build`: the registry as a website. It starts no JVM."""

from pathlib import Path
from typing import Annotated

import typer

from featurestore.cli.options import AsJson, Project, open_store
from featurestore.cli.output import print_json, say
from featurestore.times import system_clock


def add_verbs(app: typer.Typer) -> None:
    """Add these verbs to the program.

    Example:
        >>> add_verbs(typer.Typer())
    """
    group = typer.Typer(help="Write the registry as a website.")
    group.callback()(lambda: None)  # so that the only verb keeps its name
    group.command("build")(build)
    app.add_typer(group, name="docs")


def build(
    out: Annotated[
        Path | None,
        typer.Option("--out", help="The folder to write to.", show_default="site"),
    ] = None,
    project: Project = Path(),
    as_json: AsJson = False,
) -> None:
    """Write a website of what is applied: views, features, freshness, lineage, history.

    It opens from the folder, without a server. An earlier site is replaced as a whole. A folder
    with other files is refused.
    """
    from featurestore.site.build import build_site

    store = open_store(project)
    folder = store.settings.folder / "site" if out is None else out
    built = build_site(store, folder, system_clock())
    for problem in built.problems:
        say("[yellow]warning:[/] {}", problem)
    say("built {} pages; open {}", built.pages, built.index)
    if as_json:
        paths = {"folder": str(built.folder), "index": str(built.index)}
        counts = {"pages": built.pages, "files": built.files, "problems": built.problems}
        print_json("site", {**paths, **counts})
