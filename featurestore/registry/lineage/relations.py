"""Relations of a query: what each of their columns is made from, as columns of the source."""

from dataclasses import dataclass
from typing import Protocol

Columns = frozenset[str]
EMPTY: Columns = frozenset()


class UnknownQueryError(Exception):
    """A query has a part whose columns cannot be known."""


class Relation(Protocol):
    """What a query selects from."""

    @property
    def is_open(self) -> bool:
        """Whether it may have columns besides those that are known."""

    @property
    def rows(self) -> Columns:
        """The source's columns that decide which rows it has."""

    @property
    def mentioned(self) -> Columns:
        """The source's columns that its text names."""

    def has(self, name: str) -> bool:
        """Return whether it has, or may have, a column."""

    def made_from(self, name: str) -> Columns:
        """Return the source's columns that a column is made from; none if it has no such one."""

    def all_values(self) -> Columns:
        """Return the source's columns that all its columns are made from.

        Raises:
            UnknownQueryError: It has a column for each column of the source.
        """

    def names(self) -> tuple[str, ...] | None:
        """Return the names of its columns, in order; None if they are not all known."""


@dataclass(frozen=True)
class External:
    """A table that is not the view's source."""

    is_open: bool = True
    rows: Columns = EMPTY
    mentioned: Columns = EMPTY

    def has(self, name: str) -> bool:
        return True

    def made_from(self, name: str) -> Columns:
        return EMPTY

    def all_values(self) -> Columns:
        return EMPTY

    def names(self) -> tuple[str, ...] | None:
        return None


@dataclass(frozen=True)
class Generated:
    """The rows that a function makes of one row, or the fields of a struct.

    Args:
        made: What all its columns are made from.
        own: Their names in lower case; empty if they are not known.
    """

    made: Columns
    own: frozenset[str] = frozenset()

    @property
    def is_open(self) -> bool:
        return not self.own

    @property
    def rows(self) -> Columns:
        return self.made

    @property
    def mentioned(self) -> Columns:
        return self.made

    def has(self, name: str) -> bool:
        return self.is_open or name.lower() in self.own

    def made_from(self, name: str) -> Columns:
        return self.made if self.has(name) else EMPTY

    def all_values(self) -> Columns:
        return self.made

    def names(self) -> tuple[str, ...] | None:
        return None


@dataclass(frozen=True)
class Rows:
    """The source, or the result of a query.

    Args:
        named: Each column with a name, in order, with what it is made from.
        stars: The relations of which it has all columns but the named ones, in lower case.
        rows: The source's columns that decide which rows it has.
        mentioned: The source's columns that its text names.
        is_source: Whether it is the source itself, with any column.
    """

    named: list[tuple[str, Columns]]
    stars: tuple[tuple[Relation, frozenset[str]], ...] = ()
    rows: Columns = EMPTY
    mentioned: Columns = EMPTY
    is_source: bool = False

    @classmethod
    def of_source(cls) -> "Rows":
        """Return the view's source."""
        return cls([], is_source=True)

    @classmethod
    def of_both(cls, left: Relation, right: Relation) -> "Rows":
        """Return a union. Its columns have the names of the left side, and match by position.

        Raises:
            UnknownQueryError: The positions are not known.
        """
        names, others = left.names(), right.names()
        rows, mentioned = left.rows | right.rows, left.mentioned | right.mentioned
        if names is None or others is None:
            # Two queries with a star match by position only if they have the same columns.
            if not (isinstance(left, Rows) and isinstance(right, Rows) and left.is_like(right)):
                raise UnknownQueryError
            named = [
                (name, made | other)
                for (name, made), (_, other) in zip(left.named, right.named, strict=True)
            ]
            return cls(named, left.stars, rows, mentioned)
        if len(names) != len(others):
            raise UnknownQueryError
        pairs = zip(names, others, strict=True)
        named = [(name, left.made_from(name) | right.made_from(other)) for name, other in pairs]
        return cls(named, (), rows, mentioned)

    def is_like(self, other: "Rows") -> bool:
        """Return whether another query has the same columns in the same order, stars included."""
        ours, theirs = ([name.lower() for name, _ in each.named] for each in (self, other))
        return ours == theirs and self.stars == other.stars

    @property
    def is_open(self) -> bool:
        return self.is_source or any(relation.is_open for relation, _ in self.stars)

    def has(self, name: str) -> bool:
        low = name.lower()
        return (
            self.is_source
            or any(own.lower() == low for own, _ in self.named)
            or any(low not in left_out and each.has(name) for each, left_out in self.stars)
        )

    def made_from(self, name: str) -> Columns:
        if self.is_source:
            return frozenset({name})
        low = name.lower()
        if found := [made for own, made in self.named if own.lower() == low]:
            return EMPTY.union(*found)
        open_ones = (each for each, left_out in self.stars if low not in left_out)
        return EMPTY.union(*(each.made_from(name) for each in open_ones))

    def all_values(self) -> Columns:
        if self.is_source:
            raise UnknownQueryError
        stars = (each.all_values() for each, _ in self.stars)
        return EMPTY.union(*(made for _, made in self.named), *stars)

    def names(self) -> tuple[str, ...] | None:
        if self.is_source or self.stars:
            return None
        return tuple(name for name, _ in self.named)


@dataclass(frozen=True)
class Renamed:
    """A relation whose columns have other names: ``t(a, b)``.

    Args:
        relation: The relation.
        new: The new name of each column, in order, with its own name.
    """

    relation: Relation
    new: tuple[tuple[str, str], ...]
    is_open: bool = False

    @classmethod
    def of(cls, relation: Relation, columns: list[str]) -> "Renamed":
        """Return a relation under other names.

        Raises:
            UnknownQueryError: Its own names are not known.
        """
        names = relation.names()
        if names is None or len(names) != len(columns):
            raise UnknownQueryError
        return cls(relation, tuple(zip(columns, names, strict=True)))

    @property
    def rows(self) -> Columns:
        return self.relation.rows

    @property
    def mentioned(self) -> Columns:
        return self.relation.mentioned

    def has(self, name: str) -> bool:
        return any(new.lower() == name.lower() for new, _ in self.new)

    def made_from(self, name: str) -> Columns:
        own = (old for new, old in self.new if new.lower() == name.lower())
        return EMPTY.union(*(self.relation.made_from(old) for old in own))

    def all_values(self) -> Columns:
        return self.relation.all_values()

    def names(self) -> tuple[str, ...] | None:
        return tuple(new for new, _ in self.new)
