"""The columns of a feature table, and the Arrow types of the definitions' types.

A feature table has these columns, in this order: the join keys, ``event_timestamp``,
``available_timestamp``, ``_seq`` and ``_deleted`` if declared, the ``unique_by`` columns that are
neither keys nor values, the values, and ``_row_hash``. Its files are sorted by (keys,
event_timestamp).
"""

from collections.abc import Mapping
from functools import singledispatch

import pyarrow as pa

from featurestore.definitions.model.types import (
    Array,
    Binary,
    Boolean,
    DataType,
    Date,
    Decimal,
    Field,
    Float32,
    Float64,
    Int32,
    Int64,
    Map,
    Scalar,
    String,
    Timestamp,
)
from featurestore.definitions.model.view import FeatureView
from featurestore.definitions.reserved import (
    AVAILABLE_TIME,
    DELETED,
    EVENT_TIME,
    RESERVED,
    ROW_HASH,
    SEQUENCE,
)

__all__ = [
    "AVAILABLE_TIME",
    "DELETED",
    "EVENT_TIME",
    "RESERVED",
    "ROW_HASH",
    "SEQUENCE",
    "UTC_MICROS",
    "arrow_type",
    "extra_columns",
    "required_columns",
    "sort_names",
    "stored_columns",
    "used_columns",
]

UTC_MICROS = pa.timestamp("us", tz="UTC")

_ARROW = {
    Int32: pa.int32(),
    Int64: pa.int64(),
    Float32: pa.float32(),
    Float64: pa.float64(),
    Boolean: pa.bool_(),
    String: pa.string(),
    Timestamp: UTC_MICROS,
    Date: pa.date32(),
    Binary: pa.binary(),
}


@singledispatch
def arrow_type(dtype: DataType) -> pa.DataType:
    """Return the Arrow type of the values of a definition's type, stored and in answers.

    Example:
        >>> arrow_type(Array(Float32))
        ListType(list<element: float>)
    """
    raise TypeError(dtype)


@arrow_type.register
def _(dtype: Scalar) -> pa.DataType:
    return _ARROW[dtype]


@arrow_type.register
def _(dtype: Decimal) -> pa.DataType:
    return pa.decimal128(dtype.precision, dtype.scale)


@arrow_type.register
def _(dtype: Array) -> pa.DataType:
    return pa.list_(pa.field("element", arrow_type(dtype.item)))


@arrow_type.register
def _(dtype: Map) -> pa.DataType:
    return pa.map_(arrow_type(dtype.key), arrow_type(dtype.value))


def extra_columns(view: FeatureView) -> tuple[str, ...]:
    """Return the ``unique_by`` columns that are stored only to identify events."""
    others = {field.name for field in (*view.join_keys, *view.schema)} | set(RESERVED)
    return tuple(name for name in view.unique_columns if name not in others)


def sort_names(view: FeatureView) -> tuple[str, ...]:
    """Return the columns that feature files are sorted by: the keys, then the event time."""
    return (*(key.name for key in view.join_keys), EVENT_TIME)


def stored_columns(view: FeatureView) -> tuple[str, ...]:
    """Return the names of the view's stored columns, in order.

    Example:
        >>> from featurestore.definitions.model.source import DeltaSource
        >>> paid = DeltaSource("paid", path="p", timestamp_field="at", sequence_field="n")
        >>> view = FeatureView("v", entities=(), source=paid, schema=(Field("x", Float64),))
        >>> stored_columns(view)
        ('event_timestamp', 'available_timestamp', '_seq', 'x', '_row_hash')
    """
    optional = ((SEQUENCE, view.has_sequence), (DELETED, view.has_tombstones))
    return (
        *(key.name for key in view.join_keys),
        EVENT_TIME,
        AVAILABLE_TIME,
        *(column for column, stored in optional if stored),
        *extra_columns(view),
        *(field.name for field in view.schema),
        ROW_HASH,
    )


def required_columns(view: FeatureView) -> tuple[str, ...]:
    """Return the columns that the transformed rows must have, each once.

    Example:
        >>> from featurestore.definitions.model.source import DeltaSource
        >>> paid = DeltaSource("paid", path="p", timestamp_field="at", sequence_field="n")
        >>> required_columns(FeatureView("v", entities=(), source=paid, schema=()))
        ('at', 'n')
    """
    roles = view.source_roles
    upstream = (EVENT_TIME,) if isinstance(view.source, FeatureView) else ()
    names = [
        *(field.name for field in (*view.join_keys, *view.schema)),
        *upstream,
        *(name for name in roles.columns.values() if name),
        *roles.unique_by,
    ]
    return tuple(dict.fromkeys(names))


def used_columns(view: FeatureView) -> Mapping[str, Field | None] | None:
    """Return the source's columns that the view uses, with the fields that declare their types.

    Returns:
        The field of each key and feature; None for a column that only has a role. None if the
        view's transform may use any column.

    Example:
        >>> from featurestore.definitions.model.source import DeltaSource
        >>> paid = DeltaSource("paid", path="p", timestamp_field="at")
        >>> used_columns(FeatureView("v", entities=(), source=paid, schema=()))
        {'at': None}
    """
    if view.transform is not None:
        return None
    fields = {field.name: field for field in (*view.join_keys, *view.schema)}
    return {name: fields.get(name) for name in required_columns(view)}
