"""The days of the events in some files, read without Spark."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from featurestore.definitions.model.source import FileSource
from featurestore.definitions.model.types import Field, Timestamp
from featurestore.engines.files.plan import plan_files, units
from featurestore.engines.files.read import read_units
from featurestore.engines.spine_times import bind_times
from featurestore.errors import FeatureStoreError
from featurestore.store.columns import UTC_MICROS
from featurestore.store.interval import Interval, whole_days
from featurestore.store.source_files import SourceFile

# A message waits for the reading: 256 MB of CSV take seconds.
_MOST_BYTES = 256_000_000
_MICROS = {"s": 1_000_000, "ms": 1_000, "us": 1}


def event_days(source: FileSource, files: Sequence[SourceFile]) -> Interval | None:
    """Return the range of whole days, in UTC, that has the event times of all rows of files.

    Args:
        source: The source.
        files: Some of its files.

    Returns:
        None if it is not known: the files have no event, their times cannot be read (a transform
        may make them), or reading them would take long.

    Example:
        >>> event_days(FileSource("paid", path="paid", timestamp_field="at"), []) is None
        True
    """
    if not files or sum(file.size for file in files) > _MOST_BYTES:
        return None
    try:
        ends = [*_ends(source, files)]
    except (FeatureStoreError, OSError, ValueError, OverflowError, LookupError, pa.ArrowException):
        return None  # OverflowError: a year after 9999, of a source with a wrong unit
    return whole_days(min(ends), max(ends)) if ends else None


def _ends(source: FileSource, files: Sequence[SourceFile]) -> Iterator[datetime]:
    """Yield the first and the last event time of each batch of rows."""
    name = source.roles.timestamp_field
    field = next((each for each in source.schema if each.name == name), None)
    if name is None:
        return
    schema = (field or Field(name, Timestamp),) if source.schema else ()
    task = plan_files(replace(source, schema=schema), files, {name: field})
    for batch in read_units(task, units(files, task)):
        times = _moments(source, name, pa.chunked_array([batch[name]]))
        found = pc.min_max(times).as_py()
        yield from (each for each in found.values() if each is not None)


def _moments(source: FileSource, name: str, values: pa.ChunkedArray) -> pa.ChunkedArray:
    if source.unit is not None and pa.types.is_integer(values.type):
        micros = pc.multiply_checked(values.cast(pa.int64()), _MICROS[source.unit])
        return micros.cast(UTC_MICROS)
    return bind_times(f"read source {source.name!r}", name, values.drop_null(), source.timezone)
