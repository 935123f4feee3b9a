"""The features of a DataFrame as one vector column, for MLlib."""

from collections.abc import Sequence

from pyspark.ml.feature import VectorAssembler
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812  # pyspark's own convention
from pyspark.sql.types import (
    BooleanType,
    DoubleType,
    FloatType,
    NumericType,
    StructField,
    StructType,
)

from featurestore.errors import RequestError, nearest
from featurestore.quoting import spark_name

NULLS = ("error", "keep", "skip")
"""What happens to rows with a null: the words of MLlib's ``handleInvalid``."""

_SHOWN = 10
"""Spark's error names so many of the features that are null in a row."""
_PASS_NULLS = 'Pass nulls="keep" to get NaN for them, or nulls="skip" to leave such rows out.'


def with_vector(
    frame: DataFrame, features: Sequence[str], *, vector: str, nulls: str, call: str
) -> DataFrame:
    """Return the rows with one more column: their features as an MLlib vector, in their order.

    Integers beyond 2**53 are rounded, and Booleans become 0 and 1.

    Args:
        frame: The rows.
        features: The columns of the vector.
        vector: The name of the new column.
        nulls: What happens to a row with a null or NaN: ``"error"`` fails when Spark computes it,
            and names the features; ``"keep"`` makes it NaN, ``"skip"`` leaves out the row.
        call: The user's call, for messages.

    Raises:
        RequestError: There are no features, one is not numeric, the name is taken, or there is no
            such choice for nulls.
    """
    require_vector(frame.schema, features, vector=vector, nulls=nulls, call=call)
    assembler = VectorAssembler(
        inputCols=list(features),
        outputCol=vector,
        # MLlib's error for a null would name no feature, and an argument that the call lacks.
        handleInvalid="keep" if nulls == "error" else nulls,
    )
    rows = assembler.transform(frame)
    return _refusing_nulls(rows, features, vector, call) if nulls == "error" else rows


def require_vector(
    schema: StructType, features: Sequence[str], *, vector: str, nulls: str, call: str
) -> None:
    """Check that features can become a vector.

    Args:
        schema: The columns of the rows.
        features: The columns of the vector.
        vector: The name of the new column.
        nulls: What happens to a row with a null.
        call: The user's call, for messages.

    Raises:
        RequestError: There are no features, one is not numeric, the name is taken, or there is no
            such choice for nulls.

    Example:
        >>> from pyspark.sql.types import StringType
        >>> texts = StructType().add("city", StringType())
        >>> require_vector(texts, ["city"], vector="v", nulls="skip", call="to_spark(vector='v')")
        Traceback (most recent call last):
        ...
        featurestore.errors.RequestError: to_spark(vector='v'): not numeric: city (string)...
    """
    require_nulls(call, nulls)
    if vector in schema.names:
        found = f"the rows have a column {vector!r} already"
        raise RequestError(call, found, "Choose another name for the vector.")
    others = _not_numeric(schema, features)
    if others or not features:
        found = f"not numeric: {', '.join(others)}" if others else "there are no features"
        raise RequestError(
            call,
            found,
            "Request numeric features only, or leave out vector=, index texts with "
            "pyspark.ml.feature.StringIndexer and assemble the vector with VectorAssembler.",
        )


def require_nulls(call: str, nulls: str) -> None:
    """Check the choice for nulls.

    Args:
        call: The user's call, for messages.
        nulls: The choice.

    Raises:
        RequestError: There is no such choice.

    Example:
        >>> require_nulls("to_spark()", "keep")
    """
    if nulls not in NULLS:
        raise RequestError(call, f"nulls is {nulls!r}", nearest(str(nulls), NULLS))


def _refusing_nulls(rows: DataFrame, features: Sequence[str], vector: str, call: str) -> DataFrame:
    """Return rows whose vector is an error, when it is computed, if a feature is null or NaN."""
    fields = rows.schema
    nulls = {name: _is_null(fields[name]) for name in features}
    names = F.array_compact(F.array(*(F.when(nulls[name], F.lit(name)) for name in features)))
    more = F.size(names) - _SHOWN
    text = F.concat(
        F.lit(f"{call}: features of a row are null: "),
        F.array_join(F.slice(names, 1, _SHOWN), ", "),
        F.when(more > 0, F.concat(F.lit(" and "), more, F.lit(" more"))).otherwise(""),
        F.lit(f". {_PASS_NULLS}"),
    )
    has_null = F.array_contains(F.array(*nulls.values()), True)
    checked = F.when(has_null, F.raise_error(text)).otherwise(F.col(spark_name(vector)))
    # MLlib's models read the names of the features in the column's metadata. They are given in a
    # select, because withColumn of Spark Connect loses them.
    named = checked.alias(vector, metadata=fields[vector].metadata)
    others = (F.col(spark_name(name)) for name in fields.names if name != vector)
    return rows.select(*others, named)


def _is_null(field: StructField) -> Column:
    column = F.col(spark_name(field.name))
    is_float = isinstance(field.dataType, FloatType | DoubleType)
    return column.isNull() | F.isnan(column) if is_float else column.isNull()


def _not_numeric(schema: StructType, features: Sequence[str]) -> list[str]:
    types = {each.name: each.dataType for each in schema.fields}
    return [
        f"{name} ({types[name].simpleString()})"
        for name in features
        if not isinstance(types[name], NumericType | BooleanType)
    ]
