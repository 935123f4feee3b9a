"""The features of a DataFrame as one vector column, for MLlib."""

from collections.abc import Sequence

from pyspark.ml.feature import VectorAssembler
from pyspark.sql import DataFrame
from pyspark.sql.types import BooleanType, NumericType, StructType

from featurestore.errors import RequestError, nearest

NULLS = ("error", "keep", "skip")
"""What happens to rows with a null: the words of MLlib's ``handleInvalid``."""


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
            ``"keep"`` makes it NaN, ``"skip"`` leaves out the row.
        call: The user's call, for messages.

    Raises:
        RequestError: There are no features, one is not numeric, the name is taken, or there is no
            such choice for nulls.
    """
    require_nulls(call, nulls)
    if vector in frame.columns:
        found = f"the rows have a column {vector!r} already"
        raise RequestError(call, found, "Choose another name for the vector.")
    others = _not_numeric(frame.schema, features)
    if others or not features:
        found = f"not numeric: {', '.join(others)}" if others else "there are no features"
        raise RequestError(
            call,
            found,
            "Request numeric features only, or index texts with pyspark.ml.feature.StringIndexer "
            "and assemble the vector with VectorAssembler.",
        )
    assembler = VectorAssembler(
        inputCols=list(features),
        outputCol=vector,
        handleInvalid=nulls,
    )
    return assembler.transform(frame)


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


def _not_numeric(schema: StructType, features: Sequence[str]) -> list[str]:
    types = {each.name: each.dataType for each in schema.fields}
    return [
        f"{name} ({types[name].simpleString()})"
        for name in features
        if not isinstance(types[name], NumericType | BooleanType)
    ]
