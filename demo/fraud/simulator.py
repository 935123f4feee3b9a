"""A simulation of card payments: honest payments, frauds, late rows and chargebacks.

No real card data is free, so this data is invented. It depends only on a seed.

Honest payments: each card has its home city, its share of the payments and its usual amount. Its
owner travels in one week of twelve, pays online in a third of the cases, and rarely pays at night.
Some cards make short bursts of small payments (parking, games), so a burst alone is no evidence.

Frauds, about 1.3% of the rows, have one of these `PATTERNS`:
    testing: 4-9 payments under 3.00 within minutes, then up to three large ones within the hour.
    collusion: for 45 days a merchant charges cards that it has seen. The amounts are ordinary,
        so only the merchant's earlier chargebacks are evidence.
    jump: a payment at a terminal far away, within 90 minutes of one in the card's city.
    spree: single purchases of 4-9 times the card's usual amount.

Arrival: a row arrives seconds after its payment, but `LATE_SHARE` of the rows arrive 5 minutes to
5 days late, at random. 95% of the frauds are charged back 1 to 30 days later, and so is one honest
payment in 4,000.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa

from demo.fraud.patterns import add_frauds
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
    """The size of a simulation. Tests use a smaller one than the demo.

    Args:
        payments: The number of honest payments. Frauds are added to them.
        cards: The number of cards.
        merchants: The number of merchants.
        days: The number of days from `START` on.
    """

    payments: int = 205_000
    cards: int = 3_000
    merchants: int = 600
    days: int = 187


@dataclass(frozen=True)
class Simulation:
    """The tables for the sources, and the true patterns, which no source has.

    Args:
        transactions: All payments in the order of their arrival (``ingested_at``).
        chargebacks: The disputed payments in the order of their reports (``reported_at``).
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
    payments = add_frauds(rng, world, honest).sorted_by_time()
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
    columns = ["transaction_id", "card_id", "merchant_id", "amount", "event_timestamp"]
    return rows.select(columns).append_column("reported_at", _moments(reported))


def _names(letter: str, numbers: np.ndarray) -> pa.Array:
    names = pa.array([f"{letter}{number:04d}" for number in range(int(numbers.max()) + 1)])
    return names.take(pa.array(numbers))


def _moments(micros: np.ndarray) -> pa.Array:
    return pa.array(micros, pa.int64()).cast(_UTC)
