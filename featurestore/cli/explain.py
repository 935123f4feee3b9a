"""The verb that tells why an answer is what it is: explain. It starts no JVM."""

from pathlib import Path
from typing import Annotated

import typer

from featurestore.cli.options import AsJson, Project, open_store
from featurestore.cli.output import print_blocks, print_json, to_text
from featurestore.cli.read import Features, features_of
from featurestore.times import system_clock


def add_verbs(app: typer.Typer) -> None:
    """Add this verb to the program.

    Example:
        >>> add_verbs(typer.Typer())
    """
    app.command()(explain)


def explain(
    features: Features,
    row: Annotated[
        str,
        typer.Argument(
            metavar="KEYS",
            help="One row, as key=value,key=value, with request values and other time columns "
            "where there are any. A key's name alone is null, and key= is an empty text.",
        ),
    ] = "",
    at: Annotated[
        str | None,
        typer.Option(
            help="The moment, e.g. 2026-01-31T09:30:00Z, of all time columns that KEYS leaves "
            "out; now without it."
        ),
    ] = None,
    project: Project = Path(),
    as_json: AsJson = False,
) -> None:
    """Tell why each feature of one row is what it is: the winning row, or the reason for null."""
    from featurestore.cli.typed import asked_row

    store = open_store(project)
    wanted = features_of(features)
    spine_row = asked_row(store.applied(), wanted, row, at, system_clock())
    frame = store.get_historical_features(wanted, spine_row)
    told = [frame.explain(0, name) for name in frame.features]
    if as_json:
        print_json("explain", told)
        return
    print_blocks(
        (
            f"{each.feature} = {'null' if each.value is None else to_text(each.value)}",
            f"({each.view}{'' if each.version is None else f', version {each.version}'})",
            each.lines,
        )
        for each in told
    )
