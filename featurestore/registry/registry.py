"""`Registry`: the applied definitions. Each version is one row of a Delta table, written once."""

import getpass
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from itertools import pairwise
from operator import itemgetter
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, write_deltalake
from deltalake.exceptions import CommitFailedError, DeltaError
from filelock import FileLock, Timeout

from featurestore.definitions.code.fingerprint import table_fingerprint
from featurestore.definitions.model.view import FeatureView
from featurestore.errors import ConflictError, NotFoundError
from featurestore.registry.plan import Plan, headline
from featurestore.registry.version import RegistryVersion, damaged
from featurestore.store.columns import UTC_MICROS
from featurestore.store.delta.cache import TableCache
from featurestore.store.delta.log import is_table
from featurestore.store.delta.records import read_records
from featurestore.store.delta.snapshot import open_table
from featurestore.store.failures import storage_error
from featurestore.store.layout import Layout
from featurestore.store.paths import is_local, local_path
from featurestore.times import Clock

__all__ = ["Registry", "RegistryVersion"]

_SCHEMA = pa.schema(
    [
        ("version", pa.int64()),
        ("applied_at", UTC_MICROS),
        ("applied_by", pa.string()),
        ("digest", pa.string()),
        ("changes", pa.string()),
        ("manifest", pa.string()),
    ]
)
_KINDS = {"version": int, "applied_at": datetime, "applied_by": str, "digest": str}
_HEAD = [name for name in _SCHEMA.names if name != "manifest"]
# Without retries, a commit fails if another process has committed since the table was opened.
_ONCE = CommitProperties(max_commit_retries=0)


class Registry:
    """The versions of a project's applied definitions.

    Args:
        layout: The addresses of the project's tables.
        clock: Returns the moment of an apply.
        patience: The seconds to wait while another process applies.

    Example:
        >>> from featurestore.times import system_clock
        >>> Registry(Layout("no/such/project"), system_clock).latest() is None
        True
    """

    def __init__(self, layout: Layout, clock: Clock, *, patience: float = 30) -> None:
        self._layout, self._clock, self._patience = layout, clock, patience
        self._cache = TableCache(layout.registry(), self._versions)

    def latest(self) -> RegistryVersion | None:
        """Return the newest version, or None if nothing is applied."""
        versions = self.history()
        return versions[-1] if versions else None

    def current(self, call: str) -> RegistryVersion:
        """Return the newest version.

        Args:
            call: The user's call, for the message.

        Raises:
            NotFoundError: Nothing is applied yet.
        """
        latest = self.latest()
        if latest is None:
            fix = "Write definitions, then run `featurestore plan` and `featurestore apply`."
            raise NotFoundError(call, "nothing is applied yet", fix)
        return latest

    def version(self, number: int) -> RegistryVersion:
        """Return one version.

        Raises:
            NotFoundError: There is no version with that number.
        """
        versions = self.history()
        for version in versions:
            if version.version == number:
                return version
        newest = versions[-1].version if versions else 0
        raise NotFoundError(
            f"registry version {number}",
            f"the applied versions are 1 to {newest}" if versions else "nothing is applied yet",
            "List the versions with `featurestore history`."
            if versions
            else "Run `featurestore plan`, then `featurestore apply`.",
        )

    def history(self) -> list[RegistryVersion]:
        """Return all versions, the oldest first; a version reads its manifest on first use."""
        return list(self._cache.newest() or [])

    def built_from(self, view: str, fingerprint: str) -> FeatureView | None:
        """Return the newest applied definition of a view whose table has a fingerprint.

        Args:
            view: The view's name.
            fingerprint: The fingerprint of the table, by `table_fingerprint`.

        Returns:
            None if no version has such a definition.
        """
        for version in reversed(self.history()):
            definition = version.manifest.view(view)
            if definition is not None and table_fingerprint(definition) == fingerprint:
                return definition
        return None

    def apply(self, plan: Plan) -> RegistryVersion:
        """Make exactly the plan's changes, and return the new version.

        If the plan changes nothing, nothing is written, and the latest version is returned.

        Args:
            plan: A plan for the latest version.

        Raises:
            ConflictError: Another plan was applied since; nothing was changed.
        """
        with self._lock():
            table = self._table()
            versions = self._versions(table) if table is not None else []
            latest = versions[-1] if versions else None
            self._require_base(plan, latest)
            if latest is not None and plan.is_empty:
                return latest
            self._commit(table, plan)
        return self.version(plan.base_version + 1)

    def _versions(self, table: DeltaTable) -> list[RegistryVersion]:
        rows = read_records(table, _HEAD)
        for row in rows:
            wrong = [name for name, kind in _KINDS.items() if not isinstance(row.get(name), kind)]
            if wrong:
                raise damaged(row["version"], f"its row has no valid {', '.join(wrong)}")
        rows.sort(key=itemgetter("version"))
        for row, following in pairwise(rows):
            if row["version"] == following["version"]:
                raise damaged(row["version"], "the table has two rows of this version")
        return [_version(table, row) for row in rows]

    def _table(self) -> DeltaTable | None:
        uri = self._layout.registry()
        return open_table(uri) if is_table(uri) else None

    def _require_base(self, plan: Plan, latest: RegistryVersion | None) -> None:
        number = latest.version if latest else 0
        if number != plan.base_version:
            found = f"the plan is for version {plan.base_version}, but version {number} is applied"
            raise _outdated(plan, found)

    def _commit(self, table: DeltaTable | None, plan: Plan) -> None:
        rows = pa.Table.from_pylist([self._row(plan)], schema=_SCHEMA)
        try:
            if table is None:
                write_deltalake(self._layout.registry(), rows, commit_properties=_ONCE)
            else:
                write_deltalake(table, rows, mode="append", commit_properties=_ONCE)
        except CommitFailedError as error:
            raise _outdated(plan, "another plan was applied at the same time") from error
        except (DeltaError, OSError) as error:
            # Two processes create the table at once: the later one finds the other's table.
            if table is None and is_table(self._layout.registry()):
                raise _outdated(plan, "another plan was applied at the same time") from error
            call = f"apply version {plan.base_version + 1}"
            raise storage_error(error, call, self._layout.registry()) from error

    def _row(self, plan: Plan) -> dict[str, object]:
        return {
            "version": plan.base_version + 1,
            "applied_at": self._clock(),
            "applied_by": _user(),
            "digest": plan.digest,
            "changes": json.dumps([headline(change) for change in plan.changes]),
            "manifest": plan.document,
        }

    @contextmanager
    def _lock(self) -> Iterator[None]:
        """Hold the project's registry lock. Object stores rely on the commit alone."""
        if not is_local(self._layout.root):
            yield
            return
        path = Path(local_path(self._layout.registry_lock()))
        lock = FileLock(path, timeout=self._patience)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            lock.acquire()
        except Timeout as error:
            raise ConflictError(
                "apply",
                f"another process has held the lock {path} for {self._patience:g} s",
                "Wait until its apply has ended, then run `featurestore plan` again.",
            ) from error
        except OSError as error:
            raise storage_error(error, "apply", str(path)) from error
        try:
            yield
        finally:
            lock.release()


def _version(table: DeltaTable, row: Mapping[str, Any]) -> RegistryVersion:
    return RegistryVersion(
        row["version"],
        applied_at=row["applied_at"],
        applied_by=row["applied_by"],
        digest=row["digest"],
        changes=_changes(row["changes"]),
        read=partial(_document, table, row["version"]),
    )


def _changes(text: str | None) -> tuple[str, ...]:
    """Return the lines of a version's changes, which nothing but `history` shows."""
    try:
        lines = json.loads(text or "")
    except ValueError:
        lines = None
    if not isinstance(lines, list):
        return ("its changes cannot be read: the row is damaged",)
    return tuple(map(str, lines))


def _document(table: DeltaTable, version: int) -> str:
    [row] = read_records(table, ["manifest"], f"version = {version}")
    return str(row["manifest"])


def _outdated(plan: Plan, found: str) -> ConflictError:
    return ConflictError(
        f"apply the plan for version {plan.base_version + 1}",
        found,
        "Nothing was changed. Run `featurestore plan` again, check the changes, and apply them.",
    )


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # the user of a container may have no name
        return "unknown"
