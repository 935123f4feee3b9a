"""The size of feature files: how many bytes rows have, and how many files they are written to."""

from functools import reduce, singledispatch

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812  # pyspark's own convention
from pyspark.sql import types as T  # noqa: N812  # pyspark's own convention

from featurestore.quoting import spark_name

_WIDTHS: dict[type[T.DataType], int] = {
    T.BooleanType: 1,
    T.ByteType: 1,
    T.ShortType: 2,
    T.IntegerType: 4,
    T.FloatType: 4,
    T.DateType: 4,
}
_WIDEST = 8  # numbers, times, and decimals of up to 18 digits
_LONG_DECIMAL = 16
_DIGITS = 18


def bytes_of_row(rows: DataFrame) -> Column:
    """Return the bytes of a row's values before they are encoded and compressed.

    Args:
        rows: The rows.
    """
    sizes = (_size(field.dataType, F.col(spark_name(field.name))) for field in rows.schema)
    return reduce(Column.__add__, sizes, F.lit(0).cast("bigint"))


def file_count(rows: int, size: int, *, most_rows: int, most_bytes: int) -> int:
    """Return into how many files of about equal numbers of rows some rows are written.

    Args:
        rows: The number of rows.
        size: Their bytes, by `bytes_of_row`.
        most_rows: The most rows of a file.
        most_bytes: The most bytes of a file, if all rows have about the same.

    Example:
        >>> file_count(1_000, 9_000, most_rows=500, most_bytes=4_000)
        3
        >>> file_count(0, 0, most_rows=500, most_bytes=4_000)
        1
    """
    by_size = min(-(-size // most_bytes), rows)  # a row is in one file, however large it is
    return max(-(-rows // most_rows), by_size, 1)


@singledispatch
def _size(dtype: T.DataType, value: Column) -> Column:
    return F.lit(_width(dtype))


@_size.register(T.StringType)
@_size.register(T.BinaryType)
def _(dtype: T.DataType, value: Column) -> Column:
    return F.coalesce(F.octet_length(value), F.lit(0))


@_size.register
def _(dtype: T.ArrayType, value: Column) -> Column:
    if _size.dispatch(type(dtype.elementType)) is _size.dispatch(T.DataType):
        # PERF: the size of a list of numbers is known without a look at them.
        return F.coalesce(F.array_size(value), F.lit(0)) * F.lit(_width(dtype.elementType))
    each = F.transform(value, lambda item: _size(dtype.elementType, item).cast("bigint"))
    total = F.aggregate(each, F.lit(0).cast("bigint"), lambda total, size: total + size)
    return F.coalesce(total, F.lit(0))


@_size.register
def _(dtype: T.MapType, value: Column) -> Column:
    keys, values = T.ArrayType(dtype.keyType), T.ArrayType(dtype.valueType)
    return _size(keys, F.map_keys(value)) + _size(values, F.map_values(value))


def _width(dtype: T.DataType) -> int:
    if isinstance(dtype, T.DecimalType) and dtype.precision > _DIGITS:
        return _LONG_DECIMAL
    return _WIDTHS.get(type(dtype), _WIDEST)
