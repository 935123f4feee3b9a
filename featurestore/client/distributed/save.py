"""Saving a `SparkFrame` as a training set: executors write its rows, this process only commits."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial

import pyarrow as pa

from featurestore.client.frame.spark_frame import SparkFrame
from featurestore.client.lineage.training_sets import Saver
from featurestore.engines.spark.retrieve.result import read_files, write_files
from featurestore.engines.spark.retrieve.task import POSITION
from featurestore.engines.spark.write.profiling import Profiling, descriptions
from featurestore.errors import RequestError
from featurestore.monitoring.columns import table_columns
from featurestore.monitoring.profile import Profile
from featurestore.monitoring.records import record_of
from featurestore.monitoring.rows import RowsSketch, describe_tables, merged_sketches
from featurestore.monitoring.summary import summaries
from featurestore.store.training_sets.files import new_folder, save_files
from featurestore.store.training_sets.notes import TrainingSet
from featurestore.store.training_sets.storage import (
    ROW_NUMBER,
    loaded_as,
    schema_text,
    storage_type,
    stored_names,
)


def save_by_executors(saver: Saver, frame: SparkFrame, name: str) -> TrainingSet:
    """Save a frame as the next version of a training set, in one commit.

    The executors write its rows as files, which are counted and compared with the spine. Then the
    driver commits the files with the notes. No row passes the driver.

    Args:
        saver: What the call selected, and where training sets are.
        frame: The frame.
        name: The name of the training set.

    Raises:
        RequestError: The name is not valid, or Delta holds no values of a column's type.
        SpineError: The spine has other rows each time that it is read.
        StorageError: The disk or the object store refuses it.
    """
    call = f"save({name!r})"
    now = saver.clock()
    noted = saver.described(frame, name, call, now)
    stored = _stored_schema(frame.schema, call)
    names = dict(zip([*frame.schema.names, POSITION], stored.names, strict=True))
    with new_folder(saver.layout, name, call) as folder:
        counts = write_files(frame.result, folder, names)
        described = replace(
            noted,
            immature_rows=counts.left_out,
            rows=counts.rows,
            columns=len(frame.schema),
            spine_digest=f"rows:{counts.digest}",
            schema=schema_text(_loaded_schema(frame)),
            profile=record_of(_profile(frame, folder, names, noted.name, now)).columns,
        )
        return save_files(saver.layout, described, folder, stored, call)


def _loaded_schema(frame: SparkFrame) -> pa.Schema:
    """Return the schema of the rows with the types in which they are loaded.

    A spine that was passed as rows gets its own types back, as in a frame that is collected.
    """
    own = pa.schema([]) if frame._local is None else frame._local.schema
    return pa.schema(
        loaded_as(each, own.field(each.name).type) if each.name in own.names else each
        for each in frame.schema
    )


def _stored_schema(rows: pa.Schema, call: str) -> pa.Schema:
    """Return the schema of the files: Spark's types, and the position of each row."""
    names, fields = stored_names(rows.names), []
    for name, each in zip(names, rows, strict=True):
        try:
            fields.append(pa.field(name, _stored_type(each.type)))
        except TypeError:
            found = (
                f"column {each.name!r} has the type {each.type}, which a Delta table cannot hold"
            )
            fix = "Convert the column, or remove it from the spine."
            raise RequestError(call, found, fix) from None
    return pa.schema([*fields, pa.field(ROW_NUMBER, pa.int64())])


def _stored_type(dtype: pa.DataType) -> pa.DataType:
    if pa.types.is_time(dtype) or pa.types.is_duration(dtype):  # Spark has no number for them
        raise TypeError(dtype)
    return storage_type(dtype)


def _profile(
    frame: SparkFrame, folder: str, names: Mapping[str, str], name: str, now: datetime
) -> Profile:
    """Return the statistics of the features and the label, which Spark's tasks compute."""
    chosen = [*frame.features, *([] if frame.label is None else [frame.label])]
    personal = frozenset[str]().union(*(view.personal for view in frame.views.values()))
    columns = tuple(table_columns(frame.schema, chosen, personal))
    rows = read_files(frame.result, folder, {names[name]: name for name in chosen})
    counted = frozenset(each.name for each in columns if each.kind == "other")
    texts: list[str] = []
    describe = partial(describe_tables, columns, None)
    texts = descriptions(rows, Profiling(tuple(chosen), describe, texts.extend, counted))
    sketches = merged_sketches(map(RowsSketch.from_text, texts))
    return Profile(
        name,
        run_id="",
        build_id="",
        at=now,
        kind="training_set",
        columns=summaries(columns, sketches),
    )
