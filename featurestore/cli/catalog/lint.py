"""The verb that shows what definitions and tables lack: lint. It starts no JVM."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from featurestore.cli.options import AsJson, Project, open_store
from featurestore.cli.output import print_blocks, print_json, say
from featurestore.cli.read import names_of

if TYPE_CHECKING:
    from featurestore.registry.health import HealthIssue

FOUND_SOMETHING = 1
Ignore = Annotated[
    list[str] | None,
    typer.Option(
        "--ignore",
        help="Leave out this code, or code:name for one definition. May be repeated.",
        show_default="lint_ignore of featurestore.toml",
    ),
]
Only = Annotated[
    list[str] | None,
    typer.Option(
        "--only", help="Look for this code only. May be repeated.", show_default="all codes"
    ),
]
Applied = Annotated[
    bool, typer.Option("--applied", help="Check what is applied, not the definitions folder.")
]


def add_verbs(app: typer.Typer) -> None:
    """Add this verb to the program.

    Example:
        >>> add_verbs(typer.Typer())
    """
    app.command()(lint)


def lint(
    ignore: Ignore = None,
    only: Only = None,
    applied: Applied = False,
    project: Project = Path(),
    as_json: AsJson = False,
) -> None:
    """List what definitions and their tables lack.

    It looks for owners, uses, runs and more. Definitions need not be applied. Each issue has a
    code that docs/health.md explains. The exit code is 1 if there is an issue.
    """
    from featurestore.registry.health import left_out

    store = open_store(project)
    manifest = store.applied() if applied else store.load()
    codes = names_of(ignore) or list(store.settings.lint_ignore)
    found = store.health(manifest, ignore=left_out(codes, names_of(only)))
    if as_json:
        print_json("lint", _document(found.score, found.scores, found.issues))
    else:
        print_blocks(_blocks(found.issues))
    score = "no definitions" if found.score is None else f"score {found.score} of 100"
    if found.issues:
        count = f"{len(found.issues)} issue{'s' * (len(found.issues) != 1)}"
        say("[red]{}[/], {}; docs/health.md explains the codes", count, score)
        raise typer.Exit(FOUND_SOMETHING)
    say("[green]no issue found[/], {}", score)


def _blocks(issues: "Sequence[HealthIssue]") -> Iterator[tuple[str, str, list[str]]]:
    """Yield a block for each code; what is equal for all its issues is printed once."""
    from featurestore.registry.health import CODES

    for code, group in groupby(issues, lambda each: each.code):
        same = list(group)
        reasons, fixes = {each.reason for each in same}, {each.fix for each in same}
        lines = [
            f"{each.origin}  {each.kind} {each.name}"
            + (f": {each.reason}" if len(reasons) > 1 or len(same) == 1 else "")
            + (f". {each.fix}" if len(fixes) > 1 else "")
            for each in same
        ]
        yield code, CODES[code], [*lines, *(fixes if len(fixes) == 1 else ())]


def _document(score: int | None, scores: Mapping[tuple[str, str], int], issues: Any) -> object:
    each = [{"kind": kind, "name": name, "score": own} for (kind, name), own in scores.items()]
    return {"score": score, "scores": each, "issues": [asdict(issue) for issue in issues]}
