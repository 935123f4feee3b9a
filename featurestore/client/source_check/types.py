"""Whether a column of a source can have values of a declared type, by its Arrow type alone."""

from collections.abc import Callable

import pyarrow as pa

from featurestore.definitions.model.types import (
    Array,
    Binary,
    Boolean,
    DataType,
    Date,
    Decimal,
    Float32,
    Float64,
    Int32,
    Int64,
    Scalar,
    String,
    Timestamp,
)

_HOLDS: dict[Scalar, Callable[[pa.DataType], bool]] = {
    Int32: pa.types.is_integer,
    Int64: pa.types.is_integer,
    Float32: lambda kind: pa.types.is_floating(kind) or pa.types.is_integer(kind),
    Float64: lambda kind: pa.types.is_floating(kind) or pa.types.is_integer(kind),
    Boolean: pa.types.is_boolean,
    String: lambda kind: pa.types.is_string(kind) or pa.types.is_large_string(kind),
    Binary: lambda kind: pa.types.is_binary(kind) or pa.types.is_large_binary(kind),
    Date: pa.types.is_date,
    Timestamp: pa.types.is_timestamp,
}


def holds(actual: pa.DataType, declared: DataType) -> bool:
    """Return whether values of the actual type may be values of the declared type.

    Args:
        actual: The column's type. A column of nulls only fits every type.
        declared: The type in the definitions.

    Example:
        >>> holds(pa.int32(), Int64), holds(pa.string(), Int64), holds(pa.float64(), Int64)
        (True, False, False)
    """
    if pa.types.is_null(actual):
        return True
    if pa.types.is_dictionary(actual):
        return holds(actual.value_type, declared)
    if isinstance(declared, Array):
        lists = pa.types.is_list(actual) or pa.types.is_large_list(actual)
        lists = lists or pa.types.is_fixed_size_list(actual)
        return lists and holds(actual.value_type, declared.item)
    if isinstance(declared, Decimal):
        return bool(pa.types.is_decimal(actual))
    if not isinstance(declared, Scalar):
        return True
    return bool(_HOLDS[declared](actual))


def type_name(actual: pa.DataType) -> str:
    """Return how messages name a column's type: as definitions do, where they can.

    Example:
        >>> type_name(pa.int64()), type_name(pa.timestamp("ns"))
        ('Int64', 'timestamp[ns]')
    """
    for declared, kind in _NAMES.items():
        if actual.equals(kind):
            return str(declared)
    return str(actual)


_NAMES: dict[Scalar, pa.DataType] = {
    Int32: pa.int32(),
    Int64: pa.int64(),
    Float32: pa.float32(),
    Float64: pa.float64(),
    Boolean: pa.bool_(),
    String: pa.string(),
    Binary: pa.binary(),
    Date: pa.date32(),
}
