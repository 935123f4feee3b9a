"""A look at the sources before a run, without Spark: what `plan` and `validate` say about them.

Only what would surely stop a run is reported. The run itself checks every file.
"""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pyarrow as pa

from featurestore.client.source_check.columns import (
    SourceColumns,
    first_rows_problem,
    has_data,
    newest_columns,
)
from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.source import DeltaSource, FileSource, StoredSource
from featurestore.definitions.model.types import (
    Binary,
    Boolean,
    Date,
    Field,
    Float32,
    Float64,
    Int32,
    Int64,
    String,
    Timestamp,
    is_number,
)
from featurestore.definitions.model.view import FeatureView
from featurestore.definitions.rules.issue import NO_DATA, Issue, label
from featurestore.engines.files.exact_arrow import can_hold, stored_type
from featurestore.errors import nearest, sentences
from featurestore.store.columns import arrow_type
from featurestore.store.layout import Layout
from featurestore.store.paths import is_local, local_path

_SCALARS = (Int32, Int64, Float32, Float64, Boolean, String, Binary, Date, Timestamp)


def source_issues(manifest: Manifest, layout: Layout) -> list[Issue]:
    """Return every problem of the declared sources that can be seen without Spark.

    Args:
        manifest: The declared definitions.
        layout: The addresses of the sources.

    Returns:
        Each problem with the line of its definition. Its ``rule`` is `NO_DATA` for a source that
        has no data yet.

    Example:
        >>> source_issues(Manifest(), Layout("no/such/store"))
        []
    """
    issues: list[Issue] = []
    for source in manifest.sources:
        if not isinstance(source, DeltaSource | FileSource):
            continue
        uri = layout.source(source.path)
        if not is_local(uri):
            continue
        if not has_data(source, uri):
            issues.append(_missing(source, uri))
            continue
        issues += _issues(manifest, source, uri)
    return sorted(dict.fromkeys(issues), key=lambda each: (each.origin.file, each.origin.line))


def _issues(manifest: Manifest, source: StoredSource, uri: str) -> list[Issue]:
    issues: list[Issue] = []
    columns = newest_columns(source, uri)
    if columns is not None:
        issues += _source_issues(source, columns)
        for view in manifest.views:
            if view.source == source:
                issues += _view_issues(view, source, columns)
    if not issues and (error := first_rows_problem(source, uri)):
        problem = sentences(error.found, error.fix)
        issues.append(Issue(source.origin, f"{label(source)}: {problem}"))
    return issues


def _missing(source: StoredSource, uri: str) -> Issue:
    kind = "Delta table" if isinstance(source, DeltaSource) else "data file"
    parent = Path(local_path(uri)).parent
    others = [each.name for each in parent.iterdir()] if parent.is_dir() else []
    name = Path(local_path(uri)).name
    near = nearest(name, others) if others and name not in others else ""
    near = near if near.startswith("Did") else ""
    create = "create the data"
    if isinstance(source, DeltaSource):
        create = f"write it, e.g. store.write_source({source.name!r}, frame)"
    fix = f"{near} Write path= relative to the project's folder, or {create}.".strip()
    return Issue(source.origin, f"{label(source)}: there is no {kind} at {uri}. {fix}", NO_DATA)


def _source_issues(source: StoredSource, columns: SourceColumns) -> Iterator[Issue]:
    declared: tuple[Field, ...] = getattr(source, "schema", ())
    optional: tuple[str, ...] = getattr(source, "optional_columns", ())
    for field in declared:
        if field.name not in columns.types:
            if field.name not in optional:
                yield _absent(source, field.name, columns)
        elif problem := _type_problem(field, source, columns):
            yield Issue(field.origin, f"{label(source)}: {problem}")
    others = {field.name for field in declared if field.dtype != Timestamp}
    for column in (source.roles.timestamp_field, source.roles.available_timestamp_field):
        if column is None or column not in columns.types or column in others:
            continue
        if problem := _time_problem(column, source, columns):
            yield Issue(source.origin, f"{label(source)}: {problem}")


def _view_issues(
    view: FeatureView, source: StoredSource, columns: SourceColumns
) -> Iterator[Issue]:
    """Yield columns that a view without a transform needs; a transform may make any column."""
    if view.transform is not None:
        return
    roles = source.roles
    # What the source declares is compared with the data there.
    declared = {field.name for field in getattr(source, "schema", ())}
    declared |= set(getattr(source, "optional_columns", ()))
    needed = [each for each in roles.columns.values() if each is not None]
    for name in dict.fromkeys((*needed, *roles.unique_by)):
        if name not in columns.types and name not in declared:
            yield _absent(source, name, columns)
    for field in (*view.join_keys, *view.schema):
        if field.name in declared:
            continue
        if field.name not in columns.types:
            yield _absent(view, field.name, columns)
        elif problem := _type_problem(field, source, columns):
            yield Issue(field.origin, f"{label(view)}: {problem}")


def _absent(owner: StoredSource | FeatureView, name: str, columns: SourceColumns) -> Issue:
    near = nearest(name, columns.types)
    return Issue(owner.origin, f"{label(owner)}: {columns.origin} has no column {name!r}. {near}")


def _type_problem(field: Field, source: StoredSource, columns: SourceColumns) -> str:
    actual = columns.types[field.name]
    if field.name in source.roles.columns.values():
        return ""
    if actual is None:
        return _text_problem(field, columns)
    # Values are compared one by one when they are read, so that a wider type may do. But Spark
    # would read local times of a Delta table as if they were UTC.
    is_local = stored_type(field.dtype, actual) == stored_type(Timestamp, pa.timestamp("us"))
    if can_hold(field.dtype, actual) and not (is_local and isinstance(source, DeltaSource)):
        return ""
    return (
        f"column {field.name!r} of {columns.origin} is {_type_name(actual)}, but it is declared "
        f"as {field.dtype}. Declare its type, or cast it in a transform."
    )


def _text_problem(field: Field, columns: SourceColumns) -> str:
    """Return which of the first values of a text format is no number, if numbers are declared."""
    if not is_number(field.dtype):
        return ""
    for row, text in columns.values.get(field.name, ()):
        if not _is_numeric(text):
            return (
                f"column {field.name!r} of {columns.origin} has the value {text!r} in row {row}, "
                f"but it is declared as {field.dtype}. Declare another type, or correct the data."
            )
    return ""


def _is_numeric(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _type_name(actual: pa.DataType) -> str:
    """Return a column's type as definitions write it, where they have one."""
    return next((str(each) for each in _SCALARS if arrow_type(each).equals(actual)), str(actual))


def _time_problem(column: str, source: StoredSource, columns: SourceColumns) -> str:
    actual = columns.types[column]
    where = f"column {column!r} of {columns.origin}"
    zone = "Add timezone='UTC' (or for example 'Europe/Paris') to the source."
    if actual is None:
        return _text_time_problem(where, column, source, columns)
    if pa.types.is_timestamp(actual):
        naive = actual.tz is None and source.timezone is None
        return f"{where} has times without a time zone. {zone}" if naive else ""
    if pa.types.is_date(actual):
        return f"{where} has days without a time zone. {zone}" if source.timezone is None else ""
    if pa.types.is_integer(actual):
        fix = "Add unit='s', 'ms' or 'us' (since 1970-01-01 UTC) to the source."
        return f"{where} has whole numbers. {fix}" if source.unit is None else ""
    if pa.types.is_string(actual) or pa.types.is_large_string(actual):
        return ""  # whether its values are times, only the run sees
    return f"{where} is {_type_name(actual)}, which is no time. Cast it in the data."


def _text_time_problem(
    where: str, column: str, source: StoredSource, columns: SourceColumns
) -> str:
    if source.unit is not None:
        return ""
    for row, text in columns.values.get(column, ()):
        moment = _moment(text)
        if moment is not None and moment.tzinfo is None and source.timezone is None:
            return (
                f"{where} has times without an offset, such as {text!r} in row {row}. "
                "Add timezone='UTC' (or for example 'Europe/Paris') to the source."
            )
    return ""


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text.strip())
    except ValueError:
        return None
