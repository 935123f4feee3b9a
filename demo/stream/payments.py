"""Simulated payments: most are calm; a stolen card pays large amounts in a quick row."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa
from deltalake import write_deltalake

from featurestore.store.columns import UTC_MICROS

CARDS = 200
STOLEN_SHARE = 0.02
_BURST = 8
_SCHEMA = pa.schema(
    [
        ("payment_id", pa.int64()),
        ("card_id", pa.int64()),
        ("amount", pa.float64()),
        ("paid_at", UTC_MICROS),
        ("is_fraud", pa.bool_()),
    ]
)


@dataclass(frozen=True)
class Payment:
    """A payment.

    Args:
        payment_id: Its number.
        card_id: The card.
        amount: The amount in euros.
        paid_at: When it was made.
        is_fraud: Whether the card was stolen; a model does not see it.
    """

    payment_id: int
    card_id: int
    amount: float
    paid_at: datetime
    is_fraud: bool


class Generator:
    """Draws payments, one after the other.

    Args:
        seed: The seed.
    """

    def __init__(self, seed: int) -> None:
        self._draw = random.Random(seed)
        self._number = 0
        self._bursts: dict[int, int] = {}  # stolen cards, and how many payments are left

    def next(self, paid_at: datetime) -> Payment:
        """Return the next payment."""
        self._number += 1
        if self._bursts and self._draw.random() < 0.5:
            card = self._draw.choice(list(self._bursts))
            self._bursts[card] -= 1
            if not self._bursts[card]:
                del self._bursts[card]
            amount = self._draw.uniform(80, 400)
            return Payment(self._number, card, round(amount, 2), paid_at, is_fraud=True)
        card = self._draw.randrange(CARDS)
        if self._draw.random() < STOLEN_SHARE:
            self._bursts[card] = _BURST
        amount = self._draw.lognormvariate(3.2, 0.7)
        return Payment(self._number, card, round(amount, 2), paid_at, is_fraud=False)

    def past(self, count: int, until: datetime, seconds: float) -> Iterator[Payment]:
        """Yield payments before a moment, so many seconds apart."""
        for number in range(count, 0, -1):
            yield self.next(until - timedelta(seconds=number * seconds))


def append(folder: Path, payments: list[Payment]) -> None:
    """Append payments to the Delta table in a folder, in one commit."""
    rows = [vars(payment) for payment in payments]
    write_deltalake(folder, pa.Table.from_pylist(rows, schema=_SCHEMA), mode="append")
