"""The changes between two schemas of a source, and which of them a contract refuses."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from featurestore.definitions.model.view import SchemaContract

Kind = Literal["added", "dropped", "renamed", "retyped", "moved"]

UNKNOWN = "null"
"""The type of a column without any value, which is a column of each type."""


@dataclass(frozen=True)
class Column:
    """A column of a source.

    Args:
        name: Its name.
        type: Its type, as definitions write it where they have one: ``"Int64"``, ``"int8"``.
    """

    name: str
    type: str


Schema = tuple[Column, ...]
"""The columns of a source, in order."""


@dataclass(frozen=True)
class Change:
    """One difference between two schemas.

    Args:
        kind: ``renamed`` is a column that is gone where another column of its type has come.
        before: The column before; None for an added column.
        now: The column now; None for a dropped column.
        fits: Whether a retyped column's values are values of the type before.
    """

    kind: Kind
    before: Column | None
    now: Column | None
    fits: bool = False

    @property
    def column(self) -> Column:
        """The column before, or the added column."""
        column = self.before or self.now
        if column is None:
            raise ValueError(self)
        return column


Fits = Callable[[Column, Column], bool]
"""Return whether the values of a retyped column, the second, are values of the first's type."""


def compare(before: Schema, now: Schema, fits: Fits) -> tuple[Change, ...]:
    """Return the differences between two schemas, in the order of the columns.

    Args:
        before: The schema before.
        now: The schema now.
        fits: Called for each retyped column.

    Example:
        >>> old, new = (Column("v", "Int64"),), (Column("w", "Int64"),)
        >>> [change.kind for change in compare(old, new, lambda old, new: False)]
        ['renamed']
    """
    renamed = dict(_renamed(before, now))
    sources = set(renamed.values())
    old, new = {each.name: each for each in before}, {each.name: each for each in now}
    moved = _moved(
        [renamed.get(each.name, each).name for each in before], [each.name for each in now]
    )
    changes: list[Change] = []
    for each in before:
        same = new.get(each.name)
        if each.name in renamed:
            changes.append(Change("renamed", each, renamed[each.name]))
        elif same is None:
            changes.append(Change("dropped", each, None))
        elif same.type != each.type and UNKNOWN not in (same.type, each.type):
            changes.append(Change("retyped", each, same, fits(each, same)))
        elif each.name in moved:
            changes.append(Change("moved", each, same))
    added = [each for each in now if each.name not in old and each not in sources]
    return (*changes, *(Change("added", None, each) for each in added))


def refused(
    contract: SchemaContract, changes: Sequence[Change], needed: Collection[str]
) -> tuple[Change, ...]:
    """Return the changes that a contract refuses.

    Args:
        contract: The contract.
        changes: The changes.
        needed: The columns that the view uses and that are not as it declares them: no contract
            takes them.

    Example:
        >>> new = Change("added", None, Column("w", "Int64"))
        >>> [bool(refused(each, [new], ())) for each in ("ignore", "evolve", "freeze")]
        [False, False, True]
    """
    return tuple(each for each in changes if _is_refused(contract, each, needed))


def _is_refused(contract: SchemaContract, change: Change, needed: Collection[str]) -> bool:
    if change.before is not None and change.before.name in needed:
        return True
    if contract == "ignore":
        return False
    if contract == "freeze":
        return True
    return change.kind in ("dropped", "renamed") or (change.kind == "retyped" and not change.fits)


def _renamed(before: Schema, now: Schema) -> Iterator[tuple[str, Column]]:
    """Yield the names that are gone, with the column that has come at their place in the order.

    Nothing is renamed where several columns of one type are gone or have come in between two
    columns that stayed, because it is not known which is which.
    """
    names, new_names = {each.name for each in before}, {each.name for each in now}
    come = _between(now, names)
    for place, gone in _between(before, new_names).items():
        for old in gone:
            rivals = [each for each in gone if each.type == old.type]
            fitting = [each for each in come.get(place, ()) if each.type == old.type]
            if len(rivals) == len(fitting) == 1:
                yield old.name, fitting[0]


def _between(schema: Schema, others: Collection[str]) -> dict[str, list[Column]]:
    """Return the columns that the other schema lacks, by the common column before them."""
    place, lacking = "", dict[str, list[Column]]()
    for each in schema:
        if each.name in others:
            place = each.name
        else:
            lacking.setdefault(place, []).append(each)
    return lacking


def _moved(before: Sequence[str], now: Sequence[str]) -> set[str]:
    """Return the common names that have another position among the common names."""
    old = [name for name in before if name in set(now)]
    new = [name for name in now if name in set(before)]
    return {one for one, other in zip(old, new, strict=True) if one != other}
