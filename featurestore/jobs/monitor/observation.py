"""`Observation`: what one check of a view has found, as plain data."""

from dataclasses import KW_ONLY, dataclass
from typing import Literal, get_args

from featurestore.definitions.model.drift import Measure

CheckKind = Literal["run", "late", "missing", "events", "rows", "quarantine", "drift", "profile"]
"""What a check looks at.

- ``run``: whether the newest run succeeded.
- ``late``: whether the view keeps its schedule.
- ``missing``: whether there was a run for each tick of the schedule.
- ``events``: whether an unusually long interval of event time has no rows.
- ``rows``: whether the newest run stored about as many rows as the runs before it.
- ``quarantine``: whether few rows were bad.
- ``drift``: whether the values of a feature moved away from earlier ones.
- ``profile``: whether the profiles can be read.
"""

State = Literal["breach", "undeclared", "not compared", "ok"]
"""What a check has found, the most important first.

- ``breach``: a threshold is exceeded.
- ``undeclared``: a usual threshold of drift is exceeded, and the view declares none.
- ``not compared``: there is nothing to compare with, which is no pass.
- ``ok``: none of these.
"""

STATES: tuple[State, ...] = get_args(State)


@dataclass(frozen=True)
class Observation:
    """What one check has found.

    Args:
        view: The view's name.
        check: The kind of the check.
        state: ``breach``, ``undeclared``, ``not compared`` or ``ok``: see `State`.
        feature: The feature, for drift.
        measure: The measure of drift.
        value: The number that was compared: a distance, seconds, rows or a share.
        threshold: The greatest such number that is no breach; None without one.
        against: What was compared with, for drift.
        declared: Whether the view declares the threshold, or a caller asks for the comparison.
        later_rows: How many rows at least were stored since the newer profile was made, of window
            features, and are not in it.
        found: What was found, as a clause.
        fix: What to do next; empty if nothing is to be done.
    """

    view: str
    _: KW_ONLY
    check: CheckKind
    state: State
    feature: str = ""
    measure: Measure | None = None
    value: float | None = None
    threshold: float | None = None
    against: str = ""
    declared: bool = True
    later_rows: int = 0
    found: str = ""
    fix: str = ""

    @property
    def is_explained(self) -> bool:
        """Whether a distance above its threshold is no drift, for the reason in ``found``."""
        if self.check != "drift" or self.state != "ok":
            return False
        return (self.value or 0.0) > (self.threshold or 0.0)


def judged(  # noqa: PLR0913 - the fields of an observation
    view: str,
    check: CheckKind,
    *,
    is_breach: bool,
    found: str,
    fix: str = "",
    value: float | None = None,
    threshold: float | None = None,
) -> Observation:
    """Return an observation that is a breach, or ok.

    Args:
        view: The view's name.
        check: The kind of the check.
        is_breach: Whether it is a breach.
        found: What was found, as a clause.
        fix: What to do about a breach.
        value: The number that was compared.
        threshold: The greatest such number that is no breach.

    Example:
        >>> judged("activity", "run", is_breach=False, found="the run succeeded").state
        'ok'
    """
    return Observation(
        view,
        check=check,
        state="breach" if is_breach else "ok",
        value=value,
        threshold=threshold,
        found=found,
        fix=fix if is_breach else "",
    )
