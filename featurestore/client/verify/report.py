"""What a check of answers has found: `Verification`, its differences and its leaks."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal


@dataclass(frozen=True)
class Difference:
    """A cell that an engine answers otherwise than the reference does.

    Args:
        view: The view.
        feature: The feature's name in the answer.
        key: The spine's key columns; of an on-demand feature, its request values too.
        moment: When it was asked for; None where the row has no time.
        engine: What the engine answers; of an on-demand feature, among the other rows.
        reference: The reference answer; of an on-demand feature, for the row alone.
        why: How the rules come to that.
        explain: The command that tells more.
        used_by: The on-demand features, as ``view:feature``, that are computed from it and so
            are wrong, too.
    """

    view: str
    feature: str
    key: Mapping[str, Any]
    moment: datetime | None
    engine: Any
    reference: Any
    why: str
    explain: str
    used_by: tuple[str, ...] = ()


@dataclass(frozen=True)
class Leak:
    """A feature that changes when rows at or after the moment asked for are taken away.

    Args:
        view: The view.
        feature: The feature's name in the answer.
        rows: In how many of the asked rows it changes.
        of: How many rows were asked.
        key: The spine's key columns, of one of them.
        moment: Its moment.
        value: What is answered there.
        without: What would be, without the rows at or after that moment.
        fix: What to do about it.
        used_by: The on-demand features, as ``view:feature``, that are computed from it and so
            leak, too.
    """

    view: str
    feature: str
    rows: int
    of: int
    key: Mapping[str, Any]
    moment: datetime
    value: Any
    without: Any
    fix: str
    used_by: tuple[str, ...] = ()


@dataclass(frozen=True)
class Skipped:
    """Features that were not checked.

    Args:
        view: Their on-demand view.
        features: Their names in the answer.
        why: What is missing.
        fix: What to do to have them checked.
    """

    view: str
    features: tuple[str, ...]
    why: str
    fix: str


@dataclass(frozen=True)
class Overflow:
    """A feature with a window whose sum does not fit its type: to ask for it there is an error.

    Args:
        view: The view.
        feature: The feature's name in the answer.
        rows: In how many of the asked rows.
        of: How many rows were asked.
        key: The spine's key columns, of one of them.
        moment: Its moment.
    """

    view: str
    feature: str
    rows: int
    of: int
    key: Mapping[str, Any]
    moment: datetime


@dataclass(frozen=True)
class CheckedView:
    """What was checked of one use of a view.

    Args:
        view: The view.
        version: The Delta version of its table; None of an on-demand view.
        rows: How many rows were asked.
        cells: How many values were compared.
        left_out: How many rows more were drawn, but would take too long: they have too many
            stored rows to go through, or are too many to compute one by one.
        differences: The values that differ.
        leaks: The features that leak; empty where leakage was not looked for.
        features: The names of its features in the answer, which tell uses of a view apart.
        overflows: The features that the rules refuse in some row, as the engine does.
    """

    view: str
    version: int | None
    rows: int
    cells: int
    left_out: int = 0
    differences: tuple[Difference, ...] = ()
    leaks: tuple[Leak, ...] = ()
    features: tuple[str, ...] = ()
    overflows: tuple[Overflow, ...] = ()


@dataclass(frozen=True)
class Verification:
    """What a check of answers against the rules has found.

    Args:
        views: What was checked, a use of a view each.
        moments: ``"spine"`` where a spine gave the rows, ``"events"`` where they were drawn
            around the views' own stored rows.
        skipped: Features that were not checked, since the rows lack what they need.

    Example:
        >>> print(Verification((CheckedView("activity", 3, rows=10, cells=40),)))
        40 values are as the rules give them
    """

    views: tuple[CheckedView, ...]
    moments: Literal["spine", "events"] = "spine"
    skipped: tuple[Skipped, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing differs and nothing leaks."""
        return not self.differences and not self.leaks

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
        """How many values were compared."""
        return sum(view.cells for view in self.views)

    def __repr__(self) -> str:
        """Return the outcome in words: differences may be many and hold personal data."""
        return f"Verification({self})"

    def __str__(self) -> str:
        """Return the outcome as a sentence."""
        parts = [self._compared()]
        leaks, overflows = len(self.leaks), len(self.overflows)
        if leaks:
            change = "feature changes" if leaks == 1 else "features change"
            parts.append(f"{leaks} {change} without the rows at or after t")
        if overflows:
            have = "feature has" if overflows == 1 else "features have"
            parts.append(f"{overflows} {have} sums that do not fit their type")
        skipped = [name for each in self.skipped for name in each.features]
        if skipped:
            parts.append(f"not checked: {', '.join(skipped)}")
        return "; ".join(parts)

    def _compared(self) -> str:
        if not self.cells:
            left = sum(view.left_out for view in self.views)
            why = f"{left:,} rows were left out" if left else "there were no rows to ask"
            return f"nothing was checked: {why}"
        if self.differences:
            wrong = len(self.differences)
            return f"{wrong:,} of {self.cells:,} values differ from what the rules give"
        return f"{self.cells:,} values are as the rules give them"
