"""`Results`: a list that a notebook shows as a table."""

from collections.abc import Iterable, Sequence
from typing import TypeVar

from featurestore.notebook import html_table

T = TypeVar("T")

RUNS = ("view", "status", "kind", "version", "rows_in", "rows_out", "seconds", "message")
REPAIRS = (
    *("view", "start", "end", "rows", "rows_kept", "files", "bytes"),
    *("source_version", "source_changed", "rebuilt"),
)
SCHEDULES = ("view", "schedule", "reason", "due_since", "late_seconds", "next_tick")
MAINTENANCE = (
    *("table", "files_before", "files_after", "builds_removed", "records_removed"),
    *("files_removed", "bytes_removed", "error"),
)
STATUSES = (
    *("view", "state", "version", "rows", "newest_event", "last_run", "freshness"),
    *("late_seconds", "last_failure_at", "error"),
)
QUARANTINED = ("id", "state", "reasons", "run_id", "quarantined_at", "values")
VERSIONS = ("version", "applied_at", "applied_by", "changes")


class Results(list[T]):
    """A list of results, which a notebook shows as a table.

    Args:
        results: The results.
        columns: Their attributes to show.

    Example:
        >>> from featurestore.client.status import ViewStatus
        >>> statuses = Results([ViewStatus("activity", 3, "current")], ("view", "state"))
        >>> "<td>activity</td><td>current</td>" in statuses._repr_html_()
        True
    """

    def __init__(self, results: Iterable[T], columns: Sequence[str]) -> None:
        super().__init__(results)
        self._columns = tuple(columns)

    def __reduce__(self) -> tuple[type, tuple[list[T], tuple[str, ...]]]:
        """Pickle by the results and the columns."""
        return type(self), (list(self), self._columns)

    def _repr_html_(self) -> str:
        columns = [name for name in self._columns if any(self._cell(each, name) for each in self)]
        rows = [[self._cell(each, name) for name in columns] for each in self]
        names = [name.replace("_", " ") for name in columns]
        return html_table(f"{len(self)} result{'' if len(self) == 1 else 's'}", names, rows)

    @staticmethod
    def _cell(result: T, name: str) -> object:
        value = getattr(result, name)
        return ", ".join(map(str, value)) if isinstance(value, tuple) else value
