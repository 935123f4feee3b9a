"""The verb that checks answers: verify. It starts no JVM."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from featurestore.cli.options import AsJson, Project, open_store
from featurestore.cli.output import SHOWN_ROWS, print_json, print_table, say, to_text
from featurestore.cli.read import Features, TimeField, Zone, features_of, spine_of

if TYPE_CHECKING:
    from featurestore.client.verify.report import CheckedView, Verification

FOUND = 1
_SHOWN_NAMES = 3


def add_verbs(app: typer.Typer) -> None:
    """Add this verb to the program.

    Example:
        >>> add_verbs(typer.Typer())
    """
    app.command()(verify)


def verify(
    features: Features,
    sample: Annotated[int, typer.Option(help="How many rows to ask of each view.")] = 1000,
    spine: Annotated[
        str | None,
        typer.Option(help="Draw rows of this spine, in place of moments around stored events."),
    ] = None,
    leakage: Annotated[
        bool, typer.Option("--leakage", help="Name features that know rows at or after t.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Draws the sample.")] = 0,
    project: Project = Path(),
    timestamp_field: TimeField = "event_timestamp",
    timezone: Zone = None,
    as_json: AsJson = False,
) -> None:
    """Recompute sampled answers in plain Python; exit with 1 if any differs, or leaks."""
    store = open_store(project)
    found = store.verify(
        features_of(features),
        sample=sample,
        spine=None if spine is None else spine_of(store, spine),
        leakage=leakage,
        seed=seed,
        timestamp_field=timestamp_field,
        timezone=timezone,
    )
    if as_json:
        print_json("verify", {"ok": found.ok, **vars(found)})
    else:
        _show(found)
    _tell(found, leakage)
    if not found.ok:
        raise typer.Exit(FOUND)


def _show(found: "Verification") -> None:
    print_table(
        ["view", "version", "rows", "values", "differ", "leak", "left out"],
        [
            [name, v.version, v.rows, v.cells, len(v.differences), len(v.leaks), v.left_out]
            for name, v in zip(_names(found.views), found.views, strict=True)
        ],
    )
    if found.differences:
        print_table(
            ["feature", "key", "moment", "engine", "rules", "why"],
            [
                [f"{d.view}:{d.feature}", _key(d.key), d.moment, d.engine, d.reference, d.why]
                for d in found.differences[:SHOWN_ROWS]
            ],
        )
        if len(found.differences) > SHOWN_ROWS:
            say("first {} of {} differences; --json has all", SHOWN_ROWS, len(found.differences))
    if found.leaks:
        print_table(
            ["feature", "changes in", "of", "e.g. key", "moment", "value", "without rows from t"],
            [
                [f"{k.view}:{k.feature}", k.rows, k.of, _key(k.key), k.moment, k.value, k.without]
                for k in found.leaks
            ],
        )


def _tell(found: "Verification", leakage: bool) -> None:
    for skipped in found.skipped:
        names = ", ".join(skipped.features)
        say("{} not checked ({}): {}. {}", skipped.view, names, skipped.why, skipped.fix)
    for name, view in zip(_names(found.views), found.views, strict=True):
        if view.left_out:
            say("{}: {} rows left out, {}", name, view.left_out, _too_much(view))
    for each in found.overflows:
        rows = f"{each.rows} of {each.of} rows, e.g. {_key(each.key)} at {to_text(each.moment)}"
        say("{}:{} is an error in {}: a sum does not fit its type", each.view, each.feature, rows)
    for feature, users in _followers(found).items():
        say("{} is an input of {}: mend it first", feature, users)
    if leakage and found.moments == "events":
        say(
            "Moments were taken around the views' own events, where most as-of features change; "
            "give the rows that a model learns from by --spine, to know which features leak."
        )
    for difference in found.differences[:1]:
        say("Next: {}", difference.explain)
    for fix, leaking in _fixes(found).items():
        say("{}: {}", _listed(leaking), fix)
    colour = "red" if not found.ok else "green" if found.cells else "yellow"
    say(f"[{colour}]{{}}[/]", str(found))


def _names(views: Sequence["CheckedView"]) -> list[str]:
    """Return what each use of a view is called: by its features too where there are several."""
    uses = Counter(view.view for view in views)
    return [
        view.view if uses[view.view] == 1 else f"{view.view} ({_listed(view.features)})"
        for view in views
    ]


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN_NAMES
    return ", ".join(names[:_SHOWN_NAMES]) + (f" and {more} more" if more > 0 else "")


def _fixes(found: "Verification") -> dict[str, list[str]]:
    """Return what to do about leaks, with the features that are mended so."""
    fixes: dict[str, list[str]] = defaultdict(list)
    for leak in found.leaks:
        fixes[leak.fix].append(leak.feature)
    return fixes


def _too_much(view: "CheckedView") -> str:
    if view.version is None:
        return "as each is computed by itself: ask a smaller --sample"
    return "whose keys have too many rows"


def _followers(found: "Verification") -> dict[str, str]:
    """Return the on-demand features that are wrong, or leak, with each feature that does."""
    wrong = {f"{d.view}:{d.feature}": d.used_by for d in found.differences}
    wrong |= {f"{leak.view}:{leak.feature}": leak.used_by for leak in found.leaks}
    return {feature: ", ".join(users) for feature, users in wrong.items() if users}


def _key(key: Mapping[str, object]) -> str:
    return ",".join(f"{name}={value}" for name, value in key.items())
