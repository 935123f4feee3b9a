"""The verbs that show what is applied: views to services, search, describe. They start no JVM."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from featurestore.cli.options import AsJson, Project, open_store
from featurestore.cli.output import (
    output_width,
    print_json,
    print_lines,
    print_table,
    say,
    say_left_out,
)

if TYPE_CHECKING:
    from featurestore.client.display.results import Results


def add_verbs(app: typer.Typer) -> None:
    """Add these verbs to the program.

    Example:
        >>> add_verbs(typer.Typer())
    """
    for verb in (views, features, entities, sources, services, search, describe):
        app.command()(verb)


def views(project: Project = Path(), as_json: AsJson = False) -> None:
    """List the applied views.

    It shows entities, source, number of features, and owner.
    """
    _print("views", open_store(project).views(), as_json)


def features(
    view: Annotated[
        str | None,
        typer.Argument(metavar="VIEW", help="A view's name.", show_default="all views"),
    ] = None,
    project: Project = Path(),
    as_json: AsJson = False,
) -> None:
    """List the features of all applied views, or of one.

    It shows type, meaning, and services.
    """
    _print("features", open_store(project).features(view), as_json)


def entities(project: Project = Path(), as_json: AsJson = False) -> None:
    """List the applied entities.

    It shows their join keys, and the views that describe them.
    """
    _print("entities", open_store(project).entities(), as_json)


def sources(project: Project = Path(), as_json: AsJson = False) -> None:
    """List the applied sources.

    It shows their types, and the views that read them.
    """
    _print("sources", open_store(project).sources(), as_json)


def services(project: Project = Path(), as_json: AsJson = False) -> None:
    """List the applied services.

    It shows their views, and the number of their features.
    """
    _print("services", open_store(project).services(), as_json)


def search(
    words: Annotated[
        list[str],
        typer.Argument(metavar="WORDS", help="Words, or beginnings of words: amount 7d."),
    ],
    limit: Annotated[int, typer.Option(help="The most results.")] = 20,
    project: Project = Path(),
    as_json: AsJson = False,
) -> None:
    """Find definitions and features by words.

    Looked for are name, tags, owner, columns and description. If nothing has all words, what has
    the most of them is found. Typing errors are forgiven.
    """
    found = open_store(project).search(" ".join(words), limit=limit)
    _print("search", found, as_json)
    if found and found[0].missing and not as_json:
        say("nothing has all words; these have the most")


def describe(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="A definition or a feature: fraud_v1, amount_sum_7d, view:feature.",
        ),
    ],
    kind: Annotated[
        str | None,
        typer.Option(
            help="The kind of definition, if several things have the name: view, 'on-demand "
            "view', service, entity, source or feature.",
            show_default="any",
        ),
    ] = None,
    project: Project = Path(),
    as_json: AsJson = False,
) -> None:
    """Show what a definition or a feature is.

    It shows the fields, who uses it, and the lines that read it.
    """
    found = open_store(project).describe(name, kind)
    if as_json:
        print_json("describe", found)
        return
    print_table([found.kind, found.title], found.rows())
    print_lines(found.snippet_lines())


def _print(kind: str, results: "Results[Any]", as_json: bool) -> None:
    if as_json:
        print_json(kind, results.to_dicts())
        return
    names, rows = results.table(width=output_width())
    if rows:
        print_table(names, rows)
        say_left_out(name for name in results.table()[0] if name not in names)
    say("{} result{}", len(results), "" if len(results) == 1 else "s")
