"""Saved training sets: `frame.save`, `store.load_training_set` and `store.training_sets`."""

import getpass
from collections.abc import Collection
from dataclasses import KW_ONLY, dataclass, replace
from datetime import datetime
from hashlib import sha256
from importlib import metadata
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from featurestore.client.frame.frame import FeatureFrame
from featurestore.client.frame.splits import LabelTiming
from featurestore.client.frame.view_read import ViewRead
from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.rules.names import is_plain
from featurestore.errors import RequestError
from featurestore.monitoring.profile import Profile
from featurestore.monitoring.records import profile_of, record_of
from featurestore.query.selection import Selection, selected_uses, selection_names
from featurestore.store.layout import Layout
from featurestore.store.ledger.profiles import ProfileRecord
from featurestore.store.training_sets.notes import FeatureColumn, PinnedTable, TrainingSet
from featurestore.store.training_sets.storage import schema_text, stored_rows
from featurestore.store.training_sets.table import (
    load_rows,
    names_of,
    save_rows,
    version_of,
)
from featurestore.times import Clock, system_clock

if TYPE_CHECKING:
    from featurestore.client.frame.spark_frame import SparkFrame

_DIGEST_ROWS = 1_000_000


@dataclass(frozen=True)
class Saver:
    """Saves the frames of one call.

    Args:
        layout: The addresses of the tables.
        clock: Returns the moment of a save.
        selection: What the call selected.
        manifest: The definitions that the answers follow.
        registry_version: The version of the applied definitions.
    """

    layout: Layout
    _: KW_ONLY
    clock: Clock
    selection: Selection
    manifest: Manifest
    registry_version: int

    def __getstate__(self) -> dict[str, Any]:
        """Pickle and copy without the clock, which may be a function of a test."""
        return vars(self) | {"clock": system_clock}

    def __call__(self, frame: FeatureFrame, name: str) -> TrainingSet:
        """Save a frame, or a part of it, as the next version of a training set."""
        call = f"save({name!r})"
        now = self.clock()
        described = replace(
            self.described(frame, name, call, now),
            immature_rows=frame.immature_rows,
            rows=len(frame),
            columns=frame.table.num_columns,
            spine_digest=spine_digest(frame.table.drop_columns(list(frame.features)), call),
            schema=schema_text(frame.table.schema),
            profile=record_of(frame.profile(name, at=now)).columns,
        )
        return save_rows(self.layout, described, frame.table, call)

    def described(
        self, frame: "FeatureFrame | SparkFrame", name: str, call: str, now: datetime
    ) -> TrainingSet:
        """Return what is noted of a frame before its rows are looked at.

        Args:
            frame: The frame.
            name: The name of the training set.
            call: The user's call, for messages.
            now: The moment of the save.

        Raises:
            RequestError: The name is not valid.
        """
        require_name(name, names_of(self.layout), call)
        names = selection_names(self.selection)
        return TrainingSet(
            name,
            selection=tuple(names),
            services=tuple(each for each in names if self.manifest.service(each) is not None),
            features=self._features(call),
            label=frame.label,
            timestamp_field=frame.timestamp_field,
            timezone=None if frame.timezone is None else str(frame.timezone),
            label_timing=_timing(frame.label_timing),
            registry_version=self.registry_version,
            views={view: _pinned(read) for view, read in frame.views.items()},
            created_at=now,
            created_by=user_name(),
            featurestore_version=metadata.version("featurestore"),
        )

    def _features(self, call: str) -> tuple[FeatureColumn, ...]:
        return tuple(
            FeatureColumn(f"{use.prefix}{feature}", use.view.name, feature)
            for use in selected_uses(self.manifest, self.selection, call)
            for feature in use.feature_names
        )


def load_training_set(layout: Layout, name: str, version: int | None) -> FeatureFrame:
    """Return a saved training set as the frame that it was.

    Args:
        layout: The addresses of the tables.
        name: The training set's name.
        version: The number of the version. None for the newest.

    Raises:
        NotFoundError: There is no such training set or version.
        TableError: Its table is damaged.
    """
    call = f"load_training_set({name!r})"
    saved = version_of(layout, name, version, call)
    timing = None if saved.label_timing is None else LabelTiming(*saved.label_timing)
    return FeatureFrame(
        load_rows(layout, saved),
        tuple(each.column for each in saved.features),
        label=saved.label,
        timestamp_field=saved.timestamp_field,
        timezone=saved.timezone,
        label_timing=timing,
        immature_rows=saved.immature_rows,
        views={
            view: ViewRead(
                pin.keys, pin.version, table_id=pin.table_id, personal=frozenset(pin.personal)
            )
            for view, pin in saved.views.items()
        },
    )


def saved_profile(saved: TrainingSet) -> Profile | None:
    """Return the statistics of a saved version; None without them, or if they are damaged.

    Args:
        saved: The version.

    Example:
        >>> saved_profile(TrainingSet("fraud_2026_01")) is None
        True
    """
    if saved.created_at is None or not saved.profile:
        return None
    record = ProfileRecord(
        saved.name,
        run_id="",
        table_id="",
        kind="training_set",
        at=saved.created_at,
        columns=saved.profile,
    )
    try:
        return profile_of(record)
    except ValueError:
        return None


def spine_digest(spine: pa.Table, call: str) -> str:
    """Return a hash of the names, types and values of a spine; equal spines have the same one.

    Args:
        spine: The rows without the features.
        call: The user's call, for messages.

    Example:
        >>> one, two = pa.table({"id": [1, 2]}), pa.table({"id": [1, 3]})
        >>> spine_digest(one, "save") == spine_digest(one.slice(0, 2), "save")
        True
        >>> spine_digest(one, "save") == spine_digest(two, "save")
        False
    """
    found = sha256()
    for column, kind in zip(stored_rows(spine, call).columns, [*spine.schema, None], strict=True):
        found.update(repr(kind).encode())
        # In parts of the same rows for equal spines: a text array holds 2 GB at most.
        for start in range(0, len(column), _DIGEST_ROWS) or (0,):
            array = column.slice(start, _DIGEST_ROWS).combine_chunks()
            found.update(np.packbits(array.is_null().to_numpy(zero_copy_only=False)).tobytes())
            # Without nulls, whose bytes could be anything.
            values = pa.RecordBatch.from_arrays([array.drop_null()], ["values"])
            found.update(values.serialize())
    return found.hexdigest()


def user_name() -> str:
    """Return the name of the user, for a record; ``"unknown"`` in a container without one."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def require_name(name: str, names: Collection[str], call: str) -> None:
    """Check the name of a training set or a model.

    Args:
        name: The name.
        names: Those that are in use.
        call: The user's call, for messages.

    Raises:
        RequestError: It is not valid, or differs from another one only in case.

    Example:
        >>> require_name("fraud", ["fraud", "churn"], "save('fraud')")
    """
    if not isinstance(name, str) or not is_plain(name):
        fix = "Begin with a letter; use letters, digits and underscores, at most 63 in all."
        raise RequestError(call, f"the name {name!r} is not valid", fix)
    for other in () if name in names else names:
        if other.lower() == name.lower():
            found = f"{other!r} is in use, and differs only in case"
            fix = f"Use {other!r}, or another name: people and some disks take the two for one."
            raise RequestError(call, found, fix)


def _timing(timing: LabelTiming | None) -> tuple[int, int] | None:
    return None if timing is None else (timing.horizon, timing.maturity)


def _pinned(read: ViewRead) -> PinnedTable:
    return PinnedTable(read.table_id, read.version, read.keys, tuple(sorted(read.personal)))
