"""The columns that a source's file has by itself: of its footer, its header, or its objects."""

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from featurestore.definitions.model.source import FileSource, format_of
from featurestore.engines.files.csv_rows import csv_header
from featurestore.engines.files.json_rows import JsonNumber, json_objects
from featurestore.engines.files.parquet_rows import parquet_schema
from featurestore.engines.files.problem import FileProblemError, source_error
from featurestore.engines.files.read import opening_problem
from featurestore.store.source_files import SourceFile, folder_values, open_file

TEXT = "text"
_FEW_OBJECTS = 1000


@dataclass(frozen=True)
class FileColumns:
    """The columns of a file.

    Args:
        types: The Arrow type of each column of a Parquet file. In other files a column has no
            type: the kind of its values as a text, such as ``"text"`` or ``"number"``.
        is_whole: Whether the file has no other columns: of a long JSON file, only the first
            objects are looked at.
    """

    types: Mapping[str, pa.DataType | str]
    is_whole: bool = True


def file_columns(source: FileSource, file: SourceFile) -> FileColumns:
    """Return the columns of a file and of its folders' names; of JSON sorted by name.

    Raises:
        SourceError: The file cannot be read in its format.
    """
    try:
        found = _of_file(source, file)
    except (FileProblemError, OSError) as error:
        problem = error if isinstance(error, FileProblemError) else opening_problem(error)
        raise source_error(problem, f"read source {source.name!r}", file.address) from None
    folders = dict.fromkeys(folder_values(file.name), TEXT)
    return FileColumns({**folders, **found.types}, found.is_whole)


def _of_file(source: FileSource, file: SourceFile) -> FileColumns:
    kind = source.file_format or format_of(file.name)
    if kind == "parquet":
        return FileColumns({each.name: each.type for each in parquet_schema(file)})
    with open_file(file.address, decompress=True) as stream:
        if kind == "json":
            return _of_objects(stream, source.encoding)
        is_tabs = ".tsv" in file.name.lower() and source.format is None
        delimiter = source.delimiter or ("\t" if is_tabs else ",")
        names = csv_header(stream, source.encoding, delimiter)
        return FileColumns(dict.fromkeys(names, TEXT), bool(names))


def _of_objects(stream: pa.NativeFile, encoding: str) -> FileColumns:
    kinds: dict[str, str] = {}
    for number, row in enumerate(json_objects(stream, encoding)):
        if number == _FEW_OBJECTS:
            return FileColumns(dict(sorted(kinds.items())), is_whole=False)
        for name, value in row.items():
            if kinds.get(name) in (None, _KINDS[type(None)]):
                kinds[name] = _KINDS[type(value)]
    return FileColumns(dict(sorted(kinds.items())), bool(kinds))


_KINDS: Mapping[type, str] = {
    type(None): "null",
    bool: "Boolean",
    str: TEXT,
    JsonNumber: "number",
    list: "list",
    dict: "object",
}
