"""`Registry`: the applied definitions, each version one row of a Delta table written once."""

import getpass
import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from operator import itemgetter
from pathlib import Path

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, write_deltalake
from deltalake.exceptions import CommitFailedError, DeltaError
from filelock import FileLock, Timeout

from featurestore.errors import ConflictError, NotFoundError, TableError
from featurestore.registry.plan import Plan, headline
from featurestore.registry.version import RegistryVersion
from featurestore.store.columns import UTC_MICROS
from featurestore.store.delta.cache import TableCache
from featurestore.store.delta.log import is_table
from featurestore.store.delta.records import read_records
from featurestore.store.delta.snapshot import open_table
from featurestore.store.layout import Layout
from featurestore.store.paths import is_local
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
_HEAD = [name for name in _SCHEMA.names if name != "manifest"]
# Without retries a commit fails when anybody has committed since the table was opened.
_ONCE = CommitProperties(max_commit_retries=0)


class Registry:
    """The versions of what is applied in one project.

    Args:
        layout: Where the project's tables lie.
        clock: Gives the moment of an apply.
        patience: Seconds to wait while another process applies.

    Example:
        >>> from featurestore.times import system_clock
        >>> Registry(Layout("no/such/project"), system_clock).latest() is None
        True
    """

    def __init__(self, layout: Layout, clock: Clock, *, patience: float = 30) -> None:
        self._layout, self._clock, self._patience = layout, clock, patience
        self._kept = TableCache(layout.registry(), self._versions)

    def latest(self) -> RegistryVersion | None:
        """Return the newest version, or None where nothing is applied."""
        found = self.history()
        return found[-1] if found else None

    def current(self, call: str) -> RegistryVersion:
        """Return the newest version.

        Args:
            call: What needs it, for the error.

        Raises:
            NotFoundError: Nothing is applied yet.
        """
        found = self.latest()
        if found is None:
            fix = "Run `featurestore plan`, then `featurestore apply`."
            raise NotFoundError(call, "nothing is applied yet", fix)
        return found

    def version(self, number: int) -> RegistryVersion:
        """Return one version.

        Raises:
            NotFoundError: There is no version of that number.
        """
        found = self.history()
        for version in found:
            if version.version == number:
                return version
        known = f"versions 1 to {found[-1].version} are" if found else "nothing is yet"
        raise NotFoundError(
            f"registry version {number}",
            f"{known} applied",
            "See `featurestore history`.",
        )

    def history(self) -> list[RegistryVersion]:
        """Return all versions, the oldest first; their manifests are read when asked for."""
        return list(self._kept.newest() or [])

    def apply(self, plan: Plan) -> RegistryVersion:
        """Carry out exactly the plan's changes and return the version that they make.

        Nothing is written, and the latest version returned, where the plan changes nothing.

        Args:
            plan: As `plan` made it for the version that is still the latest.

        Raises:
            ConflictError: Somebody applied another plan since; nothing was changed.
        """
        with self._lock():
            table = self._table()
            latest = self._versions(table)[-1] if table is not None else None
            self._require_base(plan, latest)
            if latest is not None and plan.is_empty:
                return latest
            self._commit(table, plan)
        return self.version(plan.base_version + 1)

    def _versions(self, table: DeltaTable) -> list[RegistryVersion]:
        return [
            RegistryVersion(
                row["version"],
                applied_at=row["applied_at"],
                applied_by=row["applied_by"],
                digest=row["digest"],
                changes=tuple(json.loads(row["changes"])),
                read=partial(_document, table, row["version"]),
            )
            for row in sorted(read_records(table, _HEAD), key=itemgetter("version"))
        ]

    def _table(self) -> DeltaTable | None:
        uri = self._layout.registry()
        return open_table(uri) if is_table(uri) else None

    def _require_base(self, plan: Plan, latest: RegistryVersion | None) -> None:
        number = latest.version if latest else 0
        if number != plan.base_version:
            raise _moved(plan, f"the registry moved from v{plan.base_version} to v{number}")

    def _commit(self, table: DeltaTable | None, plan: Plan) -> None:
        rows = pa.Table.from_pylist([self._row(plan)], schema=_SCHEMA)
        try:
            if table is None:
                write_deltalake(self._layout.registry(), rows, commit_properties=_ONCE)
            else:
                write_deltalake(table, rows, mode="append", commit_properties=_ONCE)
        except CommitFailedError as error:
            raise _moved(plan, "somebody else applied at the same moment") from error
        except DeltaError as error:
            # Two first writers: the later one finds a table where there was none.
            if table is None and is_table(self._layout.registry()):
                raise _moved(plan, "somebody else applied at the same moment") from error
            raise TableError(
                f"apply version {plan.base_version + 1}",
                f"the registry's table cannot be written: {str(error).splitlines()[0]}",
                f"Check {self._layout.registry()} and its permissions.",
            ) from error

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
        """Hold the project's registry lock; object stores have none and rely on the commit."""
        if not is_local(self._layout.root):
            yield
            return
        path = Path(self._layout.lock("registry"))
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(path, timeout=self._patience):
                yield
        except Timeout as error:
            raise ConflictError(
                "apply",
                f"somebody else has held {path} for {self._patience:g} s",
                "Wait until their apply has ended, then plan again.",
            ) from error


def _document(table: DeltaTable, version: int) -> str:
    [row] = read_records(table, ["manifest"], f"version = {version}")
    return str(row["manifest"])


def _moved(plan: Plan, found: str) -> ConflictError:
    return ConflictError(
        f"apply the plan for version {plan.base_version + 1}",
        found,
        "Nothing was changed: plan again, look at the changes, and apply them.",
    )


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return "unknown"
