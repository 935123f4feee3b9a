"""`Payments`: simulated payments with numbers in place of names and dates."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Payments:
    """Simulated payments, as one array for each column.

    Args:
        card: The number of the card.
        merchant: The number of the merchant.
        second: The time, in seconds since the simulation's start.
        amount: The amount.
        pattern: ``honest``, or the pattern of the fraud.
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
        """Return the payments of all parts, in the order of the parts."""
        return cls(
            np.concatenate([part.card for part in parts]),
            np.concatenate([part.merchant for part in parts]),
            np.concatenate([part.second for part in parts]),
            np.concatenate([part.amount for part in parts]),
            np.concatenate([part.pattern for part in parts]),
        )

    def take(self, rows: npt.NDArray[np.bool_] | Integers) -> "Payments":
        """Return the payments at these positions, or where the mask is true."""
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
