"""Feast's sources as ours: files and Delta tables."""

import re
from posixpath import isabs, join, normpath
from typing import Any

from featurestore.integrations.feast.translation.columns import Record, about, column_of
from featurestore.integrations.feast.translation.context import Context
from featurestore.integrations.feast.translation.names import plain
from featurestore.integrations.feast.translation.python_text import Call

_EXPORT = "Write its rows to Delta or Parquet, and declare that path."
_CREATED = (
    "Feast takes created_timestamp_column {name!r} only to choose among rows with one event time, "
    "and so does sequence_field. If it is the time from which a row could be known, write "
    "available_timestamp_field={name!r} in its place: then no answer uses a row too early."
)


def write_source(context: Context, name: str) -> str:
    """Write a source, unless it is written already.

    Args:
        context: The translation.
        name: Feast's name of the source.

    Returns:
        Why the source cannot be written; ``""`` if it is.
    """
    record = source_of(context, name)
    subject = f"source {name}"
    if name in context.sources:
        return ""
    if problem := source_problem(record):
        if not context.notes.of(subject):
            context.notes.left_out(subject, problem)
        return problem
    _note_differences(context, subject, record)
    variable = context.names.variable(_name(record), "source")
    own = context.name("source", subject, _name(record))
    context.sources[name] = variable
    kind = "fs.DeltaSource" if _format(record) == "delta" else "fs.FileSource"
    arguments: dict[str, Any] = {
        "path": _path(context, record["path"]),
        # A folder's name does not say what its files are.
        "format": "parquet" if kind == "fs.FileSource" and "." not in record["path"] else None,
        "timestamp_field": time_column(record),
        "sequence_field": sequence_column(record),
        "timezone": _timezone(record),
        **about(record),
    }
    context.write(subject, variable, Call(kind, (own,), arguments))
    return ""


def source_of(context: Context, name: str) -> Record:
    """Return a source by its name."""
    found: Record = next(each for each in context.records("sources") if each["name"] == name)
    return found


def source_problem(record: Record) -> str:
    """Return why a source cannot be written; ``""`` if it can."""
    kind, file_format = record["kind"], _format(record)
    if kind not in ("FileSource", "SparkSource"):
        return f"{kind} is no folder of files or Delta table. {_EXPORT}"
    if not record["path"]:
        return f"It is a table or a query of Spark's catalog. {_EXPORT}"
    if file_format not in ("parquet", "delta"):
        fix = "Declare a FileSource with schema=."
        return f"Its files are {file_format}, whose columns have no types in Feast. {fix}"
    if not time_column(record):
        return "It names no timestamp_field, and its files do not show which column it is."
    stored = (column_of(record["columns"], time_column(record)) or {}).get("stored", "")
    if stored.startswith(("int", "uint")):
        return f"Its times are {stored}, and Feast does not say their unit. Declare it with unit=."
    return ""


def time_column(record: Record) -> str:
    """Return the column with the time of the event; ``""`` if it is not known."""
    declared = original(record, record["timestamp_field"])
    if declared:
        return declared
    created = original(record, record["created_timestamp_column"])
    times = [
        each["name"]
        for each in record["columns"] or ()
        if each["stored"].startswith("timestamp") and each["name"] != created
    ]
    return times[0] if len(times) == 1 else ""


def sequence_column(record: Record) -> str:
    """Return the column that orders rows of one event time; ``""`` without one."""
    created = original(record, record["created_timestamp_column"])
    if not created or sequence_is_stored(record):
        return created
    return f"{plain(created)}_micros"


def sequence_is_stored(record: Record) -> bool:
    """Return whether the created column is a whole number, which needs no transform."""
    created = original(record, record["created_timestamp_column"])
    found = column_of(record["columns"], created)
    return found is not None and found["stored"] in ("int32", "int64")


def original(record: Record, name: str) -> str:
    """Return a column's name in the files, for its name after Feast's field mapping."""
    names = [each["name"] for each in record["columns"] or ()]
    if name in names:
        return name
    return next((old for old, new in record["field_mapping"].items() if new == name), name)


def _note_differences(context: Context, subject: str, record: Record) -> None:
    created = original(record, record["created_timestamp_column"])
    if created:
        context.notes.changed(subject, _CREATED.format(name=created))
    if record["endpoint"]:
        text = "The address of its object store is no part of a definition: set AWS_ENDPOINT_URL."
        context.notes.left_out(subject, text)
    if record["columns_problem"]:
        text = f"Its files could not be read ({record['columns_problem']}): types are as declared."
        context.notes.changed(subject, text)


def _format(record: Record) -> str:
    return record["format"] or "parquet"


def _name(record: Record) -> str:
    """Return the source's name: of a path, which Feast takes if there is no name, the end."""
    name: str = record["name"]
    if name != record["path"]:
        return name
    return re.sub(r"\.[a-z]+$", "", name.rstrip("/").rpartition("/")[2]) or "source"


def _path(context: Context, path: str) -> str:
    """Return a path as seen from the project's folder."""
    if "://" in path or isabs(path):
        return path
    return normpath(join(context.folder, path))


def _timezone(record: Record) -> str | None:
    found = column_of(record["columns"], time_column(record))
    return None if found is not None and "tz=" in found["stored"] else "UTC"
