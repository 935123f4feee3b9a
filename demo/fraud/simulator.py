"""A seeded world of card payments: honest habits, planted frauds, late rows, slow chargebacks.

No real card data is free, so this is invented; what is invented is written down here.

Honest payments: each of the cards has a home city, a pace and a purse of its own, travels in one
week out of twelve, pays a third of the time online, and rarely at night. Some make short bursts of
small payments (parking, games), so that a burst by itself proves nothing.

Planted frauds, about 1.3% of rows, in `PATTERNS`:
    testing: 4-9 payments under 3.00 within minutes, then up to three large ones within the hour.
    collusion: from some day on and for 45 days a merchant charges cards it has seen; amounts are
        ordinary, so that only the merchant's chargebacks, once known, give it away.
    jump: a payment at a terminal far away, within 90 minutes of one at the card's place.
    spree: single purchases of 4-9 times the card's usual amount.

What is known when: a row reaches us seconds after the payment, but `LATE_SHARE` of rows come 5
minutes to 5 days late, whatever they hold. A fraud is charged back in 95% of cases, 1 to 30 days
later; so is one honest payment in 4,000.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa

from demo.fraud.patterns import plant
from demo.fraud.payments import Payments
from demo.fraud.world import CATEGORIES, World, honest_payments, make_world

START = datetime(2026, 1, 1, tzinfo=UTC)
LATE_SHARE = 0.02
LATE_AFTER_SECONDS = 300
LATEST_SECONDS = 5 * 86_400
CHARGED_BACK_SHARE = 0.95
HONEST_DISPUTE_SHARE = 1 / 4_000
LONGEST_CHARGEBACK_DAYS = 30

_SECOND = 1_000_000
_DAY = 86_400 * _SECOND
_START_MICROS = int(START.timestamp()) * _SECOND
_UTC = pa.timestamp("us", tz="UTC")


@dataclass(frozen=True)
class Size:
    """How much to simulate; tests take less than the demo.

    Args:
        payments: Honest payments; frauds come on top.
        cards: Cards.
        merchants: Merchants.
        days: Days from `START`.
    """

    payments: int = 205_000
    cards: int = 3_000
    merchants: int = 600
    days: int = 187


@dataclass(frozen=True)
class Simulation:
    """What happened: the two tables the store may see, and the truth it may not.

    Args:
        transactions: All payments in the order of their arrival (``ingested_at``).
        chargebacks: Disputed payments in the order of their report (``reported_at``).
        truth: ``transaction_id`` and ``pattern`` (``honest`` or one of `PATTERNS`), for tests.
    """

    transactions: pa.Table
    chargebacks: pa.Table
    truth: pa.Table


def simulate(size: Size | None = None, seed: int = 20260101) -> Simulation:
    """Return the same simulation for the same size and seed, on every machine.

    Example:
        >>> small = Size(payments=2_000, cards=50, merchants=60, days=40)
        >>> simulate(small).transactions.equals(simulate(small).transactions)
        True
    """
    size = size or Size()
    rng = np.random.default_rng(seed)
    world = make_world(rng, size.cards, size.merchants, size.days)
    honest = honest_payments(rng, world, size.payments)
    payments = plant(rng, world, honest).sorted_by_time()
    transactions = _transactions(rng, world, payments)
    chargebacks = _chargebacks(rng, transactions, payments)
    truth = pa.table(
        {"transaction_id": transactions["transaction_id"], "pattern": payments.pattern}
    )
    return Simulation(
        transactions.sort_by([("ingested_at", "ascending"), ("transaction_id", "ascending")]),
        chargebacks.sort_by([("reported_at", "ascending"), ("transaction_id", "ascending")]),
        truth,
    )


def _transactions(rng: np.random.Generator, world: World, payments: Payments) -> pa.Table:
    count = len(payments.second)
    at = _START_MICROS + (payments.second * _SECOND).astype(np.int64)
    merchant = payments.merchant
    return pa.table(
        {
            "transaction_id": pa.array([f"t{number:07d}" for number in range(count)]),
            "card_id": _names("c", payments.card),
            "merchant_id": _names("m", merchant),
            "category": pa.array(CATEGORIES).take(pa.array(world.category[merchant])),
            "online": pa.array(world.online[merchant]),
            "amount": pa.array(np.round(payments.amount, 2)),
            "latitude": pa.array(np.round(world.latitude[merchant], 4)),
            "longitude": pa.array(np.round(world.longitude[merchant], 4)),
            "event_timestamp": _moments(at),
            "ingested_at": _moments(at + _arrival_lag(rng, count)),
        }
    )


def _arrival_lag(rng: np.random.Generator, count: int) -> np.ndarray:
    prompt = rng.uniform(1, 20, count)
    late = np.exp(rng.uniform(np.log(LATE_AFTER_SECONDS), np.log(LATEST_SECONDS), count))
    seconds = np.where(rng.random(count) < LATE_SHARE, late, prompt)
    return (seconds * _SECOND).astype(np.int64)


def _chargebacks(rng: np.random.Generator, transactions: pa.Table, payments: Payments) -> pa.Table:
    fraud = np.asarray(payments.pattern) != "honest"
    share = np.where(fraud, CHARGED_BACK_SHARE, HONEST_DISPUTE_SHARE)
    disputed = pa.array(rng.random(len(fraud)) < share)
    rows = transactions.filter(disputed)
    days = np.clip(1 + rng.gamma(2.0, 5.0, len(rows)), 1, LONGEST_CHARGEBACK_DAYS)
    reported = rows["event_timestamp"].to_numpy().astype("datetime64[us]").astype(np.int64)
    reported = reported + (days * _DAY).astype(np.int64)
    kept = ["transaction_id", "card_id", "merchant_id", "amount", "event_timestamp"]
    return rows.select(kept).append_column("reported_at", _moments(reported))


def _names(letter: str, numbers: np.ndarray) -> pa.Array:
    known = pa.array([f"{letter}{number:04d}" for number in range(int(numbers.max()) + 1)])
    return known.take(pa.array(numbers))


def _moments(micros: np.ndarray) -> pa.Array:
    return pa.array(micros, pa.int64()).cast(_UTC)
