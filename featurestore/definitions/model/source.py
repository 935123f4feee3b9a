"""Sources: where raw rows come from, and which of their columns carry time and identity."""

from dataclasses import KW_ONLY, dataclass, field
from typing import Literal

from featurestore.definitions.model.types import Field
from featurestore.definitions.origin import Origin, origin

FileFormat = Literal["parquet", "csv", "json"]
TimeUnit = Literal["s", "ms", "us"]


@dataclass(frozen=True)
class DeltaSource:
    """Rows of a Delta table.

    Args:
        name: Its name.
        path: Folder of the table, relative to the project's folder, or a URL.
        timestamp_field: Column with the moment the row's event happened.
        available_timestamp_field: Column with the moment the row could first be known; without
            it a row counts as known from its event on.
        sequence_field: Integer column that breaks ties of equal event and availability times.
        deleted_field: Boolean column; true marks a tombstone.
        unique_by: Columns that, with the join keys, name one event; rows equal in them are
            revisions of that event, of which the newest known one counts.
        change_feed: Read the table's change data feed, so that updates and deletes reach the
            features; needs ``unique_by``.
        timezone: Zone of timestamps that are stored without one, e.g. ``"Europe/Paris"``.
        unit: Unit of integer timestamps since 1970 in UTC: ``"s"``, ``"ms"`` or ``"us"``.
        description: What it holds, for the registry.
        owner: Who answers for it.
        tags: Words to find it by.

    Example:
        >>> DeltaSource("payments", path="data/payments", timestamp_field="paid_at").name
        'payments'
    """

    name: str
    _: KW_ONLY
    path: str
    timestamp_field: str
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


@dataclass(frozen=True)
class FileSource:
    """Rows of the files in a folder. Files are immutable: new rows come as new files.

    Args:
        name: Its name.
        path: Folder of the files, relative to the project's folder, or a URL.
        format: ``"parquet"``, ``"csv"`` (with a header line) or ``"json"`` (one object a line).
        schema: The columns to read; required for CSV and JSON, which carry no types.
        timestamp_field: As in `DeltaSource`, as are all that follow.
        available_timestamp_field: As in `DeltaSource`.
        sequence_field: As in `DeltaSource`.
        deleted_field: As in `DeltaSource`.
        unique_by: As in `DeltaSource`.
        timezone: As in `DeltaSource`; text times otherwise carry an offset in each value.
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
    format: FileFormat
    timestamp_field: str
    schema: tuple[Field, ...] = ()
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


@dataclass(frozen=True)
class RequestSource:
    """Values that come with the request, for on-demand features.

    Args:
        name: Its name.
        schema: The columns that each request row brings.
        description: What they are, for the registry.
        owner: Who answers for it.
        tags: Words to find it by.

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


StoredSource = DeltaSource | FileSource
Source = DeltaSource | FileSource | RequestSource
