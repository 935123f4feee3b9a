"""The columns of a table that a profile describes, and how their values are read."""

from collections.abc import Collection, Iterator
from dataclasses import KW_ONLY, dataclass
from typing import Literal

import pyarrow as pa

from featurestore.definitions.model.view import FeatureView
from featurestore.registry.lineage.personal import personal_columns
from featurestore.store.columns import EVENT_TIME, UTC_MICROS, arrow_type

Kind = Literal["number", "time", "text", "boolean", "other"]


@dataclass(frozen=True)
class ProfiledColumn:
    """A column to describe.

    Args:
        name: The column's name.
        type: The name of its type in a profile.
        kind: Which statistics its values have.
        personal: Whether no single value of it may be in a profile.
        key: Whether its values identify somebody or something: only counts are in a profile.
    """

    name: str
    _: KW_ONLY
    type: str
    kind: Kind
    personal: bool = False
    key: bool = False


def stored_columns_of(view: FeatureView) -> tuple[ProfiledColumn, ...]:
    """Return the columns of a view's table that its profile describes.

    These are the keys, the event time and the schema.

    Args:
        view: The view.

    Example:
        >>> from featurestore.definitions.model.source import DeltaSource
        >>> from featurestore.definitions.model.types import Field, Float64
        >>> paid = DeltaSource("paid", path="p", timestamp_field="at")
        >>> view = FeatureView("v", entities=(), source=paid, schema=(Field("x", Float64),))
        >>> [(each.name, each.type) for each in stored_columns_of(view)]
        [('event_timestamp', 'timestamp'), ('x', 'Float64')]
    """
    keys, personal = {key.name for key in view.join_keys}, personal_columns(view)
    time = ProfiledColumn(EVENT_TIME, type="timestamp", kind="time")
    fields = [
        profiled(
            field.name,
            arrow_type(field.dtype),
            type_name=str(field.dtype),
            personal=field.name in personal,
            key=field.name in keys,
        )
        for field in (*view.join_keys, *view.schema)
    ]
    return (*fields[: len(keys)], time, *fields[len(keys) :])


def personal_features(view: FeatureView) -> frozenset[str]:
    """Return the features that show values of a personal field, or of one that is made from it.

    A number of rows, or of different values, shows no value.

    Args:
        view: The view.

    Example:
        >>> from featurestore.definitions.model.source import DeltaSource
        >>> from featurestore.definitions.model.types import Field, String
        >>> paid = DeltaSource("paid", path="p", timestamp_field="at")
        >>> name = Field("name", String, personal=True)
        >>> personal_features(FeatureView("v", entities=(), source=paid, schema=(name,)))
        frozenset({'name'})
    """
    personal = personal_columns(view)
    if not view.aggregations:
        return personal
    return frozenset(
        name
        for aggregation in view.aggregations
        if shows_values(aggregation.function, aggregation.column, aggregation.by, personal)
        for name in aggregation.feature_names
    )


def shows_values(
    function: str | None, column: str, by: str | None, personal: Collection[str]
) -> bool:
    """Return whether a feature shows values of personal columns.

    Args:
        function: The aggregation function; None for an as-of feature.
        column: Its column.
        by: The column whose values are the keys of its map; None for no map.
        personal: The personal columns.

    Example:
        >>> shows_values("max", "age", None, {"age"}), shows_values("count", "age", None, {"age"})
        (True, False)
    """
    counts = function is not None and function.startswith("count")
    return by in personal or (column in personal and not counts)


def table_columns(
    schema: pa.Schema, names: Collection[str], personal: Collection[str] = ()
) -> Iterator[ProfiledColumn]:
    """Yield columns of an Arrow table as columns to describe.

    Args:
        schema: The table's schema.
        names: The columns, in the order of the result.
        personal: Those that are personal.

    Example:
        >>> [each.kind for each in table_columns(pa.schema([("x", pa.int64())]), ["x"])]
        ['number']
    """
    for name in names:
        yield profiled(name, schema.field(name).type, personal=name in personal)


def profiled(
    name: str,
    dtype: pa.DataType,
    *,
    type_name: str = "",
    personal: bool = False,
    key: bool = False,
) -> ProfiledColumn:
    """Return a column to describe, from its Arrow type.

    Args:
        name: The column's name.
        dtype: Its Arrow type.
        type_name: The name of its type in definitions; by default the one of the Arrow type.
        personal: Whether no single value of it may be in a profile.
        key: Whether only its counts may be in a profile.

    Example:
        >>> profiled("day", pa.date32())
        ProfiledColumn(name='day', type='date', kind='time', personal=False, key=False)
    """
    kind = _kind(dtype)
    if kind == "time":
        type_name = "date" if pa.types.is_date(dtype) else "timestamp"
    return ProfiledColumn(
        name,
        type=type_name or _NAMES_OF_KINDS.get(kind) or _NAMES.get(dtype, str(dtype)),
        kind=kind,
        personal=personal or key,
        key=key,
    )


_NAMES = {
    pa.int32(): "Int32",
    pa.int64(): "Int64",
    pa.float32(): "Float32",
    pa.float64(): "Float64",
    UTC_MICROS: "timestamp",
}


# Texts of all Arrow types are compared with each other.
_NAMES_OF_KINDS: dict[Kind, str] = {"text": "String", "boolean": "Boolean"}


def _kind(dtype: pa.DataType) -> Kind:
    kinds: tuple[tuple[Kind, tuple[bool, ...]], ...] = (
        ("number", (pa.types.is_integer(dtype), pa.types.is_floating(dtype), _decimal(dtype))),
        ("time", (pa.types.is_timestamp(dtype), pa.types.is_date(dtype))),
        ("text", (pa.types.is_string(dtype), pa.types.is_large_string(dtype), _view(dtype))),
        ("boolean", (pa.types.is_boolean(dtype),)),
    )
    if pa.types.is_dictionary(dtype):
        return _kind(dtype.value_type)
    return next((kind for kind, holds in kinds if any(holds)), "other")


def _decimal(dtype: pa.DataType) -> bool:
    return bool(pa.types.is_decimal(dtype))


def _view(dtype: pa.DataType) -> bool:
    return bool(pa.types.is_string_view(dtype))
