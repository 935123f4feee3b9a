"""`Verification`: the result of a check, with its differences and its leaks."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from featurestore.notebook import html_table


@dataclass(frozen=True)
class Difference:
    """A value of the engine that differs from the reference.

    Args:
        view: The view.
        feature: The feature's name in the answer.
        key: The spine's key columns. For an on-demand feature, its request values too.
        moment: The row's moment. None if the row has no time.
        engine: The engine's value. For an on-demand feature, computed together with other rows.
        reference: The reference value. For an on-demand feature, computed for the row alone.
        reason: How the reference gets its value.
        explain_command: The shell command that explains the row.
        used_by: The on-demand features that use this one, as ``view:feature``. They are wrong
            too.
    """

    view: str
    feature: str
    key: Mapping[str, Any]
    moment: datetime | None
    engine: Any
    reference: Any
    reason: str
    explain_command: str
    used_by: tuple[str, ...] = ()


@dataclass(frozen=True)
class Leak:
    """A feature that changes when the rows at or after the moment are removed.

    Args:
        view: The view.
        feature: The feature's name in the answer.
        rows: The number of checked rows in which it changes.
        checked_rows: The number of checked rows.
        key: The spine's key columns in one of these rows.
        moment: The moment of that row.
        value: The feature's value in that row.
        past_value: The value from the rows before that moment alone.
        fix: What to do about it.
        used_by: The on-demand features that use this one, as ``view:feature``. They leak too.
    """

    view: str
    feature: str
    rows: int
    checked_rows: int
    key: Mapping[str, Any]
    moment: datetime
    value: Any
    past_value: Any
    fix: str
    used_by: tuple[str, ...] = ()


@dataclass(frozen=True)
class Skipped:
    """The features of an on-demand view that were not checked.

    Args:
        view: The on-demand view.
        features: The features' names in the answer.
        reason: What is missing.
        fix: What to do to have them checked.
    """

    view: str
    features: tuple[str, ...]
    reason: str
    fix: str


@dataclass(frozen=True)
class Overflow:
    """A feature with a sum that does not fit its type. A call with such a row is an error.

    Args:
        view: The view.
        feature: The feature's name in the answer.
        rows: The number of checked rows in which it overflows.
        checked_rows: The number of checked rows.
        key: The spine's key columns in one of these rows.
        moment: The moment of that row.
    """

    view: str
    feature: str
    rows: int
    checked_rows: int
    key: Mapping[str, Any]
    moment: datetime


@dataclass(frozen=True)
class CheckedView:
    """The result for one use of a view.

    Args:
        view: The view.
        version: The Delta version of its table. None for an on-demand view.
        rows: The number of checked rows.
        cells: The number of compared values.
        unchecked_rows: The number of sampled rows that were not checked, because that would take
            too long: their keys have too many stored rows, or there are too many rows to compute
            each alone.
        differences: The values that differ.
        leaks: The features that leak. Empty if leakage is not checked.
        features: The names of its features in the answer. Different uses of a view have
            different names.
        overflows: The features with a sum that does not fit its type.
    """

    view: str
    version: int | None
    rows: int
    cells: int
    unchecked_rows: int = 0
    differences: tuple[Difference, ...] = ()
    leaks: tuple[Leak, ...] = ()
    features: tuple[str, ...] = ()
    overflows: tuple[Overflow, ...] = ()


@dataclass(frozen=True)
class SourceDifference:
    """A stored row that differs from the row that the present source gives.

    Args:
        view: The view.
        key: The values of its join keys.
        event_timestamp: The event's time.
        stored: The stored values of the view's schema.
        recomputed: The values for an event of this key and time, computed now; None if the
            source has no such event any more.
    """

    view: str
    key: Mapping[str, Any]
    event_timestamp: datetime
    stored: Mapping[str, Any]
    recomputed: Mapping[str, Any] | None


@dataclass(frozen=True)
class CheckedSource:
    """The result of recomputing sampled stored rows of one view.

    Args:
        view: The view.
        version: The Delta version of its table; None without a current table.
        rows: The number of compared rows.
        differences: The rows that differ; at most 100.
        skipped: Why nothing was compared; ``""`` if rows were.
    """

    view: str
    version: int | None
    rows: int = 0
    differences: tuple[SourceDifference, ...] = ()
    skipped: str = ""


@dataclass(frozen=True)
class Verification:
    """The result of comparing sampled answers with the reference.

    Args:
        views: The results, one for each use of a view.
        moments: ``"spine"`` if a spine gave the rows, ``"events"`` if moments around the views'
            stored rows were sampled.
        skipped: The on-demand features that were not checked, because the rows lack an input.
        sources: The results of recomputing stored rows, one for each view; empty if that was not
            requested.

    Example:
        >>> print(Verification((CheckedView("activity", 3, rows=10, cells=40),)))
        40 values equal the reference
    """

    views: tuple[CheckedView, ...]
    moments: Literal["spine", "events"] = "spine"
    skipped: tuple[Skipped, ...] = ()
    sources: tuple[CheckedSource, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether no value and no stored row differs, and no feature leaks."""
        return not self.differences and not self.leaks and not self.source_differences

    @property
    def source_differences(self) -> tuple[SourceDifference, ...]:
        """The stored rows of all views that differ from those of their sources."""
        return tuple(each for source in self.sources for each in source.differences)

    @property
    def differences(self) -> tuple[Difference, ...]:
        """The values of all views that differ."""
        return tuple(each for view in self.views for each in view.differences)

    @property
    def leaks(self) -> tuple[Leak, ...]:
        """The features of all views that leak."""
        return tuple(each for view in self.views for each in view.leaks)

    @property
    def overflows(self) -> tuple[Overflow, ...]:
        """The features of all views with a sum that does not fit its type."""
        return tuple(each for view in self.views for each in view.overflows)

    @property
    def cells(self) -> int:
        """The number of compared values."""
        return sum(view.cells for view in self.views)

    def __repr__(self) -> str:
        """Return the summary: the differences may be many and may hold personal data."""
        return f"Verification({self})"

    def _repr_html_(self) -> str:
        columns = ("view", "version", "rows", "values", "differ", "leak", "not checked")
        rows = [
            (
                *(view.view, view.version, view.rows, view.cells),
                *(len(view.differences), len(view.leaks), view.unchecked_rows),
            )
            for view in self.views
        ]
        return html_table(str(self), columns, rows)

    def __str__(self) -> str:
        """Return the summary in one line."""
        parts = [self._compared()]
        leaks, overflows = len(self.leaks), len(self.overflows)
        if leaks:
            change = "feature changes" if leaks == 1 else "features change"
            parts.append(f"{leaks} {change} without the rows at or after t")
        if overflows:
            have = "feature has" if overflows == 1 else "features have"
            parts.append(f"{overflows} {have} sums that do not fit their type")
        if self.sources:
            rows, wrong = sum(each.rows for each in self.sources), len(self.source_differences)
            parts.append(f"{wrong:,} of {rows:,} stored rows differ from those of the sources")
        skipped = [name for each in self.skipped for name in each.features]
        if skipped:
            parts.append(f"not checked: {', '.join(skipped)}")
        return "; ".join(parts)

    def _compared(self) -> str:
        if not self.cells:
            unchecked = sum(view.unchecked_rows for view in self.views)
            reason = f"{unchecked:,} rows would take too long" if unchecked else "no rows"
            return f"nothing was checked: {reason}"
        if self.differences:
            wrong = len(self.differences)
            return f"{wrong:,} of {self.cells:,} values differ from the reference"
        return f"{self.cells:,} values equal the reference"
