"""The run of a view's transform on a DataFrame, and the check of the columns of its result."""

import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from functools import partial, singledispatch
from pickle import PicklingError
from typing import cast

from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame
from pyspark.sql import types as T  # noqa: N812  # pyspark's own convention

from featurestore.definitions.code.import_lock import IMPORT_LOCK
from featurestore.definitions.code.sql import without_comments
from featurestore.definitions.model.types import Field
from featurestore.definitions.model.view import Code, FeatureView
from featurestore.engines.spark.errors.mapping import mapped
from featurestore.engines.spark.errors.position import position_of
from featurestore.engines.spark.errors.unwrap import is_cancelled
from featurestore.engines.spark.transform.by_value import send_project_by_value, unsent_error
from featurestore.engines.spark.transform.row_metadata import keep_row_metadata
from featurestore.engines.spark.types import fits, spark_type
from featurestore.errors import FeatureStoreError, MaterializationError, nearest
from featurestore.store.columns import EVENT_TIME, required_columns

SOURCE_PLACEHOLDER = "{source}"


def transformed(view: FeatureView, rows: DataFrame) -> DataFrame:
    """Return the transformed rows of the source, with the declared columns checked.

    Args:
        view: The view, as loaded from the definitions, so that its transform can run.
        rows: Rows of its source.

    Raises:
        MaterializationError: The transform returned no DataFrame, or a declared column is
            missing or has a type that does not fit. The message lists all such columns.
    """
    out = keep_row_metadata(view, partial(run_transform, view), rows)
    problems = [*_missing(view, out.schema), *_misfits(view, out.schema)]
    if problems:
        raise MaterializationError(_call(view), "; ".join(problems), _fix(view))
    _require_zone_in_effect(view, rows.schema, out.schema)
    return out


def run_transform(view: FeatureView, rows: DataFrame) -> DataFrame:
    """Return the transformed rows, without checks."""
    return _run(view.transform, view, rows)


@singledispatch
def _run(transform: object, view: FeatureView, rows: DataFrame) -> DataFrame:
    send_project_by_value()
    try:
        # The function may import modules, and print: see `import_lock` and `fresh_import`.
        with IMPORT_LOCK, redirect_stdout(sys.stderr):
            out = cast("Callable[[DataFrame], object]", transform)(rows)
    except FeatureStoreError:
        raise
    except PicklingError as error:
        raise unsent_error(_call(view), error) from error
    except Exception as error:  # the user's code may raise anything
        if isinstance(error, PySparkException | Py4JError) and is_cancelled(error):
            raise
        raise _failed(view, error) from error
    if not _is_frame(out):
        raise MaterializationError(
            _call(view),
            f"the transform returned {type(out).__name__}, not a DataFrame",
            "Return the DataFrame that the function built.",
        )
    return cast("DataFrame", out)


@_run.register
def _(transform: None, view: FeatureView, rows: DataFrame) -> DataFrame:
    return rows


@_run.register
def _(transform: str, view: FeatureView, rows: DataFrame) -> DataFrame:
    # PySpark replaces {source} by a temporary view with its own name, and drops it afterwards.
    # Other braces, such as those of a JSON path, must stay as they are.
    escaped = without_comments(transform).replace("{", "{{").replace("}", "}}")
    text = escaped.replace("{" + SOURCE_PLACEHOLDER + "}", SOURCE_PLACEHOLDER)
    # In parentheses only a query can be parsed. Spark would run anything else at once.
    return rows.sparkSession.sql(f"SELECT * FROM ({text})", source=rows)  # nosec B608


@_run.register
def _(transform: Code, view: FeatureView, rows: DataFrame) -> DataFrame:
    raise MaterializationError(
        _call(view),
        f"the registry has only the text of transform {transform.name!r}, which cannot run",
        "Materialize in the project's folder, where the definitions are loaded.",
    )


def _failed(view: FeatureView, error: Exception) -> FeatureStoreError:
    """Return the error for an exception of a transform, with the function and line of it."""
    if isinstance(error, PySparkException | Py4JError):
        problem = mapped(error, _call(view), view=view.name)
    else:
        found = f"it raised {type(error).__name__}: {error}"
        problem = MaterializationError(_call(view), found, "Correct the transform.")
    position = position_of(error.__traceback__)
    if not position or position in problem.found:
        return problem
    return type(problem)(problem.call, f"{problem.found}, in {position}", problem.fix)


def _is_frame(value: object) -> bool:
    # DataFrames of Spark and of Spark Connect have no common class that can always be imported.
    return hasattr(value, "sparkSession") and hasattr(value, "schema")


def _missing(view: FeatureView, schema: T.StructType) -> list[str]:
    return [
        f"column {name!r}{_role(view, name)} is missing "
        f"({nearest(name, schema.names).rstrip('.')})"
        for name in required_columns(view)
        if name not in schema.names
    ]


def _role(view: FeatureView, name: str) -> str:
    """Return which argument of the source names a column; empty for keys and fields."""
    source = view.source
    if name in {column.name for column in (*view.join_keys, *view.schema)}:
        return ""
    role = view.source_roles.role_of(name)
    if not role:
        return ""
    if view.transform is None:  # the message begins with the source
        return f", the source's {role},"
    return f", the {role} of source {source.name!r} ({source.origin}),"


def _misfits(view: FeatureView, schema: T.StructType) -> list[str]:
    declared = [field for field in (*view.join_keys, *view.schema) if field.name in schema.names]
    return [
        *(text for field in declared if (text := _misfit(field, schema[field.name].dataType))),
        *_role_misfits(view, schema),
    ]


def _misfit(field: Field, actual: T.DataType) -> str | None:
    declared = spark_type(field.dtype)
    if fits(actual, declared):
        return None
    return (
        f"column {field.name!r} is {actual.simpleString()}, declared as {field.dtype} "
        f"({declared.simpleString()}; {field.origin})"
    )


def _role_misfits(view: FeatureView, schema: T.StructType) -> list[str]:
    roles = view.source_roles
    required = (
        (EVENT_TIME if isinstance(view.source, FeatureView) else None, T.TimestampType()),
        (roles.sequence_field, T.LongType()),
        (roles.deleted_field, T.BooleanType()),
    )
    return [
        f"column {name!r}{_role(view, name)} is {schema[name].dataType.simpleString()}; it must "
        f"be {dtype.simpleString()}"
        for name, dtype in required
        if name in schema.names and not fits(schema[name].dataType, dtype)
    ]


def _require_zone_in_effect(view: FeatureView, before: T.StructType, after: T.StructType) -> None:
    """Check that no transform makes a moment of a local time where the source names its zone.

    Spark takes such a time as UTC, and ``timezone`` is for times without a zone only.
    """
    zone = None if isinstance(view.source, FeatureView) else getattr(view.source, "timezone", None)
    if zone is None or view.transform is None:
        return
    roles = view.source_roles
    for name in filter(None, (roles.timestamp_field, roles.available_timestamp_field)):
        was_moment = name in before.names and isinstance(before[name].dataType, T.TimestampType)
        if isinstance(after[name].dataType, T.TimestampType) and not was_moment:
            raise MaterializationError(
                _call(view),
                f"it makes column {name!r} a timestamp, so timezone={zone!r} of the source has no "
                "effect: Spark takes a local time as UTC",
                "Make it a timestamp without a zone, for example by to_timestamp_ntz(column, "
                "'dd.MM.yyyy HH:mm'). Or, if the transform uses the zone itself, remove timezone= "
                "from the source.",
            )


def _call(view: FeatureView) -> str:
    if view.transform is not None:
        return f"transform of view {view.name!r} ({view.origin})"
    source = view.source
    return f"view {view.name!r} ({view.origin}) of source {source.name!r} ({source.origin})"


def _fix(view: FeatureView) -> str:
    if view.transform is None:
        return "Correct the view or its source, or name and cast the columns in a transform."
    return "Correct the view's schema, or name and cast the columns in the transform."
