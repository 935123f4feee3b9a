"""The verbs that read: status, history, training-set, historical, latest. They start no JVM."""

import json
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from featurestore.cli.options import (
    As,
    AsJson,
    At,
    Delimiter,
    Engine,
    Features,
    Format,
    Out,
    Project,
    Rows,
    Spine,
    TimeField,
    Zone,
    open_store,
)
from featurestore.cli.output import duration_of, print_json, print_table, print_tree, say
from featurestore.cli.spine import spine_errors, spine_of
from featurestore.client.display.json_text import json_text
from featurestore.credentials import without_credentials
from featurestore.errors import RequestError
from featurestore.times import system_clock

if TYPE_CHECKING:
    from featurestore.client.feature_store import FeatureStore
    from featurestore.client.frame.frame import FeatureFrame
    from featurestore.client.frame.spark_frame import SparkFrame
    from featurestore.client.status import ViewStatus


def add_verbs(app: typer.Typer) -> None:
    """Add these verbs to the program.

    Example:
        >>> add_verbs(typer.Typer())
    """
    for name, verb in (
        ("status", status),
        ("history", history),
        ("training-set", training_set),
        ("historical", historical),
        ("latest", latest),
    ):
        app.command(name)(verb)


def status(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="VIEWS", help="Views, or services for their views.", show_default="all"
        ),
    ] = None,
    project: Project = Path(),
    as_json: AsJson = False,
) -> None:
    """Show each applied view's table, newest event and last run."""
    from featurestore.client.display.continuous_text import continuous_text, died_texts
    from featurestore.client.display.status_text import cause_of

    store = open_store(project)
    views = store.status(names_of(names))
    if as_json:
        print_json("status", views)
        return
    if store.settings.environment:
        root = without_credentials(store.layout.root)
        say("environment [bold]{}[/]: tables in {}", store.settings.environment, root)
    print_table(*_status_table(views), least=_LEAST)
    for view in views:
        if view.continuous and view.continuous.is_running:
            text = continuous_text(view.continuous, system_clock())
            say("[cyan]{}[/]: {}", view.view, text)
        if view.rows_quarantined:
            text = "[yellow]{}[/]: {} rows are in quarantine: `featurestore quarantine show {}`"
            say(text, view.view, view.rows_quarantined, view.view)
    for text in died_texts({each.view: each.continuous for each in views if each.continuous}):
        say("[red]{}[/]", text)
    failures: dict[str, list[str]] = {}
    for view in views:
        if view.error:
            failures.setdefault(cause_of(view.view, view.error), []).append(view.view)
    texts = {view.view: view.error for view in views}
    for names_of_views in failures.values():
        say("[red]{}[/]: {}", ", ".join(names_of_views), texts[names_of_views[0]])


def _state(view: "ViewStatus") -> str:
    return f"{view.state}, answers by version {view.answers_by}" if view.answers_by else view.state


def history(
    version: Annotated[
        int | None,
        typer.Argument(metavar="VERSION", help="Print the definitions of this version as JSON."),
    ] = None,
    compare: Annotated[
        tuple[int, int] | None,
        typer.Option(metavar="OLD NEW", help="Print what changed between two versions."),
    ] = None,
    project: Project = Path(),
    as_json: AsJson = False,
) -> None:
    """List the versions of the applied definitions."""
    if compare is not None and version is not None:
        raise typer.BadParameter(f"leave out {version}: --compare names its versions itself")
    store = open_store(project)
    if compare is not None:
        _print_comparison(store, *compare, as_json)
        return
    if version is not None:
        manifest = json.loads(store.registry.version(version).document)
        sys.stdout.write(json_text(manifest, indent=2) + "\n")
        return
    versions = store.history()
    names = ["version", "applied_at", "applied_by", "changes"]
    if as_json:
        rows = [{name: getattr(each, name) for name in names} for each in versions]
        print_json("history", rows)
        return
    print_table(
        ["version", "applied at", "applied by", "changes"],
        [
            [v.version, v.applied_at.replace(microsecond=0), v.applied_by, "\n".join(v.changes)]
            for v in versions
        ],
    )


def _print_comparison(store: "FeatureStore", old: int, new: int, as_json: bool) -> None:
    changes = store.compare(old, new)
    if as_json:
        print_json("comparison", {"old": old, "new": new, "changes": changes})
        return
    from featurestore.registry.plan import plan, render

    if not changes:
        say("versions {} and {} have equal definitions", old, new)
        return
    before, after = (store.registry.version(number) for number in (old, new))
    print_tree(render(plan(before, after.manifest)))


def training_set(
    features: Features,
    spine: Spine,
    label: Annotated[str, typer.Option(help="The spine's column that a model learns.")],
    project: Project = Path(),
    timestamp_field: TimeField = "event_timestamp",
    timezone: Zone = None,
    delimiter: Delimiter = None,
    out: Out = None,
    fmt: As = Format.table,
    save: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Save the rows as a new version of this training set."),
    ] = None,
    engine: Engine = "local",
) -> None:
    """Add features to labelled rows, as of each row's moment."""
    from featurestore.cli.rows import emit

    _begin(engine, out)
    store = open_store(project)
    with spine_errors(spine):
        frame = store.get_training_set(
            features_of(features),
            spine_of(store, spine, [label], delimiter=delimiter),
            label=label,
            timestamp_field=timestamp_field,
            timezone=timezone,
            engine=engine,
        )
    _say_engine(frame, engine)
    if save is not None:
        saved = frame.save(save)
        say("saved {} rows as {}, version {}", saved.rows, saved.name, saved.version)
    if save is None or out is not None:
        emit(frame, out, fmt)


def historical(
    features: Features,
    spine: Rows,
    at: Annotated[
        str | None,
        typer.Option(help="The moment of rows as key=value, e.g. 2026-01-31T09:30:00Z."),
    ] = None,
    project: Project = Path(),
    timestamp_field: TimeField = "event_timestamp",
    timezone: Zone = None,
    delimiter: Delimiter = None,
    out: Out = None,
    fmt: As = Format.table,
    engine: Engine = "local",
) -> None:
    """Add features to rows, as of each row's moment."""
    from featurestore.cli.rows import emit

    _begin(engine, out)
    store = open_store(project)
    names = features_of(features)
    text = spine[0]
    if at is not None or len(spine) > 1 or _is_row(text):
        from featurestore.client.spines.key_values import rows_at

        rows: object = rows_at(store.served(names), names, spine, at)
    else:
        with spine_errors(text):
            rows = spine_of(store, text, delimiter=delimiter)
    with spine_errors(text):
        frame = store.get_historical_features(
            names, rows, timestamp_field=timestamp_field, timezone=timezone, engine=engine
        )
    _say_engine(frame, engine)
    emit(frame, out, fmt)


def _begin(engine: str, out: str | None) -> None:
    """Refuse a file that cannot be written before its rows are computed; say what takes long."""
    from featurestore.cli.files import require_file

    if engine == "local" and out is not None:
        require_file(out)
    if engine not in ("local", "auto"):
        say("starting Spark, and counting the rows of the spine ...")


def _say_engine(frame: "FeatureFrame | SparkFrame", engine: str) -> None:
    """Say who answers, and why, unless it is what everybody gets."""
    if engine != "local":
        say("{}", frame.plan())


def latest(
    features: Features,
    keys: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="KEYS",
            help="Each row as key=value,key=value. A name without = is null; name= is an empty "
            "text.",
        ),
    ] = None,
    rows: Annotated[
        str | None, typer.Option(help="A file with the rows, instead of KEYS.")
    ] = None,
    at: At = None,
    project: Project = Path(),
    delimiter: Delimiter = None,
    out: Out = None,
    fmt: As = Format.table,
) -> None:
    """Get the feature values of keys, as of now (or --at)."""
    from featurestore.cli.rows import emit
    from featurestore.client.spines.key_values import takes_values, typed_rows

    store = open_store(project)
    names = features_of(features)
    if rows is None and not keys and not takes_values(store.served(names), names):
        keys = [""]  # one row, of a view without entities
    if (rows is None) == (not keys):
        raise RequestError(
            "latest",
            "there are both KEYS and --rows" if keys else "there are neither KEYS nor --rows",
            f"Pass one of them, e.g. featurestore latest {features} id=7",
        )
    with spine_errors(rows or ""):
        data = (
            typed_rows(store.served(names), names, keys or ())
            if rows is None
            else spine_of(store, rows, delimiter=delimiter)
        )
        frame = store.get_latest_features(names, data, at=present_second() if at is None else at)
    emit(frame, out, fmt)


# What a person who looks at a narrow terminal can do without, the least important first.
_LEAST = (
    *("derived from", "last failure", "version", "started", "quarantined", "rows"),
    "newest event",
)


def _status_table(views: "list[ViewStatus]") -> tuple[list[str], list[list[object]]]:
    """Return the columns and rows of the status, with the schedules if there are any."""
    from featurestore.client.display.status_text import status_text

    columns = {
        "view": [view.view for view in views],
        "state": [_state(view) for view in views],
        "derived from": [view.derived_from for view in views],
        "version": [view.version for view in views],
        "rows": [view.rows for view in views],
        "quarantined": [view.rows_quarantined for view in views],
        "newest event": [_second(view.newest_event) for view in views],
        "last run": [status_text(view.last_run) for view in views],
        "started": [_second(view.last_run_at) for view in views],
        "schedule": [_freshness(view) for view in views],
        "last failure": [_second(view.last_failure_at) for view in views],
    }
    shown = {
        "derived from": any(view.derived_from for view in views),
        "quarantined": any(
            view.rows_quarantined != 0 for view in views if view.state != "on demand"
        ),
        "schedule": any(view.schedule for view in views),
        "last failure": any(view.last_failure_at for view in views),
    }
    columns = {name: cells for name, cells in columns.items() if shown.get(name, True)}
    return list(columns), [list(row) for row in zip(*columns.values(), strict=True)]


def _freshness(view: "ViewStatus") -> str | None:
    late = duration_of(view.late_seconds)
    return view.freshness if late is None else f"{view.freshness}, {late} late"


def _second(moment: datetime | None) -> datetime | None:
    return moment and moment.replace(microsecond=0)


def _is_row(text: str) -> bool:
    return "=" in text and "://" not in text and not Path(text).exists()


def present_second() -> datetime:
    """Return the present moment in full seconds, which people can read, copy and pass as --at.

    Example:
        >>> present_second().microsecond
        0
    """
    return system_clock().replace(microsecond=0)


def names_of(texts: Sequence[str] | None) -> list[str] | None:
    """Return the names of views in several texts, each with one or several with commas.

    Example:
        >>> names_of(["activity,profile", "rate"]), names_of([])
        (['activity', 'profile', 'rate'], None)
    """
    names = [name.strip() for text in texts or () for name in text.split(",")]
    return [name for name in names if name] or None


def features_of(text: str) -> str | list[str]:
    """Return the names in a text: one as it is, several as a list.

    Example:
        >>> features_of("fraud_v1"), features_of("a:x,b:y")
        ('fraud_v1', ['a:x', 'b:y'])
    """
    names = [name.strip() for name in text.split(",") if name.strip()]
    return names if len(names) > 1 else text.strip(" ,")
