"""The ledger of models: what each was trained on, and where it is. Records are never changed."""

from collections.abc import Iterable, Mapping
from dataclasses import KW_ONLY, asdict, dataclass, replace
from datetime import datetime
from typing import Any

import pyarrow as pa
from deltalake import CommitProperties, write_deltalake

from featurestore.store.delta.log import is_table
from featurestore.store.delta.records import check_record, read_records
from featurestore.store.delta.retry import retry_commit
from featurestore.store.delta.snapshot import open_table
from featurestore.store.failures import storage_errors
from featurestore.store.layout import Layout
from featurestore.store.ledger.append import PROPERTIES, join_files
from featurestore.store.ledger.schemas import MODELS

_KINDS = {"name": str, "version": int, "training_set": str, "recorded_at": datetime}


@dataclass(frozen=True, repr=False)
class ModelRecord:
    """One version of a model.

    Args:
        name: The model's name.
        version: The number of the version, from 1.
        training_set: The name of the saved training set that it learned from.
        training_set_version: The version of the training set.
        uri: Where the model is, for people: a path, or an address in a registry of models.
        features: The features that it uses, as ``"view:feature"``.
        description: A description.
        tags: Search terms.
        recorded_at: When it was recorded, in UTC.
        recorded_by: Who recorded it.

    Example:
        >>> from datetime import UTC
        >>> model = ModelRecord("fraud", training_set="fraud_2026_01",
        ...                     recorded_at=datetime(2026, 1, 31, tzinfo=UTC))
        >>> model  # doctest: +NORMALIZE_WHITESPACE
        ModelRecord('fraud', version=0, training_set='fraud_2026_01', training_set_version=0,
        features=0)
    """

    name: str
    _: KW_ONLY
    version: int = 0
    training_set: str
    training_set_version: int = 0
    uri: str = ""
    features: tuple[str, ...] = ()
    description: str = ""
    tags: tuple[str, ...] = ()
    recorded_at: datetime
    recorded_by: str = ""

    def __repr__(self) -> str:
        """Return what tells it from others, and no names of its features: there may be many."""
        uri = f", uri={self.uri!r}" if self.uri else ""
        return (
            f"ModelRecord({self.name!r}, version={self.version}, "
            f"training_set={self.training_set!r}, "
            f"training_set_version={self.training_set_version}, "
            f"features={len(self.features)}{uri})"
        )


class Models:
    """The ledger of models.

    Example:
        >>> Models(Layout("no/such/root")).records()
        ()
    """

    def __init__(self, layout: Layout) -> None:
        self._uri = layout.models()

    def records(self) -> tuple[ModelRecord, ...]:
        """Return all versions of all models, by name and version.

        Raises:
            TableError: The ledger is damaged.
        """
        rows = read_records(open_table(self._uri)) if is_table(self._uri) else []
        for row in rows:
            check_record(self._uri, row, _KINDS)
        return tuple(sorted(map(_record, rows), key=lambda each: (each.name, each.version)))

    def record(self, model: ModelRecord) -> ModelRecord:
        """Append a model as the next version of its name, and return it with its number.

        Raises:
            StorageError: The disk or the object store refuses it.
        """
        call = f"record model {model.name!r}"
        with storage_errors(call, self._uri):
            numbered = retry_commit(self._uri, lambda: self._append(model))
        join_files(open_table(self._uri))
        return numbered

    def _append(self, model: ModelRecord) -> ModelRecord:
        # No retries: the number is only free in the version of the table that was read.
        once = CommitProperties(max_commit_retries=0)
        if not is_table(self._uri):
            first = replace(model, version=1)
            write_deltalake(
                self._uri,
                _rows([first]),
                mode="error",
                configuration=PROPERTIES,
                commit_properties=once,
            )
            return first
        table = open_table(self._uri)
        same = (row["version"] for row in read_records(table) if row["name"] == model.name)
        numbered = replace(model, version=max(same, default=0) + 1)
        write_deltalake(table, _rows([numbered]), mode="append", commit_properties=once)
        return numbered


def _rows(models: Iterable[ModelRecord]) -> pa.Table:
    return pa.Table.from_pylist([asdict(model) for model in models], schema=MODELS)


def _record(row: Mapping[str, Any]) -> ModelRecord:
    own = ModelRecord.__dataclass_fields__
    found = {name: value for name, value in row.items() if name in own and value is not None}
    lists = {name: tuple(found.get(name, ())) for name in ("features", "tags")}
    return ModelRecord(**found | lists)
