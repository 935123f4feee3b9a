"""All cases. Each is a section of docs/semantics.md and a test.

``name`` and ``rule`` quote the table of the rules, which binds; ``text`` explains it to users.
"""

from tests.semantics import as_of, computed, grids, spine, windows
from tests.semantics.case import Case

TABLE: tuple[Case, ...] = (
    as_of.EQUAL_TIME,
    windows.UPPER_EDGE,
    windows.LOWER_EDGE,
    as_of.TTL_BOUNDARY,
    as_of.TTL_EXPIRY,
    as_of.TIE,
    as_of.NULL_AVAILABLE,
    as_of.NULL_VALUE,
    spine.NULL_KEY,
    spine.NULL_TIME,
    spine.NULL_ROW,
    spine.DUPLICATES,
    spine.EXTRA_COLUMNS,
    spine.COLLISION,
    spine.COMPOSITE,
    spine.ROLES,
    spine.TWO_TIMES,
    spine.NAIVE,
    windows.SUMMER_TIME,
    spine.PRECISION,
    windows.FAR_DATES,
    as_of.LATE,
    as_of.CORRECTION,
    windows.DATA_DELAY,
    as_of.FUTURE,
    as_of.TOMBSTONE,
    windows.EMPTY_WINDOW,
    spine.NOTHING_THERE,
    windows.NOT_A_NUMBER,
    spine.NESTED,
    as_of.LABEL_LEAKAGE,
    as_of.LATEST_TTL,
)
"""The cases in the table of the rules, in its order."""

CASES: tuple[Case, ...] = (
    *TABLE,
    grids.SLIDING,
    grids.TUMBLING,
    grids.LIFETIME,
    computed.DERIVED,
    computed.ON_DEMAND,
    computed.LABELS,
)
