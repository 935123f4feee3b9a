"""Rules of sources: schemas, time zones and units, revisions, and the columns that views use."""

import re
from collections.abc import Iterator

from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.source import (
    CATALOG,
    DeltaSource,
    FileSource,
    KafkaSource,
    StoredSource,
)
from featurestore.definitions.model.types import (
    INTEGERS,
    Array,
    Boolean,
    DataType,
    Date,
    Decimal,
    Field,
    Float32,
    Float64,
    Int32,
    Int64,
    String,
    Timestamp,
)
from featurestore.definitions.model.view import FeatureView
from featurestore.definitions.rules.issue import Issue, label
from featurestore.environment import reference_problem
from featurestore.errors import nearest
from featurestore.times import timezone_problem

_TABLE = re.compile(r"[^\s.`/]+(\.[^\s.`/]+){1,2}")
_WIDER = ((Int32, Int64), (Int32, Float64), (Float32, Float64))


def paths_and_columns_are_named(manifest: Manifest) -> Iterator[Issue]:
    """Yield sources with an empty path or column name."""
    for source in _stored(manifest):
        for name, value in {"path": source.path, **source.roles.columns}.items():
            if value == "":
                text = f"{label(source)}: {name} is empty"
                yield Issue(source.origin, f'{text}. Write {name}="...".')


def references_are_well_formed(manifest: Manifest) -> Iterator[Issue]:
    """Yield sources whose path has a reference to no environment variable."""
    for source in _stored(manifest):
        if problem := reference_problem(source.location):
            text = f"{label(source)}: {source.location!r}: {problem}"
            yield Issue(source.origin, f"{text}. Write ${{env:NAME}}.")


def tables_have_a_path_or_a_name(manifest: Manifest) -> Iterator[Issue]:
    """Yield Delta sources with both a path and a table, with neither, or with a wrong name."""
    for source in _stored(manifest):
        if not isinstance(source, DeltaSource):
            continue
        if (source.path is None) == (source.table is None):
            both = "neither path= nor table=" if source.path is None else "both path= and table="
            fix = 'Write path="data/payments", or table="schema.payments" for a catalog\'s table.'
            yield Issue(source.origin, f"{label(source)} has {both}. {fix}")
        elif source.table is not None and not _TABLE.fullmatch(source.table):
            fix = 'Write table="schema.payments", or table="catalog.schema.payments".'
            yield Issue(source.origin, f"{label(source)}: table={source.table!r}. {fix}")
        elif source.path is not None and source.path.startswith(CATALOG):
            fix = f"Write table={source.path.removeprefix(CATALOG)!r} instead."
            yield Issue(source.origin, f"{label(source)}: path={source.path!r}. {fix}")


def contracts_have_columns_to_compare(manifest: Manifest) -> Iterator[Issue]:
    """Yield views with a schema contract on a catalog's table, whose columns only Spark sees."""
    for view in manifest.views:
        source = view.source
        if isinstance(source, DeltaSource) and source.table and view.schema_contract != "ignore":
            text = f"{label(view)}: schema_contract={view.schema_contract!r} cannot be checked"
            fix = "Remove it, or give the source the table's path= instead of table=."
            yield Issue(view.origin, f"{text} on the catalog's table {source.table!r}. {fix}")


def change_feeds_have_a_key(manifest: Manifest) -> Iterator[Issue]:
    """Yield change feeds without the columns that identify an event."""
    for source in _stored(manifest):
        if isinstance(source, DeltaSource) and source.change_feed and not source.unique_by:
            text = f"{label(source)}: change_feed=True is declared without unique_by="
            fix = "Add unique_by= with the columns that, with the join keys, identify one event."
            yield Issue(source.origin, f"{text}. {fix}")


def change_feeds_order_their_own_rows(manifest: Manifest) -> Iterator[Issue]:
    """Yield change feeds with a sequence field, or with the available time in ``unique_by``."""
    for source in _stored(manifest):
        if not source.roles.change_feed:
            continue
        if source.sequence_field is not None:
            text = "sequence_field= has no effect: change_feed=True orders rows by their commits"
            yield Issue(source.origin, f"{label(source)}: {text}. Remove sequence_field=.")
        if source.available_timestamp_field in source.unique_by:
            text = f"unique_by contains the available time {source.available_timestamp_field!r}"
            why = "With change_feed=True it is the commit's time and differs between revisions."
            yield Issue(
                source.origin, f"{label(source)}: {text}. {why} Remove it from unique_by=."
            )


def unique_columns_occur_once(manifest: Manifest) -> Iterator[Issue]:
    """Yield ``unique_by`` columns that are empty or occur twice."""
    for source in _stored(manifest):
        for name in sorted(
            {name for name in source.unique_by if source.unique_by.count(name) > 1}
        ):
            text = f"{label(source)}: unique_by contains {name!r} twice"
            yield Issue(source.origin, f"{text}. Remove one.")
        if "" in source.unique_by:
            text = f"{label(source)}: unique_by contains an empty name"
            yield Issue(source.origin, f"{text}. Remove it, or name a column.")


def time_zones_are_known(manifest: Manifest) -> Iterator[Issue]:
    """Yield time zones that are not in the IANA database."""
    for source in _stored(manifest):
        if source.timezone is not None and (wrong := timezone_problem(source.timezone)):
            yield Issue(source.origin, f"{label(source)}: {wrong}")


def units_have_no_time_zone(manifest: Manifest) -> Iterator[Issue]:
    """Yield sources that declare both ``unit`` and ``timezone``."""
    for source in _stored(manifest):
        if source.unit is not None and source.timezone is not None:
            text = "timezone= has no meaning with unit=, which counts from 1970 in UTC"
            yield Issue(source.origin, f"{label(source)}: {text}. Remove one of the two.")


def schemas_fit_their_roles(manifest: Manifest) -> Iterator[Issue]:
    """Yield columns of a source's schema whose type does not fit their role."""
    for source in manifest.sources:
        if not isinstance(source, FileSource | KafkaSource):
            continue
        types = _types(source)
        for name in ("timestamp_field", "available_timestamp_field"):
            column = source.roles.columns[name]
            if column in types and (wrong := _time_problem(types[column], source)):
                yield Issue(source.origin, f"{label(source)}: {name} {column!r} {wrong}")
        if types.get(source.sequence_field or "", INTEGERS[0]) not in INTEGERS:
            dtype = types[source.sequence_field or ""]
            text = f"sequence_field {source.sequence_field!r} is of type {dtype}"
            yield Issue(source.origin, f"{label(source)}: {text}. Use an Int32 or Int64 column.")
        if types.get(source.deleted_field or "", Boolean) != Boolean:
            dtype = types[source.deleted_field or ""]
            text = f"deleted_field {source.deleted_field!r} is of type {dtype}"
            yield Issue(source.origin, f"{label(source)}: {text}. Use a Boolean column.")


def views_take_columns_that_exist(manifest: Manifest) -> Iterator[Issue]:
    """Yield columns of a view without transform that its source's schema lacks."""
    for view in manifest.views:
        source = view.source
        if not isinstance(source, FileSource | KafkaSource) or view.transform is not None:
            continue
        if types := _types(source):
            yield from _missing(view, source, {*types})


def views_take_columns_of_fitting_types(manifest: Manifest) -> Iterator[Issue]:
    """Yield columns of a view without transform whose type its source's schema contradicts."""
    for view in manifest.views:
        source = view.source
        if not isinstance(source, FileSource | KafkaSource) or view.transform is not None:
            continue
        types = _types(source)
        for column in (*view.join_keys, *view.schema):
            dtype = types.get(column.name, column.dtype)
            if not _fits(dtype, column.dtype):
                text = f"column {column.name!r} is {dtype} in the schema of {label(source)}, and "
                fix = "Declare one type, or cast the column in a transform."
                text = f"{label(view)}: {text}{column.dtype} in the view. {fix}"
                yield Issue(column.origin, text)


RULES = (
    paths_and_columns_are_named,
    references_are_well_formed,
    tables_have_a_path_or_a_name,
    contracts_have_columns_to_compare,
    change_feeds_have_a_key,
    change_feeds_order_their_own_rows,
    unique_columns_occur_once,
    time_zones_are_known,
    units_have_no_time_zone,
    schemas_fit_their_roles,
    views_take_columns_that_exist,
    views_take_columns_of_fitting_types,
)


def _stored(manifest: Manifest) -> list[StoredSource]:
    return [source for source in manifest.sources if isinstance(source, StoredSource)]


def _time_problem(dtype: DataType, source: StoredSource) -> str:
    if dtype in INTEGERS and source.unit is None:
        return f"is of type {dtype}, without a unit. Add unit='s', 'ms' or 'us'."
    if dtype not in INTEGERS and source.unit is not None:
        return f"is of type {dtype}, but unit={source.unit!r} is for integers. Remove unit=."
    if dtype not in (Timestamp, Date, String, *INTEGERS):
        return f"is of type {dtype}. Use a Timestamp, Date, String or integer column."
    return ""


def _fits(dtype: DataType, wider: DataType) -> bool:
    """Return whether each value of a type is exactly a value of the other, as Spark casts it."""
    if isinstance(dtype, Array) and isinstance(wider, Array):
        return _fits(dtype.item, wider.item)
    if isinstance(dtype, Decimal) and isinstance(wider, Decimal):
        whole = dtype.precision - dtype.scale
        return dtype.scale <= wider.scale and whole <= wider.precision - wider.scale
    return dtype == wider or (dtype, wider) in _WIDER


def _types(source: FileSource | KafkaSource) -> dict[str, DataType]:
    columns = source.columns if isinstance(source, KafkaSource) else source.schema
    return {column.name: column.dtype for column in columns}


def _missing(
    view: FeatureView, source: FileSource | KafkaSource, existing: set[str]
) -> Iterator[Issue]:
    fields: tuple[Field, ...] = (*view.join_keys, *view.schema)
    required = [(column.name, column.origin) for column in fields]
    roles = [name for name in source.roles.columns.values() if name]
    required += [(name, source.origin) for name in (*roles, *source.unique_by)]
    for name, origin in required:
        if name not in existing:
            near = nearest(name, existing)
            text = f"{label(view)}: {label(source)} has no column {name!r}. {near}"
            yield Issue(origin, text)
