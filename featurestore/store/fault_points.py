"""Fault points: the named steps of a materialization at which a test lets it fail.

Whatever step a run fails at, the next run must leave the same rows, ledgers and positions as if it
had not failed. Tests check that sentence for each name. A fault is armed by the environment
variable ``FEATURESTORE_FAULTS`` only. Without it, a fault point is one look into the environment.
"""

import errno
import logging
import os
import signal
import threading
import time
from collections import Counter
from dataclasses import KW_ONLY, dataclass

from featurestore.errors import RequestError, nearest

VARIABLE = "FEATURESTORE_FAULTS"

RUN_POINTS = (
    "lock.acquired",
    "ledger.reserved",
    "source.pinned",
    "rows.computed",
    "quarantine.committed",
    "data.committed",
    "commit.verified",
    "source.read",
    "table.ready",
    "files.recorded",
    "table.switched",
    "latest.published",
    "ledger.completed",
    "table.compacted",
    "lock.released",
)
"""The names of the steps of runs and builds, in the order of a build's steps."""

RELEASE_POINTS = ("release.marked", "release.committed", "release.finished")
"""The names of the steps that only a release from the quarantine has."""

REPAIR_POINTS = ("quarantine.copied", "checkpoint.copied")
"""The names of the steps that only the repair of a range has, beside those of builds."""

FAULT_POINTS = (*RUN_POINTS, *RELEASE_POINTS, *REPAIR_POINTS)
"""All names; docs/architecture.md describes them."""

ACTIONS = ("raise", "kill", "sleep", "enospc")
_SECONDS = 60.0
_log = logging.getLogger(__name__)
_passed: Counter["Fault"] = Counter()
_counting = threading.Lock()


class InjectedError(Exception):
    """The failure of a step at which a fault of the action ``raise`` is armed."""


@dataclass(frozen=True)
class Fault:
    """One armed fault.

    Args:
        point: The name of the fault point.
        action: ``raise`` an exception, ``kill`` the process, ``sleep``, or raise the error of a
            full disk (``enospc``).
        view: The view whose run fails; None for any.
        nth: The pass through the point that fails, from 1. Others pass.
        seconds: The duration of ``sleep``.
    """

    point: str
    _: KW_ONLY
    action: str
    view: str | None = None
    nth: int = 1
    seconds: float = _SECONDS


def fault_point(name: str, view: str) -> None:
    """Fail here if a fault is armed for this step of this view.

    Args:
        name: One of `FAULT_POINTS`.
        view: The view that is materialized.

    Raises:
        InjectedError: A fault of the action ``raise`` is armed.
        OSError: A fault of the action ``enospc`` is armed.
        RequestError: The environment variable arms no fault that exists.

    Example:
        >>> fault_point("data.committed", "spending")
    """
    if armed := os.environ.get(VARIABLE):
        for fault in armed_faults(armed):
            if fault.point == name and fault.view in (None, view) and _is_due(fault):
                _fail(fault, view)
    elif _passed:
        _passed.clear()  # so that the next test counts anew


def armed_faults(text: str) -> tuple[Fault, ...]:
    """Return the faults that a value of the environment variable arms.

    Args:
        text: Faults, separated by commas, each ``[VIEW/]POINT=ACTION[:SECONDS][@NTH]``.

    Raises:
        RequestError: A point or an action does not exist, or a number is none.

    Example:
        >>> armed_faults("spending/data.committed=raise@2")
        (Fault(point='data.committed', action='raise', view='spending', nth=2, seconds=60.0),)
    """
    return tuple(_fault(each.strip()) for each in text.split(","))


def _fault(text: str) -> Fault:
    target, _, what = text.partition("=")
    view, _, point = target.rpartition("/")
    what, _, nth = what.partition("@")
    action, _, seconds = what.partition(":")
    for name, names in ((point, FAULT_POINTS), (action, ACTIONS)):
        if name not in names:
            raise RequestError(f"{VARIABLE}={text}", f"{name!r} is unknown", nearest(name, names))
    try:
        numbers = int(nth or 1), float(seconds or _SECONDS)
    except ValueError as error:
        raise RequestError(
            f"{VARIABLE}={text}", str(error), "Write it as in spending/data.committed=sleep:5@2."
        ) from None
    return Fault(point, action=action, view=view or None, nth=numbers[0], seconds=numbers[1])


def _is_due(fault: Fault) -> bool:
    with _counting:
        _passed[fault] += 1
        return _passed[fault] == fault.nth


def _fail(fault: Fault, view: str) -> None:
    # To stderr where no logging is set up, so that another process can wait for the line.
    _log.warning("fault: %s at %s of view %s", fault.action, fault.point, view)
    if fault.action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif fault.action == "sleep":
        time.sleep(fault.seconds)
    elif fault.action == "enospc":
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    else:
        raise InjectedError(f"fault at {fault.point}")
