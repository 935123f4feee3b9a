"""The verbs of the quarantine: show and release. Only release starts Spark."""

from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from featurestore.cli.group import add_group
from featurestore.cli.interrupt import interruptible
from featurestore.cli.options import AsJson, Project, open_store
from featurestore.cli.output import SHOWN_ROWS, print_json, print_table, say
from featurestore.definitions.code.expectations import declared_expectations
from featurestore.errors import NotFoundError, nearest
from featurestore.store.quarantine import OWN_REASONS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from featurestore.client.feature_store import FeatureStore
    from featurestore.store.quarantine import QuarantinedRow

View = Annotated[str, typer.Argument(metavar="VIEW", help="The view.")]


def add_verbs(app: typer.Typer) -> None:
    """Add these verbs to the program, as a group.

    Example:
        >>> add_verbs(typer.Typer())
    """
    text = "Show or release rows that are kept out."
    add_group(app, "quarantine", text, {"show": show, "release": release})


def show(
    view: View,
    reason: Annotated[
        str | None, typer.Option(help="Only rows with this reason, such as null_key.")
    ] = None,
    released: Annotated[bool, typer.Option("--released", help="Also released rows.")] = False,
    project: Project = Path(),
    as_json: AsJson = False,
) -> None:
    """Show the rows that a view's table does not have, with the reasons."""
    store = open_store(project)
    quarantine = store.quarantine(view)
    if reason is not None:
        _require_reason(reason, view, _reasons(store, view, quarantine))
    rows = [
        row
        for row in quarantine
        if (released or row.state != "released") and reason in (None, *row.reasons)
    ]
    if as_json:
        print_json("quarantine", rows)
        return
    if not rows:
        say("no row of view {} is in quarantine", view)
        return
    _print_rows(rows)


def _reasons(store: "FeatureStore", view: str, rows: "Iterable[QuarantinedRow]") -> set[str]:
    """Return the reasons that the rows have, or new rows may have."""
    applied = store.applied().view(view)
    declared = None if applied is None else declared_expectations(applied)
    checks = () if declared is None else declared.checks
    return {*OWN_REASONS, *(each.name for each in checks), *chain(*(row.reasons for row in rows))}


def _require_reason(reason: str, view: str, known: set[str]) -> None:
    if reason not in known:
        raise NotFoundError(
            f"quarantine show {view} --reason {reason}",
            f"view {view!r} has no check and no row with this reason",
            nearest(reason, known),
        )


def release(
    view: View,
    ids: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="IDS",
            help="Ids of rows, from show.",
            show_default="all rows that pass",
        ),
    ] = None,
    project: Project = Path(),
    as_json: AsJson = False,
) -> None:
    """Store rows of the quarantine that pass the view's expectations by now.

    They are available from now on: answers of earlier moments stay as they are.
    """
    store = open_store(project)
    with interruptible():
        result = store.quarantine(view).release(ids or None)
    if as_json:
        print_json("release", result)
        return
    say("{}: {}", view, result.message)


def _print_rows(rows: "list[QuarantinedRow]") -> None:
    names = [name for name in rows[0].values if name != "_row_hash"]
    print_table(
        ["id", "state", "reasons", "run", *names],
        [
            [
                *(row.id, row.state, ", ".join(row.reasons), row.run_id),
                *(row.values[name] for name in names),
            ]
            for row in rows[:SHOWN_ROWS]
        ],
    )
    if len(rows) > SHOWN_ROWS:
        say("first {} of {} rows; --json prints all", SHOWN_ROWS, len(rows))
