"""The types that a schema of pandera names, compared with the types of a view's columns."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa

from featurestore.definitions.code.expectations import checked_columns
from featurestore.definitions.model.types import DataType, Timestamp
from featurestore.definitions.model.view import FeatureView
from featurestore.optional import optional
from featurestore.store.columns import arrow_type

# pandas has several names for the types of one kind, and an integer column with nulls is float.
_PANDAS: Mapping[str, str] = {
    r"u?int\d*|UInt\d+|Int\d+": r"int",
    r"float\d*|Float\d+": r"float|double|int",
    r"str.*|object|String": r"string",
    r"bool.*": r"bool",
    r"datetime64.*|datetime.*": r"timestamp",
    r"date": r"date",
    r"decimal.*|Decimal.*": r"decimal",
    r"bytes|binary": r"binary",
}


def column_types(view: FeatureView) -> dict[str, DataType]:
    """Return the types of the columns that expectations see, by their declared names.

    Example:
        >>> from featurestore.definitions.model.source import DeltaSource
        >>> paid = DeltaSource("paid", path="p", timestamp_field="paid_at")
        >>> column_types(FeatureView("v", entities=(), source=paid, schema=()))
        {'paid_at': Timestamp}
    """
    declared = {each.name: each.dtype for each in (*view.join_keys, *view.schema)}
    return {name: declared.get(name, Timestamp) for name in checked_columns(view)}


def type_problem(view: FeatureView, name: str, dtype: Any, library: str) -> Iterator[str]:
    """Yield that a schema names another type for a column than the view, as a sentence.

    Args:
        view: The view.
        name: The column.
        dtype: The type in the schema, as pandera has it.
        library: ``"polars"`` or ``"pandas"``: what the schema is written for.
    """
    declared = column_types(view)[name]
    stored = arrow_type(declared)
    fits = _fits_pandas if library == "pandas" else _fits_polars
    if not fits(dtype, name, stored):
        yield (
            f"column {name!r} is {dtype} in the schema, and {declared} in the view. Values are "
            f"checked as they are stored: {_fitting(stored, library)}or omit the type."
        )


def _fitting(stored: pa.DataType, library: str) -> str:
    if library == "pandas":
        return "correct one of the two, "
    polars = optional("polars", "read expectations", extra="quality")
    own = polars.from_arrow(pa.array([], stored)).dtype
    return f"write pl.{own!r} (import polars as pl) in the schema, "


def _fits_pandas(dtype: Any, name: str, stored: pa.DataType) -> bool:
    text = str(dtype)
    return any(
        re.fullmatch(pattern, text) and re.match(kinds, str(stored))
        for pattern, kinds in _PANDAS.items()
    )


def _fits_polars(dtype: Any, name: str, stored: pa.DataType) -> bool:
    polars = optional("polars", "read expectations", extra="quality")
    pandera = optional("pandera.polars", "read expectations", extra="quality")
    errors = optional("pandera.errors", "read expectations", extra="quality")
    schema = pandera.DataFrameSchema({name: pandera.Column(dtype, nullable=True)})
    try:
        schema.validate(polars.from_arrow(pa.table({name: pa.array([], stored)})))
    except errors.SchemaError:
        return False
    return True
