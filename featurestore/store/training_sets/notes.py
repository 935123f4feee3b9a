"""`TrainingSet`: what is known of one saved version of a training set, from its commit's notes."""

import json
from collections.abc import Mapping
from dataclasses import KW_ONLY, asdict, dataclass, field
from datetime import datetime
from types import UnionType
from typing import Any, NamedTuple, TypeVar

SCHEMA = "featurestore.training_set/1"


class FeatureColumn(NamedTuple):
    """A column of a training set that is a feature.

    Args:
        column: The name of the column.
        view: The feature's view.
        feature: The feature's name in the view.
    """

    column: str
    view: str
    feature: str


class PinnedTable(NamedTuple):
    """The table version that the features of a view were read from.

    Args:
        table_id: The build of the view's table; empty if it is not known.
        version: The Delta version; None for a view without a table.
        keys: The spine's columns with the view's keys.
        personal: The features whose single values are not shown.
    """

    table_id: str
    version: int | None
    keys: tuple[str, ...]
    personal: tuple[str, ...] = ()


@dataclass(frozen=True, repr=False)
class TrainingSet:
    """One saved version of a training set, without its rows.

    Args:
        name: Its name.
        version: The number of the version, from 0: the Delta version of its table.
        selection: What the call selected: names of services, views and features.
        services: Those of them that are services.
        features: Its features.
        label: The label's column; None without a label.
        timestamp_field: The column with the moments.
        timezone: The zone of times without one; None if there are none.
        label_timing: The horizon and the maturity of a computed label, in microseconds; None for
            others.
        immature_rows: The rows that were left out, because their labels were not mature.
        rows: The number of rows.
        columns: The number of columns.
        spine_digest: A hash of the rows without the features. Equal spines have the same one.
        registry_version: The version of the applied definitions.
        views: The table version that each view was read from.
        created_at: When it was saved, in UTC.
        created_by: Who saved it.
        featurestore_version: The release that saved it.
        schema: The Arrow schema of its rows, as text.
        profile: The statistics of the features and the label, as JSON text.
        error: Why it cannot be read; None for a whole one.

    Example:
        >>> TrainingSet("fraud_2026_01", features=(FeatureColumn("n", "activity", "n"),)).views
        {}
        >>> TrainingSet("fraud_2026_01", version=3, rows=400, label="is_fraud")
        TrainingSet('fraud_2026_01', version=3, rows=400, features=0, label='is_fraud')
    """

    name: str
    _: KW_ONLY
    version: int | None = None
    selection: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    features: tuple[FeatureColumn, ...] = ()
    label: str | None = None
    timestamp_field: str = "event_timestamp"
    timezone: str | None = None
    label_timing: tuple[int, int] | None = None
    immature_rows: int = 0
    rows: int = 0
    columns: int = 0
    spine_digest: str = ""
    registry_version: int = 0
    views: Mapping[str, PinnedTable] = field(default_factory=dict)
    created_at: datetime | None = None
    created_by: str = ""
    featurestore_version: str = ""
    schema: str = field(default="", repr=False)
    profile: str = field(default="", repr=False)
    error: str | None = None

    def __repr__(self) -> str:
        """Return what tells it from others, and no names of its features: there may be many."""
        label = "" if self.label is None else f", label={self.label!r}"
        return (
            f"TrainingSet({self.name!r}, version={self.version}, rows={self.rows}, "
            f"features={len(self.features)}{label})"
        )

    def to_json(self) -> str:
        """Return the text to store in the commit's ``userMetadata``."""
        noted = asdict(self) | {
            "schema": SCHEMA,
            "arrow_schema": self.schema,
            "created_at": None if self.created_at is None else self.created_at.isoformat(),
            "features": [list(each) for each in self.features],
            "views": {name: list(each) for name, each in self.views.items()},
        }
        del noted["version"], noted["error"]
        return json.dumps(noted, sort_keys=True)

    @classmethod
    def from_notes(cls, notes: Mapping[str, object], version: int) -> "TrainingSet | None":
        """Return the version that a commit's notes describe; None for notes of something else.

        Fields that this release does not know are ignored. Notes that are not as `to_json` writes
        them, such as changed ones, give a version with an ``error``.

        Args:
            notes: The JSON object in a commit's ``userMetadata``.
            version: The commit's Delta version.

        Example:
            >>> TrainingSet.from_notes({"operation": "OPTIMIZE"}, 1) is None
            True
        """
        if notes.get("schema") != SCHEMA:
            return None
        try:
            return cls(
                **{
                    name: _of(notes, name, dtype)
                    for name, dtype in _PLAIN.items()
                    if name in notes
                },
                version=version,
                schema=_of(notes, "arrow_schema", str),
                created_at=datetime.fromisoformat(_of(notes, "created_at", str)),
                features=tuple(
                    FeatureColumn(*_texts(each)) for each in _of(notes, "features", list)
                ),
                views=_pins(_of(notes, "views", dict)),
                selection=_texts(notes["selection"]),
                services=_texts(notes["services"]),
                label_timing=_timing(notes.get("label_timing")),
            )
        except (KeyError, ValueError, TypeError) as error:
            text = f"the notes of version {version} are damaged: {type(error).__name__} {error}"
            return cls(str(notes.get("name", "")), version=version, error=text)


_TEXTS = (
    "name",
    "timestamp_field",
    "spine_digest",
    "created_by",
    "featurestore_version",
    "profile",
)
_COUNTS = ("immature_rows", "rows", "columns", "registry_version")
_OPTIONAL_TEXTS = ("label", "timezone")
_PLAIN: Mapping[str, type | UnionType] = {
    **dict.fromkeys(_TEXTS, str),
    **dict.fromkeys(_COUNTS, int),
    **dict.fromkeys(_OPTIONAL_TEXTS, str | None),
}
_Value = TypeVar("_Value")


def _of(notes: Mapping[str, object], name: str, dtype: type[_Value] | UnionType) -> _Value:
    """Return a value of notes, of the expected type: anybody may have written them."""
    return _checked(notes[name], dtype)


def _checked(value: object, dtype: type[_Value] | UnionType) -> _Value:
    if not isinstance(value, dtype) or isinstance(value, bool):
        raise TypeError(f"{str(value)[:40]!r} is no {dtype}")
    return value


def _texts(value: object) -> tuple[str, ...]:
    return tuple(_checked(each, str) for each in _checked(value, list))


def _pins(found: Mapping[str, Any]) -> dict[str, PinnedTable]:
    return {
        view: PinnedTable(
            _checked(table_id, str),
            _checked(version, int | None),
            _texts(keys),
            *map(_texts, personal),
        )
        for view, (table_id, version, keys, *personal) in found.items()
    }


def _timing(found: object) -> tuple[int, int] | None:
    if found is None:
        return None
    horizon, maturity = _checked(found, list)
    return _checked(horizon, int), _checked(maturity, int)
