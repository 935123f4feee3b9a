"""The numbers of a feature over time, each with its drawing and the first and the last number."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from featurestore.site.statistics.drawings import sparkline

_NUMBERS = {
    "rows": "Rows",
    "null_share": "Share of nulls",
    "mean": "Mean",
    "median": "Median",
    "distinct": "Different values",
}


def lines_over_time(statistics: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the numbers that at least two profiles have.

    Args:
        statistics: The data of `statistics_document`.

    Example:
        >>> history = [{"rows": 3, "null_share": 0}, {"rows": 5, "null_share": 0}]
        >>> [(each["name"], each["last"]) for each in lines_over_time({"history": history})]
        [('Rows', '5'), ('Share of nulls', '0 %')]
    """
    for key, name in _NUMBERS.items():
        values = [_number(each, key) for each in statistics["history"]]
        if drawing := sparkline(name, values):
            form = "{:.3g} %" if key == "null_share" else "{:.6g}"
            scale = 100 if key == "null_share" else 1
            known = [form.format(scale * value) for value in values if value is not None]
            if key == "rows" and statistics.get("kind") == "features":
                name = "Keys"
            yield {"name": name, "drawing": drawing, "first": known[0], "last": known[-1]}


def _number(profile: Mapping[str, Any], key: str) -> float | None:
    try:
        number = float(profile[key])
    except (KeyError, TypeError, ValueError):  # not known, or a time
        return None
    return number if math.isfinite(number) else None
