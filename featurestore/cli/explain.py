"""The verb that explains values: explain. It starts no JVM."""

from pathlib import Path
from typing import Annotated

import typer

from featurestore.cli.options import AsJson, Features, Project, open_store
from featurestore.cli.output import print_blocks, print_json, say
from featurestore.cli.read import features_of, present_second
from featurestore.cli.spine import spine_errors
from featurestore.client.display.text_table import to_text

Row = Annotated[
    str,
    typer.Argument(
        metavar="KEYS",
        help="The row, as key=value,key=value. Request values and time columns are written "
        "in the same way. A name without = is null; name= is an empty text.",
    ),
]


def add_verbs(app: typer.Typer) -> None:
    """Add this verb to the program.

    Example:
        >>> add_verbs(typer.Typer())
    """
    app.command()(explain)


def explain(
    features: Features,
    row: Row = "",
    at: Annotated[
        str | None,
        typer.Option(
            help="The moment, e.g. 2026-01-31T09:30:00Z. It is the value of each time column "
            "that is not in KEYS.",
            show_default="now",
        ),
    ] = None,
    project: Project = Path(),
    as_json: AsJson = False,
) -> None:
    """Explain each feature value of one row.

    It shows the stored row that gave the value, or the reason for a null.
    """
    from featurestore.client.spines.key_values import typed_row

    store = open_store(project)
    names = features_of(features)
    spine_row, missing = typed_row(store.served(names), names, row, at, present_second())
    for name in missing:
        say("{} has no value in the row, so it is null", name)
    with spine_errors(""):
        frame = store.get_historical_features(names, spine_row)
        explanations = [frame.explain(0, name) for name in frame.features]
    if as_json:
        print_json("explain", explanations)
        return
    print_blocks(
        (
            f"{each.feature} = {'null' if each.value is None else to_text(each.value)}",
            f"({each.view}{'' if each.version is None else f', version {each.version}'})",
            each.lines,
        )
        for each in explanations
    )
