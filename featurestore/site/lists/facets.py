"""Facets of a list: the values by which rows are chosen, with the number of rows of each."""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import Any

from featurestore.site.documents.parts import Document

Values = tuple[str, ...]
_LONGEST = 200
_DIGITS = re.compile(r"(\d+)")


@dataclass(frozen=True)
class Facet:
    """One facet of a list.

    Args:
        name: Its name, such as ``"owner"``.
        values: Its values, the most frequent first; ``""`` is that of rows without any.
        counts: The number of rows of each value.
        sets: The distinct choices of values that rows have, as numbers of values.
        runs: The choice of each row, as the number of a set and how many rows in turn have it.
    """

    name: str
    values: tuple[str, ...]
    counts: tuple[int, ...]
    sets: tuple[tuple[int, ...], ...]
    runs: tuple[int, ...]

    @property
    def data(self) -> dict[str, Any]:  # Any: plain data of JSON
        """What the script of the list reads."""
        return {"name": self.name, "values": self.values, "sets": self.sets, "runs": self.runs}


def facets_of(names: Sequence[str], rows: Sequence[tuple[Values, ...]]) -> list[Facet]:
    """Return the facets of a list that have more than one value.

    Args:
        names: The names of facets.
        rows: For each row, the values of each facet, as `values_of` returns them.

    Example:
        >>> rows = [(("risk",),), (("risk",),), (("",),)]
        >>> facets_of(["owner"], rows)[0].values, facets_of(["owner"], rows)[0].runs
        (('risk', ''), (0, 2, 1, 1))
    """
    made = (_facet(name, [row[place] for row in rows]) for place, name in enumerate(names))
    return [facet for facet in made if len(facet.values) > 1]


def values_of(names: Sequence[str], data: Document) -> tuple[Values, ...]:
    """Return the values of each facet for a definition or a feature.

    Args:
        names: The names of facets.
        data: The data of its page.
    """
    return tuple(_READ[name](data) for name in names)


def _facet(name: str, rows: Sequence[Values]) -> Facet:
    counts = Counter(value for row in rows for value in row)
    values = tuple(sorted(counts, key=lambda value: (-counts[value], _natural(value))))
    number = {value: place for place, value in enumerate(values)}
    places: dict[Values, int] = {}
    runs: list[int] = []
    for row, members in groupby(rows):
        runs += [places.setdefault(row, len(places)), sum(1 for _ in members)]
    sets = tuple(tuple(number[value] for value in row) for row in places)
    return Facet(name, values, tuple(counts[value] for value in values), sets, tuple(runs))


def _natural(text: str) -> list[tuple[int, str]]:
    """Return a key that sorts ``7d`` before ``30d``."""
    parts = _DIGITS.split(text)
    return [(int(part) if part.isdecimal() else -1, part) for part in parts]


def _freshness(data: Document) -> Values:
    state, fresh = data["freshness"]["state"], data["freshness"]["fresh"]
    return (state,) if fresh is None else (state, "fresh" if fresh else "due")


@lru_cache(maxsize=20_000)  # PERF: the features of a view share their values
def _texts(*values: str) -> Values:
    short = (value if len(value) <= _LONGEST else f"{value[: _LONGEST - 1]}…" for value in values)
    return tuple(dict.fromkeys(short)) or ("",)


_READ: Mapping[str, Callable[[Document], Values]] = {
    "domain": lambda data: _texts(data["domain"]),
    "entity": lambda data: _texts(*data["entities"]),
    "owner": lambda data: _texts(data["owner"]),
    "tag": lambda data: _texts(*data["tags"]),
    "freshness": _freshness,
    "drift": lambda data: (data["drift_state"],),
    "type": lambda data: _texts(data["type"]),
    "window": lambda data: _texts(data["window"] or ""),
    "service": lambda data: _texts(*(each["name"] for each in data["services"])),
    "label": lambda data: _texts(data["label"] or ""),
    "saved by": lambda data: _texts(data["saved_by"]),
    "training set": lambda data: _texts(data["training_set"]),
    "recorded by": lambda data: _texts(data["recorded_by"]),
}
