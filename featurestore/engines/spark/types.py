"""The Spark type of each declared type, and the types that convert to it without loss."""

from functools import singledispatch

from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812  # pyspark's own convention
from pyspark.sql import types as T  # noqa: N812  # pyspark's own convention

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
    Map,
    Scalar,
    String,
    Timestamp,
)
from featurestore.quoting import spark_name

_SPARK: dict[Scalar, T.DataType] = {
    Int32: T.IntegerType(),
    Int64: T.LongType(),
    Float32: T.FloatType(),
    Float64: T.DoubleType(),
    Boolean: T.BooleanType(),
    String: T.StringType(),
    Timestamp: T.TimestampType(),
    Date: T.DateType(),
    Binary: T.BinaryType(),
}
# Every value of the narrower type is a value of the wider one. Int64 to Float64 is absent because
# it rounds beyond 2^53; text that looks like a number is absent too.
_WIDENS: dict[type[T.DataType], tuple[type[T.DataType], ...]] = {
    T.ShortType: (T.ByteType,),
    T.IntegerType: (T.ByteType, T.ShortType),
    T.LongType: (T.ByteType, T.ShortType, T.IntegerType),
    T.FloatType: (T.ByteType, T.ShortType),
    T.DoubleType: (T.ByteType, T.ShortType, T.IntegerType, T.FloatType),
}


@singledispatch
def spark_type(dtype: DataType) -> T.DataType:
    """Return the Spark type in which values of ``dtype`` are stored.

    Example:
        >>> spark_type(Array(Float32)).simpleString()
        'array<float>'
    """
    raise TypeError(dtype)


@spark_type.register
def _(dtype: Scalar) -> T.DataType:
    return _SPARK[dtype]


@spark_type.register
def _(dtype: Decimal) -> T.DataType:
    return T.DecimalType(dtype.precision, dtype.scale)


@spark_type.register
def _(dtype: Array) -> T.DataType:
    return T.ArrayType(spark_type(dtype.item))


@spark_type.register
def _(dtype: Map) -> T.DataType:
    return T.MapType(spark_type(dtype.key), spark_type(dtype.value))


def fits(actual: T.DataType, declared: T.DataType) -> bool:
    """Return whether each value of type ``actual`` is exactly a value of type ``declared``.

    Example:
        >>> fits(T.IntegerType(), T.LongType()), fits(T.DoubleType(), T.FloatType())
        (True, False)
    """
    if isinstance(actual, T.ArrayType) and isinstance(declared, T.ArrayType):
        return fits(actual.elementType, declared.elementType)
    if isinstance(actual, T.DecimalType) and isinstance(declared, T.DecimalType):
        whole_digits = declared.precision - declared.scale
        return actual.scale <= declared.scale and actual.precision - actual.scale <= whole_digits
    return type(actual) is type(declared) or isinstance(actual, _WIDENS.get(type(declared), ()))


def plain_texts(rows: DataFrame) -> DataFrame:
    """Return rows whose texts have the type that Delta names ``string``.

    Through Spark Connect, a cast to a type of PySpark and the result of a Python function have
    texts with a collation, also the usual one. Delta would write it into the table's schema, where
    no other reader knows it. A cast to the type's name has none.

    Args:
        rows: Rows that are to be written. Those of a session in this process are as they are.
    """
    if getattr(rows, "_jdf", None) is not None:
        return rows
    return rows.select(
        *(
            F.col(spark_name(each.name)).cast(each.dataType.simpleString()).alias(each.name)
            for each in rows.schema
        )
    )
