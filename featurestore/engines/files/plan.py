"""What to read of a source's files: their format, and each column's type, checked file by file."""

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pyarrow as pa

from featurestore.definitions.model.source import FileFormat, FileSource, format_of
from featurestore.definitions.model.types import Field, Timestamp
from featurestore.engines.files.exact_arrow import can_hold, readable_type, stored_type
from featurestore.engines.files.parquet_rows import parquet_schema
from featurestore.engines.files.problem import FileProblemError, source_error
from featurestore.engines.files.task import FileTask, FileUnit, lacks_column, require_columns
from featurestore.errors import SourceError
from featurestore.store.columns import arrow_type
from featurestore.store.source_files import SourceFile, folder_values

_PART_BYTES = 256 << 20
_THREADS = 8

Schemas = dict[SourceFile, pa.Schema]
"""The columns of each file."""
UsedColumns = Mapping[str, Field | None]
"""Columns, with the fields that declare their types; None for one that no field declares."""


def plan_files(
    source: FileSource, files: Sequence[SourceFile], columns: UsedColumns | None = None
) -> FileTask:
    """Return how to read files of a source.

    Args:
        source: The source.
        files: The files to read.
        columns: The columns that the view uses, with the fields that declare their types; None if
            its transform may use any. Used for Parquet sources without a schema.

    Raises:
        SourceError: A file has another format, lacks a column, or has a column of a type that the
            declared type cannot hold; or nothing says which columns there are.
    """
    call = f"read source {source.name!r} ({source.origin})"
    kind = _format(source, files, call)
    if kind != "parquet" and not source.schema:
        raise SourceError(
            call,
            f"{kind} files have no column types, and the source declares no schema",
            "Add schema=(Field(...), ...) to the source.",
        )
    if kind != "parquet":
        return _text_task(source, kind, files, call)
    schemas = _schemas(files, call)
    if source.schema:
        return _declared_task(source, schemas, call)
    if not files:
        raise SourceError(
            call,
            "there are no files yet, and the source declares no schema",
            "Add schema=(Field(...), ...) to the source, or add the first file.",
        )
    return _undeclared_task(source, schemas, columns, call)


def units(files: Sequence[SourceFile], task: FileTask) -> list[FileUnit]:
    """Return the pieces of work: files, and the parts of large Parquet files.

    Args:
        files: The files to read.
        task: How to read them.
    """
    parts = {
        file.name: 1 + file.size // _PART_BYTES if task.format == "parquet" else 1
        for file in files
    }
    return [
        FileUnit(file.address, file.name, part, parts[file.name])
        for file in files
        for part in range(parts[file.name])
    ]


def _format(source: FileSource, files: Sequence[SourceFile], call: str) -> FileFormat:
    if source.file_format is not None:
        return source.file_format
    kinds = {format_of(file.name): file.name for file in files}
    known = [kind for kind in kinds if kind is not None]
    if len(kinds) == 1 and known:
        return known[0]
    if not files:
        found = "there are no files yet, and the source declares no format"
    elif None in kinds:
        found = f"the suffix of file {kinds[None]} says no format, and the source declares none"
    else:
        found = f"its files have several formats: {', '.join(sorted(kinds.values()))}"
    raise SourceError(call, found, 'Write format="parquet", "csv" or "json" on the source.')


def _text_task(
    source: FileSource, kind: FileFormat, files: Sequence[SourceFile], call: str
) -> FileTask:
    is_tabs = any(".tsv" in file.name.lower() for file in files) and source.format is None
    return FileTask(
        call,
        format=kind,
        fields=source.schema,
        # Times stay texts: Spark converts them, as those of other sources.
        schema=pa.schema(
            [
                (field.name, pa.string() if field.dtype == Timestamp else arrow_type(field.dtype))
                for field in source.schema
            ]
        ),
        optional=source.optional_columns,
        delimiter=source.delimiter or ("\t" if is_tabs else ","),
        encoding=source.encoding,
        null_values=source.null_values,
    )


def _schemas(files: Sequence[SourceFile], call: str) -> Schemas:
    """Return the columns of each file, those of its folders' names at the end, as texts."""

    def read(file: SourceFile) -> pa.Schema:
        try:
            schema = parquet_schema(file)
        except FileProblemError as problem:
            raise source_error(problem, call, file.path) from None
        except OSError as error:
            raise source_error(FileProblemError(str(error)), call, file.path) from None
        for name in folder_values(file.name):
            if name not in schema.names:
                schema = schema.append(pa.field(name, pa.string()))
        return schema

    with ThreadPoolExecutor(_THREADS) as pool:
        return dict(zip(files, pool.map(read, files), strict=True))


def _declared_task(source: FileSource, schemas: Schemas, call: str) -> FileTask:
    task = FileTask(
        call,
        format="parquet",
        fields=source.schema,
        schema=pa.schema([]),
        optional=source.optional_columns,
    )
    for file, schema in schemas.items():
        try:
            require_columns(schema.names, task)
        except FileProblemError as problem:
            raise source_error(problem, call, file.path) from None
    types = [(field.name, _declared_type(field, schemas, call)) for field in source.schema]
    return replace(task, schema=pa.schema(types))


def _declared_type(field: Field, schemas: Schemas, call: str) -> pa.DataType:
    """Return the type to read a declared column in, after a check of each file."""
    for file, schema in schemas.items():
        try:
            _require_type(field, schema, file)
        except FileProblemError as problem:
            raise source_error(problem, call, file.path) from None
    return _stored_type(field, schemas, call)


def _require_type(field: Field, schema: pa.Schema, file: SourceFile) -> None:
    if field.name not in schema.names or field.name in folder_values(file.name):
        return
    actual = schema.field(field.name).type
    if not can_hold(field.dtype, actual):
        raise FileProblemError(
            f"column {field.name!r} is {actual}, declared as {field.dtype} ({field.origin})",
            "Correct the declared type, or write the column with it. Or convert the column in the "
            "view's transform.",
        )


def _stored_type(field: Field, schemas: Schemas, call: str) -> pa.DataType:
    """Return the type to read a declared column in; all its times have a zone, or none has."""
    actual = {
        stored_type(field.dtype, schema.field(field.name).type): file
        for file, schema in schemas.items()
        if field.name in schema.names and not pa.types.is_null(schema.field(field.name).type)
    }
    if len(actual) > 1:
        raise _two_types(field.name, "a time with a zone and one without", actual.values(), call)
    if field.dtype == Timestamp and any(
        field.name in folder_values(file.name) for file in schemas
    ):
        return pa.string()
    return next(iter(actual), arrow_type(field.dtype))


def _two_types(name: str, found: str, files: Collection[SourceFile], call: str) -> SourceError:
    first, second, *_ = (file.path for file in files)
    return SourceError(
        call,
        f"column {name!r} is {found}: in files {first} and {second}",
        "Write all files alike.",
    )


def _undeclared_task(
    source: FileSource, schemas: Schemas, columns: UsedColumns | None, call: str
) -> FileTask:
    """Return how to read a source without a schema; a view's fields declare types, too."""
    names = list(dict.fromkeys(name for schema in schemas.values() for name in schema.names))
    declared = {} if columns is None else {name: field for name, field in columns.items() if field}
    used = names if columns is None else [name for name in names if name in columns]
    reasons: dict[str, str] = {}
    types: list[tuple[str, pa.DataType]] = []
    for name in used:
        if name in declared:
            types.append((name, _declared_type(declared[name], schemas, call)))
            continue
        kind = _common_type(name, schemas)
        if isinstance(kind, str):
            reasons[name] = kind
        types.append((name, pa.string() if isinstance(kind, str) else kind))
    if columns is not None:
        _require_used(source, used, reasons, schemas, call)
    return FileTask(
        call,
        format="parquet",
        fields=tuple(declared.values()),
        schema=pa.schema(types),
        optional=source.optional_columns,
        lazy=tuple(used) if columns is None else (),
        unreadable=tuple(reasons.items()),
    )


def _require_used(
    source: FileSource,
    used: Sequence[str],
    reasons: dict[str, str],
    schemas: Schemas,
    call: str,
) -> None:
    for name in used:
        if name in reasons:
            fix = "Declare schema= with its type on the source, or write it with another type."
            raise SourceError(call, reasons[name], fix)
        for file, schema in schemas.items():
            if name not in schema.names and name not in source.optional_columns:
                raise source_error(lacks_column(name, schema.names), call, file.path)


def _common_type(name: str, schemas: Schemas) -> pa.DataType | str:
    """Return a type for a column's values in all files, or why there is none."""
    files = {
        schema.field(name).type: file for file, schema in schemas.items() if name in schema.names
    }
    common = pa.schema([])
    for actual, file in files.items():
        kind = readable_type(actual)
        if kind is None:
            return (
                f"column {name!r} is {actual} in file {file.path}, a type that Spark does not have"
            )
        if pa.types.is_null(actual):
            continue
        try:
            common = pa.unify_schemas(
                [common, pa.schema([(name, kind)])], promote_options="permissive"
            )
        except (pa.ArrowTypeError, pa.ArrowInvalid):
            first = common.field(name).type
            return f"column {name!r} is {first} in some files and {actual} in file {file.path}"
    return common.field(name).type if common.names else pa.string()
