"""Sources: schemas, time zones and units, revisions, and the columns that views take from them."""

from collections.abc import Iterator

from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.source import DeltaSource, FileSource, StoredSource
from featurestore.definitions.model.types import INTEGERS, Boolean, DataType, Field, Timestamp
from featurestore.definitions.model.view import FeatureView
from featurestore.definitions.rules.issue import Issue, label
from featurestore.errors import nearest
from featurestore.times import timezone_problem


def paths_and_columns_are_named(manifest: Manifest) -> Iterator[Issue]:
    """Yield sources with an empty path or column name."""
    for source in _stored(manifest):
        for name, text in {"path": source.path, **source.roles.columns}.items():
            if text == "":
                yield Issue(source.origin, f"{label(source)}: {name} is empty")


def text_files_have_a_schema(manifest: Manifest) -> Iterator[Issue]:
    """Yield CSV and JSON sources without the schema that their files do not carry."""
    for source in _stored(manifest):
        if isinstance(source, FileSource) and source.format != "parquet" and not source.schema:
            text = (
                f"{label(source)}: {source.format} files carry no types; give schema=(Field(...),)"
            )
            yield Issue(source.origin, text)


def change_feeds_have_a_key(manifest: Manifest) -> Iterator[Issue]:
    """Yield change feeds that do not say which rows are one event."""
    for source in _stored(manifest):
        if isinstance(source, DeltaSource) and source.change_feed and not source.unique_by:
            text = f"{label(source)}: an undeclared change-feed key; with change_feed=True give"
            yield Issue(source.origin, f"{text} unique_by=, the columns that name one event")


def change_feeds_order_their_own_rows(manifest: Manifest) -> Iterator[Issue]:
    """Yield change feeds whose rows would be ordered or named by other columns than they need."""
    for source in _stored(manifest):
        if not source.roles.change_feed:
            continue
        if source.sequence_field is not None:
            text = "change_feed=True orders rows by their commits; drop sequence_field="
            yield Issue(source.origin, f"{label(source)}: {text}")
        if source.available_timestamp_field in source.unique_by:
            text = f"unique_by holds the available time {source.available_timestamp_field!r}"
            why = "which change_feed=True sets to the commit's time; name the event without it"
            yield Issue(source.origin, f"{label(source)}: {text}, {why}")


def unique_columns_occur_once(manifest: Manifest) -> Iterator[Issue]:
    """Yield ``unique_by`` columns that are empty or occur twice."""
    for source in _stored(manifest):
        for name in sorted(
            {name for name in source.unique_by if source.unique_by.count(name) > 1}
        ):
            yield Issue(source.origin, f"{label(source)}: unique_by holds {name!r} twice")
        if "" in source.unique_by:
            yield Issue(source.origin, f"{label(source)}: unique_by holds an empty name")


def time_zones_are_known(manifest: Manifest) -> Iterator[Issue]:
    """Yield time zones that the IANA database does not have."""
    for source in _stored(manifest):
        if source.timezone is not None and (wrong := timezone_problem(source.timezone)):
            yield Issue(source.origin, f"{label(source)}: {wrong}")


def units_have_no_time_zone(manifest: Manifest) -> Iterator[Issue]:
    """Yield sources that give both ``unit`` and ``timezone``."""
    for source in _stored(manifest):
        if source.unit is not None and source.timezone is not None:
            text = "unit= counts from 1970 in UTC, so that timezone= has no meaning; drop one"
            yield Issue(source.origin, f"{label(source)}: {text}")


def schemas_fit_their_roles(manifest: Manifest) -> Iterator[Issue]:
    """Yield columns of a source's schema whose type does not fit what they are used for."""
    for source in manifest.sources:
        if not isinstance(source, FileSource):
            continue
        types = {column.name: column.dtype for column in source.schema}
        for name in ("timestamp_field", "available_timestamp_field"):
            column = source.roles.columns[name]
            if column in types and (wrong := _time_problem(types[column], source)):
                yield Issue(source.origin, f"{label(source)}: {name} {column!r} {wrong}")
        if types.get(source.sequence_field or "", INTEGERS[0]) not in INTEGERS:
            text = f"sequence_field {source.sequence_field!r} is not Int32 or Int64"
            yield Issue(source.origin, f"{label(source)}: {text}")
        if types.get(source.deleted_field or "", Boolean) != Boolean:
            text = f"deleted_field {source.deleted_field!r} is not Boolean"
            yield Issue(source.origin, f"{label(source)}: {text}")


def views_take_columns_that_exist(manifest: Manifest) -> Iterator[Issue]:
    """Yield columns that a view without transform takes from a schema that lacks them."""
    for view in manifest.views:
        source = view.source
        if isinstance(source, FileSource) and source.schema and view.transform is None:
            yield from _missing(view, source, {column.name for column in source.schema})


RULES = (
    paths_and_columns_are_named,
    text_files_have_a_schema,
    change_feeds_have_a_key,
    change_feeds_order_their_own_rows,
    unique_columns_occur_once,
    time_zones_are_known,
    units_have_no_time_zone,
    schemas_fit_their_roles,
    views_take_columns_that_exist,
)


def _stored(manifest: Manifest) -> list[StoredSource]:
    return [source for source in manifest.sources if isinstance(source, StoredSource)]


def _time_problem(dtype: DataType, source: StoredSource) -> str:
    if dtype in INTEGERS and source.unit is None:
        return f"is {dtype}: say unit='s', 'ms' or 'us'"
    if dtype not in INTEGERS and source.unit is not None:
        return f"is {dtype}, but unit={source.unit!r} is for integers"
    text_or_time = (Timestamp, *INTEGERS)
    if dtype not in text_or_time and str(dtype) not in ("String", "Date"):
        return f"is {dtype}, which is no time"
    return ""


def _missing(view: FeatureView, source: FileSource, known: set[str]) -> Iterator[Issue]:
    fields: tuple[Field, ...] = (*view.join_keys, *view.schema)
    wanted = [(column.name, column.origin) for column in fields]
    roles = [name for name in source.roles.columns.values() if name]
    wanted += [(name, source.origin) for name in (*roles, *source.unique_by)]
    for name, place in wanted:
        if name not in known:
            text = f"{label(view)}: {label(source)} has no column {name!r}. {nearest(name, known)}"
            yield Issue(place, text)
