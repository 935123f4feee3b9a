"""`RetrievalPlan`: which engine answers a call, why, and in which parts."""

from collections.abc import Mapping
from dataclasses import KW_ONLY, asdict, dataclass, field
from typing import Any

from featurestore.notebook import html_lines
from featurestore.sizes import format_megabytes, round_bytes

SCHEMA = "featurestore.retrieval_plan/1"


@dataclass(frozen=True)
class RetrievalPlan:
    """Which engine answers a call, why, and in which parts.

    Args:
        mode: ``"local"``, ``"scan"`` or ``"shuffle"``.
        reason: Why, as a sentence without its end.
        facts: The numbers behind the reason.
        spine_rows: The number of rows of the spine; None if it is not known.
        tasks: The number of Spark's tasks.
        task_memory: The most memory that a task uses for its rows and its answer, in bytes.
        order: The columns by which the spine is divided into tasks.
        views: The rows and bytes of each view's pinned table, by the view's name.
        computed: The views without a table. Spark computes their rows from their sources.

    Example:
        >>> plan = RetrievalPlan("local", "engine='local' was passed")
        >>> print(plan)
        local: engine='local' was passed
        >>> plan.to_dict()["mode"]
        'local'
    """

    mode: str
    reason: str
    _: KW_ONLY
    facts: Mapping[str, Any] = field(default_factory=dict)
    spine_rows: int | None = None
    tasks: int = 1
    task_memory: int | None = None
    order: tuple[str, ...] = ()
    views: Mapping[str, "TableSize"] = field(default_factory=dict)
    computed: tuple[str, ...] = ()

    @property
    def bytes(self) -> int:
        """The bytes of the files of all pinned tables."""
        return sum(each.bytes for each in self.views.values())

    def __str__(self) -> str:
        """Return the plan as lines of text."""
        lines = [f"{self.mode}: {self.reason}"]
        if self.spine_rows is not None:
            lines.append(f"  spine: {self.spine_rows:,} rows")
        if self.mode != "local":
            memory = "" if self.task_memory is None else format_megabytes(self.task_memory)
            lines.append(f"  tasks: {self.tasks:,}, each with {memory} or less")
        if self.order:
            lines.append(f"  divided by: {', '.join(self.order)}")
        lines += [
            f"  {view}: version {each.version}, {each.rows:,} rows in {each.files:,} "
            f"{'file' if each.files == 1 else 'files'}, {round_bytes(each.bytes)}"
            for view, each in self.views.items()
        ]
        lines += [f"  {view}: no table, computed from its source" for view in self.computed]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """Return the plan for a notebook."""
        return html_lines(str(self).splitlines())

    def to_dict(self) -> dict[str, Any]:
        """Return the plan as plain data, for JSON."""
        return {"schema": SCHEMA, **asdict(self), "bytes": self.bytes}


@dataclass(frozen=True)
class TableSize:
    """The size of a pinned table.

    Args:
        version: The Delta version.
        rows: The number of rows.
        files: The number of files.
        bytes: The bytes of the files.
    """

    version: int
    rows: int
    files: int
    bytes: int
