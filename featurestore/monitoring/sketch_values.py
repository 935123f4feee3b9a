"""The sketch of a column's values in an Arrow array."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import datasketches as ds
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from featurestore.monitoring.columns import Kind, ProfiledColumn
from featurestore.monitoring.counted_values import CountedValues
from featurestore.monitoring.distinct import DistinctValues
from featurestore.monitoring.sketch import QUANTILE_SIZE, ColumnSketch
from featurestore.monitoring.top_values import LIMIT, TopValues

LONGEST_TEXT = 100
"""The most characters of a text in a profile."""


def sketch_values(column: ProfiledColumn, values: pa.ChunkedArray) -> ColumnSketch:
    """Return the sketch of a column's values.

    Nulls and NaNs are only counted. -0.0 is 0.0. Infinities are values; with one, there is no
    mean. Decimals are read as floats. Of arrays and binaries only rows and nulls are counted.

    Args:
        column: The column.
        values: Its values.

    Example:
        >>> from featurestore.monitoring.columns import profiled
        >>> sketch = sketch_values(profiled("x", pa.int64()), pa.chunked_array([[1, 2, None]]))
        >>> sketch.rows, sketch.nulls, sketch.mean, sketch.distinct_values
        (3, 1, 1.5, 2)
    """
    if pa.types.is_dictionary(values.type):
        values = _decoded(values)
    return _OF_KIND[column.kind](column, values)


def _decoded(values: pa.ChunkedArray) -> pa.ChunkedArray:
    dtype = values.type.value_type
    if pa.types.is_string_view(dtype):  # Arrow takes no values of this type
        values = values.cast(pa.dictionary(values.type.index_type, pa.large_string()))
        dtype = pa.large_string()
    return values.cast(dtype)


def _counted(column: ProfiledColumn, values: pa.ChunkedArray) -> ColumnSketch:
    return ColumnSketch(rows=len(values), nulls=values.null_count)


def _numbers(column: ProfiledColumn, values: pa.ChunkedArray) -> ColumnSketch:
    present = values.drop_null()
    if pa.types.is_decimal(present.type):
        present = present.cast(pa.float64())
    numbers = present.to_numpy()
    nans = 0
    if numbers.dtype.kind == "f":
        is_nan = np.isnan(numbers)
        nans = int(is_nan.sum())
        numbers = (numbers[~is_nan] if nans else numbers) + numbers.dtype.type(0)
    return _of_numbers(column, numbers, rows=len(values), nulls=values.null_count, nans=nans)


def _times(column: ProfiledColumn, values: pa.ChunkedArray) -> ColumnSketch:
    present = values.drop_null()
    zone = getattr(present.type, "tz", None)
    to_micros = pc.CastOptions(pa.timestamp("us", zone), allow_time_truncate=True)
    try:
        times = pc.cast(present, options=to_micros)
    except pa.ArrowInvalid:  # far beyond any calendar: no moment in microseconds
        return _counted(column, values)
    micros = times.cast(pa.int64()).to_numpy()
    return _of_numbers(column, micros, rows=len(values), nulls=values.null_count, shows_top=False)


def _of_numbers(
    column: ProfiledColumn,
    numbers: npt.NDArray[Any],
    *,
    rows: int,
    nulls: int,
    nans: int = 0,
    shows_top: bool = True,
) -> ColumnSketch:
    unique, counts = np.unique(numbers, return_counts=True)
    distinct = DistinctValues.of_numbers(unique)
    if column.key:
        return ColumnSketch(rows=rows, nulls=nulls, nans=nans, distinct=distinct)
    floats, different = numbers.astype(np.float64), unique.astype(np.float64)
    quantiles = ds.kll_doubles_sketch(QUANTILE_SIZE)
    # PERF: a KLL sketch takes ascending numbers in a third of the time.
    quantiles.update(np.repeat(different, counts))
    with np.errstate(all="ignore"):  # infinities, and sums beyond a float
        mean = float(floats.mean()) if len(floats) else 0.0
        squares = float(np.square(floats - mean).sum())
    shows_ends = len(unique) and not column.personal
    ends = (unique[0].item(), unique[-1].item()) if shows_ends else (None, None)
    return ColumnSketch(
        rows=rows,
        nulls=nulls,
        nans=nans,
        minimum=ends[0],
        maximum=ends[1],
        mean=mean,
        squares=squares,
        quantiles=bytes(quantiles.serialize()),
        distinct=distinct,
        top=None if column.personal or not shows_top else _top(unique, counts, str),
        counted=CountedValues(different, counts) if len(unique) else None,
    )


def _texts(column: ProfiledColumn, values: pa.ChunkedArray) -> ColumnSketch:
    # One type that all functions of Arrow take, also for more than 2 GB of text.
    present = values.cast(pa.large_string()).drop_null()
    counted = pc.value_counts(present)
    unique, counts = counted.field("values"), counted.field("counts").to_numpy()
    ends = {} if column.personal or not len(unique) else pc.min_max(unique).as_py()
    return ColumnSketch(
        rows=len(values),
        nulls=values.null_count,
        minimum=_shortened(ends.get("min")),
        maximum=_shortened(ends.get("max")),
        distinct=DistinctValues.of_texts(unique),
        top=None if column.personal else _top(unique, counts, _text),
    )


def _booleans(column: ProfiledColumn, values: pa.ChunkedArray) -> ColumnSketch:
    texts = pc.if_else(values, "true", "false")
    return replace(_texts(column, texts), minimum=None, maximum=None)


def _top(unique: Any, counts: npt.NDArray[Any], text: Callable[[Any], str]) -> TopValues:
    error = 0
    if len(counts) > LIMIT:
        order = np.argpartition(-counts, LIMIT)
        error = int(counts[order[LIMIT]])
        unique, counts = unique.take(order[:LIMIT]), counts[order[:LIMIT]]
    by_text: dict[str, int] = {}
    for value, count in zip(unique, counts.tolist(), strict=True):
        name = text(value)
        by_text[name] = by_text.get(name, 0) + count
    return TopValues(by_text, error)


def _text(value: pa.Scalar) -> str:
    return _shortened(value.as_py()) or ""


def _shortened(text: str | None) -> str | None:
    if text is None or len(text) <= LONGEST_TEXT:
        return text
    return f"{text[: LONGEST_TEXT - 1]}…"


_OF_KIND: Mapping[Kind, Callable[[ProfiledColumn, pa.ChunkedArray], ColumnSketch]] = {
    "number": _numbers,
    "time": _times,
    "text": _texts,
    "boolean": _booleans,
    "other": _counted,
}
