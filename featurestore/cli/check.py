"""The verb that checks answers: verify. It starts a JVM only for ``--source``."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from featurestore.cli.options import (
    AsJson,
    Delimiter,
    Features,
    Project,
    TimeField,
    Zone,
    open_store,
)
from featurestore.cli.output import SHOWN_ROWS, environment_option, print_json, print_table, say
from featurestore.cli.read import features_of
from featurestore.cli.spine import spine_errors, spine_of
from featurestore.client.display.text_table import to_text

if TYPE_CHECKING:
    from featurestore.client.verify.report import CheckedView, Difference, Leak, Verification

NOT_OK = 1
FromSource = Annotated[
    bool,
    typer.Option(
        "--source", help="Also compute sampled stored rows again from the sources, with Spark."
    ),
]
Leakage = Annotated[
    bool, typer.Option("--leakage", help="Also name features that use events at or after t.")
]
_SHOWN_NAMES = 3


def add_verbs(app: typer.Typer) -> None:
    """Add this verb to the program.

    Example:
        >>> add_verbs(typer.Typer())
    """
    app.command()(verify)


def verify(
    features: Features,
    sample: Annotated[int, typer.Option(help="Number of rows to check for each view.")] = 1000,
    spine: Annotated[
        str | None,
        typer.Option(
            help="Check rows of this file, Delta folder or view:NAME. By default, moments around "
            "stored events are checked."
        ),
    ] = None,
    leakage: Leakage = False,
    source: FromSource = False,
    seed: Annotated[int, typer.Option(help="Another seed selects other rows.")] = 0,
    project: Project = Path(),
    timestamp_field: TimeField = "event_timestamp",
    timezone: Zone = None,
    delimiter: Delimiter = None,
    as_json: AsJson = False,
) -> None:
    """Compare sampled feature values with the reference.

    The reference follows the same rules in plain Python. The exit code is 1 if a value differs or
    a feature leaks.
    """
    store = open_store(project)
    with spine_errors(spine or ""):
        result = store.verify(
            features_of(features),
            sample=sample,
            spine=None if spine is None else spine_of(store, spine, delimiter=delimiter),
            leakage=leakage,
            source=source,
            seed=seed,
            timestamp_field=timestamp_field,
            timezone=timezone,
        )
    if as_json:
        print_json("verify", {"ok": result.ok, **vars(result)})
    else:
        _print_tables(result)
    _say_notes(result, leakage)
    if not result.ok:
        raise typer.Exit(NOT_OK)


def _print_tables(result: "Verification") -> None:
    print_table(
        ["view", "version", "rows", "values", "differ", "leak", "not checked"],
        [
            [name, v.version, v.rows, v.cells, len(v.differences), len(v.leaks), v.unchecked_rows]
            for name, v in zip(_view_names(result.views), result.views, strict=True)
        ],
    )
    if result.differences:
        _print_differences(result.differences)
    _print_sources(result)
    if result.leaks:
        _print_leaks(result.leaks)


def _print_differences(differences: "Sequence[Difference]") -> None:
    print_table(
        ["feature", "key", "moment", "engine", "reference", "reason"],
        [
            [f"{d.view}:{d.feature}", _key(d.key), d.moment, d.engine, d.reference, d.reason]
            for d in differences[:SHOWN_ROWS]
        ],
    )
    if len(differences) > SHOWN_ROWS:
        say("first {} of {} differences; --json prints all", SHOWN_ROWS, len(differences))


def _print_leaks(leaks: "Sequence[Leak]") -> None:
    print_table(
        ["feature", "leaks in rows", "of", "example", "moment", "value", "past value"],
        [
            [
                f"{each.view}:{each.feature}",
                each.rows,
                each.checked_rows,
                _key(each.key),
                each.moment,
                each.value,
                each.past_value,
            ]
            for each in leaks
        ],
    )


def _print_sources(result: "Verification") -> None:
    if result.source_differences:
        print_table(
            ["view", "key", "event", "stored", "recomputed"],
            [
                [d.view, _key(d.key), d.event_timestamp, _key(d.stored), _key(d.recomputed or {})]
                for d in result.source_differences[:SHOWN_ROWS]
            ],
        )


def _say_sources(result: "Verification") -> None:
    for each in result.sources:
        if each.skipped:
            say("{}: rows not compared with the source: {}", each.view, each.skipped)
    if result.source_differences:
        say(
            "A stored row differs if its transform looks at other rows, or if its source changed "
            "afterwards. Correct the transform, then run `featurestore materialize VIEW --full`."
        )


def _say_notes(result: "Verification", leakage: bool) -> None:
    for skipped in result.skipped:
        names = ", ".join(skipped.features)
        say("{} not checked ({}): {}. {}", skipped.view, names, skipped.reason, skipped.fix)
    for name, view in zip(_view_names(result.views), result.views, strict=True):
        if view.unchecked_rows:
            say("{}: {} rows not checked: {}", name, view.unchecked_rows, _too_slow(view))
    for each in result.overflows:
        say(
            "{}:{} is an error in {} of {} rows, e.g. {} at {}: a sum does not fit its type",
            *(each.view, each.feature, each.rows, each.checked_rows),
            *(_key(each.key), to_text(each.moment)),
        )
    for feature, users in _users(result).items():
        say("{} is used by {}: correct it first", feature, users)
    if leakage and result.moments == "events":
        say(
            "The rows were moments around the views' own events. There, most as-of features "
            "leak. To find the features that leak in training, pass the training rows: --spine."
        )
    _say_sources(result)
    for difference in result.differences[:1]:
        say("Next: {}{}", difference.explain_command, environment_option())
    for fix, features in _fixes(result).items():
        say("{}: {}", _listed(features), fix)
    colour = "red" if not result.ok else "green" if result.cells else "yellow"
    say(f"[{colour}]{{}}[/]", str(result))


def _view_names(views: Sequence["CheckedView"]) -> list[str]:
    """Return a name for each use of a view: with its features if the view has several uses."""
    uses = Counter(view.view for view in views)
    return [
        view.view if uses[view.view] == 1 else f"{view.view} ({_listed(view.features)})"
        for view in views
    ]


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN_NAMES
    return ", ".join(names[:_SHOWN_NAMES]) + (f" and {more} more" if more > 0 else "")


def _fixes(result: "Verification") -> dict[str, list[str]]:
    """Return what to do about leaks, with the features that need it."""
    fixes: dict[str, list[str]] = defaultdict(list)
    for leak in result.leaks:
        fixes[leak.fix].append(leak.feature)
    return fixes


def _too_slow(view: "CheckedView") -> str:
    if view.version is None:
        return "each row is computed alone, which is slow. Use a smaller --sample."
    return "their keys have too many stored rows."


def _users(result: "Verification") -> dict[str, str]:
    """Return the wrong or leaking features, each with the on-demand features that use it."""
    used_by = {f"{d.view}:{d.feature}": d.used_by for d in result.differences}
    used_by |= {f"{leak.view}:{leak.feature}": leak.used_by for leak in result.leaks}
    return {feature: ", ".join(users) for feature, users in used_by.items() if users}


def _key(key: Mapping[str, object]) -> str:
    return ",".join(f"{name}={value}" for name, value in key.items())
