"""Rows of a notebook as rows of a source: appended to its Delta table, or as a Parquet file."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable, write_deltalake

from featurestore.client.plain_types import plain_column
from featurestore.client.spines.read import read_spine
from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.source import DeltaSource, FileSource, StoredSource, format_of
from featurestore.definitions.model.types import Field, Timestamp
from featurestore.definitions.model.view import FeatureView
from featurestore.engines.files.exact_arrow import can_hold, exact, readable_type, stored_type
from featurestore.engines.files.exact_text import UnfitValueError
from featurestore.errors import NotFoundError, RequestError, SpineError, nearest
from featurestore.store.delta.log import is_table
from featurestore.store.failures import storage_errors
from featurestore.store.layout import Layout
from featurestore.store.paths import catalog_table, is_local, local_path
from featurestore.store.source_files import FilePath


def write_source(manifest: Manifest, layout: Layout, name: str, data: Any) -> int:
    """Add rows to a source, and return their number.

    Args:
        manifest: The loaded definitions.
        layout: The addresses of the project.
        name: The source's name.
        data: A frame, an Arrow table, or a list of dicts.

    Raises:
        NotFoundError: No such source is declared.
        RequestError: The data lacks a column or has a value of another type, or the source is none
            that rows can be added to. Nothing was written.
        StorageError: The disk or the object store failed.
    """
    call = f"write_source({name!r})"
    source = _source(manifest, name, call)
    uri = layout.source(source.location)
    if table := catalog_table(uri):
        found = f"source {name!r} is table {table!r} of a catalog, to which only Spark can write"
        raise RequestError(call, found, "Write with Spark: rows.writeTo(...).append().")
    try:
        rows = _plain(read_spine(data))
    except SpineError as error:
        raise RequestError(call, error.found, error.fix) from None
    views = _plain_views(manifest, source)
    declared = _declared(source, views)
    with storage_errors(call, uri):
        if isinstance(source, DeltaSource) and is_table(uri):
            _append(uri, rows, call)
        else:
            needed = [*declared, *(_role_columns(source) if views else ())]
            _require_columns(source, needed, rows, call)
            _require_zone(source, declared, rows, call, is_used=bool(views))
            typed = _typed(declared, rows, call)
            if isinstance(source, FileSource):
                _write_file(source, uri, typed, call)
            else:
                _create(uri, typed)
    return int(rows.num_rows)


def _source(manifest: Manifest, name: str, call: str) -> StoredSource:
    stored = [each for each in manifest.sources if isinstance(each, StoredSource)]
    if not isinstance(name, str):
        raise RequestError(
            "write_source(name, rows)",
            f"name is a {type(name).__name__}",
            "Pass the source's name first, then the rows.",
        )
    source = next((each for each in stored if each.name == name), None)
    if source is None:
        raise NotFoundError(
            call,
            f"no DeltaSource or FileSource {name!r} is declared",
            nearest(name, (each.name for each in stored)),
        )
    return source


def _plain_views(manifest: Manifest, source: StoredSource) -> list[FeatureView]:
    """Return the views that use the source's columns as they are, without a transform."""
    views = (view for view in manifest.views if not isinstance(view.source, FeatureView))
    return [view for view in views if view.source.name == source.name and view.transform is None]


def _declared(source: StoredSource, views: Sequence[FeatureView]) -> dict[str, Field]:
    """Return the columns with a declared type: of the source, or else of its views."""
    fields = source.schema if isinstance(source, FileSource) else ()
    if not fields:
        fields = tuple(field for view in views for field in (*view.join_keys, *view.schema))
    return {field.name: field for field in fields}


def _role_columns(source: StoredSource) -> list[str]:
    roles = source.roles
    return [*filter(None, roles.columns.values()), *roles.unique_by]


def _require_columns(
    source: StoredSource, needed: Sequence[str], rows: pa.Table, call: str
) -> None:
    """Check that the rows have the columns that the source or its views need."""
    optional = source.optional_columns if isinstance(source, FileSource) else ()
    for name in needed:
        if name not in rows.column_names and name not in optional:
            found = f"the rows have no column {name!r}, which the definitions need"
            raise RequestError(call, found, nearest(name, rows.column_names))


def _plain(rows: pa.Table) -> pa.Table:
    """Return rows without Arrow's encodings, which no table has."""
    for number, name in enumerate(rows.column_names):
        rows = rows.set_column(number, name, plain_column(rows.column(number)))
    return rows


def _require_zone(
    source: StoredSource,
    declared: Mapping[str, Field],
    rows: pa.Table,
    call: str,
    *,
    is_used: bool,
) -> None:
    """Check that times without a zone go only to columns that ``timezone=`` is for.

    If no view uses the source's times as they are, a transform may give them their zone.
    """
    roles = source.roles
    moments = {roles.timestamp_field, roles.available_timestamp_field}
    times: set[str | None] = {name for name in declared if declared[name].dtype == Timestamp}
    times |= moments if is_used else set()
    for name in rows.column_names:
        kind = rows.schema.field(name).type
        is_local = pa.types.is_timestamp(kind) and kind.tz is None
        may_have_zone = name in moments or isinstance(source, FileSource)
        is_known = may_have_zone and source.timezone is not None
        if name in times and is_local and not is_known:
            fix = "Convert the column, for example by pandas' .dt.tz_localize('Europe/Paris')."
            if may_have_zone:
                fix += " Or declare timezone= on the source."
            raise RequestError(call, f"the times of column {name!r} have no time zone", fix)


def _typed(declared: Mapping[str, Field], rows: pa.Table, call: str) -> pa.Table:
    """Return the rows with the declared types; each value is exact."""
    columns = {}
    for name in rows.column_names:
        actual = rows.schema.field(name).type
        kind = readable_type(actual) if not pa.types.is_null(actual) else actual
        if name in declared:
            dtype = declared[name].dtype
            if not can_hold(dtype, actual):
                found = f"column {name!r} is {actual}, declared as {dtype}"
                raise RequestError(call, found, "Cast the column, or correct the definition.")
            kind = stored_type(dtype, actual)
        columns[name] = _converted(name, rows[name], kind, call)
    return pa.table(columns)


def _create(uri: str, rows: pa.Table) -> None:
    if is_local(uri):
        Path(local_path(uri)).parent.mkdir(parents=True, exist_ok=True)
    # A column without a value or a declared type is of texts: Spark cannot read one of no type.
    types = [
        field.with_type(readable_type(field.type)) if pa.types.is_null(field.type) else field
        for field in rows.schema
    ]
    write_deltalake(uri, rows.cast(pa.schema(types)), mode="error")


def _append(uri: str, rows: pa.Table, call: str) -> None:
    existing = pa.schema(DeltaTable(uri).schema().to_arrow())
    for names, others, place in (
        (rows.column_names, existing.names, f"the table at {uri} has"),
        (existing.names, rows.column_names, "the rows have"),
    ):
        if missing := [name for name in names if name not in others]:
            found = f"{place} no column {missing[0]!r}"
            raise RequestError(call, found, nearest(missing[0], others))
    columns = {}
    for name in existing.names:
        actual, kind = rows.schema.field(name).type, existing.field(name).type
        if not _is_alike(kind, actual):
            found = f"column {name!r} is {actual}, and {kind} in the table at {uri}"
            raise RequestError(call, found, _cast_advice(name, kind, actual))
        columns[name] = _converted(name, rows[name], kind, call)
    write_deltalake(uri, pa.table(columns), mode="append")


def _is_alike(kind: pa.DataType, actual: pa.DataType) -> bool:
    """Return whether values can be those of a table's column.

    Arrow would convert others: texts to numbers and back, and local times as if they were UTC.
    """
    if pa.types.is_null(actual):
        return True
    if pa.types.is_list(kind) and hasattr(actual, "value_type"):
        return _is_alike(kind.value_type, actual.value_type)
    known = readable_type(actual)
    return known is None or _form(readable_type(kind) or kind) == _form(known)


def _form(kind: pa.DataType) -> str:
    numbers = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal)
    if any(is_kind(kind) for is_kind in numbers):
        return "number"
    if pa.types.is_timestamp(kind):
        return "local time" if kind.tz is None else "time"
    return "nested" if pa.types.is_nested(kind) else str(kind)


def _cast_advice(name: str, kind: pa.DataType, actual: pa.DataType) -> str:
    if pa.types.is_timestamp(kind) and pa.types.is_timestamp(actual):
        zone = "their time zone, for example 'Europe/Paris'" if kind.tz else "None"
        return f"Convert the column, for example by pandas' .dt.tz_localize(zone), with {zone}."
    return f"Cast the column {name!r} to the table's type."


def _write_file(source: FileSource, uri: str, rows: pa.Table, call: str) -> None:
    folder, path = Path(local_path(uri)), FilePath(uri)
    formats = {source.format or format_of(file.name) for file in path.files} or {"parquet"}
    if source.file_format not in (None, "parquet") or formats != {"parquet"}:
        problem = "its files are no Parquet files"
    elif not is_local(uri):
        problem = "it is in an object store"
    elif folder.is_dir():
        problem = ""
    elif folder.exists() or format_of(source.location) or path.is_pattern:
        problem = "it is a file or a pattern, and each call writes a new file"
    else:
        problem = ""
    if problem:
        raise RequestError(
            call,
            f"no rows can be added at the source's path {source.location!r}: {problem}",
            "Use a DeltaSource, or a FileSource with a local folder as path= and "
            "format='parquet'. Or write a file for the source yourself.",
        )
    folder.mkdir(parents=True, exist_ok=True)
    file = f"{uuid4().hex}.parquet"
    # Hidden until it is whole: a run reads each file once.
    pq.write_table(rows, folder / f".{file}")
    (folder / f".{file}").replace(folder / file)


def _converted(
    name: str, values: pa.ChunkedArray, kind: pa.DataType | None, call: str
) -> pa.ChunkedArray:
    if kind is None:
        found = f"column {name!r} is {values.type}, a type that tables do not have"
        raise RequestError(call, found, "Cast the column, or leave it out.")
    try:
        return pa.chunked_array([exact(chunk, kind) for chunk in values.chunks], kind)
    except UnfitValueError as error:
        found = (
            f"column {name!r} has the value {error.value!r}, which {kind} does not hold exactly"
        )
        raise RequestError(call, found, "Correct the value, or cast the column.") from None
