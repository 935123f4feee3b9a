"""Sources: the tables, files or requests with raw rows, and the roles of their columns."""

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field, replace
from typing import Literal

from featurestore.definitions.model.arguments import named_arguments, unify_arguments
from featurestore.definitions.model.types import Field, Int32, Int64, String, Timestamp
from featurestore.definitions.origin import Origin, origin

FileFormat = Literal["parquet", "csv", "json"]
_SUFFIXES: Mapping[str, FileFormat] = {
    "parquet": "parquet",
    "pq": "parquet",
    "csv": "csv",
    "tsv": "csv",
    "json": "json",
    "jsonl": "json",
    "ndjson": "json",
}
_COMPRESSED = ("gz", "bz2", "zst", "lz4")
TimeUnit = Literal["s", "ms", "us"]
MESSAGE_FIELDS = (
    Field("kafka_key", String),
    Field("kafka_partition", Int32),
    Field("kafka_offset", Int64),
    Field("kafka_timestamp", Timestamp),
)
"""What Kafka says of each message: columns of each `KafkaSource`, beside those of its schema."""
CATALOG = "catalog:"
"""What the location of a table in Spark's catalog begins with."""


@dataclass(frozen=True)
class Roles:
    """The columns of a source that have a role: they give a row its times, order and identity.

    Args:
        timestamp_field: The column of the event's time; None for a source without times.
        available_timestamp_field: The column of the time at which a row became available.
        sequence_field: The column that orders rows of equal times.
        deleted_field: The column that is true for tombstones.
        unique_by: The columns that, with the join keys, identify one event.
        change_feed: Whether the rows come from a change feed, whose commits order and retract
            them.

    Example:
        >>> DeltaSource("paid", path="data/paid", timestamp_field="at").roles.timestamp_field
        'at'
    """

    timestamp_field: str | None = None
    available_timestamp_field: str | None = None
    sequence_field: str | None = None
    deleted_field: str | None = None
    unique_by: tuple[str, ...] = ()
    _: KW_ONLY
    change_feed: bool = False

    @property
    def columns(self) -> Mapping[str, str | None]:
        """The column of each role but ``unique_by``; None for a role that no column has."""
        return {
            "timestamp_field": self.timestamp_field,
            "available_timestamp_field": self.available_timestamp_field,
            "sequence_field": self.sequence_field,
            "deleted_field": self.deleted_field,
        }

    def role_of(self, column: str) -> str:
        """Return the first role of a column, such as ``"deleted_field"``; ``""`` for none.

        Example:
            >>> Roles("at", unique_by=("id", "at")).role_of("id")
            'unique_by'
        """
        single = (role for role, name in self.columns.items() if name == column)
        return next(single, "unique_by" if column in self.unique_by else "")


@named_arguments
@dataclass(frozen=True)
class DeltaSource:
    """Rows of a Delta table.

    Args:
        name: Its name.
        path: The table's folder, relative to the project's folder, or a URL. None for a table of a
            catalog.
        table: The table's name in Spark's catalog: ``"schema.table"`` or
            ``"catalog.schema.table"``. None for a path.
        timestamp_field: The column with the time of the event. None for a source that only
            snapshot views read.
        available_timestamp_field: The column with the time at which the row became available;
            None if rows are available at the time of their event.
        sequence_field: An integer column that orders rows of equal event and available times.
        deleted_field: A Boolean column that is true for tombstones.
        unique_by: The columns that, with the join keys, identify one event. Rows equal in them
            are revisions of the event, and the newest available revision counts.
        change_feed: Whether to read the table's change data feed, so that updates and deletes
            change the features; needs ``unique_by``.
        timezone: The time zone of timestamps without one, e.g. ``"Europe/Paris"``.
        unit: The unit of integer timestamps since 1970 in UTC: ``"s"``, ``"ms"`` or ``"us"``.
        description: A description, for the registry.
        owner: The person or team in charge.
        tags: Search terms.

    Example:
        >>> DeltaSource("payments", path="data/payments", timestamp_field="paid_at").name
        'payments'
    """

    name: str
    _: KW_ONLY
    path: str | None = None
    table: str | None = None
    timestamp_field: str | None = None
    available_timestamp_field: str | None = None
    sequence_field: str | None = None
    deleted_field: str | None = None
    unique_by: tuple[str, ...] = ()
    change_feed: bool = False
    timezone: str | None = None
    unit: TimeUnit | None = None
    description: str = ""
    owner: str = ""
    tags: tuple[str, ...] = ()
    origin: Origin = field(default_factory=origin, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        unify_arguments(self)

    @property
    def location(self) -> str:
        """Its path, or ``"catalog:"`` and the name of its table."""
        return (self.path or "") if self.table is None else f"{CATALOG}{self.table}"

    @property
    def roles(self) -> Roles:
        """Its columns that have a role."""
        return replace(_roles(self), change_feed=self.change_feed)


@named_arguments
@dataclass(frozen=True)
class FileSource:
    """Rows of files. Files must not change: add new rows as new files.

    Args:
        name: Its name.
        path: A folder, a file, or a pattern such as ``"data/*/visits-*.csv"``, relative to the
            project's folder, or a URL. Files in subfolders are read too.
        format: ``"parquet"``, ``"csv"`` (with a header line) or ``"json"`` (an object per line);
            None for the format that the files' suffix says.
        schema: The columns to read; required for CSV and JSON, whose files contain no types.
            Without it, all columns of Parquet files are read.
        optional_columns: The columns that a file may lack: they are null in its rows. A file that
            lacks another column of the schema is an error.
        delimiter: The character between a CSV file's values; None for a comma, or a tab in files
            whose names end in ``.tsv``.
        encoding: The encoding of CSV and JSON files.
        null_values: The unquoted texts that mean null in CSV files.
        timestamp_field: As in `DeltaSource`.
        available_timestamp_field: As in `DeltaSource`.
        sequence_field: As in `DeltaSource`.
        deleted_field: As in `DeltaSource`.
        unique_by: As in `DeltaSource`.
        timezone: As in `DeltaSource`; without it, each time in a text needs an offset.
        unit: As in `DeltaSource`.
        description: As in `DeltaSource`.
        owner: As in `DeltaSource`.
        tags: As in `DeltaSource`.

    Example:
        >>> FileSource("visits", path="data/visits", format="parquet", timestamp_field="at").format
        'parquet'
    """

    name: str
    _: KW_ONLY
    path: str
    format: FileFormat | None = None
    timestamp_field: str | None = None
    schema: tuple[Field, ...] = ()
    optional_columns: tuple[str, ...] = ()
    delimiter: str | None = None
    encoding: str = "utf-8"
    null_values: tuple[str, ...] = ("",)
    available_timestamp_field: str | None = None
    sequence_field: str | None = None
    deleted_field: str | None = None
    unique_by: tuple[str, ...] = ()
    timezone: str | None = None
    unit: TimeUnit | None = None
    description: str = ""
    owner: str = ""
    tags: tuple[str, ...] = ()
    origin: Origin = field(default_factory=origin, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        unify_arguments(self)

    @property
    def roles(self) -> Roles:
        """Its columns that have a role."""
        return _roles(self)

    @property
    def location(self) -> str:
        """Its path."""
        return self.path

    @property
    def file_format(self) -> FileFormat | None:
        """Its declared format, or that of its path's suffix; None if the path has none."""
        return self.format or format_of(self.path)


@named_arguments
@dataclass(frozen=True)
class KafkaSource:
    """Messages of a Kafka topic, each a JSON object.

    Beside the columns of ``schema``, each row has what Kafka says of its message:
    ``kafka_key`` (String), ``kafka_partition`` (Int32), ``kafka_offset`` (Int64) and
    ``kafka_timestamp`` (Timestamp). Roles and transforms may name them.

    Args:
        name: Its name.
        topic: The topic.
        servers: The brokers to ask first, such as ``"broker1:9092,broker2:9092"``.
        schema: The columns to read of the objects. A key that an object lacks is null.
        timestamp_field: As in `DeltaSource`.
        available_timestamp_field: As in `DeltaSource`; ``"kafka_timestamp"`` for the time of the
            message.
        sequence_field: As in `DeltaSource`; ``"kafka_offset"`` for the order of the messages, if
            the messages of a key are in one partition.
        deleted_field: As in `DeltaSource`.
        unique_by: As in `DeltaSource`.
        timezone: As in `DeltaSource`; without it, each time in a text needs an offset.
        unit: As in `DeltaSource`.
        options: Settings of Kafka's client, each as ``"name=value"``, such as
            ``"security.protocol=SASL_SSL"``. A secret is a reference: ``"${env:NAME}"``.
        description: As in `DeltaSource`.
        owner: As in `DeltaSource`.
        tags: As in `DeltaSource`.

    Example:
        >>> from featurestore.definitions.model.types import Float64
        >>> paid = KafkaSource(
        ...     "paid",
        ...     topic="payments",
        ...     servers="localhost:9092",
        ...     schema=(Field("at", Timestamp), Field("amount", Float64)),
        ...     timestamp_field="at",
        ... )
        >>> paid.path
        'kafka://localhost:9092/payments'
    """

    name: str
    _: KW_ONLY
    topic: str
    servers: str
    schema: tuple[Field, ...]
    timestamp_field: str | None = None
    available_timestamp_field: str | None = None
    sequence_field: str | None = None
    deleted_field: str | None = None
    unique_by: tuple[str, ...] = ()
    timezone: str | None = None
    unit: TimeUnit | None = None
    options: tuple[str, ...] = ()
    description: str = ""
    owner: str = ""
    tags: tuple[str, ...] = ()
    origin: Origin = field(default_factory=origin, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        unify_arguments(self)

    @property
    def path(self) -> str:
        """Its address, as that of a table or of files."""
        return f"kafka://{self.servers}/{self.topic}"

    @property
    def location(self) -> str:
        """Its path."""
        return self.path

    @property
    def columns(self) -> tuple[Field, ...]:
        """All columns of its rows."""
        return (*self.schema, *MESSAGE_FIELDS)

    @property
    def roles(self) -> Roles:
        """Its columns that have a role."""
        return _roles(self)


@named_arguments
@dataclass(frozen=True)
class RequestSource:
    """Values of the request, for on-demand features.

    Args:
        name: Its name.
        schema: The columns of the request's rows.
        description: A description, for the registry.
        owner: The person or team in charge.
        tags: Search terms.

    Example:
        >>> from featurestore.definitions.model.types import Float64
        >>> RequestSource("checkout", schema=(Field("amount", Float64),)).schema[0].name
        'amount'
    """

    name: str
    _: KW_ONLY
    schema: tuple[Field, ...]
    description: str = ""
    owner: str = ""
    tags: tuple[str, ...] = ()
    origin: Origin = field(default_factory=origin, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        unify_arguments(self)

    @property
    def roles(self) -> Roles:
        """No columns: request values have no times of their own."""
        return Roles()


StoredSource = DeltaSource | FileSource | KafkaSource
Source = DeltaSource | FileSource | KafkaSource | RequestSource


def format_of(path: str) -> FileFormat | None:
    """Return the format that a file's suffix says, without that of a compression.

    Example:
        >>> format_of("data/visits.csv.gz"), format_of("data/visits")
        ('csv', None)
    """
    parts = path.rpartition("/")[2].lower().split(".")[1:]
    if parts and parts[-1] in _COMPRESSED:
        parts.pop()
    return _SUFFIXES.get(parts[-1]) if parts else None


def _roles(source: StoredSource) -> Roles:
    return Roles(
        source.timestamp_field,
        source.available_timestamp_field,
        source.sequence_field,
        source.deleted_field,
        source.unique_by,
    )
