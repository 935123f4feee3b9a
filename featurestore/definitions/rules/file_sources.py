"""Rules of file sources: the options of text files, and the columns that files may lack."""

import codecs
from collections.abc import Iterator

from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.source import FileSource
from featurestore.definitions.model.types import Array, Map
from featurestore.definitions.rules.issue import Issue, label
from featurestore.errors import nearest

_TEXT_OPTIONS = ("delimiter", "encoding", "null_values")


def text_files_have_a_schema(manifest: Manifest) -> Iterator[Issue]:
    """Yield CSV and JSON sources without a schema: their files contain no types."""
    for source in _files(manifest):
        if source.file_format in ("csv", "json") and not source.schema:
            text = (
                f"{label(source)} has no schema, and {source.file_format} files contain no types"
            )
            yield Issue(source.origin, f"{text}. Add schema=(Field(...),).")


def csv_columns_are_no_lists(manifest: Manifest) -> Iterator[Issue]:
    """Yield lists in the schema of a CSV source: its values are single texts."""
    for source in _files(manifest):
        for column in source.schema if source.file_format == "csv" else ():
            if isinstance(column.dtype, Array | Map):
                text = f"{label(source)}: column {column.name!r} is {column.dtype} in CSV files"
                fix = "Declare it as String, and split it in the view's transform."
                yield Issue(source.origin, f"{text}. {fix}")


def text_options_are_valid(manifest: Manifest) -> Iterator[Issue]:
    """Yield options of text files that are no delimiter or encoding, or have no effect."""
    for source in _files(manifest):
        if source.delimiter is not None and not _is_delimiter(source.delimiter):
            text = f"delimiter is {source.delimiter!r}, not one ASCII character"
            fix = "Write for example delimiter=';' or delimiter='\\t'."
            yield Issue(source.origin, f"{label(source)}: {text}. {fix}")
        if not _is_encoding(source.encoding):
            text = f"encoding {source.encoding!r} is unknown"
            fix = "Write for example encoding='utf-8', 'latin-1' or 'cp1252'."
            yield Issue(source.origin, f"{label(source)}: {text}. {fix}")
        yield from _without_effect(source)


def optional_columns_may_be_null(manifest: Manifest) -> Iterator[Issue]:
    """Yield optional columns that the schema lacks, or whose null would drop the file's rows."""
    for source in _files(manifest):
        declared = [column.name for column in source.schema]
        for name in source.optional_columns:
            text = ""
            if declared and name not in declared:
                text = f"optional_columns has {name!r}, which the schema lacks. "
                text += nearest(name, declared)
            elif name == source.timestamp_field:
                text = f"optional_columns has the timestamp_field {name!r}: without it, all rows "
                text += "of a file would be left out. Remove it."
            if text:
                yield Issue(source.origin, f"{label(source)}: {text}")


RULES = (
    text_files_have_a_schema,
    csv_columns_are_no_lists,
    text_options_are_valid,
    optional_columns_may_be_null,
)


def _files(manifest: Manifest) -> list[FileSource]:
    return [source for source in manifest.sources if isinstance(source, FileSource)]


def _is_delimiter(text: str) -> bool:
    return len(text) == 1 and text.isascii() and text not in '"\r\n\0'


def _is_encoding(name: str) -> bool:
    try:
        codecs.lookup(name)
        "".encode(name)
    except (LookupError, ValueError):
        return False
    return True


def _without_effect(source: FileSource) -> Iterator[Issue]:
    """Yield options that the format does not have."""
    unused = {"parquet": _TEXT_OPTIONS, "json": ("delimiter", "null_values")}
    defaults = FileSource("defaults", path="defaults", timestamp_field="defaults")
    for name in unused.get(source.file_format or "", ()):
        if getattr(source, name) != getattr(defaults, name):
            text = f"{name}= has no effect on {source.file_format} files. Remove it."
            yield Issue(source.origin, f"{label(source)}: {text}")
