"""`Payments`: columns of simulated payments before they get names, dates and arrival times."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Payments:
    """Simulated payments, a column each.

    Args:
        card: Number of the card.
        merchant: Number of the merchant.
        second: When, in seconds since the simulation's start.
        amount: How much.
        pattern: Why: ``honest`` or the name of the planted fraud.
    """

    card: Integers
    merchant: Integers
    second: Floats
    amount: Floats
    pattern: npt.NDArray[np.str_]

    @classmethod
    def of(
        cls, card: Integers, merchant: Integers, second: Floats, amount: Floats, pattern: str
    ) -> "Payments":
        """Return payments that all have one pattern."""
        return cls(card, merchant, second, amount, np.full(len(card), pattern, dtype="<U12"))

    @classmethod
    def concatenate(cls, *parts: "Payments") -> "Payments":
        """Return all payments of the parts, part after part."""
        return cls(
            np.concatenate([part.card for part in parts]),
            np.concatenate([part.merchant for part in parts]),
            np.concatenate([part.second for part in parts]),
            np.concatenate([part.amount for part in parts]),
            np.concatenate([part.pattern for part in parts]),
        )

    def take(self, rows: npt.NDArray[np.bool_] | Integers) -> "Payments":
        """Return the chosen rows."""
        return Payments(
            self.card[rows],
            self.merchant[rows],
            self.second[rows],
            self.amount[rows],
            self.pattern[rows],
        )

    def sorted_by_time(self) -> "Payments":
        """Return the payments in the order in which they happened."""
        return self.take(np.argsort(self.second, kind="stable"))
