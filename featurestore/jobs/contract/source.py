"""The columns of a source as they are now, and whether they are as a view's definitions say."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import pyarrow as pa

from featurestore.definitions.model.source import DeltaSource, FileSource, StoredSource
from featurestore.definitions.model.types import SCALARS, Array, DataType, Decimal, Field
from featurestore.definitions.model.view import FeatureView
from featurestore.engines.files.columns import file_columns
from featurestore.engines.files.exact_arrow import can_hold, readable_type, widens
from featurestore.jobs.contract.changes import UNKNOWN, Column, Schema
from featurestore.store.columns import arrow_type, used_columns
from featurestore.store.delta.snapshot import open_table
from featurestore.store.source_files import SourceFile

_NARROW = {str(each): each for each in (pa.int8(), pa.int16())}


@dataclass(frozen=True)
class SourceColumns:
    """The columns of a Delta table, or of one file.

    Args:
        origin: The file's name; ``""`` for a table.
        types: The Arrow type of each column, in order; a text for a file without types.
        is_whole: Whether there are no other columns.
        is_table: Whether they are those of a Delta table, whose columns Spark casts. The values of
            files are compared one by one.
    """

    origin: str
    types: Mapping[str, pa.DataType | str]
    is_whole: bool = True
    is_table: bool = False

    @property
    def schema(self) -> Schema:
        """The columns as a schema."""
        return tuple(Column(name, type_text(kind)) for name, kind in self.types.items())

    def has_none_of(self, needed: Collection[str]) -> bool:
        """Return whether a text file has none of the needed columns, so that it has others."""
        is_text = any(isinstance(kind, str) for kind in self.types.values())
        return bool(needed) and is_text and self.types.keys().isdisjoint(needed)

    def fits(self, name: str, dtype: DataType) -> bool:
        """Return whether the values of a column may be values of a declared type.

        The values of files without types are compared when they are read.
        """
        actual = self.types[name]
        if isinstance(actual, str):
            return True
        return widens(actual, dtype) if self.is_table else can_hold(dtype, actual)


def table_columns(uri: str) -> SourceColumns:
    """Return the columns of a Delta table, from its log."""
    schema = pa.schema(open_table(uri).schema().to_arrow())
    return SourceColumns("", {each.name: each.type for each in schema}, is_table=True)


def columns_of_file(source: FileSource, file: SourceFile) -> SourceColumns:
    """Return the columns of a file.

    Raises:
        SourceError: The file cannot be read.
    """
    found = file_columns(source, file)
    return SourceColumns(file.name, found.types, found.is_whole)


def declared_columns(view: FeatureView, source: StoredSource) -> Mapping[str, Field | None]:
    """Return the source's columns that a run needs, with the fields that declare their types.

    Example:
        >>> paid = DeltaSource("paid", path="p", timestamp_field="at")
        >>> declared_columns(FeatureView("v", entities=(), source=paid, schema=()), paid)
        {'at': None}
    """
    fields = {} if isinstance(source, DeltaSource) else {each.name: each for each in source.schema}
    times = set(source.roles.columns.values())
    needed = {**(used_columns(view) or {}), **fields}
    # The run itself checks times: their types depend on timezone= and unit= too.
    return {name: None if name in times else field for name, field in needed.items()}


def unmet(
    columns: SourceColumns, needed: Mapping[str, Field | None], optional: tuple[str, ...] = ()
) -> Iterator[str]:
    """Yield the needed columns that are absent, or of a type that the declared one does not hold.

    Args:
        columns: The columns as they are.
        needed: From `declared_columns`.
        optional: The columns that a file may lack.
    """
    for name, field in needed.items():
        if name not in columns.types:
            if columns.is_whole and name not in optional:
                yield name
        elif field is not None and not columns.fits(name, field.dtype):
            yield name


def is_wider(columns: SourceColumns, old: Column, new: Column) -> bool:
    """Return whether a column that no definition declares still has values of its old type.

    Or whether its new type has all values of the old one.

    Args:
        columns: The columns as they are.
        old: The column before.
        new: The column now.
    """
    dtype, wider = declared_type(old.type), declared_type(new.type)
    if isinstance(columns.types[new.name], str):
        return False
    if dtype is not None and columns.fits(new.name, dtype):
        return True
    actual = _NARROW.get(old.type) if dtype is None else arrow_type(dtype)
    return actual is not None and wider is not None and widens(actual, wider)


def type_text(actual: pa.DataType | str) -> str:
    """Return a type as definitions write it, where they have it; else Arrow's name.

    It is the type in which a run reads the column: a dictionary of texts is a text.

    Example:
        >>> type_text(pa.int64()), type_text(pa.decimal128(10, 2)), type_text(pa.int8())
        ('Int64', 'Decimal(10, 2)', 'int8')
    """
    if isinstance(actual, str):
        return actual
    if pa.types.is_null(actual):
        return UNKNOWN
    actual = readable_type(actual) or actual
    if pa.types.is_decimal(actual):
        return str(Decimal(actual.precision, actual.scale))
    if pa.types.is_list(actual):
        return f"Array({type_text(actual.value_type)})"
    return next((str(each) for each in SCALARS if arrow_type(each).equals(actual)), str(actual))


def declared_type(text: str) -> DataType | None:
    """Return the type of a text by `type_text`; None for a type that definitions do not have.

    Example:
        >>> declared_type("Array(Int64)"), declared_type("int8") is None
        (Array(Int64), True)
    """
    if decimal := re.fullmatch(r"Decimal\((\d+), (\d+)\)", text):
        return Decimal(int(decimal[1]), int(decimal[2]))
    if array := re.fullmatch(r"Array\((.+)\)", text):
        item = declared_type(array[1])
        return None if item is None else Array(item)
    return next((each for each in SCALARS if str(each) == text), None)
