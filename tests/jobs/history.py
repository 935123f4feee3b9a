"""What a view's builds must have after any history: a model in plain Python.

The source is a list of rows in the order of their commits. A build has read a prefix of it. Each
row of the prefix is stored, in quarantine, or left out.
"""

from collections import Counter
from dataclasses import KW_ONLY, dataclass, field, replace
from datetime import datetime

from tests.jobs.world import moment_of

LEFT_OUT = 3.0
"""The amount of rows that the transform of a changed definition leaves out."""


@dataclass(frozen=True)
class Payment:
    """One row of the source: a payment, or a correction of one.

    Args:
        card: The card; None for a row without a key.
        hour: The hours from noon to the payment; None for a row without a time.
        payment: The id that its corrections have too.
        number: The number of the row in the source, which a repeated row shares.
        amount: The amount.
        seen: When the row became available.
    """

    card: str | None
    _: KW_ONLY
    hour: int | None
    payment: str
    number: int
    amount: float
    seen: datetime


@dataclass(frozen=True)
class Rules:
    """A definition of the view, and its expectations.

    Args:
        factor: What the transform multiplies amounts by; it leaves rows out if this is not 1.
        limit: The greatest amount that is expected.
    """

    factor: float = 1.0
    limit: float = 100.0

    def leaves_out(self, row: Payment) -> bool:
        """Return whether the transform leaves a row of the source out."""
        return self.factor != 1.0 and row.amount == LEFT_OUT

    def reasons(self, row: Payment) -> tuple[str, ...]:
        """Return why a transformed row must not be stored."""
        lacking = {"null_key": row.card is None, "null_time": row.hour is None}
        reasons = tuple(name for name, is_lacking in lacking.items() if is_lacking)
        if not reasons and row.amount > self.limit:
            return ("amount:less_than_or_equal_to",)
        return reasons


@dataclass
class Build:
    """The rows of one build.

    Args:
        factor: The factor of its definition.
        read: The number of the source's rows that it has read.
        left_out: How many of them the transform left out.
        stored: The rows of its feature table.
        bad: The rows of its quarantine that are not released, each with the reasons.
        released: The released rows, each with its former reasons.
    """

    factor: float
    read: int = 0
    left_out: int = 0
    stored: list[Payment] = field(default_factory=list)
    bad: list[tuple[Payment, tuple[str, ...]]] = field(default_factory=list)
    released: list[tuple[Payment, tuple[str, ...]]] = field(default_factory=list)

    def read_until(self, source: list[Payment], end: int, rules: Rules) -> None:
        """Read the source's rows up to a position."""
        for row in source[self.read : end]:
            changed = replace(row, amount=row.amount * rules.factor)
            reasons = rules.reasons(changed)
            if rules.leaves_out(row):
                self.left_out += 1
            elif reasons:
                self.bad.append((changed, reasons))
            else:
                self.stored.append(changed)
        self.read = max(self.read, end)

    def releasable(self, rules: Rules) -> list[tuple[Payment, tuple[str, ...]]]:
        """Return the rows in quarantine that pass the expectations by now."""
        return [each for each in self.bad if not rules.reasons(each[0])]

    def release(self, rules: Rules, now: datetime) -> None:
        """Store what passes by now; it is available from now on."""
        for row, reasons in self.releasable(rules):
            self.stored.append(replace(row, seen=max(row.seen, now)))
            self.released.append((row, reasons))
        self.bad = [each for each in self.bad if rules.reasons(each[0])]

    def rows(self) -> list[tuple[object, ...]]:
        """Return the stored rows, sorted, as `World.rows` returns them."""
        return sorted(
            (row.card, moment_of(row.hour), row.seen, row.number, row.payment, row.amount)
            for row in self.stored
        )

    def quarantine(self) -> Counter[tuple[object, ...]]:
        """Return how often each row is in quarantine, with its reasons and state."""
        states = (("quarantined", self.bad), ("released", self.released))
        return Counter(
            (row.number, row.amount, reasons, state)
            for state, rows in states
            for row, reasons in rows
        )

    def sum_of(self, card: str) -> float | None:
        """Return the sum of a card's payments after all corrections; None without any."""
        newest: dict[str, tuple[datetime, int]] = {}
        own = [row for row in self.stored if row.card == card]
        for row in own:
            rank = (row.seen, row.number)
            newest[row.payment] = max(rank, newest.get(row.payment, rank))
        # Repeated rows are equal in all columns, and windows count each.
        valid = [row.amount for row in own if (row.seen, row.number) == newest[row.payment]]
        return sum(valid) if valid else None
