"""The verb that shows what is unusual about views: monitor. It starts no JVM."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from featurestore.cli.options import AsJson, Project, open_store
from featurestore.cli.output import duration_of, print_blocks, print_json, print_table, say

if TYPE_CHECKING:
    from featurestore.jobs.monitor.observation import Observation

FOUND_SOMETHING = 1
_WEEK = "7d"
Views = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="VIEWS",
        help="Views, or services for all views that they need.",
        show_default="all views",
    ),
]
Against = Annotated[
    str | None,
    typer.Option(
        help="Compare with: previous, first, training_set:NAME, the id of a run, or the path of "
        "a file, such as a training set.",
        show_default="what the thresholds of the views say",
    ),
]
Run = Annotated[
    str | None,
    typer.Option(help="Compare the profiles of this run.", show_default="the newest profiles"),
]
Since = Annotated[
    str | None,
    typer.Option(
        help="Compare the time since then with the same time before: 7d, or a moment. Missing "
        "runs are looked for since then.",
        show_default="the newest profiles, and the runs of one day",
    ),
]
Week = Annotated[
    bool, typer.Option("--week", help="Compare the last 7 days with the 7 days before.")
]


def add_verbs(app: typer.Typer) -> None:
    """Add this verb to the program.

    Example:
        >>> add_verbs(typer.Typer())
    """
    app.command()(monitor)


def monitor(
    views: Views = None,
    against: Against = None,
    run: Run = None,
    since: Since = None,
    week: Week = False,
    project: Project = Path(),
    as_json: AsJson = False,
) -> None:
    """Show drift, late views, and unusual runs and rows.

    It reads ledgers and profiles only. The exit code is 1 if a threshold is exceeded. What could
    not be compared is shown, and is no pass. Drift of features without thresholds is shown as
    undeclared, and does not change the exit code.
    """
    if week and since is not None:
        raise typer.BadParameter("Pass --week or --since, not both.")
    found = open_store(project).monitor(
        views, against=against, run=run, since=_WEEK if week else since
    )
    breaches = [each for each in found if each.state == "breach"]
    if as_json:
        print_json("monitor", found)
    else:
        print_observations(found)
    states = [each.state for each in found]
    text = ", ".join(
        f"{states.count(state)} {state}"
        for state in ("undeclared", "ok", "not compared")
        if state != "undeclared" or state in states
    )
    if breaches:
        say("[red]{}[/], {}", f"{len(breaches)} breach{'es' * (len(breaches) != 1)}", text)
        raise typer.Exit(FOUND_SOMETHING)
    say("[green]no breach[/]: {}", text)


def print_observations(found: "Sequence[Observation]") -> None:
    """Print a line for each check, and then what to do about each breach.

    Args:
        found: What the checks have found.
    """
    print_table(
        ["state", "view", "check", "value", "limit"],
        [
            [
                each.state,
                each.view,
                _subject(each),
                _number(each, each.value),
                _number(each, each.threshold),
            ]
            for each in found
        ],
        least=("limit",),
    )
    # One block for all checks of a view with the same reason: new views have many of them.
    blocks: dict[tuple[str, str, str], list[str]] = {}
    for each in found:
        if each.state != "ok" or each.is_explained or each.later_rows:
            reason = (each.view, each.state, f"{each.found}. {each.fix}".strip())
            blocks.setdefault(reason, []).append(_subject(each))
    print_blocks(
        (f"{view}: {', '.join(subjects)}", state, [text])
        for (view, state, text), subjects in blocks.items()
    )


def _subject(each: "Observation") -> str:
    name = each.measure or each.check
    return f"{name} of {each.feature}" if each.feature else name


def _number(each: "Observation", number: float | None) -> str | None:
    """Return a number of an observation in its unit: rows, a duration, a share or a distance."""
    if number is None:
        return None
    if each.check in ("late", "events"):
        return duration_of(int(number))
    if each.check in ("rows", "missing"):
        return f"{number:,.0f}"
    return f"{number:.1%}" if each.check == "quarantine" else f"{number:.3g}"
