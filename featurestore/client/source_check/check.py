"""A look at the sources before a run, without Spark: what `plan` and `validate` say about them.

Only what would surely stop a run is reported. The run itself checks every file.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import singledispatch
from pathlib import Path

import pyarrow as pa
from deltalake.exceptions import DeltaError

from featurestore.client.source_check.columns import (
    SourceColumns,
    file_columns,
    has_data,
    table_columns,
)
from featurestore.client.source_check.contracts import contract_issues
from featurestore.client.source_check.times import text_problem, type_name, type_problem
from featurestore.credentials import without_credentials
from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.source import DeltaSource, FileSource, StoredSource
from featurestore.definitions.model.types import Field, Timestamp
from featurestore.definitions.model.view import FeatureView
from featurestore.definitions.rules.issue import NO_DATA, Issue, label
from featurestore.engines.files.exact_arrow import can_hold, widens
from featurestore.engines.files.first_rows import FirstRows, first_rows
from featurestore.errors import SetupError, SourceError, nearest, sentences
from featurestore.store.columns import used_columns
from featurestore.store.layout import Layout
from featurestore.store.paths import catalog_table, is_local, local_path
from featurestore.store.source_files import FilePath


def source_issues(manifest: Manifest, layout: Layout) -> list[Issue]:
    """Return every problem of the declared sources that can be seen without Spark.

    Args:
        manifest: The declared definitions.
        layout: The addresses of the sources.

    Returns:
        Each problem with the line of its definition. Its ``rule`` is `NO_DATA` for a source that
        has no data yet, or that only Spark can look at.

    Example:
        >>> source_issues(Manifest(), Layout("no/such/store"))
        []
    """
    issues: list[Issue] = []
    for source in manifest.sources:
        if not isinstance(source, DeltaSource | FileSource):
            continue
        try:
            uri = layout.source(source.location)
        except SetupError as error:  # the processes that read the source may have the variable
            text = f"{label(source)}: {sentences(error.found, error.fix)}"
            issues.append(Issue(source.origin, text, NO_DATA))
            continue
        if name := catalog_table(uri):
            text = f"only Spark can look at table {name!r} of a catalog: the first run checks it"
            issues.append(Issue(source.origin, f"{label(source)}: {text}", NO_DATA))
        elif is_local(uri):
            issues += _issues(manifest, source, uri, layout)
    # Problems name addresses.
    issues = [replace(each, message=without_credentials(each.message)) for each in issues]
    return sorted(dict.fromkeys(issues), key=lambda each: (each.origin.file, each.origin.line))


def _issues(manifest: Manifest, source: StoredSource, uri: str, layout: Layout) -> list[Issue]:
    if not has_data(source, uri):
        return [_missing(source, uri)]
    if refused := list(contract_issues(manifest, source, layout)):
        return refused
    readers = [each for each in manifest.views if each.source == source]
    # What needs the source's columns as they are; a transform may make any column.
    views = [each for each in readers if each.transform is None]
    try:
        return list(_look(source, views, uri, _time_columns(source, readers)))
    except SourceError as error:
        text = sentences(error.found, error.fix)
    except (OSError, ValueError, DeltaError, pa.ArrowException) as error:
        text = f"{uri} cannot be read: {str(error).splitlines()[0]}. Correct path=, or the data."
    return [Issue(source.origin, f"{label(source)}: {text}")]


def _missing(source: StoredSource, uri: str) -> Issue:
    if isinstance(source, FileSource) and Path(local_path(uri)).is_dir():
        absent = "schema" if source.file_format else "format"
        if not source.schema or not source.file_format:
            text = f"there is no data file in {uri}, and the source declares no {absent}"
            fix = f"Declare {absent}= on the source, or add the first file."
            return Issue(source.origin, f"{label(source)}: {text}. {fix}")
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


def _type_problem(field: Field, source: StoredSource, columns: SourceColumns) -> str:
    actual = columns.types[field.name]
    if actual is None or field.name in source.roles.columns.values():
        return ""
    # A table's columns are cast. A file's values are compared one by one when they are read.
    is_table = isinstance(source, DeltaSource)
    if widens(actual, field.dtype) if is_table else can_hold(field.dtype, actual):
        return ""
    return (
        f"column {field.name!r} of {columns.origin} is {type_name(actual)}, but it is declared "
        f"as {field.dtype}. Declare its type, or cast it in a transform."
    )


def _absent(owner: StoredSource | FeatureView, name: str, columns: SourceColumns) -> Issue:
    near = nearest(name, columns.types)
    return Issue(owner.origin, f"{label(owner)}: {columns.origin} has no column {name!r}. {near}")


@singledispatch
def _look(
    source: StoredSource, views: Sequence[FeatureView], uri: str, times: Sequence[str]
) -> Iterator[Issue]:
    raise TypeError(source)


@_look.register
def _(
    source: DeltaSource, views: Sequence[FeatureView], uri: str, times: Sequence[str]
) -> Iterator[Issue]:
    yield from _column_issues(source, views, table_columns(source, uri), times)


@_look.register
def _(
    source: FileSource, views: Sequence[FeatureView], uri: str, times: Sequence[str]
) -> Iterator[Issue]:
    path = FilePath(uri)
    if table := path.table_format:
        raise SourceError(
            f"read source {source.name!r}",
            f"{uri} is a {table} table, whose files hold rows that were replaced",
            "Declare a DeltaSource for a Delta table, or export the rows of another table.",
        )
    newest = max(path.files, key=lambda file: (file.modified_at, file.path))
    columns = file_columns(source, newest)
    issues = [] if columns is None else list(_column_issues(source, views, columns, times))
    yield from issues
    if issues:
        return
    if source.schema or not views:
        yield from _row_issues(source, first_rows(source, path.files), times)
        return
    for view in views:
        rows = first_rows(source, path.files, used_columns(view))
        yield from _row_issues(source, rows, times, view)


def _column_issues(
    source: StoredSource,
    views: Sequence[FeatureView],
    columns: SourceColumns,
    times: Sequence[str],
) -> Iterator[Issue]:
    """Yield columns that are missing or have a type that cannot be read as declared."""
    declared: tuple[Field, ...] = getattr(source, "schema", ())
    optional: tuple[str, ...] = getattr(source, "optional_columns", ())
    for field in declared:
        if field.name not in columns.types:
            if field.name not in optional:
                yield _absent(source, field.name, columns)
        elif problem := _type_problem(field, source, columns):
            yield Issue(field.origin, f"{label(source)}: {problem}")
    for column in times:
        if problem := type_problem(column, source, columns):
            yield Issue(source.origin, f"{label(source)}: {problem}")
    names = {field.name for field in declared} | set(optional)
    for view in views:
        yield from _view_issues(view, source, columns, names)


def _view_issues(
    view: FeatureView, source: StoredSource, columns: SourceColumns, declared: set[str]
) -> Iterator[Issue]:
    """Yield columns that a view needs, beside those that the source declares."""
    fields = {field.name: field for field in (*view.join_keys, *view.schema)}
    for name in used_columns(view) or ():
        if name in declared:
            continue
        if name not in columns.types:
            yield _absent(view if name in fields else source, name, columns)
        elif name in fields and (problem := _type_problem(fields[name], source, columns)):
            yield Issue(fields[name].origin, f"{label(view)}: {problem}")


def _row_issues(
    source: FileSource, rows: FirstRows, times: Sequence[str], view: FeatureView | None = None
) -> Iterator[Issue]:
    """Yield what is wrong with the first rows of a file."""
    fields = source.schema if view is None else (*view.join_keys, *view.schema)
    origins = {field.name: field.origin for field in fields}
    owner = source if view is None else view
    for name, unfit in rows.problems.items():
        text = sentences(f"file {rows.file}: {unfit.found}", unfit.fix)
        yield Issue(origins.get(name, source.origin), f"{label(owner)}: {text}")
    for column in times:
        values = rows.columns.get(column)
        if values is not None and (problem := text_problem(column, values, source)):
            text = f"{label(source)}: column {column!r} of {rows.file} {problem}"
            yield Issue(source.origin, text)


def _time_columns(source: StoredSource, readers: Sequence[FeatureView]) -> list[str]:
    """Return the columns whose values a run reads as times.

    Args:
        source: The source.
        readers: The views that read it.
    """
    declared: tuple[Field, ...] = getattr(source, "schema", ())
    times = [field.name for field in declared if field.dtype == Timestamp]
    roles = (source.roles.timestamp_field, source.roles.available_timestamp_field)
    if readers and all(view.snapshot for view in readers):
        return [name for name in times if name not in roles]  # a snapshot view ignores them
    # A transform may make the times.
    is_used = any(view.transform is None and not view.snapshot for view in readers)
    return list(dict.fromkeys([*times, *(name for name in roles if name and is_used)]))
