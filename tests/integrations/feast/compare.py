"""Two training sets, compared value by value."""

from collections import Counter

import pyarrow as pa

KEYS = ("driver_id", "zone", "from_zone", "to_zone", "event_timestamp")


def differences(theirs: pa.Table, ours: pa.Table, columns: dict[str, str]) -> list[str]:
    """Return what differs: rows by their keys and moment, floats within the precision of one.

    Args:
        theirs: Feast's rows.
        ours: Our rows.
        columns: Our names of the features, by Feast's.
    """
    expected, found = (_by_key(table) for table in (theirs, ours))
    problems = [f"{key} is missing" for key in expected.keys() - found.keys()]
    for key in expected.keys() & found.keys():
        for feast, name in columns.items():
            left, right = expected[key][feast], found[key][name]
            if not _equal(left, right):
                problems.append(f"{key} {feast}: {left!r} in Feast, {right!r} here")
    return problems


def _by_key(table: pa.Table) -> dict[tuple[object, ...], dict[str, object]]:
    moments = table["event_timestamp"].cast(pa.timestamp("us", "UTC"))
    at = table.schema.get_field_index("event_timestamp")
    rows = table.set_column(at, "event_timestamp", moments).to_pylist()
    keys = [tuple(row[name] for name in KEYS) for row in rows]
    assert max(Counter(keys).values()) == 1
    return dict(zip(keys, rows, strict=True))


def _equal(left: object, right: object) -> bool:
    left, right = (None if each != each else each for each in (left, right))  # NaN
    if isinstance(left, float) and isinstance(right, float):
        return abs(left - right) <= 1e-12 * max(1.0, abs(left))
    return left == right
