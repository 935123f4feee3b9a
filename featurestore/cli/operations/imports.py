"""The verb `import feast`: definitions of a Feast repository. It starts no JVM."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from featurestore.cli.group import add_group
from featurestore.cli.options import AsJson, Project
from featurestore.cli.output import ENVIRONMENT, print_json, say

if TYPE_CHECKING:
    from featurestore.integrations.feast.write import Imported


def add_verbs(app: typer.Typer) -> None:
    """Add these verbs to the program.

    Example:
        >>> add_verbs(typer.Typer())
    """
    text = "Write the definitions of another feature store as ours."
    add_group(app, "import", text, {"feast": import_feast})


def import_feast(
    repository: Annotated[
        Path, typer.Argument(metavar="REPO", help="The folder with feature_store.yaml.")
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="The file to write.",
            show_default="imported.py in the definitions folder",
        ),
    ] = None,
    python: Annotated[
        Path | None,
        typer.Option(
            "--python", help="The Python of Feast's environment.", show_default="this one"
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Write over the file, even if you changed it.")
    ] = False,
    project: Project = Path(),
    as_json: AsJson = False,
) -> None:
    """Write the definitions of a Feast repository as a file of this project.

    The repository's modules are imported, as `feast apply` does, by the Python of an environment
    with Feast. Comments in the file and the printed report name everything that has another
    meaning here, and everything that is left out, each with the reason. A file that you changed
    after an import is not written again without --force.
    """
    from featurestore.integrations.feast.write import import_repository
    from featurestore.settings import read_settings

    settings = read_settings(project, env=ENVIRONMENT.get())
    path = settings.definitions_folder / "imported.py" if out is None else out
    done = import_repository(repository, settings.folder, path, python, force=force)
    _report(done, as_json)


def _report(done: "Imported", as_json: bool) -> None:
    """Print what is different, and the file."""
    different = [note for note in done.notes if note.kind != "translated"]
    for note in different:
        colour = "yellow" if note.kind == "changed" else "red"
        say(f"[{colour}]{note.kind}[/] {{}}: {{}}", note.subject, note.reason)
    changed = sum(note.kind == "changed" for note in different)
    left_out = len(different) - changed
    counts = f"{done.definitions} definitions, {changed} changes of meaning, {left_out} left out"
    say("wrote {}: {}", done.path, counts)
    say("Next: read the comments in the file, then featurestore validate")
    if as_json:
        counted = {"file": str(done.path), "feast": done.feast, "definitions": done.definitions}
        notes = [asdict(note) for note in done.notes]
        print_json("import", {**counted, "notes": notes})
