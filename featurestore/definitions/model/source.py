"""Sources: where raw rows come from, and which of their columns carry time and identity."""

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Literal

from featurestore.definitions.model.types import Field
from featurestore.definitions.origin import Origin, origin

FileFormat = Literal["parquet", "csv", "json"]
TimeUnit = Literal["s", "ms", "us"]


@dataclass(frozen=True)
class Roles:
    """The columns of a source that have a role: they give a row its times, order and identity.

    Args:
        timestamp_field: The column of the event's time; None for a source without times.
        available_timestamp_field: The column of the time at which a row could first be known.
        sequence_field: The column that orders rows of equal times.
        deleted_field: The column that marks tombstones.
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

    @property
    def roles(self) -> Roles:
        """Its columns that have a role."""
        return Roles(
            self.timestamp_field,
            self.available_timestamp_field,
            self.sequence_field,
            self.deleted_field,
            self.unique_by,
            change_feed=self.change_feed,
        )


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

    @property
    def roles(self) -> Roles:
        """Its columns that have a role."""
        return Roles(
            self.timestamp_field,
            self.available_timestamp_field,
            self.sequence_field,
            self.deleted_field,
            self.unique_by,
        )


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

    @property
    def roles(self) -> Roles:
        """No columns: request values have no times of their own."""
        return Roles()


StoredSource = DeltaSource | FileSource
Source = DeltaSource | FileSource | RequestSource
