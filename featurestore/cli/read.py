"""The verbs that read: status, history, training-set, historical, latest. None starts a JVM."""

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import typer

from featurestore.cli.options import AsJson, Project, open_store
from featurestore.cli.output import SHOWN_ROWS, print_json, print_table, say, to_json
from featurestore.client.frame import FeatureFrame
from featurestore.errors import RequestError
from featurestore.query.compile import compile_query
from featurestore.store.columns import arrow_type


class Format(StrEnum):
    """How rows are printed."""

    table = "table"
    csv = "csv"
    json = "json"


Out = Annotated[
    Path | None, typer.Option("--out", help="Write to this .parquet, .csv or .jsonl file.")
]
As = Annotated[Format, typer.Option("--format", help="How to print the rows, without --out.")]
Features = Annotated[
    str, typer.Argument(help="A service, or features as view:feature,view:feature.")
]
Spine = Annotated[str, typer.Argument(help="A .parquet, .csv, .jsonl file or a Delta folder.")]
TimeField = Annotated[str, typer.Option(help="The spine's time column.")]
Zone = Annotated[str | None, typer.Option(help="The zone of times that have none.")]


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


def status(project: Project = Path(), as_json: AsJson = False) -> None:
    """Show each applied view: its table, rows, newest event and last run."""
    store = open_store(project)
    views = store.status()
    if as_json:
        print_json("status", views)
        return
    print_table(
        ["view", "features", "state", "version", "rows", "newest event", "last run", "at"],
        [
            [v.view, v.features, v.state, v.version, v.rows, v.newest_event, v.last_run, v.last_run_at]
            for v in views
        ],
    )
    for view in views:
        if view.error:
            say("[red]{}[/]: {}", view.view, view.error)


def history(
    version: Annotated[int | None, typer.Argument(help="Print this version's manifest.")] = None,
    project: Project = Path(),
    as_json: AsJson = False,
) -> None:
    """Show what was applied when; with a version, the whole manifest of then as JSON."""
    store = open_store(project)
    if version is not None:
        sys.stdout.write(store.registry.version(version).document + "\n")
        return
    rows = [
        {"version": v.version, "applied_at": v.applied_at, "applied_by": v.applied_by, "changes": v.summary}
        for v in store.history()
    ]
    if as_json:
        print_json("history", rows)
    else:
        print_table(["version", "applied at", "by", "changes"], [list(row.values()) for row in rows])


def training_set(
    features: Features,
    spine: Spine,
    label: Annotated[str, typer.Option(help="The spine's column that a model shall learn.")],
    project: Project = Path(),
    timestamp_field: TimeField = "event_timestamp",
    timezone: Zone = None,
    out: Out = None,
    fmt: As = Format.table,
) -> None:
    """Add to labelled rows the features that were known at each row's moment."""
    frame = open_store(project).get_training_set(
        _features(features), spine, label=label, timestamp_field=timestamp_field, timezone=timezone
    )
    _emit(frame, out, fmt)


def historical(
    features: Features,
    spine: Spine,
    project: Project = Path(),
    timestamp_field: TimeField = "event_timestamp",
    timezone: Zone = None,
    out: Out = None,
    fmt: As = Format.table,
) -> None:
    """Look features up as of each row's moment, e.g. to score past rows."""
    frame = open_store(project).get_historical_features(
        _features(features), spine, timestamp_field=timestamp_field, timezone=timezone
    )
    _emit(frame, out, fmt)


def latest(
    features: Features,
    keys: Annotated[
        list[str] | None, typer.Argument(help="Rows as key=value, or key=value,key=value.")
    ] = None,
    rows: Annotated[str | None, typer.Option(help="A file of rows, in place of KEYS.")] = None,
    project: Project = Path(),
    out: Out = None,
    fmt: As = Format.table,
) -> None:
    """Look features up as of now."""
    store = open_store(project)
    wanted = _features(features)
    if (rows is None) == (not keys):
        raise RequestError("latest", "no rows, or rows twice", "Give KEYS such as id=7, or --rows.")
    data = rows if rows is not None else _typed(store.applied(), wanted, keys or [])
    _emit(store.get_latest_features(wanted, data), out, fmt)


def _features(text: str) -> str | list[str]:
    return text.split(",") if ":" in text else text


def _typed(manifest: object, features: str | list[str], keys: list[str]) -> pa.Table:
    """Return rows typed on the shell as a table with the join keys' own types."""
    query = compile_query(manifest, features, asked="latest")  # type: ignore[arg-type]  # applied()
    types = {key.spine_column: arrow_type(key.dtype) for view in query.views for key in view.keys}
    rows = [dict(_pair(pair) for pair in text.split(",")) for text in keys]
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = {}
    for name in names:
        column = pa.array([row.get(name) for row in rows], pa.string())
        try:
            columns[name] = column.cast(types.get(name, pa.string()))
        except pa.ArrowInvalid as error:
            raise RequestError(f"latest {name}=...", str(error), f"Give a {types[name]}.") from None
    return pa.table(columns)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise RequestError(f"latest {text!r}", "no '=' in it", "Write key=value, e.g. card_id=c1.")
    return name, value


def _emit(frame: FeatureFrame, out: Path | None, fmt: Format) -> None:
    table = frame.to_arrow()
    for view, count in frame.null_key_rows.items():
        if count:
            say("{} of {} rows have a null key for view {}: no features", count, len(frame), view)
    if out is not None:
        _write(table, out)
        say("{} rows, {} features -> {}", len(frame), len(frame.features), out)
    elif fmt is Format.csv:
        pacsv.write_csv(table, sys.stdout.buffer)
    elif fmt is Format.json:
        _write_lines(table, sys.stdout)
    else:
        head = table.slice(0, SHOWN_ROWS)
        print_table(table.column_names, zip(*(c.to_pylist() for c in head.columns), strict=True))
        if table.num_rows > SHOWN_ROWS:
            say("first {} of {} rows; --out FILE writes all", SHOWN_ROWS, table.num_rows)


def _write(table: pa.Table, out: Path) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = out.with_name(out.name + ".partial")
    if out.suffix == ".parquet":
        pq.write_table(table, partial)
    elif out.suffix == ".csv":
        pacsv.write_csv(table, partial)
    elif out.suffix in (".json", ".jsonl"):
        with partial.open("w", encoding="utf-8") as file:
            _write_lines(table, file)
    else:
        raise RequestError(f"--out {out}", "unknown kind of file", "Use .parquet, .csv or .jsonl.")
    partial.replace(out)


def _write_lines(table: pa.Table, file: "typer.FileTextWrite | object") -> None:
    for row in table.to_pylist():
        file.write(json.dumps(row, default=to_json) + "\n")  # type: ignore[union-attr, attr-defined]
