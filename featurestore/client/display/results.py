"""`Results`: a list that a terminal and a notebook show as a table."""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any, TypeVar

from featurestore.notebook import html_table
from featurestore.optional import optional

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
TRAINING_SETS = (
    *("name", "version", "rows", "columns", "label", "selection", "registry_version"),
    *("created_at", "created_by", "error"),
)
MODELS = (
    *("name", "version", "training_set", "training_set_version", "uri", "features"),
    *("recorded_at", "recorded_by"),
)
CHANGES = ("action", "kind", "name", "is_breaking")
VERSIONS = ("version", "applied_at", "applied_by", "changes")
VIEWS = ("name", "kind", "entities", "source", "features", "owner", "description")
FEATURES = ("name", "view", "type", "meaning", "services")
ENTITIES = ("name", "join_keys", "views", "owner", "description")
SOURCES = ("name", "type", "views", "owner", "description")
SERVICES = ("name", "features", "views", "owner", "description")
FOUND = ("kind", "name", "view", "owner", "description")
# What is left out of these on a narrow terminal, the first one first.
LEAST = ("kind", "owner", "views", "entities", "services", "source")
MOST_ROWS = 60
"""The most results that a terminal and a notebook show; `to_dicts` has all."""


class Results(list[T]):
    """A list of results, which a terminal and a notebook show as a table.

    Args:
        results: The results.
        columns: Their attributes to show. Those that no result has are left out.
        least: Those of ``columns`` to leave out on a narrow terminal, the first one first.

    Example:
        >>> from featurestore.client.status import ViewStatus
        >>> statuses = Results([ViewStatus("activity", 3, "current")], ("view", "state"))
        >>> statuses  # doctest: +NORMALIZE_WHITESPACE
          view       state
         ────────────────────
          activity   current
        1 result
        >>> "<td>activity</td><td>current</td>" in statuses._repr_html_()
        True
        >>> statuses.to_dicts()[0]["state"]
        'current'
    """

    def __init__(
        self, results: Iterable[T], columns: Sequence[str], least: Sequence[str] = ()
    ) -> None:
        super().__init__(results)
        self._columns, self._least = tuple(columns), tuple(least)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by the results and the columns."""
        return type(self), (list(self), self._columns, self._least)

    def __repr__(self) -> str:
        """Return the results as a table, as wide as the terminal."""
        # PERF: rich is 40 ms of imports, which a program that prints nothing does not need.
        from featurestore.client.display.text_table import (  # noqa: PLC0415
            table_text,
            terminal_width,
        )

        names, rows = self.table(MOST_ROWS, terminal_width())
        return table_text(names, rows, note=self._note) if rows else self._note

    def _repr_html_(self) -> str:
        return html_table(self._note, *self.table(MOST_ROWS))

    def to_dicts(self) -> list[dict[str, Any]]:
        """Return a dict of each result's fields, also of those that are not shown."""
        return [_fields(result) for result in self]

    def to_pandas(self) -> Any:
        """Return a pandas DataFrame with a row for each result.

        Raises:
            SetupError: pandas is not installed.
        """
        return optional("pandas", "to_pandas()").DataFrame(self.to_dicts())

    def table(
        self, most: int | None = None, width: int | None = None
    ) -> tuple[list[str], list[list[object]]]:
        """Return headings and rows of a table. Columns that no result has are left out.

        Args:
            most: The most rows; None for all.
            width: The width of the terminal; None for any.
        """
        shown = [name for name in self._columns if any(_cell(each, name) for each in self)]
        least = [name for name in self._least if name in shown]
        while True:
            rows = [[_cell(each, name) for name in shown] for each in self[:most]]
            if width is None or not least or _fits(shown, rows, width):
                return [name.replace("_", " ") for name in shown], rows
            shown.remove(least.pop(0))

    @property
    def _note(self) -> str:
        note = f"{len(self)} result{'' if len(self) == 1 else 's'}"
        if len(self) > MOST_ROWS:
            note += f", of which these are the first {MOST_ROWS}"
        return note


def _fits(columns: Sequence[str], rows: Sequence[Sequence[object]], width: int) -> bool:
    from featurestore.client.display.text_table import fits  # noqa: PLC0415 - as above

    return fits(columns, rows, width)


def _fields(result: Any) -> dict[str, Any]:  # Any: a dataclass
    return {each.name: getattr(result, each.name) for each in fields(result) if each.repr}


def _cell(result: object, name: str) -> object:
    value = getattr(result, name)
    return ", ".join(map(str, value)) if isinstance(value, tuple) else value
